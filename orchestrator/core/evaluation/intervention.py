"""Finding out by intervention: when blue goes bad soon after green grew, is green doing it?

No comparison of the colours can tell an outage from a green that uses up what both share (a connection pool, a lock,
a quota). So Teal takes the last growth back and looks: green's former weight, then none, then not even its tasks.
Where blue recovers at once, green is convicted; where it stays bad all the way, or recovers only later by itself,
green is acquitted, and the rollout waits until the outage is over. Nothing of it gives green more than it had.
"""

from dataclasses import replace
from datetime import datetime
from typing import assert_never

from orchestrator.core.analysis import bake, intervals
from orchestrator.core.analysis.bake import go_to_step
from orchestrator.core.cloud.effects import ScaleService
from orchestrator.core.cloud.resources import ServiceSeen
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import Tenths
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import ALL, NONE, percent
from orchestrator.core.gates.gathered import StreamName
from orchestrator.core.gates.scene import Counts, Interval
from orchestrator.core.rollout import rule_lists
from orchestrator.core.rollout.progress import Intervention, Trial
from orchestrator.core.rollout.rollout import HoldKind, Rollout
from orchestrator.core.statistics import comparison
from orchestrator.core.tick.draft import Draft

GREW_WITHIN = 5  # periods after green grew, in which blue going bad is looked into
WATCHED = 3  # whole periods of each trial
BAD_LEAST = 2  # bad periods of blue; a single one may be chance
WATCHED_MAX = 6  # where they do not agree, so many settle it
TIMES_WORSE = 4  # blue against its own last hour
EVENTS_LEAST = 5  # times the dispersion


def is_degraded(row: Rollout, counts: Counts | None) -> bool:
    """True if blue fails far more than in its own last hour; False also where there is nothing to compare with."""
    stream = next((s for s in row.evidence.comparison if s.name is StreamName.ERRORS), None)
    if counts is None or not counts.requests or stream is None or not row.evidence.history:
        return False
    events, requests = comparison.events_of(StreamName.ERRORS, counts)
    usual = [comparison.events_of(StreamName.ERRORS, one) for one in row.evidence.history]
    rate = sum(e for e, _ in usual) / max(1, sum(n for _, n in usual))
    return events >= EVENTS_LEAST * stream.dispersion.phi and events / requests > TIMES_WORSE * rate


def weight_of(row: Rollout) -> Tenths | None:
    """The weight that a trial asks for; None: no trial is on."""
    if row.evidence.intervention is None or row.evidence.intervention.is_acquitted:
        return None
    match row.evidence.intervention.trial:
        case Trial.FORMER_WEIGHT:
            return row.evidence.intervention.former
        case Trial.NO_TRAFFIC | Trial.NO_TASKS:
            return NONE
        case never:
            assert_never(never)


def intervene(draft: Draft) -> str:
    """Begin, go on with, or end an intervention. Returns why green is convicted, in words; else nothing."""
    row = draft.row
    if row.evidence.intervention is None:
        _begin_if_due(draft)
        return ""
    if row.evidence.intervention.is_acquitted:
        _wait_for_the_end(draft)
        return ""
    return _follow_trial(draft, row.evidence.intervention)


def _begin_if_due(draft: Draft) -> None:
    row = draft.row
    newest = row.evidence.intervals[-1] if row.evidence.intervals else None
    if newest is None or not is_degraded(row, newest.blue):
        return
    grown = _grown_lately(row, newest)
    # While cookies keep users on green, taking its weight back shows nothing, and stopping its tasks gives them 503.
    must_not = not row.spec.gates.compare.intervene or bool(rule_lists.life(row))
    if grown is None or must_not or row.waiting.failed:
        draft.hold(
            HoldKind.GATE,
            f"blue itself fails: {_counts_in_words(newest.blue)}, far more than in its last hour",
            clears_when="blue does as well as in its last hour",
        )
        return
    former = max((step.weight for step in row.plan.steps if step.weight < grown), default=NONE)
    on = Intervention(begun_at=draft.now, former=former, trial=_first_trial(former))
    draft.change(intervention=on)
    if row.phase is Phase.WATCHING:
        draft.move(Phase.SHIFTING, "green's last step is undone to find out what hurts blue")
    bake.stop(draft, last_there=draft.now)
    draft.tell(
        EventKind.INTERVENTION_BEGUN,
        f"blue failed ({_counts_in_words(newest.blue)}) soon after green grew to {percent(grown)}: "
        f"green goes back to {percent(former)} to see whether it is green's doing",
        green_tenths=former,
        blue_errors=newest.blue.errors if newest.blue else None,
    )


def _first_trial(former: Tenths) -> Trial:
    return Trial.FORMER_WEIGHT if former else Trial.NO_TRAFFIC


def _grown_lately(row: Rollout, interval: Interval) -> Tenths | None:
    """The weight that green grew to within the last few periods before this one ended; None if it did not."""
    period = row.spec.metrics.period
    for number, spell in enumerate(row.evidence.spells):
        before = row.evidence.spells[number - 1].weight if number else NONE
        is_near = spell.since <= interval.start + period <= spell.since + (GREW_WITHIN + 1) * period
        if before < spell.weight < ALL and is_near:
            return spell.weight
    return None


