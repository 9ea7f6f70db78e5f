"""Traffic goes to green, step by step: shifting and watching. Until the watch has passed, blue is one write away."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from orchestrator.core.analysis import auto_plan, bake, intervals
from orchestrator.core.analysis.bake import go_to_step
from orchestrator.core.analysis.metric_queries import alarm_names, alarms_since, metrics_need
from orchestrator.core.cloud.readiness import cannot_take_all
from orchestrator.core.cloud.resources import ServiceSeen, TargetsSeen
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import Tenths
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import ALL, NONE, Step, percent
from orchestrator.core.domain.text import span
from orchestrator.core.domain.verdict import Answer, Verdict, fail
from orchestrator.core.ecs import stopped_tasks, wanted_task_definition
from orchestrator.core.evaluation import (
    evaluate,
    evidence_outage,
    intervention,
    webhooks,
)
from orchestrator.core.evaluation.approvals import is_approved
from orchestrator.core.gates import compare, window
from orchestrator.core.gates.scene import Colour
from orchestrator.core.phases.shared_needs import (
    services,
    with_scaling,
)
from orchestrator.core.rollout.progress import Bake, Trial
from orchestrator.core.rollout.rollout import HoldKind, Rollout
from orchestrator.core.rollout.spec import Capacity, OnFailure
from orchestrator.core.scaling import blue_floor, green_scaling
from orchestrator.core.scaling.capacity import all_traffic_needs, follow_green, hold_until_carried, outgrown
from orchestrator.core.tick import point_of_no_return
from orchestrator.core.tick.draft import TEAL, Draft, targets_of
from orchestrator.core.tick.needs import Needs
from orchestrator.core.tick.turn_back import roll_back
from orchestrator.core.traffic import rule_looks, rules, sticky_sessions
from orchestrator.core.traffic.drift import drift_ends_it
from orchestrator.core.traffic.rule_looks import Look

RULES = "rules"  # in the place of a gate's name: what failed is no gate

LATER = frozenset({HoldKind.PAUSED, HoldKind.WINDOW})
"""Holds that let a weight which some rules have already be written to the others too, rather than rest in between."""


def needs(row: Rollout, now: datetime) -> Needs:
    """What shifting and watching must see."""
    asked = replace(
        services(row, row.known.green.name),
        alarms=alarm_names(row),
        alarms_since=alarms_since(row),
        metrics=metrics_need(row, now),
        hooks=webhooks.needs(row, now),
    )
    is_moving = (
        not rules.all_at(row, row.plan.steps[row.progress.step].weight)
        or row.evidence.intervention is not None
    )
    asked = wanted_task_definition.with_needs(asked, row, now)
    return with_scaling(asked, row, now, is_moving=is_moving)


def advance(draft: Draft) -> None:
    """One tick of shifting or watching: look, judge, and only then move on."""
    looks = rule_looks.take_looks(draft)
    if drift_ends_it(draft, looks):
        return
    rule_looks.hold_for(draft, looks)
    point_of_no_return.look(draft)
    wanted_task_definition.keep(draft)
    _keep_time(draft)
    stopped_tasks.tell(draft, Colour.GREEN)
    intervals.take(draft)
    evidence_outage.take(draft)
    if draft.row.progress.bake.since is not None:
        webhooks.follow(draft)
    answers = _judge(draft)
    if _failure_ends_it(draft, answers):
        return
    if any(answer.wants_control for answer in answers):
        _give_control_back(draft)
    if not _is_without_tasks(draft):
        _check_both_colours(draft)
    green_scaling.keep(draft)
    if draft.row.progress.is_leaping:
        _go_to_last_step(draft, answers)
    _shift(draft, looks, answers)
    if not rules.all_at(draft.row, _weight(draft)):
        draft.change(waiting_for=f"green's weight of {percent(_weight(draft))} to be read back on every rule")
        lost = rules.unread_write(draft, _weight(draft))
        if lost and not _failure_ends_it(draft, (fail(RULES, lost),)):
            rules.withdraw_growth(draft)
        return
    if draft.row.progress.bake.since is None:
        _start_step(draft)
        return
    if draft.row.evidence.intervention is None and _trial(draft) is None and _may_leave(draft, answers):
        _leave_step(draft, looks, answers)


def _judge(draft: Draft) -> tuple[Answer, ...]:
    """The gates' answers, and a FAIL where an intervention convicts green; without traffic nothing judges it."""
    convicted = "" if evidence_outage.weight_of(draft.row) == NONE else intervention.intervene(draft)
    if convicted:
        answer = fail(compare.NAME, convicted)
        evaluate.keep(draft, (answer,))
        return (answer,)
    return () if _trial(draft) == NONE else evaluate.ask_gates(draft, Colour.GREEN)


