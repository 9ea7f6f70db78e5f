"""Commands: what is accepted where, and what became of each."""

from dataclasses import replace

import pytest

from orchestrator.core.apply_commands import refusal
from orchestrator.core.decide import decide
from orchestrator.core.domain.commands import ACCEPTED, Actor, CommandKind, CommandState
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import Tenths
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.changes import changed
from orchestrator.core.rollout.progress import Approval
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.rollout.spec import ApprovalSpec
from tests.builders import NOON, good_alarm
from tests.core.stages import (
    APPROVER,
    AUTHOR,
    OPERATOR,
    a_command,
    attempt,
    baked,
    blue,
    commanded,
    plan,
    recorded,
    rolling_back,
    row,
    seen_of,
    settling,
    spec,
    written,
)

K = CommandKind
ASKING = plan((100, 5), (500, 5), (1000, 30), approval=[0, 1, 2])
AT: dict[Phase, Rollout] = {
    Phase.PENDING: row(Phase.PENDING),
    Phase.PREPARING: row(Phase.PREPARING),
    Phase.PROVISIONING: row(Phase.PROVISIONING, weight=0, blue=blue(alarms=(good_alarm(state="ALARM"),))),
    Phase.SHIFTING: baked(2, step=1, spec=spec(plan=ASKING)),
    Phase.WATCHING: baked(2, phase=Phase.WATCHING, step=2, spec=spec(plan=ASKING)),
    Phase.SETTLING: settling(),
    Phase.RETIRING: replace(settling(), phase=Phase.RETIRING),
    Phase.ROLLING_BACK: rolling_back(100),
    Phase.SUCCEEDED: replace(settling(), phase=Phase.SUCCEEDED),
    Phase.ROLLED_BACK: replace(rolling_back(0), phase=Phase.ROLLED_BACK),
    Phase.ABANDONED: replace(baked(2), phase=Phase.ABANDONED),
}


@pytest.mark.parametrize("kind", list(CommandKind))
@pytest.mark.parametrize("phase", list(Phase))
def test_a_command_is_accepted_where_the_table_says(phase: Phase, kind: CommandKind) -> None:
    known = AT[phase]
    if kind is K.RESUME:
        known = changed(known, paused_by=AUTHOR)
    command = a_command(kind, to=Tenths(100) if kind is K.BACK else None)
    assert (refusal(known, command) == "") is (kind in ACCEPTED[phase])


@pytest.mark.parametrize(
    "phase", [phase for phase in Phase if not phase.is_final and phase is not Phase.RETIRING]
)
@pytest.mark.parametrize("kind", list(CommandKind))
def test_every_command_is_answered_once_and_told(phase: Phase, kind: CommandKind) -> None:
    decision = commanded(AT[phase], a_command(kind, to=Tenths(100) if kind is K.BACK else None))
    (outcome,) = decision.outcomes
    assert outcome.state in (CommandState.APPLIED, CommandState.OVERTAKEN)
    assert (EventKind.COMMAND_APPLIED in recorded(decision)) is (outcome.state is CommandState.APPLIED)
    assert (EventKind.COMMAND_OVERTAKEN in recorded(decision)) is (outcome.state is CommandState.OVERTAKEN)


def test_a_command_for_a_step_that_has_passed_is_overtaken() -> None:
    decision = commanded(AT[Phase.SHIFTING], a_command(K.APPROVE, step=0))
    assert decision.outcomes[0].state is CommandState.OVERTAKEN
    assert not decision.rollout.progress.approvals


def test_what_comes_after_a_rollback_in_the_same_tick_is_overtaken() -> None:
    decision = commanded(
        AT[Phase.SHIFTING], a_command(K.ROLLBACK, key="1"), a_command(K.APPROVE, key="2", by=APPROVER)
    )
    assert [outcome.state for outcome in decision.outcomes] == [CommandState.APPLIED, CommandState.OVERTAKEN]
    assert written(decision) == [0]


def test_pausing_and_resuming() -> None:
    paused = commanded(baked(5), a_command(K.PAUSE, reason="lunch"))
    assert paused.rollout.pause.paused_by == OPERATOR
    assert not paused.effects
    resumed = commanded(paused.rollout, a_command(K.RESUME))
    assert resumed.rollout.pause.paused_by is None
    assert written(resumed) == [500]


def test_a_promotion_waives_the_rest_of_the_bake_and_missing_evidence() -> None:
    known = baked(0, intervals=())
    assert written(commanded(known, a_command(K.PROMOTE))) == [500]


