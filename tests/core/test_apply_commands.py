"""What people command, where the rollout stands otherwise than they thought, and how far a promotion may go.

``test_commands.py`` holds what each command does where it makes sense.
"""

from dataclasses import replace
from typing import Any

import pytest

from orchestrator.core.apply_commands import refusal
from orchestrator.core.cloud.resources import TargetsSeen, Unread
from orchestrator.core.domain.commands import ACCEPTED, Actor, CommandKind, CommandState
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import Tenths
from orchestrator.core.domain.phases import Phase
from orchestrator.core.evaluation.approvals import current_step
from orchestrator.core.gates.compare import CompareSpec
from orchestrator.core.gates.registry import GatesSpec
from orchestrator.core.gates.scene import Counts
from orchestrator.core.rollout.changes import changed
from orchestrator.core.rollout.progress import Approval, Bake, Loss
from orchestrator.core.rollout.rollout import Decision, HoldKind, Rollout
from orchestrator.core.rollout.spec import ApprovalSpec, OnDrift, OnFailure
from orchestrator.core.statistics.comparison import freeze
from tests.builders import BLUE_GROUP, FORMER, NOON, OTHER_GROUP, RULE, WANTED, forward, good_rule
from tests.core.stages import (
    APPROVER,
    AUTHOR,
    GREEN_GROUP,
    GREEN_NAME,
    MINUTE,
    OPERATOR,
    a_command,
    at,
    attempt,
    baked,
    commanded,
    held,
    plan,
    recorded,
    rolling_back,
    row,
    seen_of,
    service,
    settling,
    spec,
    written,
)

K = CommandKind
HEALTHY = TargetsSeen(healthy=3)
UNREAD = Unread(why="throttled")
WATCHED = baked(31, phase=Phase.WATCHING, step=2)
IN: dict[Phase, Rollout] = {
    Phase.PENDING: row(Phase.PENDING),
    Phase.PREPARING: row(Phase.PREPARING),
    Phase.PROVISIONING: row(Phase.PROVISIONING, weight=0),
    Phase.SHIFTING: baked(5, step=1),
    Phase.WATCHING: WATCHED,
    Phase.SETTLING: settling(),
    Phase.ROLLING_BACK: rolling_back(500),
}


def outcome(decision: Decision) -> tuple[CommandState, str]:
    (only,) = decision.outcomes
    return only.state, only.text


# where it makes no sense -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phase", "kind"), [(phase, kind) for phase in IN for kind in K if kind not in ACCEPTED[phase]]
)
def test_what_a_phase_does_not_accept_is_refused_with_what_it_does_and_changes_nothing(
    phase: Phase, kind: CommandKind
) -> None:
    known = IN[phase]
    why = refusal(known, a_command(kind))
    assert f"{kind} is not accepted while the rollout is {phase}" in why
    assert all(accepted in why for accepted in ACCEPTED[phase])
    with_it, without = commanded(known, a_command(kind)), at(known)
    assert outcome(with_it) == (CommandState.OVERTAKEN, why)
    assert with_it.rollout == without.rollout
    assert with_it.effects == without.effects


@pytest.mark.parametrize("phase", [phase for phase in Phase if phase.is_final])
def test_what_is_over_accepts_nothing_more(phase: Phase) -> None:
    for kind in K:
        assert refusal(replace(WATCHED, phase=phase), a_command(kind)).endswith("it now accepts nothing more")


BOUND = [K.PROMOTE, K.BACK, K.PAUSE, K.REJECT, K.ROLLBACK, K.ABANDON]


@pytest.mark.parametrize("kind", BOUND)
def test_a_command_bound_to_another_step_is_overtaken_and_changes_nothing(kind: CommandKind) -> None:
    known = baked(2, step=1)
    decision = commanded(known, a_command(kind, step=0, to=Tenths(100) if kind is K.BACK else None))
    state, text = outcome(decision)
    assert state is CommandState.OVERTAKEN
    assert text == "it was given for step 1, and the rollout is at step 2"
    assert decision.rollout == at(known).rollout


