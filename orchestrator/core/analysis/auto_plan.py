"""The plan `auto`: weights and times that follow from the service's own traffic and from the evidence.

The first weight gives green just enough requests to see anything; a step is left on the datapoint of one whole period
rather than on a clock; the next weight is as large as the harm budget allows, given how bad green could still be by
what was measured; half of the traffic is visited before all of it; and a small part stays on blue as control group
until the watch has passed, since without one an outage of both looks like green's.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from orchestrator.core.analysis import intervals
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import Tenths
from orchestrator.core.domain.plan import ALL, AutoSpec, Step, percent
from orchestrator.core.gates.gathered import StreamName
from orchestrator.core.gates.scene import Interval, floor_to
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.statistics import comparison
from orchestrator.core.statistics.sequential_test import Sums
from orchestrator.core.tick.draft import Draft

HALF = Tenths(500)
DETECTION = 2.5  # periods from harm to its taking back: the metric's delay, a whole period, and the write
UPPER = 1.96  # normal quantile of a one-sided 97.5 % bound
RECENT = 15  # periods of blue's history that say how much traffic there is now
ERRORS_LEAST = 6.0  # of blue a period: below it only large regressions can be told in a quick plan's time
GREEN_LEAST = 5.0  # requests of green a period at the first weight: below it nothing is seen
LOW_TRAFFIC = ((Tenths(20), 3), (Tenths(100), 6), (HALF, 6))  # (weight, periods)
TOLD_MAX = math.log(1e6)  # evidence is told up to a million to one
WORTHWHILE = 1.5  # a next weight smaller than this many times the present one waits for more evidence


def requests_a_period(row: Rollout) -> float:
    """The service's requests in one period lately, by blue's history; 0 if it is not known."""
    recent = (row.evidence.history or ())[-RECENT:]
    return sum(counts.requests for counts in recent) / len(recent) if recent else 0.0


def errors_a_period(row: Rollout) -> float:
    """Blue's errors in one period of its history; 0 if it is not known."""
    found = row.evidence.history or ()
    total = sum(comparison.events_of(StreamName.ERRORS, counts)[0] for counts in found)
    return total / len(found) if found else 0.0


def first_weight(spec: AutoSpec, requests: float) -> Tenths:
    """The weight at which green gets its first requests a period, within the plan's bounds."""
    if requests <= 0:
        return spec.first_max
    wanted = math.ceil(spec.first_requests / requests * ALL)
    return Tenths(min(max(wanted, spec.first_min), spec.first_max))


def is_low_traffic(spec: AutoSpec, requests: float, errors: float) -> bool:
    """True where there is too little traffic for evidence, so that longer bakes at larger weights must do."""
    green = requests * first_weight(spec, requests) / ALL
    return green < GREEN_LEAST or (green < spec.first_requests and errors < ERRORS_LEAST)


def hold_back(spec: AutoSpec, requests: float, phi: float) -> Tenths:
    """Blue's share as control group during the watch; the more errors cluster, the larger it has to be."""
    if requests <= 0:
        return spec.hold_back_max
    wanted = math.ceil(spec.hold_back * phi / requests * ALL)
    return Tenths(min(max(wanted, spec.hold_back_min), spec.hold_back_max))


def typical(spec: AutoSpec, period: timedelta, *, first: Tenths | None = None) -> tuple[Step, ...]:
    """The steps of a good release, from a first weight (unless said: the largest) on: what can be said beforehand."""
    weights = [first or spec.first_max]
    while weights[-1] < HALF:
        weights.append(Tenths(min(weights[-1] * spec.factor, HALF)))
    watch = Step(weight=Tenths(ALL - spec.hold_back_min), bake=spec.watch * period, is_watch=True)
    seen = (Step(weight=weight, bake=timedelta(0)) for weight in weights)
    return (*seen, watch, Step(weight=ALL, bake=timedelta(0)))