def test_a_promotion_does_not_stand_in_for_an_approval() -> None:
    known = baked(0, spec=spec(plan=ASKING))
    assert not written(commanded(known, a_command(K.PROMOTE)))


@pytest.mark.parametrize(("known", "to"), [(AT[Phase.SHIFTING], 100), (AT[Phase.WATCHING], 500)])
def test_going_back_lowers_the_weight_in_the_same_tick(known: Rollout, to: int) -> None:
    decision = commanded(known, a_command(K.BACK, to=Tenths(to)))
    assert decision.rollout.phase is Phase.SHIFTING
    assert written(decision) == [to]
    assert decision.rollout.progress.bake.since is None


@pytest.mark.parametrize(
    ("known", "to"),
    [(baked(2), 100), (AT[Phase.SHIFTING], 300), (AT[Phase.SHIFTING], 500), (AT[Phase.SHIFTING], None)],
)
def test_one_can_only_go_back_to_an_earlier_step(known: Rollout, to: int | None) -> None:
    assert refusal(known, a_command(K.BACK, to=None if to is None else Tenths(to)))


def test_going_back_while_paused_still_lowers_the_weight() -> None:
    known = changed(AT[Phase.SHIFTING], paused_by=AUTHOR)
    assert written(commanded(known, a_command(K.BACK, to=Tenths(100)))) == [100]


@pytest.mark.parametrize(
    ("approval", "by", "before", "refused"),
    [
        pytest.param(ApprovalSpec(), OPERATOR, (), False, id="anybody"),
        pytest.param(ApprovalSpec(approvers=("approver",)), OPERATOR, (), True, id="not among the approvers"),
        pytest.param(ApprovalSpec(approvers=("approver",)), APPROVER, (), False, id="among the approvers"),
        pytest.param(ApprovalSpec(not_author=True), AUTHOR, (), True, id="the author"),
        pytest.param(ApprovalSpec(not_author=True), Actor(name="AUTHOR"), (), True, id="the author, shouted"),
        pytest.param(
            ApprovalSpec(approvers=("Approver",)), APPROVER, (), False, id="approver by another case"
        ),
        pytest.param(
            ApprovalSpec(approvers=("group:release",)),
            Actor(name="group:release"),
            (),
            True,
            id="somebody who is named as a group",
        ),
        pytest.param(
            ApprovalSpec(),
            OPERATOR,
            (Approval(by=Actor(name="Operator"), step=1, at=NOON),),
            True,
            id="twice, in two spellings",
        ),
        pytest.param(ApprovalSpec(), OPERATOR, (Approval(by=OPERATOR, step=1, at=NOON),), True, id="twice"),
        pytest.param(
            ApprovalSpec(), OPERATOR, (Approval(by=OPERATOR, step=0, at=NOON),), False, id="another step"
        ),
    ],
)
def test_who_may_approve(
    approval: ApprovalSpec, by: object, before: tuple[Approval, ...], *, refused: bool
) -> None:
    known = changed(AT[Phase.SHIFTING], spec=spec(plan=ASKING, approval=approval), approvals=before)
    command = replace(a_command(K.APPROVE), by=by)  # type: ignore[arg-type]  # an Actor, as the table says
    assert bool(refusal(known, command)) is refused


def test_a_step_without_an_approval_takes_none() -> None:
    assert "needs no approval" in refusal(baked(2), a_command(K.APPROVE))


def test_an_alarm_that_fired_at_the_start_wants_an_approval_before_the_first_traffic() -> None:
    known = changed(AT[Phase.PROVISIONING], ready_since=NOON.replace(hour=11))
    waiting = decide(known, seen_of(known), NOON)
    assert waiting.rollout.phase is Phase.PROVISIONING
    approved = commanded(known, a_command(K.APPROVE))
    assert approved.rollout.phase is Phase.SHIFTING


def test_an_approval_makes_no_sense_before_the_first_traffic_if_nothing_asks_for_one() -> None:
    assert refusal(row(Phase.PROVISIONING, weight=0), a_command(K.APPROVE))


def test_a_rollback_is_refused_once_green_is_on_its_way_out() -> None:
    known = settling(0, is_way_clear=True)
    assert known.green is not None
    leaving = changed(known, green=replace(known.green, is_leaving=True))
    assert "`teal start --undo" in refusal(leaving, a_command(K.ROLLBACK))


def test_resuming_after_a_failed_attempt_asks_for_another() -> None:
    known = changed(settling(), attempts=(attempt(is_failed=True),))
    assert refusal(known, a_command(K.RESUME)) == ""
    assert refusal(settling(), a_command(K.RESUME))