@pytest.mark.parametrize("kind", BOUND)
def test_a_command_bound_to_the_current_step_is_applied(kind: CommandKind) -> None:
    decision = commanded(
        baked(2, step=1), a_command(kind, step=1, to=Tenths(100) if kind is K.BACK else None)
    )
    assert outcome(decision)[0] is CommandState.APPLIED


def test_before_the_first_traffic_a_command_means_no_step_of_the_plan() -> None:
    known = IN[Phase.PROVISIONING]
    assert current_step(known) == -1
    assert "given for step 1" in refusal(known, a_command(K.ROLLBACK, step=0))
    assert refusal(known, a_command(K.ROLLBACK, step=-1)) == ""


def test_an_answer_says_who_did_what_and_why_and_so_does_the_audit_log() -> None:
    by = Actor(name="operator", source="slack")
    decision = commanded(baked(2), a_command(K.PAUSE, by=by, reason="a customer calls"))
    assert outcome(decision) == (CommandState.APPLIED, "pause by operator: a customer calls")
    (event,) = [e for e in decision.events if e.kind is EventKind.COMMAND_APPLIED]
    assert dict(event.facts) == {
        "command": "pause",
        "by": "operator",
        "source": "slack",
        "reason": "a customer calls",
        "key": "key",
    }


# several at once ---------------------------------------------------------------------------------------------------


def states_of(decision: Decision) -> list[CommandState]:
    return [answer.state for answer in decision.outcomes]


APPLIED, OVERTAKEN = CommandState.APPLIED, CommandState.OVERTAKEN


@pytest.mark.parametrize(
    ("kinds", "states"),
    [
        pytest.param((K.PAUSE, K.PAUSE), [APPLIED, OVERTAKEN], id="paused already"),
        pytest.param((K.PAUSE, K.RESUME), [APPLIED, APPLIED], id="paused and resumed"),
        pytest.param((K.RESUME, K.PAUSE), [OVERTAKEN, APPLIED], id="nothing to resume yet"),
        pytest.param((K.ROLLBACK, K.ABANDON), [APPLIED, OVERTAKEN], id="the first ending counts"),
        pytest.param((K.ABANDON, K.ROLLBACK), [APPLIED, OVERTAKEN], id="the first ending counts, here too"),
        pytest.param((K.PAUSE, K.ROLLBACK), [APPLIED, APPLIED], id="a rollback after a pause"),
        pytest.param((K.PROMOTE, K.REJECT, K.PAUSE), [APPLIED, APPLIED, OVERTAKEN], id="after a rejection"),
    ],
)
def test_commands_of_one_tick_are_applied_in_their_order(
    kinds: tuple[CommandKind, ...], states: list[CommandState]
) -> None:
    commands = (a_command(kind, key=str(n)) for n, kind in enumerate(kinds))
    assert states_of(commanded(baked(2), *commands)) == states


def test_whoever_goes_back_after_a_promotion_to_the_end_has_the_last_word() -> None:
    known = baked(2, step=1)
    decision = commanded(known, a_command(K.PROMOTE, full=True), a_command(K.BACK, key="2", to=Tenths(100)))
    assert states_of(decision) == [APPLIED, APPLIED]
    assert (decision.rollout.progress.step, written(decision)) == (0, [100])


# approving ---------------------------------------------------------------------------------------------------------

ASKING = plan((100, 5), (500, 5), (1000, 30), approval=[0, 1])


def test_two_different_people_of_one_tick_approve_together() -> None:
    known = baked(5, spec=spec(plan=ASKING, approval=ApprovalSpec(required=2)))
    twice = commanded(known, a_command(K.APPROVE), a_command(K.APPROVE, key="2"))
    assert states_of(twice) == [APPLIED, OVERTAKEN]
    assert twice.rollout.progress.step == 0
    both = commanded(known, a_command(K.APPROVE), a_command(K.APPROVE, key="2", by=APPROVER))
    assert both.rollout.progress.step == 1


def test_an_approval_of_one_step_says_nothing_of_the_next() -> None:
    left = commanded(baked(5, spec=spec(plan=ASKING)), a_command(K.APPROVE)).rollout
    assert left.progress.step == 1
    held_long = changed(baked(5, step=1, spec=spec(plan=ASKING)), approvals=left.progress.approvals)
    assert held(at(held_long)) == {HoldKind.APPROVAL}