def begin(draft: Draft) -> None:
    """Plan the first steps from blue's history, as traffic is about to begin."""
    spec, row = draft.row.plan.auto, draft.row
    if spec is None or row.progress.steps:
        return
    requests, errors, period = requests_a_period(row), errors_a_period(row), row.spec.metrics.period
    if is_low_traffic(spec, requests, errors):
        steps = tuple(Step(weight=weight, bake=periods * period) for weight, periods in LOW_TRAFFIC)
        words = (
            f"too little traffic for quick evidence ({requests:,.0f} requests and {errors:.2g} errors a period): "
            f"2, 10 and 50 % with longer bakes{_unprobed(row)}"
        )
    else:
        steps = (Step(weight=first_weight(spec, requests), bake=timedelta(0)),)
        green = requests * steps[0].weight / ALL
        words = f"first weight {percent(steps[0].weight)}: about {green:.3g} requests of green a period"
    draft.change(steps=_asking(row, steps))
    draft.tell(
        EventKind.STEP_PLANNED,
        words,
        requests_a_period=round(requests, 1),
        errors_a_period=round(errors, 2),
        green_tenths=steps[0].weight,
    )


def _unprobed(row: Rollout) -> str:
    return (
        "" if row.spec.gates.probe.on else "; a probe is required here, and the file has none (gates.probe)"
    )


def wait_for_moment(draft: Draft) -> timedelta:
    """How long to wait with the first weight; zero: now.

    Written shortly before a period ends, it is seen through a whole period almost at once.
    """
    spec, period = draft.row.plan.auto, draft.row.spec.metrics.period
    if spec is None:
        return timedelta(0)
    into = draft.now - floor_to(draft.now, period)
    start, end = period * (1 - spec.start_before), period * (5 / 6)
    if start <= into < end:
        return timedelta(0)
    return start - into if into < start else period + start - into


def wait_to_grow(draft: Draft) -> timedelta:
    """How long to wait with the next weight below full; zero: now.

    It is seen from the same period on if it is written shortly before that one begins, and does less harm until then.
    """
    spec, row = draft.row.plan.auto, draft.row
    step = row.plan.steps[row.progress.step]
    if (
        spec is None
        or row.progress.waived_step == row.progress.step
        or step.is_watch
        or step.bake
        or step.weight >= HALF
    ):
        return timedelta(0)
    return wait_for_moment(draft)


def not_yet(draft: Draft) -> str:
    """Why the present step of `auto` is not left yet, in words; empty once it may be, as far as the plan goes."""
    spec, row = draft.row.plan.auto, draft.row
    if spec is None:
        return ""
    step, period = row.plan.steps[row.progress.step], row.spec.metrics.period
    if row.progress.waived_step == row.progress.step or step.is_watch or step.weight == ALL:
        return ""
    measured = [interval for interval in intervals.at_weight(row) if interval.green is not None]
    longest = step.bake or spec.bake_max * period
    against = _against(row, measured)
    if (
        against >= math.log(spec.hesitate_at)
        and row.progress.bake.done < longest + spec.hesitate_max * period
    ):
        return f"more evidence: {math.exp(min(against, TOLD_MAX)):.2g} to 1 speaks against green"
    return "" if step.bake else _too_little(row, spec, measured)


def _too_little(row: Rollout, spec: AutoSpec, measured: Sequence[Interval]) -> str:
    """What is missing before a step that has no bake of its own is left, in words; empty if nothing is."""
    if not measured:
        return "the datapoint of one whole period at this weight"
    green = sum(interval.green.requests for interval in measured if interval.green is not None)
    is_longest = row.progress.bake.done >= spec.bake_max * row.spec.metrics.period
    if green < spec.requests and not is_longest:
        return f"{spec.requests} requests of green at this weight ({green} so far)"
    weight = row.plan.steps[row.progress.step].weight
    if weight < HALF and _next_weight(row, spec) < weight * WORTHWHILE and not is_longest:
        return "enough evidence for a larger weight"
    return ""


def _against(row: Rollout, measured: Sequence[Interval]) -> float:
    """What speaks against green, in nats: by all that was compared, or by this weight's periods alone.

    The latter is the plain product against "no worse than blue": no margin, and no clip, so that one bad period is
    enough. It may make a plan wait and never fail a release, which is why it needs to bound no false failures.
    """
    found = [0.0]
    for stream in row.evidence.comparison:
        plain = Sums(margin=1.0, phi=stream.onset.phi, grid=stream.onset.grid)
        both = [interval for interval in measured if interval.blue is not None]
        compared = both[len(both) - stream.at_weight :]  # green's warm-up was not
        for interval in compared:
            plain = plain.add(comparison.sample_of(stream.name, interval))
        found += [stream.onset.log_e, plain.log_e]
    return max(found)