def _follow_trial(draft: Draft, on: Intervention) -> str:
    row = draft.row
    draft.hold(
        HoldKind.GATE,
        f"{_doing(on)}, to see whether blue recovers",
        clears_when="it is known whether green hurts blue",
    )
    if on.trial is Trial.NO_TASKS and not _are_tasks_gone(draft, on):
        return ""
    watched = _watched(draft.row, draft.row.evidence.intervention or on)
    draft.change(waiting_for=f"{WATCHED} whole periods of blue")
    if len(watched) < WATCHED:
        return ""
    bad = [is_degraded(row, interval.blue) for interval in watched]
    if any(bad[-WATCHED:]):
        if all(bad[-WATCHED:]) or len(watched) >= WATCHED_MAX:
            _next_trial(draft, on)
        return ""
    is_at_once = not any(bad) and on.trial is _first_trial(on.former)
    if not is_at_once and not row.evidence.outages_passed:
        # An outage that ends by itself looks like a recovery. Blue was well at green's former weight, so green's
        # doing ends with its growth; where it does not, a second time tells.
        _clear_green(draft, on, "blue recovered, but only some time after green's last step was undone")
        return ""
    if _bad_periods(row, on) < BAD_LEAST and not row.evidence.outages_passed:
        _clear_green(draft, on, "only one period of blue failed, which may be chance")
        return ""
    words = f"blue failed when green grew, and recovered with green at {_place(on)}"
    draft.tell(EventKind.INTERVENTION_ENDED, f"green is the cause: {words}", convicted=True)
    draft.change(intervention=None)
    return words


def _bad_periods(row: Rollout, on: Intervention) -> int:
    """How many periods of blue were bad since green grew, up to the first trial; some of them are published later."""
    period = row.spec.metrics.period
    since, until = on.begun_at - (GREW_WITHIN + 1) * period, on.begun_at + period
    return sum(is_degraded(row, i.blue) for i in row.evidence.intervals if since <= i.start < until)


def _next_trial(draft: Draft, on: Intervention) -> None:
    match on.trial:
        case Trial.FORMER_WEIGHT:
            following = Trial.NO_TRAFFIC
        case Trial.NO_TRAFFIC:
            following = Trial.NO_TASKS
        case Trial.NO_TASKS:
            _clear_green(draft, on, "blue goes on failing without green")
            return
        case never:
            assert_never(never)
    draft.change(intervention=replace(on, trial=following))
    bake.stop(draft, last_there=draft.now)


def _clear_green(draft: Draft, on: Intervention, words: str) -> None:
    draft.change(
        intervention=replace(on, is_acquitted=True), outages_passed=draft.row.evidence.outages_passed + 1
    )
    draft.tell(EventKind.INTERVENTION_ENDED, f"green is not the cause: {words}", convicted=False)


def _are_tasks_gone(draft: Draft, on: Intervention) -> bool:
    """True once green's tasks were seen gone, from when on blue is watched; asks for it until then."""
    green = draft.seen.green
    if not isinstance(green, ServiceSeen):
        return False
    if green.desired:
        scale = ScaleService(cluster=green.cluster, service=green.name, desired=0)
        draft.ask(scale, "stop green's tasks for a while: one may hurt blue by running alone")
        return False
    if green.running:
        return False
    if on.tasks_gone_at is None:
        draft.change(intervention=replace(on, tasks_gone_at=draft.now))
    return True


def _watched(row: Rollout, on: Intervention) -> list[Interval]:
    """The whole periods of this trial in which blue had requests, oldest first."""
    since = on.tasks_gone_at if on.trial is Trial.NO_TASKS else None
    return [i for i in intervals.at_weight(row) if i.blue and (since is None or i.start >= since)]


def _wait_for_the_end(draft: Draft) -> None:
    """After an acquittal: hold until blue is well again, then begin the step anew."""
    row = draft.row
    newest = row.evidence.intervals[-1] if row.evidence.intervals else None
    if newest is None or newest.blue is None or is_degraded(row, newest.blue):
        draft.hold(
            HoldKind.GATE,
            "blue fails for a reason of its own, which is not green",
            clears_when="blue does as well as in its last hour",
        )
        return
    draft.change(intervention=None)
    go_to_step(draft, row.progress.step)
    draft.change(judged_from=_judged_from(row, draft.now))


def _judged_from(row: Rollout, now: datetime) -> datetime:
    """What the outage did to green is not held against it."""
    return max(now, row.evidence.judged_from or now)


def _doing(on: Intervention) -> str:
    return "green's tasks are stopped" if on.trial is Trial.NO_TASKS else f"green is at {_place(on)}"


def _place(on: Intervention) -> str:
    match on.trial:
        case Trial.FORMER_WEIGHT:
            return percent(on.former)
        case Trial.NO_TRAFFIC:
            return percent(NONE)
        case Trial.NO_TASKS:
            return "no tasks"
        case never:
            assert_never(never)


def _counts_in_words(counts: Counts | None) -> str:
    return f"{counts.errors} of {counts.requests} requests failed" if counts else "no requests"