def test_going_back_takes_the_approvals_of_the_steps_that_are_walked_again() -> None:
    given = tuple(Approval(by=OPERATOR, step=step, at=NOON) for step in (-1, 0, 1))
    known = baked(2, step=1, spec=spec(plan=ASKING), approvals=given)
    back = commanded(known, a_command(K.BACK, to=Tenths(100))).rollout
    assert [a.step for a in back.progress.approvals] == [-1]


def test_the_last_step_of_a_plan_may_ask_for_an_approval_too() -> None:
    asking = plan((100, 5), (500, 5), (1000, 30), approval=[2])
    known = replace(WATCHED, spec=spec(plan=asking))
    assert held(at(known)) == {HoldKind.APPROVAL}
    assert commanded(known, a_command(K.APPROVE)).rollout.phase is Phase.SETTLING


def test_an_author_may_start_without_being_able_to_approve() -> None:
    known = baked(5, spec=spec(plan=ASKING, approval=ApprovalSpec(not_author=True)))
    assert "its author may not approve" in refusal(known, a_command(K.APPROVE, by=AUTHOR))
    assert refusal(known, a_command(K.APPROVE, by=OPERATOR)) == ""


# going back --------------------------------------------------------------------------------------------------------


def test_a_refused_way_back_names_the_weights_there_are() -> None:
    assert (
        refusal(WATCHED, a_command(K.BACK, to=Tenths(300)))
        == "name the weight of an earlier step: 10 %, 50 %"
    )
    assert "there is no earlier one" in refusal(baked(2), a_command(K.BACK, to=Tenths(100)))


def test_going_back_from_the_watch_is_told_and_waives_nothing() -> None:
    decision = commanded(changed(WATCHED, waived_step=2), a_command(K.BACK, to=Tenths(500)))
    after = decision.rollout
    assert (after.phase, after.progress.step, after.progress.waived_step) == (Phase.SHIFTING, 1, None)
    assert (after.progress.bake, after.evidence.judged_from) == (Bake(), NOON)
    assert after.evidence.intervals[:1] == WATCHED.evidence.intervals[:1], (
        "what was measured is kept, and not held against it"
    )
    assert EventKind.PHASE_CHANGED in recorded(decision)


def test_going_back_after_a_failure_that_holds_is_a_way_on() -> None:
    known = changed(WATCHED, failed="guard: a test", spec=spec(on_failure=OnFailure.HOLD))
    back = commanded(known, a_command(K.BACK, to=Tenths(100)))
    assert (back.rollout.waiting.failed, written(back)) == ("", [100])


# resuming ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "accepted"),
    [
        pytest.param(baked(2), False, id="nothing is stopped"),
        pytest.param(baked(2, paused_by=AUTHOR), True, id="paused"),
        pytest.param(baked(2, failed="guard: a test"), True, id="a gate failed"),
        pytest.param(settling(), False, id="blue's update is under way"),
        pytest.param(settling(attempts=0), False, id="blue was not updated yet"),
        pytest.param(
            changed(settling(), attempts=(attempt(is_failed=True),)), True, id="blue's update failed"
        ),
        pytest.param(
            settling(900, is_homeward=True, step=1, failed="guard: a test"),
            True,
            id="blue fails as traffic returns to it",
        ),
    ],
)
def test_only_what_is_stopped_can_be_resumed(known: Rollout, *, accepted: bool) -> None:
    assert refusal(known, a_command(K.RESUME)) == ("" if accepted else "it is not paused")


def test_resuming_after_a_pause_keeps_the_bake_and_after_a_failure_begins_it_anew() -> None:
    paused = commanded(baked(3, paused_by=AUTHOR), a_command(K.RESUME)).rollout
    assert paused.pause.paused_by is None
    assert paused.progress.bake.done > 3 * MINUTE
    failed = commanded(baked(3, failed="guard: a test"), a_command(K.RESUME)).rollout
    assert (failed.waiting.failed, failed.progress.step) == ("", 0)
    assert failed.progress.bake.done == NOON - NOON
    assert failed.evidence.judged_from == NOON