def extend(draft: Draft) -> None:
    """Plan the step after the present one, if there is none yet."""
    spec, row = draft.row.plan.auto, draft.row
    if spec is None or row.progress.step + 1 < len(row.progress.steps):
        return
    step = row.progress.steps[row.progress.step]
    if step.weight == ALL:
        return
    following, words = _following(draft, spec, step)
    draft.change(steps=_asking(row, (*row.progress.steps, following)))
    draft.tell(EventKind.STEP_PLANNED, words, green_tenths=following.weight)


def to_the_end(draft: Draft) -> None:
    """Plan the watch as the step after the present one, whatever was planned: a person goes straight to it."""
    spec, row = draft.row.plan.auto, draft.row
    if (
        spec is None
        or row.progress.steps[row.progress.step].is_watch
        or row.progress.steps[row.progress.step].weight == ALL
    ):
        return
    draft.change(steps=(*row.progress.steps[: row.progress.step + 1], _watch(draft, spec)))


def _following(draft: Draft, spec: AutoSpec, step: Step) -> tuple[Step, str]:
    row = draft.row
    if step.is_watch:
        return Step(weight=ALL, bake=timedelta(0)), "blue's control group goes to green for one judged period"
    if step.weight >= HALF:
        watch = _watch(draft, spec)
        kept = percent(Tenths(ALL - watch.weight))
        return watch, f"the watch: blue keeps {kept} as control group"
    weight = Tenths(_next_weight(row, spec))
    is_longest = row.progress.bake.done >= spec.bake_max * row.spec.metrics.period
    if is_longest:
        weight = Tenths(max(weight, min(3 * step.weight, HALF)))
    weight = Tenths(max(weight, step.weight + 1))
    bound = _worst_difference(row)
    worst = (
        f"green could still be worse by {bound:.2%} of requests" if bound is not None else "nothing is known"
    )
    return Step(weight=weight, bake=timedelta(0)), f"next weight {percent(weight)}: {worst}"


def _next_weight(row: Rollout, spec: AutoSpec) -> int:
    """The largest weight at which a green as bad as it could still be spends no more than the budget."""
    weight = row.progress.steps[row.progress.step].weight
    highest = min(spec.factor * weight, HALF)
    if _is_shown(row):
        return highest
    difference = _worst_difference(row)
    if difference is None:
        return weight
    if difference <= 0:
        return highest
    return int(min(highest, spec.budget / (difference * DETECTION) * ALL))


def _is_shown(row: Rollout) -> bool:
    """True if green is shown not to be so many times as bad, in every stream that counts."""
    proof = row.spec.gates.compare.proof
    counted = [stream for stream in row.evidence.comparison if stream.name is not StreamName.SLOW]
    return bool(counted) and all(
        max(stream.mirror.log_e, stream.absolute.log_e if stream.absolute else 0.0) >= proof
        for stream in counted
    )


def _worst_difference(row: Rollout) -> float | None:
    """An upper 97.5 % bound of green's error rate above blue's, by everything compared so far; None: nothing was.

    Wilson's score bound of green's rate, minus blue's rate as measured.
    """
    stream = next((s for s in row.evidence.comparison if s.name is StreamName.ERRORS), None)
    if stream is None or not stream.green_requests or not stream.blue_requests:
        return None
    n = stream.green_requests / stream.dispersion.phi
    rate = min(1.0, stream.green_events / stream.green_requests)
    blue = min(1.0, stream.blue_events / stream.blue_requests)
    z2 = UPPER**2
    spread = UPPER * math.sqrt(rate * (1 - rate) / n + z2 / (4 * n * n))
    return (rate + z2 / (2 * n) + spread) / (1 + z2 / n) - blue


def _watch(draft: Draft, spec: AutoSpec) -> Step:
    row, period = draft.row, draft.row.spec.metrics.period
    phi = max((stream.dispersion.phi for stream in row.evidence.comparison), default=1.0)
    begun = row.evidence.spells[0].since if row.evidence.spells else draft.now
    still = spec.watch_until * period - (draft.now - begun)
    kept = hold_back(spec, requests_a_period(row), phi)
    return Step(weight=Tenths(ALL - kept), bake=max(spec.watch * period, still), is_watch=True)


def _asking(row: Rollout, steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """The steps with the approvals that the file asks for: before full weight, that is when 50 % is left."""
    if not row.spec.approval.before_full:
        return steps
    return tuple(replace(step, approval=step.weight == HALF) for step in steps)
