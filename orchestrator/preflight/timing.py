"""How long a plan really takes: a bake is a minimum, and a gate needs a whole measured interval."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from orchestrator.core.analysis import auto_plan
from orchestrator.core.cloud.resources import AlarmSeen
from orchestrator.core.domain.ids import Tenths
from orchestrator.core.domain.plan import ALL, Step
from orchestrator.core.gates.registry import those_on
from orchestrator.core.rollout.spec import Spec


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow:
    """One step as it will be: the earliest end of a step counts from the moment its weight was read back."""

    number: int  # from 1
    weight: Tenths
    bake: timedelta
    lasts: timedelta
    ends: timedelta  # since the first weight was read back, without the time people take to approve
    approval: bool


def expected(spec: Spec, alarms: Iterable[AlarmSeen] = ()) -> tuple[timedelta, ...]:
    """The earliest end of each step: the later of its bake and one whole interval, measured and final.

    An interval begins at the next full period, so each may take up to one period more. An alarm that was read adds
    its own period where that is longer.
    """
    least, warm_up = timedelta(0), timedelta(0)
    if any(gate.judges_intervals for gate, _ in those_on(spec.gates)):
        periods = [alarm.period for alarm in alarms if alarm.state != "ALARM"]
        periods += [one.period for one in spec.gates.metrics if one.period is not None]
        least = max([spec.metrics.period, *periods]) + spec.metrics.lag
    if spec.gates.compare.on:
        warm_up = spec.gates.compare.warm_up * spec.metrics.period
    return tuple(
        max(step.bake, least + (warm_up if number == 0 and step.weight < ALL else timedelta(0)))
        for number, step in enumerate(steps_of(spec))
    )


def steps_of(spec: Spec) -> tuple[Step, ...]:
    """The plan's steps; for ``auto``, which plans as it goes, those of a good release at most weights."""
    plan = spec.plan
    return plan.steps if plan.auto is None else auto_plan.typical(plan.auto, spec.metrics.period)


def plan_table(spec: Spec, alarms: Iterable[AlarmSeen] = ()) -> tuple[PlanRow, ...]:
    """The plan step by step with its real times, for the terminal and the docs."""
    rows, ends = [], timedelta(0)
    for number, (step, lasts) in enumerate(zip(steps_of(spec), expected(spec, alarms), strict=True), start=1):
        ends += lasts
        rows.append(
            PlanRow(
                number=number,
                weight=step.weight,
                bake=step.bake,
                lasts=lasts,
                ends=ends,
                approval=step.approval,
            )
        )
    return tuple(rows)