def test_evidence_that_a_person_has_seen_and_let_go_on_does_not_fail_the_rollout_again() -> None:
    usual = (Counts(requests=900, answers_2xx=891, answers_5xx=9),) * 61
    streams = tuple(replace(one, failed_at=NOON - MINUTE) for one in freeze(CompareSpec(), usual))
    known = baked(3, spec=spec(on_failure=OnFailure.HOLD), failed="compare: worse", comparison=streams)
    assert at(known).rollout.waiting.failed.startswith("compare: ")
    resumed = commanded(known, a_command(K.RESUME)).rollout
    assert not any(one.failed_at for one in resumed.evidence.comparison)
    assert [one.dispersion for one in resumed.evidence.comparison] == [one.dispersion for one in streams]
    assert not at(resumed, now=NOON + MINUTE / 4).rollout.waiting.failed


@pytest.mark.parametrize("kind", [K.ROLLBACK, K.REJECT])
def test_nothing_leads_back_to_a_blue_that_was_deleted(kind: CommandKind) -> None:
    deleted = commanded(baked(2, blue_loss=Loss.DELETED), a_command(kind))
    assert deleted.rollout.phase is Phase.SHIFTING
    assert not written(deleted)
    (outcome,) = deleted.outcomes
    assert (
        outcome.text
        == "checkout was deleted, so there is nothing to go back to; abandon leaves green as it is"
    )
    empty = commanded(baked(2, blue_loss=Loss.EMPTY), a_command(kind))
    assert empty.rollout.phase is Phase.ROLLING_BACK


def test_a_rollback_is_refused_from_the_moment_that_greens_tasks_are_stopped() -> None:
    known = settling(0, is_way_clear=True)
    assert known.green is not None
    assert refusal(known, a_command(K.ROLLBACK)) == ""
    leaving = changed(known, green=replace(known.green, is_leaving=True))
    words = refusal(leaving, a_command(K.ROLLBACK))
    assert words.startswith("green is being removed; once it is gone, `teal start --undo")


# how far a promotion goes ------------------------------------------------------------------------------------------


def silent(known: Rollout, **changes: Any) -> Decision:  # noqa: ANN401 - the fields of Seen
    """A promotion where everything but this is as it should be."""
    return at(known, seen_of(known, commands=(a_command(K.PROMOTE),), **changes))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"alarms": {"checkout-5xx": UNREAD}}, id="an alarm is unread"),
        pytest.param({"metrics": {}}, id="nothing was measured"),
    ],
)
def test_a_promotion_waives_time_and_the_holds_of_evidence(changes: dict[str, Any]) -> None:
    known = baked(0, intervals=())
    assert silent(known, **changes).rollout.progress.step == 1


HINDRANCES = [
    pytest.param({"green": service(GREEN_NAME, FORMER)}, id="health: another revision"),
    pytest.param({"green": service(GREEN_NAME, WANTED, running=2)}, id="health: a task short"),
    pytest.param({"green": UNREAD}, id="health: unread"),
    pytest.param({"targets": {BLUE_GROUP: HEALTHY, GREEN_GROUP: UNREAD}}, id="health: targets unread"),
    pytest.param(
        {"targets": {BLUE_GROUP: TargetsSeen(healthy=2), GREEN_GROUP: HEALTHY}}, id="blue too small"
    ),
    pytest.param({"blue": service("checkout", FORMER, desired=2)}, id="blue was scaled in"),
    pytest.param({"blue": UNREAD}, id="blue is unread"),
    pytest.param(
        {
            "rules": {
                RULE: good_rule(actions=forward((BLUE_GROUP, 700), (GREEN_GROUP, 50), (OTHER_GROUP, 250)))
            }
        },
        id="drift",
    ),
    pytest.param({"rules": {RULE: UNREAD}}, id="the rule is unread"),
]