def _give_control_back(draft: Draft) -> None:
    """From all traffic back to the watch's weight, so that green's errors can be seen beside blue's again."""
    row = draft.row
    go_to_step(draft, row.progress.step - 1)
    draft.change(
        steps=row.progress.steps[: row.progress.step],
        judged_from=draft.now,
        outages_passed=row.evidence.outages_passed + 1,
    )
    draft.tell(EventKind.STEP_PLANNED, "blue gets its control group back, to see which colour causes errors")


def _is_without_tasks(draft: Draft) -> bool:
    on = draft.row.evidence.intervention
    return on is not None and on.trial is Trial.NO_TASKS and not on.is_acquitted


def _weight(draft: Draft) -> Tenths:
    """The weight that green is to have now: the step's, or less while Teal finds out something or cannot look."""
    trial = _trial(draft)
    return _step(draft).weight if trial is None else trial


def _trial(draft: Draft) -> Tenths | None:
    """A weight that is asked for in place of the step's own; None: there is none."""
    blind = evidence_outage.weight_of(draft.row)
    return intervention.weight_of(draft.row) if blind is None else blind


def _step(draft: Draft) -> Step:
    return draft.row.plan.steps[draft.row.progress.step]


def _keep_time(draft: Draft) -> None:
    """Let the bake's clock run while everything can be seen; start it anew if the weight is not there any more."""
    row = draft.row
    if row.progress.bake.since is not None and not rules.all_at(row, _weight(draft)):
        bake.stop(draft, last_there=row.ticks.ticked_at or draft.now)
        return
    can_see = (
        isinstance(draft.seen.green, ServiceSeen)
        and isinstance(draft.seen.blue, ServiceSeen)
        and all(isinstance(seen, TargetsSeen) for colour in Colour for seen in targets_of(draft, colour))
        and not any(hold.kind is HoldKind.AWS for hold in draft.holds)
    )
    if row.progress.bake.since is not None and can_see:
        done = row.progress.bake.done + draft.since_last(row.ticks.observed_at)
        draft.change(bake=Bake(since=row.progress.bake.since, done=done))
    draft.change(observed_at=draft.now if can_see else None)


def _failure_ends_it(draft: Draft, answers: tuple[Answer, ...]) -> bool:
    failing = next((answer for answer in answers if answer.verdict is Verdict.FAIL), None)
    turns_back = draft.row.spec.on_failure is OnFailure.ROLLBACK
    forbidden = point_of_no_return.forbids(draft.row) if turns_back else ""
    if failing is not None and turns_back and not forbidden:
        roll_back(draft, f"{failing.gate}: {failing.reason}", TEAL)
        return True
    if failing is not None:
        draft.change(failed=f"{failing.gate}: {failing.reason}")
        if forbidden:
            draft.page(f"{failing.gate}: {failing.reason}; {forbidden}", about="no rollback")
    if draft.row.waiting.failed:
        draft.hold(
            HoldKind.FAILED,
            draft.row.waiting.failed,
            clears_when="a person rolls back, goes back, or resumes",
        )
    return False


def _check_both_colours(draft: Draft) -> None:
    """Hold unless blue could take everything back at once and green carries what it was made for."""
    row, blue = draft.row, draft.blue
    follow_green(draft, max(_weight(draft), row.green_weight))
    needed = all_traffic_needs(draft)
    blue_floor.keep(draft, needed)
    why = cannot_take_all(draft.seen.blue, blue.former, targets_of(draft, Colour.BLUE), needed)
    if why:
        draft.hold(
            HoldKind.CAPACITY, f"blue could not take all traffic back: {why}", clears_when="blue is ready"
        )
    too_small = (
        outgrown(draft) if row.progress.step < len(row.plan.steps) - 1 or row.plan.auto is not None else ""
    )
    if too_small and row.green_weight < ALL:
        draft.hold(HoldKind.CAPACITY, too_small, clears_when="both colours have grown with it, or it is over")
    hold_until_carried(draft, max(_weight(draft), row.green_weight))


def _go_to_last_step(draft: Draft, answers: tuple[Answer, ...]) -> None:
    """Go straight to the last step once nothing but evidence speaks against it; this one is judged until then."""
    _hold_for(draft, [answer for answer in answers if not answer.is_evidence])
    if draft.holds:
        draft.change(waiting_for=draft.holds[0].clears_when)
    else:
        auto_plan.to_the_end(draft)
        go_to_step(draft, len(draft.row.plan.steps) - 1)


def _shift(draft: Draft, looks: tuple[Look, ...], answers: tuple[Answer, ...]) -> None:
    """Ask for the step's weight on every rule; upwards only if nothing speaks against it."""
    weight = _weight(draft)
    if weight > draft.row.green_weight:
        hold_until_carried(draft, weight)
    if not rules.all_at(draft.row, weight):
        _hold_for(draft, [answer for answer in answers if not answer.is_evidence])
    is_half_there = any(rule.verified == weight for rule in draft.row.rules)
    rules.want(draft, weight)
    against = [h for h in draft.holds if h.kind not in LATER or not is_half_there]
    rules.write(draft, looks, safe_is_less=True, may_grow=not against)


