"""Shifting and watching: what each step waits for, and what sends everything back to blue."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.core.cloud.effects import ScaleService, WriteRule, rule_write_key
from orchestrator.core.cloud.resources import Absent, TargetsSeen, Unread
from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import TargetGroupArn, Tenths
from orchestrator.core.domain.phases import Phase
from orchestrator.core.gates.compare import CompareSpec
from orchestrator.core.gates.scene import Counts, Interval
from orchestrator.core.rollout.changes import changed
from orchestrator.core.rollout.progress import Approval, Bake
from orchestrator.core.rollout.rollout import Asked, Decision, HoldKind, Rollout
from orchestrator.core.rollout.spec import ApprovalSpec, LimitThen, OnDrift, OnFailure
from orchestrator.core.statistics.comparison import freeze, use
from orchestrator.core.tick.seen import Failure, Seen
from tests.builders import BLUE_GROUP, FORMER, NOON, OTHER_GROUP, RULE, WANTED, forward, good_alarm, good_rule
from tests.core.stages import (
    APPROVER,
    AUTHOR,
    GREEN_GROUP,
    GREEN_NAME,
    MINUTE,
    OPERATOR,
    a_command,
    a_hold,
    asked,
    at,
    baked,
    commanded,
    doubted,
    held,
    metrics,
    only,
    plan,
    recorded,
    row,
    rule,
    rule_seen,
    seen_of,
    service,
    spec,
    written,
)

UNREAD = Unread(why="a test")


def test_the_first_step_is_written_once_green_is_ready_and_read_back_a_second_later() -> None:
    decision = at(row(Phase.SHIFTING, weight=0))
    assert written(decision) == [100]
    assert decision.wake_at == NOON + timedelta(seconds=1)


def test_a_step_begins_when_its_weight_was_read_back() -> None:
    known = row(Phase.SHIFTING, weight=0, rules=(rule(0, 100),))
    decision = at(known, seen_of(known, rules={RULE: rule_seen(known, 100)}))
    assert decision.rollout.progress.bake.since == NOON
    assert EventKind.STEP_STARTED in recorded(decision)


def two_rules(weight: int, other: int, wanted: int, **changes: Any) -> tuple[Rollout, Seen]:  # noqa: ANN401
    """A first step of two rules, each with its weight, and both as they would be read."""
    second = replace(rule(other, wanted), arn=type(RULE)(RULE + "2"))
    known = row(Phase.SHIFTING, weight=0, rules=(rule(weight, wanted), second), **changes)
    both = {RULE: rule_seen(known, weight), second.arn: replace(rule_seen(known, other), arn=second.arn)}
    return known, seen_of(known, rules=both)


def test_no_step_begins_while_one_of_the_rules_has_not_its_weight() -> None:
    decision = at(*two_rules(100, 0, 100))
    assert written(decision) == [100]
    assert decision.rollout.progress.bake.since is None
    assert EventKind.STEP_STARTED not in recorded(decision)
    assert at(*two_rules(100, 100, 100)).rollout.progress.bake.since == NOON


@pytest.mark.parametrize(
    ("changes", "seen"),
    [
        pytest.param({}, {"alarms": {"checkout-5xx": UNREAD}, "blue": UNREAD}, id="blue is unread"),
        pytest.param(
            {},
            {"targets": {BLUE_GROUP: TargetsSeen(healthy=1), GREEN_GROUP: TargetsSeen(healthy=3)}},
            id="blue is short",
        ),
        pytest.param({"paused_by": OPERATOR}, {}, id="somebody paused it"),
        pytest.param(
            {"failed": "guard: a test", "spec": spec(on_failure=OnFailure.HOLD)}, {}, id="a gate has failed"
        ),
    ],
)
def test_a_weight_that_no_rule_has_yet_is_not_written_while_anything_holds(
    changes: dict[str, Any], seen: dict[str, Any]
) -> None:
    known = row(Phase.SHIFTING, weight=0, rules=(rule(0, 100),), **changes)
    assert not written(at(known, seen_of(known, **seen)))
    assert written(at(row(Phase.SHIFTING, weight=0, rules=(rule(0, 100),)))) == [100]


def test_a_blue_that_has_scaled_out_meanwhile_must_be_able_to_take_back_what_it_carries_now() -> None:
    known = row(Phase.SHIFTING, weight=0, rules=(rule(0, 100),))
    grown = service("checkout", FORMER, desired=6, running=6)
    six = TargetsSeen(healthy=6)
    starting = at(
        known, seen_of(known, blue=grown, targets={BLUE_GROUP: TargetsSeen(healthy=3), GREEN_GROUP: six})
    )
    assert not written(starting)
    assert any(
        "blue could not take all traffic back: 3 of 6" in hold.reason
        for hold in starting.rollout.waiting.holds
    )
    grown_too = replace(known, colours=replace(known.known, green=replace(known.known.green, desired=6)))
    green = service(GREEN_NAME, WANTED, desired=6, running=6)
    ready = seen_of(grown_too, blue=grown, green=green, targets={BLUE_GROUP: six, GREEN_GROUP: six})
    assert written(at(grown_too, ready)) == [100]


def test_a_rule_that_aws_acknowledges_and_does_not_change_ends_the_rollout_after_a_minute() -> None:
    known = row(Phase.SHIFTING, weight=0, rules=(rule(0, 100),))
    key = rule_write_key(RULE, Tenths(100))

    def after(seconds: int, *, times: int = 3, refusals: int = 0) -> Phase:
        since = NOON - timedelta(seconds=seconds)
        asked = Asked(key=key, at=NOON - timedelta(seconds=5), times=times, since=since, refusals=refusals)
        return at(changed(known, asked=(asked,))).rollout.phase

    assert after(61) is Phase.ROLLING_BACK
    assert after(59) is Phase.SHIFTING
    assert after(61, times=2, refusals=2) is Phase.SHIFTING, "what AWS refused was not written"


def test_a_weight_that_a_person_waived_is_none_that_the_gates_have_passed() -> None:
    """Where evidence is lost, green goes back to a weight that was judged."""
    assert at(baked(5)).rollout.progress.passed == (0,)
    waived = commanded(baked(5, intervals=()), a_command(CommandKind.PROMOTE)).rollout
    assert (waived.progress.step, waived.progress.passed) == (1, ())


def test_a_write_that_does_not_show_is_asked_for_again_and_no_step_begins() -> None:
    decision = at(row(Phase.SHIFTING, weight=0, rules=(rule(0, 100),)))
    assert written(decision) == [100]
    assert decision.rollout.progress.bake.since is None


def test_a_step_is_left_when_its_bake_is_over_and_every_gate_passes() -> None:
    decision = at(baked(5))
    assert decision.rollout.progress.step == 1
    assert written(decision) == [500]


def test_evidence_against_green_goes_on_to_the_next_weight_and_what_speaks_for_it_begins_anew() -> None:
    usual = (Counts(requests=900, answers_2xx=891, answers_5xx=9),) * 61
    streams = freeze(CompareSpec(), usual)
    for minute in range(9, 4, -1):
        counts = Counts(requests=100, answers_2xx=98, answers_5xx=2)
        taken = Interval(start=NOON - minute * MINUTE, green=counts, blue=usual[0], weight=Tenths(100))
        streams = use(streams, taken, at=NOON)
    decision = at(baked(5, comparison=streams))
    assert decision.rollout.progress.step == 1
    for before, after in zip(streams, decision.rollout.evidence.comparison, strict=True):
        assert after.onset.intervals >= before.onset.intervals == 5
        assert after.mirror.sums == ()
        assert (before.at_weight, after.at_weight, after.green_at_weight) == (5, 0, 0)


def test_a_bake_is_a_minimum() -> None:
    decision = at(baked(4))
    assert decision.rollout.progress.step == 0
    assert not decision.effects
    assert decision.wake_at is not None
    assert decision.wake_at <= NOON + MINUTE


def test_a_bake_that_is_over_waits_for_an_interval() -> None:
    known = baked(5, intervals=(), bake=Bake(since=NOON - timedelta(seconds=30), done=5 * MINUTE))
    decision = at(known)
    assert decision.rollout.progress.step == 0
    assert HoldKind.GATE in held(decision)


def test_the_last_step_begins_the_watch() -> None:
    known = row(Phase.SHIFTING, weight=1000, step=2)
    assert at(known).rollout.phase is Phase.WATCHING


def test_the_watch_passed_begins_settling() -> None:
    decision = at(baked(30, phase=Phase.WATCHING, step=2))
    assert decision.rollout.phase is Phase.SETTLING
    assert not decision.effects
    assert decision.wake_at == NOON, "what begins is looked at at once"


def test_a_failing_gate_puts_all_traffic_back_in_the_same_tick() -> None:
    known = doubted(baked(3))
    seen = seen_of(known, targets={BLUE_GROUP: TargetsSeen(healthy=3), GREEN_GROUP: TargetsSeen(unhealthy=3)})
    decision = at(known, seen)
    assert decision.rollout.phase is Phase.ROLLING_BACK
    assert written(decision) == [0]
    assert only(decision, WriteRule).to_safety


@pytest.mark.parametrize("phase", [Phase.SHIFTING, Phase.WATCHING])
def test_errors_of_green_alone_roll_back(phase: Phase) -> None:
    known = baked(4, phase=phase, step=2 if phase is Phase.WATCHING else 0)
    later = NOON + 3 * MINUTE  # then the first minutes are final, however often they were read
    decision = at(known, seen_of(known, metrics=metrics(known, now=later, green=(100, 30))), now=later)
    assert decision.rollout.phase is Phase.ROLLING_BACK
    assert decision.rollout.end is not None
    assert decision.rollout.end.reason.startswith("guard: ")


def test_a_failure_that_the_file_turns_into_a_hold_keeps_the_weights_and_never_grows() -> None:
    known = doubted(baked(5, spec=spec(on_failure=OnFailure.HOLD)))
    bad = {BLUE_GROUP: TargetsSeen(healthy=3), GREEN_GROUP: TargetsSeen(unhealthy=3)}
    decision = at(known, seen_of(known, targets=bad))
    assert decision.rollout.phase is Phase.SHIFTING
    assert HoldKind.FAILED in held(decision)
    assert not written(decision)
    again = at(decision.rollout, now=NOON + MINUTE)
    assert HoldKind.FAILED in held(again), "it lasts until a person decides"
    assert not written(again)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"blue": UNREAD}, id="blue unread"),
        pytest.param({"blue": Absent()}, id="blue gone"),
        pytest.param({"blue": service("checkout", WANTED)}, id="blue on another revision"),
        pytest.param(
            {"targets": {BLUE_GROUP: UNREAD, GREEN_GROUP: TargetsSeen(healthy=3)}}, id="targets unread"
        ),
        pytest.param(
            {"targets": {BLUE_GROUP: TargetsSeen(healthy=2), GREEN_GROUP: TargetsSeen(healthy=3)}},
            id="blue lacks a target",
        ),
        pytest.param(
            {"targets": {BLUE_GROUP: TargetsSeen(healthy=3), GREEN_GROUP: TargetsSeen(healthy=2)}},
            id="green lacks a target",
        ),
        pytest.param({"green": UNREAD}, id="green unread"),
        pytest.param({"rules": {RULE: UNREAD}}, id="rule unread"),
        pytest.param({"rules": {RULE: Absent()}}, id="rule gone"),
        pytest.param({"alarms": {"checkout-5xx": UNREAD}}, id="alarm unread"),
        pytest.param({"alarms": {}}, id="alarm not looked at"),
        pytest.param({"failures": (Failure(key="x", why="denied", is_final=True),)}, id="a call was refused"),
    ],
)
def test_what_is_missing_or_unread_never_counts_as_a_pass(changes: dict[str, object]) -> None:
    known = baked(5)
    decision = at(known, seen_of(known, **changes))
    assert (decision.rollout.phase, decision.rollout.progress.step) == (Phase.SHIFTING, 0)
    assert not written(decision)
    assert decision.rollout.waiting.holds


def test_a_health_hold_is_never_waived_by_a_promotion() -> None:
    known = baked(1)
    short = {BLUE_GROUP: TargetsSeen(healthy=3), GREEN_GROUP: TargetsSeen(healthy=2, initial=1)}
    decision = at(known, seen_of(known, targets=short, commands=(a_command(CommandKind.PROMOTE),)))
    assert decision.rollout.progress.step == 0
    assert not written(decision)


def test_green_follows_blue_when_blue_has_scaled_out() -> None:
    known = baked(1)
    decision = at(
        known,
        seen_of(
            known, blue=service("checkout", known.blue.former if known.blue else WANTED, desired=5, running=5)
        ),
    )
    assert only(decision, ScaleService).desired == 5
    assert only(decision, ScaleService).service == GREEN_NAME
    assert HoldKind.CAPACITY in held(decision)


# the clock of a bake -----------------------------------------------------------------------------------------------


def test_pauses_and_holds_do_not_stop_the_clock_of_a_bake() -> None:
    known = baked(3, paused_by=OPERATOR, holds=(a_hold(HoldKind.GATE),))
    assert at(known).rollout.progress.bake.done == timedelta(minutes=3, seconds=15)


@pytest.mark.parametrize("changes", [{"green": UNREAD}, {"blue": UNREAD}, {"rules": {RULE: UNREAD}}])
def test_time_in_which_nothing_could_be_seen_does_not_count(changes: dict[str, object]) -> None:
    known = baked(3)
    decision = at(known, seen_of(known, **changes))
    assert decision.rollout.progress.bake.done == 3 * MINUTE
    later = at(decision.rollout, seen_of(known), now=NOON + timedelta(seconds=15))
    assert later.rollout.progress.bake.done == 3 * MINUTE, "nor does the gap that ends with the first look"


def test_down_time_does_not_count() -> None:
    known = baked(3, observed_at=NOON - timedelta(hours=1))
    assert at(known).rollout.progress.bake.done == 3 * MINUTE


def test_a_weight_that_is_not_there_any_more_begins_its_bake_anew() -> None:
    known = baked(3)
    decision = at(known, seen_of(known, rules={RULE: rule_seen(known, None)}))
    assert decision.rollout.phase is Phase.ROLLING_BACK, "green taken out by hand is a person's rollback"
    known = replace(
        baked(3, step=1), rules=(rule(500, 500, intended=rule(100).intended + rule(500).intended),)
    )
    decision = at(known, seen_of(known, rules={RULE: rule_seen(known, 100)}))
    assert decision.rollout.progress.bake == Bake()
    assert written(decision) == [500], "a late write of an earlier weight is Teal's own, and put right"


# drift -------------------------------------------------------------------------------------------------------------

FOREIGN = good_rule(actions=forward((BLUE_GROUP, 450), (GREEN_GROUP, 50), (OTHER_GROUP, 500)))


def test_green_above_what_teal_wrote_is_put_back_at_once() -> None:
    known = baked(3)
    decision = at(known, seen_of(known, rules={RULE: rule_seen(known, 700)}))
    assert written(decision) == [100]
    assert only(decision, WriteRule).to_safety
    assert EventKind.DRIFT_FOUND in recorded(decision)


def test_blue_given_everything_by_hand_is_a_rollback() -> None:
    known = baked(3)
    decision = at(known, seen_of(known, rules={RULE: rule_seen(known, 0)}))
    assert decision.rollout.phase is Phase.ROLLING_BACK
    assert decision.rollout.end is not None
    assert decision.rollout.end.by.source == "aws"


@pytest.mark.parametrize(
    ("on_drift", "phase", "holds"),
    [
        (OnDrift.HOLD, Phase.SHIFTING, {HoldKind.DRIFT}),
        (OnDrift.ROLLBACK, Phase.ROLLING_BACK, set()),
    ],
)
def test_a_foreign_change_does_what_the_file_says(
    on_drift: OnDrift, phase: Phase, holds: set[HoldKind]
) -> None:
    known = baked(5, spec=spec(on_drift=on_drift))
    decision = at(known, seen_of(known, rules={RULE: FOREIGN}))
    assert decision.rollout.phase is phase
    assert holds <= held(decision)
    assert phase is not Phase.SHIFTING or not written(decision), "what somebody else wrote is not overwritten"


def test_an_accepted_change_becomes_the_base() -> None:
    known = baked(5, spec=spec(on_drift=OnDrift.ACCEPT))
    decision = at(known, seen_of(known, rules={RULE: FOREIGN}))
    assert OTHER_GROUP in decision.rollout.rules[0].base
    assert GREEN_GROUP not in decision.rollout.rules[0].base


def test_changed_conditions_are_drift_even_if_the_weights_are_right() -> None:
    known = baked(5)
    moved = replace(rule_seen(known), priority="7")
    decision = at(known, seen_of(known, rules={RULE: moved}))
    assert HoldKind.DRIFT in held(decision)
    assert not written(decision)


# approval and limits -----------------------------------------------------------------------------------------------

ASKING = plan((100, 5), (1000, 30), approval=[0])


def test_a_step_that_asks_for_an_approval_waits_for_it() -> None:
    decision = at(baked(5, spec=spec(plan=ASKING)))
    assert decision.rollout.progress.step == 0
    assert held(decision) == {HoldKind.APPROVAL}


def test_an_approval_given_during_the_bake_lets_the_step_be_left() -> None:
    approvals = (Approval(by=OPERATOR, step=0, at=NOON - MINUTE),)
    assert at(baked(5, spec=spec(plan=ASKING), approvals=approvals)).rollout.progress.step == 1


def test_as_many_people_approve_as_must() -> None:
    two = spec(plan=ASKING, approval=ApprovalSpec(required=2))
    one = (Approval(by=OPERATOR, step=0, at=NOON), Approval(by=OPERATOR, step=0, at=NOON))
    assert at(baked(5, spec=two, approvals=one)).rollout.progress.step == 0
    both = (one[0], Approval(by=APPROVER, step=0, at=NOON))
    assert at(baked(5, spec=two, approvals=both)).rollout.progress.step == 1


@pytest.mark.parametrize(
    ("then", "phase"), [(LimitThen.ROLLBACK, Phase.ROLLING_BACK), (LimitThen.HOLD, Phase.SHIFTING)]
)
def test_an_approval_that_nobody_gives_runs_out(then: LimitThen, phase: Phase) -> None:
    approval = ApprovalSpec(timeout=timedelta(hours=1), on_timeout=then)
    known = baked(
        5, spec=spec(plan=ASKING, approval=approval), waited_for_approval=timedelta(minutes=59, seconds=50)
    )
    decision = at(known)
    assert decision.rollout.phase is phase
    assert (EventKind.PAGED in recorded(decision)) is (phase is Phase.SHIFTING)


def test_an_approval_does_not_run_out_while_the_rollout_is_paused() -> None:
    known = baked(5, spec=spec(plan=ASKING), waited_for_approval=timedelta(hours=3), paused_by=OPERATOR)
    assert at(known).rollout.phase is Phase.SHIFTING


@pytest.mark.parametrize(
    ("then", "phase"), [(LimitThen.ROLLBACK, Phase.ROLLING_BACK), (LimitThen.HOLD, Phase.SHIFTING)]
)
def test_a_hold_lasts_as_long_as_the_file_allows(then: LimitThen, phase: Phase) -> None:
    limits = replace(spec().limits, then=then)
    known = baked(5, spec=spec(limits=limits), held=timedelta(hours=1, minutes=59, seconds=50))
    decision = at(known, seen_of(known, alarms={}))
    assert decision.rollout.phase is phase
    if then is LimitThen.HOLD:
        assert EventKind.PAGED in recorded(decision)


def test_time_paused_by_a_person_does_not_count_towards_the_limit() -> None:
    known = baked(5, held=timedelta(hours=1, minutes=59, seconds=50), paused_by=AUTHOR)
    assert at(known, seen_of(known, alarms={})).rollout.waiting.held == known.waiting.held


def test_a_limit_begins_anew_once_nothing_holds() -> None:
    assert at(baked(3, held=timedelta(hours=1))).rollout.waiting.held == timedelta(0)


def test_a_pause_stops_advance_and_not_the_gates() -> None:
    assert not at(baked(5, paused_by=OPERATOR)).effects
    known = doubted(baked(5, paused_by=OPERATOR))
    firing = {"checkout-5xx": good_alarm(state="OK")}
    bad = {BLUE_GROUP: TargetsSeen(healthy=3), GREEN_GROUP: TargetsSeen(unhealthy=3)}
    assert at(known, seen_of(known, alarms=firing, targets=bad)).rollout.phase is Phase.ROLLING_BACK


def test_a_half_written_set_of_rules_is_finished_even_while_paused() -> None:
    second = replace(rule(0, 100), arn=type(RULE)(RULE + "2"))
    known = row(Phase.SHIFTING, weight=0, rules=(rule(100), second), paused_by=OPERATOR)
    seen = seen_of(known)
    both = {RULE: rule_seen(known), second.arn: replace(rule_seen(known, 0), arn=second.arn)}
    assert written(at(known, replace(seen, rules=both))) == [100]


def test_a_promotion_to_the_end_goes_straight_to_the_last_step() -> None:
    decision = commanded(baked(1), a_command(CommandKind.PROMOTE, full=True))
    assert decision.rollout.progress.step == 2
    assert written(decision) == [1000]


def test_a_promotion_never_leaps_over_a_failure_of_the_same_tick() -> None:
    known = doubted(baked(1))
    bad = {BLUE_GROUP: TargetsSeen(healthy=3), GREEN_GROUP: TargetsSeen(unhealthy=3)}
    decision = at(known, seen_of(known, targets=bad, commands=(a_command(CommandKind.PROMOTE, full=True),)))
    assert decision.rollout.phase is Phase.ROLLING_BACK
    held_back = replace(known, spec=spec(on_failure=OnFailure.HOLD))
    decision = at(
        held_back, seen_of(known, targets=bad, commands=(a_command(CommandKind.PROMOTE, full=True),))
    )
    assert decision.rollout.progress.step == 0
    assert asked(decision) == []


def test_a_promotion_to_the_end_waits_where_it_stands_and_is_judged_there() -> None:
    known = baked(1)
    short = {BLUE_GROUP: TargetsSeen(healthy=2, unhealthy=1), GREEN_GROUP: TargetsSeen(healthy=3)}
    waiting = commanded_with(known, short)
    assert (waiting.rollout.progress.step, waiting.rollout.progress.is_leaping) == (0, True)
    assert (
        waiting.rollout.progress.bake.since == known.progress.bake.since
    )  # the present weight's evidence is kept, and goes on
    gone = at(waiting.rollout, seen_of(waiting.rollout))
    assert (gone.rollout.progress.step, gone.rollout.progress.is_leaping) == (2, False)
    assert written(gone) == [1000]


def commanded_with(known: Rollout, targets: dict[TargetGroupArn, TargetsSeen]) -> Decision:
    return at(known, seen_of(known, targets=targets, commands=(a_command(CommandKind.PROMOTE, full=True),)))