@pytest.mark.parametrize("full", [False, True], ids=["one step", "to the end"])
@pytest.mark.parametrize("changes", HINDRANCES)
def test_a_promotion_never_waives_health_capacity_or_drift(changes: dict[str, Any], *, full: bool) -> None:
    known = baked(2, spec=spec(on_drift=OnDrift.HOLD))
    seen = seen_of(known, commands=(a_command(K.PROMOTE, full=full),), **changes)
    decision = at(known, seen)
    assert decision.rollout.phase is Phase.SHIFTING
    assert not [weight for weight in written(decision) if weight != 100]
    again = at(decision.rollout, seen_of(decision.rollout, **changes), now=NOON + MINUTE / 4)
    assert not [weight for weight in written(again) if weight != 100]
    assert decision.rollout.waiting.holds


@pytest.mark.parametrize("changes", HINDRANCES)
def test_a_promotion_in_the_watch_touches_no_blue_while_health_capacity_or_drift_hold(
    changes: dict[str, Any],
) -> None:
    known = baked(2, phase=Phase.WATCHING, step=2, spec=spec(on_drift=OnDrift.HOLD))
    decision = at(known, seen_of(known, commands=(a_command(K.PROMOTE),), **changes))
    assert (decision.rollout.phase, decision.rollout.progress.step) == (Phase.WATCHING, 2)
    assert decision.rollout.waiting.holds
    well = at(decision.rollout, now=NOON + MINUTE)
    assert well.rollout.phase is Phase.SETTLING, "it waives the rest of the watch still"


def test_a_promotion_to_the_end_goes_on_once_health_is_back() -> None:
    known = baked(2)
    ill = {"green": service(GREEN_NAME, WANTED, running=2)}
    waiting = at(known, seen_of(known, commands=(a_command(K.PROMOTE, full=True),), **ill)).rollout
    well = at(waiting, now=NOON + MINUTE / 4)
    assert written(well) == [1000]


@pytest.mark.parametrize("step", [0, 1])
def test_a_promotion_to_the_end_is_refused_where_it_would_pass_an_approval_by(step: int) -> None:
    known = baked(2, step=step, spec=spec(plan=plan((100, 5), (500, 5), (1000, 30), approval=[1])))
    full = a_command(K.PROMOTE, full=True)
    assert "step 2 needs an approval" in refusal(known, full)
    assert refusal(known, a_command(K.PROMOTE)) == "", "one step at a time is another thing"
    assert commanded(known, full).rollout.progress.step == step


def test_an_approval_that_was_given_lets_a_promotion_to_the_end_through() -> None:
    asking = spec(plan=plan((100, 5), (500, 5), (1000, 30), approval=[1, 2]))
    known = baked(2, step=1, spec=asking, approvals=(Approval(by=OPERATOR, step=1, at=NOON),))
    decision = commanded(known, a_command(K.PROMOTE, full=True))
    assert decision.rollout.progress.step == 2, "the last step's own approval is asked for when it is left"


def test_a_promotion_while_paused_waits_for_the_pause_to_end() -> None:
    known = baked(2, paused_by=AUTHOR)
    waiting = commanded(known, a_command(K.PROMOTE))
    assert not waiting.effects
    assert written(commanded(waiting.rollout, a_command(K.RESUME))) == [500]


def test_a_promotion_in_the_watch_ends_it() -> None:
    early = changed(WATCHED, bake=Bake(since=NOON - MINUTE, done=MINUTE), intervals=())
    assert at(early).rollout.phase is Phase.WATCHING
    assert commanded(early, a_command(K.PROMOTE)).rollout.phase is Phase.SETTLING
    assert commanded(early, a_command(K.PROMOTE, full=True)).rollout.phase is Phase.SETTLING


def test_a_promotion_never_outweighs_a_failure_that_the_file_holds() -> None:
    known = baked(2, failed="guard: a test", spec=spec(on_failure=OnFailure.HOLD, gates=GatesSpec()))
    for full in (False, True):
        decision = commanded(known, a_command(K.PROMOTE, full=full))
        assert (decision.rollout.progress.step, written(decision)) == (0, [])
        assert held(decision) == {HoldKind.FAILED}


def test_a_waived_step_waives_nothing_of_the_next() -> None:
    moved = commanded(baked(2), a_command(K.PROMOTE)).rollout
    assert (moved.progress.step, moved.progress.waived_step) == (1, None)