def _start_step(draft: Draft) -> None:
    step, row = _step(draft), draft.row
    if row.evidence.intervention is not None or _trial(draft) is not None:
        bake.begin(draft, _weight(draft))
        draft.change(observed_at=draft.now)
        return
    bake.begin(draft, step.weight)
    draft.change(observed_at=draft.now, waiting_for="its bake")
    is_last = step.is_watch or step.weight == ALL
    of = f" of {len(row.plan.steps)}" if row.plan.auto is None else ""
    draft.tell(
        EventKind.STEP_STARTED,
        f"step {row.progress.step + 1}{of}: green has {percent(step.weight)}, "
        f"{'watched' if is_last else 'baked'} for at least {span(step.bake)}",
        step=row.progress.step + 1,
        green_tenths=step.weight,
    )
    if is_last and row.phase is Phase.SHIFTING:
        draft.move(Phase.WATCHING, "the last step's weight is on every rule")


def _may_leave(draft: Draft, answers: tuple[Answer, ...]) -> bool:
    """True if the bake is over, every gate passes (or was waived) and the step is approved; holds say what is not."""
    row, step = draft.row, _step(draft)
    is_waived = row.progress.waived_step == row.progress.step
    if row.progress.bake.done < step.bake and not is_waived:
        left = step.bake - row.progress.bake.done
        draft.wake_by(draft.now + left)
        draft.change(waiting_for=f"its bake: {round(left.total_seconds())} s to go")
        return False
    _hold_for(draft, [answer for answer in answers if not (is_waived and answer.is_evidence)])
    planned = auto_plan.not_yet(draft) if not draft.holds else ""
    if planned:
        draft.change(waiting_for=planned)
        return False
    if any(hold.kind is not HoldKind.PAUSED for hold in draft.holds):
        draft.change(waiting_for=next(h.clears_when for h in draft.holds if h.kind is not HoldKind.PAUSED))
        return False
    if step.approval and not is_approved(
        draft, row.progress.step, of=f"leaving step {row.progress.step + 1}"
    ):
        return False
    if not is_waived and step.weight == ALL and row.progress.bake.since is not None:
        # Blue is to be touched next: whoever still uses it would meet both revisions at once.
        pinned = sticky_sessions.still_on(draft, Colour.BLUE, since=row.progress.bake.since)
        if pinned:
            draft.change(waiting_for=pinned)
            return False
    draft.change(waiting_for="somebody to resume" if draft.holds else "")
    if draft.holds or draft.turning_back is not None:
        return False
    return _can_carry_the_next(draft) and _is_the_moment(draft)


def _can_carry_the_next(draft: Draft) -> bool:
    """True once green has what the next step's weight needs; with `stepped` capacity it grows now, ahead of it."""
    if draft.row.spec.capacity is Capacity.FULL:
        return True
    auto_plan.extend(draft)
    row = draft.row
    following = row.plan.steps[row.progress.step + 1 :][:1]
    if following and following[0].weight > row.green_weight:
        hold_until_carried(draft, following[0].weight)
    draft.change(waiting_for=draft.holds[0].clears_when if draft.holds else "")
    return not draft.holds


def _is_the_moment(draft: Draft) -> bool:
    wait = auto_plan.wait_to_grow(draft)
    if wait:
        draft.wake_by(draft.now + wait)
        draft.change(waiting_for="the right moment of the metric period")
    return not wait


def _hold_for(draft: Draft, answers: Sequence[Answer]) -> None:
    for answer in answers:
        if answer.verdict is Verdict.HOLD:
            kind = HoldKind.WINDOW if answer.gate == window.NAME else HoldKind.GATE
            draft.hold(kind, f"{answer.gate}: {answer.reason}", clears_when=answer.clears_when)


def _leave_step(draft: Draft, looks: tuple[Look, ...], answers: tuple[Answer, ...]) -> None:
    row = draft.row
    draft.tell(
        EventKind.STEP_PASSED,
        f"step {row.progress.step + 1} passed{sticky_sessions.in_words(row)}",
        step=row.progress.step + 1,
    )
    if row.progress.waived_step != row.progress.step:
        draft.change(passed=(*row.progress.passed, row.progress.step))
    auto_plan.extend(draft)
    if row.phase is Phase.WATCHING and row.progress.step == len(draft.row.plan.steps) - 1:
        go_to_step(draft, 0)
        bake.forget(draft)
        is_swap = row.spec.ending.is_swap
        draft.move(Phase.RETIRING if is_swap else Phase.SETTLING, "the watch has passed")
        return
    go_to_step(draft, row.progress.step + 1)
    _shift(draft, looks, answers)
