"""What of a rollout file can be simulated: the rest is said, and taken as passing; what makes no sense is refused."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from orchestrator.core.analysis.detectable_regression import Foresight, Load, Measured, foresee
from orchestrator.core.domain.errors import Invalid, Mistake
from orchestrator.core.domain.text import span
from orchestrator.core.gates.gathered import StreamName
from orchestrator.core.gates.health import HealthSpec
from orchestrator.core.gates.registry import GATES, GatesSpec
from orchestrator.core.rollout.spec import ApprovalSpec, OnFailure, Spec
from orchestrator.simulate.teal import HORIZON
from orchestrator.simulate.traffic import Demand

DAY = timedelta(days=1)
SIMULATED = ("health", "guard", "compare")
TAKEN_AS = {"window": "taken as open", "probe": "taken as passing, and green as warmed up by it"}


def demand_of(found: Measured, period: timedelta, error_rate: float | None = None) -> Demand:
    """The rates of a service whose traffic was read; `error_rate` stands above what was read."""
    return Demand(
        requests_per_second=found.load.requests / period.total_seconds(),
        error_rate=found.load.error_rate if error_rate is None else error_rate,
    )


def simulated(spec: Spec) -> tuple[Spec, tuple[str, ...]]:
    """The part of a rollout file that can be simulated, and what was left out, in words.

    Everything is healthy, nobody interferes, and people approve at once.
    """
    gates = spec.gates
    compare = replace(gates.compare, warm_up=0) if gates.probe.on else gates.compare
    made = replace(
        spec,
        plan=replace(spec.plan, steps=tuple(replace(step, approval=False) for step in spec.plan.steps)),
        gates=GatesSpec(health=HealthSpec(on=gates.health.on), guard=gates.guard, compare=compare),
        approval=ApprovalSpec(),
        metrics=replace(spec.metrics, source="", counts=()),
    )
    return made, tuple(_left_out(spec))


def _left_out(spec: Spec) -> Iterator[str]:
    gates, usual = spec.gates, GatesSpec()
    for field, gate in GATES.items():
        if gate.name not in SIMULATED and getattr(gates, field) != getattr(usual, field):
            yield f"gates.{gate.name}: {TAKEN_AS.get(gate.name, 'taken as passing')}"
    if (
        any(step.approval for step in spec.plan.steps)
        or spec.approval.before_full
        or spec.approval.before_traffic
    ):
        yield "approvals: taken as given at once"
    if spec.on_failure is OnFailure.HOLD:
        yield "on_failure is hold: nobody answers here, and a release that failed stays where it is"
    if spec.metrics.source:
        yield "metrics.source: its counts are taken to come as late as CloudWatch's"
    if gates.compare.on and gates.compare.stream(StreamName.SLOW) is None:
        yield "gates.compare.slow is not set: slow requests are not seen"


def senseless(load: Demand) -> tuple[str, ...]:
    """Which defects mean nothing at these rates, in words."""
    if load.error_rate > 0:
        return ()
    return ("2x, 5x, 20x, cold: no request fails anyway, and so many times nothing is nothing",)


def foreseen(spec: Spec, load: Demand) -> Foresight:
    """What a plan can see with these rates, and how long it takes. Raises Invalid for one that is longer than a day."""
    requests = load.requests_per_second * spec.metrics.period.total_seconds()
    seen = foresee(spec, Load(requests=requests, error_rate=load.error_rate))
    if seen.ends_after > DAY:
        what = f"the plan takes at least {span(seen.ends_after)}, and a day is simulated"
        raise Invalid(
            source="", mistakes=[Mistake(pointer="/plan", what=what, instead="write shorter bakes")]
        )
    return seen


def room_for(spec: Spec, load: Demand, *, defects: int, periods_max: int) -> tuple[int, float]:
    """How many runs of so many defects fit into so many metric periods, and how many periods one run lasts.

    Raises Invalid for a plan that is longer than a day.
    """
    lasts = horizon_of(foreseen(simulated(spec)[0], load)) / spec.metrics.period
    return int(periods_max / (lasts * defects)), lasts


def horizon_of(seen: Foresight) -> timedelta:
    """How long an unseen defect goes on doing harm."""
    return max(HORIZON, 1.5 * seen.ends_after)
