"""A rollout as people and programs see it: one shape for every door, made from the row alone."""

from dataclasses import dataclass
from datetime import datetime

from orchestrator.core.analysis.baseline import foreseen
from orchestrator.core.analysis.detectable_regression import words_of
from orchestrator.core.analysis.measured_share import measured
from orchestrator.core.apply_commands import accepted
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.rollout import HoldKind, Rollout
from orchestrator.core.traffic.leaving_rules import slowest
from orchestrator.engine.views.hold_commands import commands_that_end
from orchestrator.ports.rollouts import Stored


@dataclass(frozen=True, slots=True, kw_only=True)
class StepView:
    """One step of the plan. Weights are percent of the traffic that blue and green share."""

    number: int
    weight_percent: float
    bake_seconds: float
    approval: bool
    state: str  # done | current | ahead


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleView:
    """One rule: green's weight as read back and as wanted; None: green is not in its action."""

    arn: str
    green_percent: float | None
    wanted_percent: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GateView:
    """A gate's newest answer."""

    gate: str
    verdict: str
    reason: str
    clears_when: str
    numbers: dict[str, float]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldView:
    """A reason not to advance."""

    kind: str
    reason: str
    clears_when: str
    since: datetime
    commands: tuple[str, ...] = ()  # of a person, that would end it


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutView:
    """One rollout, whole."""

    id: str
    service: str
    phase: str
    phase_since: datetime | None
    is_active: bool
    plan: str
    step: int  # from 1; the step whose weight is wanted or held
    steps: tuple[StepView, ...]
    green_percent: float
    measured_percent: float | None = (
        None  # green's share of the requests of the last whole period at this weight
    )
    share_differs: str = ""  # why that is not the written weight; empty where chance explains it
    rules: tuple[RuleView, ...]
    blue: str  # blue's service
    green: str  # green's service; empty until it is named
    former: str  # the task definition that blue ran when the rollout began
    revision: str  # the one it shall run
    sees: str  # the smallest regression that the plan can see with blue's traffic; empty until it is known
    waiting_for: str
    bake_left_seconds: float | None
    limit_seconds: float | None = None  # how long what is awaited may take, before Teal acts or pages people
    gates: tuple[GateView, ...]
    holds: tuple[HoldView, ...]
    paused_by: str
    accepts: tuple[str, ...]
    author: str
    labels: dict[str, str]  # what the author said of it, such as its commit
    reason: str  # why it ended or is being rolled back
    by: str
    traffic_on_blue_at: datetime | None
    created_at: datetime
    ended_at: datetime | None
    wake_at: datetime | None
    version: int


def view(stored: Stored) -> RolloutView:
    """The row as doors show it."""
    row = stored.rollout
    share = None if row.phase.is_final else measured(row)
    return RolloutView(
        id=row.id,
        service=str(row.spec.service),
        phase=row.phase.value,
        phase_since=row.phase_since,
        is_active=not row.phase.is_final,
        plan=row.spec.plan.name,
        step=len(row.plan.steps) if _is_past_the_plan(row) else row.progress.step + 1,
        steps=_steps(row),
        green_percent=row.green_weight / 10,
        measured_percent=round(share.green_percent, 2) if share else None,
        share_differs=share.words if share else "",
        rules=tuple(
            RuleView(arn=r.arn, green_percent=_percent(r.verified), wanted_percent=_percent(r.wanted))
            for r in row.rules
        ),
        blue=row.blue.name if row.blue else row.spec.service.service,
        green=row.green.name if row.green else "",
        former=row.blue.former if row.blue else "",
        revision=(row.green.for_blue if row.green else "") or row.spec.revision,
        sees=words_of(seen, row.spec.metrics.period) if (seen := foreseen(row)) else "",
        waiting_for=row.waiting.waiting_for,
        bake_left_seconds=_bake_left(row),
        limit_seconds=_limit(row),
        gates=_gates(row),
        holds=tuple(
            HoldView(
                kind=h.kind.value,
                reason=h.reason,
                clears_when=h.clears_when,
                since=h.since,
                commands=commands_that_end(row, h),
            )
            for h in row.waiting.holds
        ),
        paused_by=row.pause.paused_by.name if row.pause.paused_by else "",
        accepts=tuple(kind.value for kind in accepted(row)),
        author=row.author.name,
        labels=dict(row.spec.labels),
        reason=row.end.reason if row.end else "",
        by=row.end.by.name if row.end else "",
        traffic_on_blue_at=row.end.traffic_on_blue_at if row.end else None,
        created_at=row.created_at,
        ended_at=row.phase_since if row.phase.is_final else None,
        wake_at=stored.wake_at,
        version=stored.version,
    )


def _is_past_the_plan(row: Rollout) -> bool:
    """True once settling has begun: the row's step is then one of the return to blue, and stays so in a rollback."""
    is_past = row.phase in (Phase.SETTLING, Phase.RETIRING, Phase.SUCCEEDED)
    return is_past or bool(row.handover.attempts) or row.retirement is not None


def _steps(row: Rollout) -> tuple[StepView, ...]:
    is_past = _is_past_the_plan(row)

    def state(index: int) -> str:
        if is_past or (index < row.progress.step and row.phase in (Phase.SHIFTING, Phase.WATCHING)):
            return "done"
        return (
            "current"
            if index == row.progress.step and row.phase in (Phase.SHIFTING, Phase.WATCHING)
            else "ahead"
        )

    return tuple(
        StepView(
            number=index + 1,
            weight_percent=step.weight / 10,
            bake_seconds=step.bake.total_seconds(),
            approval=step.approval,
            state=state(index),
        )
        for index, step in enumerate(row.plan.steps)
    )


def _gates(row: Rollout) -> tuple[GateView, ...]:
    return tuple(
        GateView(
            gate=judged.answer.gate,
            verdict=judged.answer.verdict.value,
            reason=judged.answer.reason,
            clears_when=judged.answer.clears_when,
            numbers=dict(judged.answer.numbers),
            at=judged.at,
        )
        for judged in row.answers
    )


def _limit(row: Rollout) -> float | None:
    """How long the phase, or what holds it, may take; None where only the plan or a person decides."""
    limits = row.spec.limits
    match row.phase:
        case Phase.PENDING | Phase.PREPARING | Phase.PROVISIONING if _waits_for_hours(row):
            return None
        case Phase.PENDING | Phase.PREPARING | Phase.PROVISIONING:
            return limits.provision.total_seconds()
        case Phase.SHIFTING | Phase.WATCHING if any(hold.is_limited for hold in row.waiting.holds):
            return limits.hold.total_seconds()
        case Phase.SETTLING:
            return limits.settle.total_seconds()
        case Phase.RETIRING:
            return max(limits.settle, slowest(row)).total_seconds()
        case _:
            return None


def _percent(weight: int | None) -> float | None:
    return None if weight is None else weight / 10


def _bake_left(row: Rollout) -> float | None:
    if row.phase not in (Phase.SHIFTING, Phase.WATCHING) or row.progress.bake.since is None:
        return None
    left = row.plan.steps[row.progress.step].bake - row.progress.bake.done
    return max(0.0, left.total_seconds())


def _waits_for_hours(row: Rollout) -> bool:
    return any(hold.kind is HoldKind.WINDOW for hold in row.waiting.holds)
