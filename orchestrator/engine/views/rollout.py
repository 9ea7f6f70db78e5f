"""A rollout as people and programs see it: one shape for every door, made from the row alone."""

from orchestrator.core.analysis.baseline import foreseen
from orchestrator.core.analysis.detectable_regression import words_of
from orchestrator.core.analysis.measured_share import measured
from orchestrator.core.apply_commands import accepted
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.rollout import HoldKind, Rollout
from orchestrator.core.traffic.leaving_rules import slowest
from orchestrator.engine.views.hold_commands import commands_that_end
from orchestrator.engine.views.rollout_values import (
    GateView,
    HoldView,
    RolloutView,
    RuleView,
    StepView,
)
from orchestrator.ports.rollouts import Stored

__all__ = ["GateView", "HoldView", "RolloutView", "RuleView", "StepView", "view"]


def view(stored: Stored) -> RolloutView:
    """The row as doors show it."""
    row = stored.rollout
    share = None if row.phase.is_final else measured(row)
    may = accepted(row)
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
        last_time_seconds=_last_time(row),
        gates=_gates(row),
        holds=tuple(
            HoldView(
                kind=h.kind.value,
                reason=h.reason,
                clears_when=h.clears_when,
                since=h.since,
                commands=commands_that_end(row, h, may),
            )
            for h in row.waiting.holds
        ),
        paused_by=row.pause.paused_by.name if row.pause.paused_by else "",
        accepts=tuple(kind.value for kind in may),
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


def _last_time(row: Rollout) -> float | None:
    known = (one.time for one in row.lasted_before if one.phase is row.phase and not row.phase.is_final)
    return next((time.total_seconds() for time in known), None)


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
