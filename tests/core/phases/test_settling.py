"""Settling: blue takes the revision over, traffic returns to blue, and green stays the safe side until it has."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.core.cloud.effects import TagFormer, UpdateService, WriteRule
from orchestrator.core.cloud.resources import StopSeen, TargetsSeen, Unread
from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import TaskDefinitionArn, Tenths
from orchestrator.core.domain.phases import Phase
from orchestrator.core.gates.compare import CompareSpec
from orchestrator.core.gates.guard import GuardSpec
from orchestrator.core.gates.registry import GatesSpec
from orchestrator.core.gates.scene import Counts, Interval
from orchestrator.core.rollout.changes import changed
from orchestrator.core.rollout.progress import Bake
from orchestrator.core.rollout.rollout import Decision, HoldKind, Rollout
from orchestrator.core.rollout.spec import OnDrift
from orchestrator.core.tick.draft import Draft
from orchestrator.core.tick.seen import Seen
from orchestrator.core.traffic import rule_looks, rules
from tests.builders import (
    BLUE_GROUP,
    FORMER,
    NOON,
    OTHER_GROUP,
    RULE,
    SCALED_IN,
    WANTED,
    forward,
    good_alarm,
    good_deployment,
    good_rule,
)
from tests.core.stages import (
    GREEN_GROUP,
    GREEN_NAME,
    ID,
    MINUTE,
    OPERATOR,
    a_command,
    asked,
    at,
    attempt,
    commanded,
    doubted,
    group,
    held,
    only,
    recorded,
    rule,
    rule_seen,
    seen_of,
    service,
    settling,
    spec,
    written,
)

UNREAD = Unread(why="a test")
ROLLED_BY_ECS = service(
    "checkout",
    FORMER,
    deployments=(
        good_deployment(id="ecs-svc/9", task_definition=FORMER, reason="circuit breaker: rolled back"),
    ),
    stops=(StopSeen(task="t", task_definition=WANTED, at=NOON, code="TaskFailedToStart", reason="no image"),),
)


def twice(known: Rollout, seen: Seen) -> Decision:
    """What is decided once two looks, far enough apart, have shown the same."""
    first = at(known, seen)
    assert not first.rollout.handover.attempts[-1].is_failed, "one look alone decides nothing for good"
    assert not first.effects
    return at(first.rollout, seen, now=NOON + timedelta(seconds=10))


def home(weight: int, step: int, **changes: Any) -> Rollout:  # noqa: ANN401 - the fields of Rollout
    """While traffic returns to blue, at a weight, held for a while, with one good interval of blue."""
    taken = Interval(start=NOON - 3 * MINUTE, blue=Counts(requests=100), green=Counts(requests=900))
    given = {"bake": Bake(since=NOON - 4 * MINUTE), "intervals": (taken,), **changes}
    return settling(weight, is_homeward=True, step=step, **given)


def test_green_is_tagged_with_blues_former_revision_before_blue_is_touched() -> None:
    known = settling(attempts=0)
    seen = seen_of(known, green=service(GREEN_NAME, WANTED, tags={"teal:rollout": ID}))
    assert asked(at(known, seen)) == ["tag_former"]
    assert only(at(known, seen), TagFormer).former == FORMER


def test_groups_without_the_tag_are_tagged_too() -> None:
    known = settling(attempts=0)
    name = known.pairs[0].green_name
    assert asked(at(known, seen_of(known, groups={name: group(tags={"teal:rollout": ID})}))) == ["tag_former"]


def test_blue_is_updated_once_green_is_tagged_and_the_attempt_is_recorded() -> None:
    decision = at(settling(attempts=0))
    effect = only(decision, UpdateService)
    assert (effect.task_definition, effect.desired, effect.deployment_configuration) == (WANTED, 3, None)
    assert len(decision.rollout.handover.attempts) == 1
    assert not written(decision)


def test_blue_is_made_as_large_as_green() -> None:
    known = settling(attempts=0)
    assert known.green is not None
    decision = at(changed(known, green=replace(known.green, desired=5)))
    assert only(decision, UpdateService).desired == 5
    assert decision.rollout.handover.attempts[0].desired_before == 3


@pytest.mark.parametrize("is_paused", [True, False])
def test_blue_is_not_touched_while_something_holds(*, is_paused: bool) -> None:
    known = settling(attempts=0, paused_by=OPERATOR if is_paused else None)
    seen = seen_of(known) if is_paused else seen_of(known, rules={RULE: UNREAD})
    assert "update_service" not in asked(at(known, seen))


def test_an_update_that_does_not_show_yet_is_asked_for_again() -> None:
    waiting = changed(settling(), attempts=(attempt(is_taken=False),))
    decision = at(waiting, seen_of(waiting, blue=service("checkout", FORMER)))
    assert asked(decision) == ["update_service"]
    assert len(decision.rollout.handover.attempts) == 1, "it is the same attempt"


def test_blue_as_before_its_update_is_an_older_answer_at_first_and_undone_by_ecs_later() -> None:
    former = service("checkout", FORMER)
    assert former.primary is not None
    recent = replace(attempt(is_taken=True), before=former.primary.id, at=NOON - timedelta(seconds=50))
    known = changed(settling(), attempts=(recent,))
    decision = at(known, seen_of(known, blue=former))
    assert HoldKind.BLUE not in held(decision)
    assert EventKind.PAGED not in recorded(decision)
    assert not asked(decision), "neither an update nor a weight on the word of an older answer"
    assert decision.rollout.handover.attempts[-1].doubted_since == NOON
    assert decision.wake_at is not None
    assert decision.wake_at > NOON, "looks go on at their pace meanwhile"
    long_ago = changed(known, attempts=(replace(recent, at=NOON - timedelta(minutes=1)),))
    first = at(long_ago, seen_of(long_ago, blue=former))
    assert HoldKind.BLUE not in held(first), "one look alone may be wrong"
    second = at(first.rollout, seen_of(first.rollout, blue=former), now=NOON + timedelta(seconds=10))
    assert held(second) == {HoldKind.BLUE}


def test_looks_within_a_minute_of_blues_update_may_all_be_older_than_it_and_fail_nothing() -> None:
    before = good_deployment(task_definition=FORMER)
    newest = attempt(at=NOON - timedelta(seconds=20), before=before.id, is_taken=True)
    known = changed(settling(), attempts=(newest,))
    as_before = seen_of(known, blue=service("checkout", FORMER, deployments=(before,)))
    for seconds, is_failed in ((0, False), (15, False), (39, False), (40, True)):
        known = at(known, as_before, now=NOON + timedelta(seconds=seconds)).rollout
        assert known.handover.attempts[-1].is_failed is is_failed, seconds


def test_one_attempt_is_one_deployment_and_what_ecs_undid_holds_and_calls_people() -> None:
    known = settling()
    decision = twice(known, seen_of(known, blue=ROLLED_BY_ECS))
    assert not decision.effects
    assert held(decision) == {HoldKind.BLUE}
    assert EventKind.PAGED in recorded(decision)
    assert "circuit breaker" in decision.rollout.waiting.holds[0].reason
    assert "no image" in decision.rollout.waiting.holds[0].reason
    assert decision.rollout.handover.attempts[-1].is_failed


def test_what_ecs_undid_is_told_by_the_tasks_that_died_and_not_by_those_it_stopped_itself() -> None:
    by_ecs = StopSeen(
        task="u", task_definition=FORMER, at=NOON, code="ServiceSchedulerInitiated", reason=SCALED_IN
    )
    before = StopSeen(
        task="v", task_definition=WANTED, at=NOON - 11 * MINUTE, code="TaskFailedToStart", reason="no disk"
    )
    died = replace(ROLLED_BY_ECS.stops[0], at=NOON - MINUTE)
    undone = replace(ROLLED_BY_ECS, stops=(by_ecs, died, replace(died, task="w"), before))
    decision = twice(settling(), seen_of(settling(), blue=undone))
    words = (
        "blue did not take checkout:43, it is on checkout:42: circuit breaker: rolled back; "
        "2 tasks stopped, last: no image"
    )
    assert decision.rollout.waiting.holds[0].reason == words
    paged = [event.message for event in decision.events if event.kind is EventKind.PAGED]
    assert paged == [
        f"{words}; green serves everybody. `teal resume {ID}` tries once more, `teal rollback {ID}` goes back"
    ]


@pytest.mark.parametrize(
    ("weight", "step", "meanwhile"),
    [(500, 1, "green keeps 50 % of the traffic"), (0, 2, "the weights stay")],
)
def test_a_rollback_says_how_long_blue_takes_and_who_serves_meanwhile(
    weight: int, step: int, meanwhile: str
) -> None:
    known = settling(weight, is_homeward=True, step=step)
    decision = commanded(known, a_command(CommandKind.ROLLBACK))
    asked_of_blue = [e.message for e in decision.events if e.kind is EventKind.BLUE_UPDATE_ASKED]
    assert asked_of_blue == [
        "blue goes back to checkout:42 in place, which takes 30 s at least; "
        f"{meanwhile} until blue is steady on it"
    ]


def test_a_hold_that_a_rollback_drops_is_not_told_as_cleared() -> None:
    failed = settling(attempts=0)
    failed = changed(failed, attempts=(attempt(is_taken=True, is_failed=True),))
    stuck = at(failed, seen_of(failed, blue=ROLLED_BY_ECS)).rollout
    seen = replace(seen_of(stuck, blue=ROLLED_BY_ECS), commands=(a_command(CommandKind.ROLLBACK),))
    dropped = [e.message for e in at(stuck, seen).events if e.kind is EventKind.HOLD_CLEARED]
    assert len(dropped) == 1
    assert dropped[0].startswith("no longer waited for: blue did not take checkout:43")


def test_a_failed_attempt_stays_failed_until_a_person_resumes() -> None:
    failed = changed(settling(), attempts=(attempt(is_taken=True, is_failed=True),))
    seen = seen_of(failed, blue=ROLLED_BY_ECS)
    assert not at(failed, seen).effects
    decision = at(failed, replace(seen, commands=(a_command(CommandKind.RESUME),)))
    assert [a.number for a in decision.rollout.handover.attempts] == [1, 2]
    assert only(decision, UpdateService).attempt == 2


def test_a_deployment_that_ecs_gave_up_on_holds() -> None:
    known = settling()
    gave_up = good_deployment(task_definition=WANTED, rollout_state="FAILED", reason="tasks failed to start")
    decision = twice(known, seen_of(known, blue=service("checkout", WANTED, deployments=(gave_up,))))
    assert held(decision) == {HoldKind.BLUE}


@pytest.mark.parametrize(
    ("on_drift", "is_held"), [(OnDrift.ACCEPT, False), (OnDrift.HOLD, True), (OnDrift.ROLLBACK, True)]
)
def test_a_foreign_change_of_a_rule_in_settling_is_accepted_where_the_file_says_so_and_else_holds(
    on_drift: OnDrift, is_held: bool
) -> None:
    known = settling(spec=spec(on_drift=on_drift))
    foreign = {RULE: good_rule(actions=forward((BLUE_GROUP, 0), (GREEN_GROUP, 500), (OTHER_GROUP, 500)))}
    first = at(known, seen_of(known, rules=foreign))
    assert first.rollout.phase is Phase.SETTLING, "nothing takes it back by itself any more"
    second = at(first.rollout, seen_of(first.rollout, rules=foreign), now=NOON + timedelta(seconds=10))
    assert (HoldKind.DRIFT in held(second)) is is_held


def test_looks_that_an_older_answer_came_between_do_not_agree() -> None:
    """Two looks must follow each other: what speaks against an update is forgotten where blue reads as before it."""
    third = TaskDefinitionArn(f"{FORMER}9")
    another = good_deployment(id="ecs-svc/another", task_definition=third)
    former, other = service("checkout", FORMER), service("checkout", third, deployments=(another,))
    assert former.primary is not None
    known = changed(settling(), attempts=(replace(attempt(), before=former.primary.id),))
    first = at(known, seen_of(known, blue=other))
    assert first.rollout.handover.attempts[-1].doubted_since == NOON
    before = at(first.rollout, seen_of(known, blue=former), now=NOON + timedelta(seconds=10))
    assert before.rollout.handover.attempts[-1].doubted_since is None
    again = at(before.rollout, seen_of(known, blue=other), now=NOON + timedelta(seconds=20))
    assert not again.rollout.handover.attempts[-1].is_failed


@pytest.mark.parametrize("weight", [1000, 500])
def test_one_look_that_shows_blue_as_it_was_before_its_update_changes_nothing(weight: int) -> None:
    """A read may answer what was there before the write: the next one shows what is."""
    known = settling() if weight == 1000 else home(500, 1)
    stale = at(known, seen_of(known, blue=service("checkout", FORMER)))
    assert not stale.effects
    assert not stale.rollout.waiting.holds
    assert "a second look at blue, which was seen on checkout:42" in stale.rollout.waiting.waiting_for
    assert stale.wake_at == NOON + timedelta(seconds=10)
    fresh = at(stale.rollout, seen_of(known), now=NOON + timedelta(seconds=10))
    assert fresh.rollout.handover.attempts[-1].doubted_since is None
    assert not fresh.rollout.waiting.holds
    again = at(
        fresh.rollout, seen_of(known, blue=service("checkout", FORMER)), now=NOON + timedelta(seconds=20)
    )
    assert not again.rollout.handover.attempts[-1].is_failed, (
        "two that did not follow each other do not agree"
    )


def test_traffic_comes_home_only_after_two_looks_at_a_steady_blue() -> None:
    first = at(settling())
    assert not first.rollout.handover.is_homeward
    second = at(first.rollout, now=NOON + timedelta(seconds=10))
    assert second.rollout.handover.is_homeward
    third = at(second.rollout, now=NOON + timedelta(seconds=11))
    assert written(third) == [900]


def test_the_wrong_revision_completed_and_healthy_is_not_ready() -> None:
    known = settling(ready_since=NOON - MINUTE)
    decision = at(known, seen_of(known, blue=ROLLED_BY_ECS))
    assert decision.rollout.progress.ready_since is None or not decision.rollout.handover.is_homeward


@pytest.mark.parametrize(("weight", "step", "then"), [(900, 0, 500), (500, 1, 0)])
def test_each_step_home_is_left_after_one_judged_period(weight: int, step: int, then: int) -> None:
    decision = at(home(weight, step))
    assert decision.rollout.progress.step == step + 1
    assert decision.wake_at == NOON
    following = at(decision.rollout, now=NOON)
    assert written(following) == [then]


def test_a_step_home_waits_for_its_period() -> None:
    decision = at(settling(900, is_homeward=True, bake=Bake(since=NOON - timedelta(seconds=20))))
    assert decision.rollout.progress.step == 0
    assert HoldKind.GATE in held(decision)


@pytest.mark.parametrize(("weight", "step"), [(900, 0), (500, 1), (0, 2)])
def test_a_step_home_waits_for_its_period_though_no_gate_that_reads_metrics_is_on(
    weight: int, step: int
) -> None:
    """Otherwise blue has everything within seconds, and whoever watches it has had no minute to see it in."""
    quiet = spec(gates=GatesSpec(guard=GuardSpec(on=False), compare=CompareSpec(on=False)))
    known = home(weight, step, spec=quiet, bake=Bake(since=NOON - timedelta(seconds=20)), intervals=())
    decision = at(known)
    assert not held(decision)
    assert (decision.rollout.progress.step, decision.rollout.way_out.is_way_clear) == (step, False)
    assert decision.rollout.waiting.waiting_for == "one whole period at this weight"
    judged = at(home(weight, step, spec=quiet)).rollout
    assert judged.progress.step == step + 1 or judged.way_out.is_way_clear


def test_no_more_traffic_returns_to_blue_while_somebody_has_paused() -> None:
    known = changed(home(900, 1, bake=Bake(), intervals=()), paused_by=OPERATOR)
    assert not written(at(known))
    assert written(at(changed(known, paused_by=None))) == [500]


def test_blue_that_fails_on_the_way_home_puts_the_last_good_step_back_on_green() -> None:
    known = doubted(home(500, 1))
    bad = {BLUE_GROUP: TargetsSeen(unhealthy=3), GREEN_GROUP: TargetsSeen(healthy=3)}
    decision = at(known, seen_of(known, targets=bad))
    assert decision.rollout.phase is Phase.SETTLING, "the release is never rolled back by itself"
    assert written(decision) == [900]
    assert only(decision, WriteRule).to_safety
    assert HoldKind.FAILED in held(decision)
    assert EventKind.PAGED in recorded(decision)


def test_after_a_failure_on_the_way_home_only_a_person_goes_on() -> None:
    known = home(900, 1, failed="health: a test")
    decision = at(known)
    assert not decision.effects
    resumed = commanded(known, a_command(CommandKind.RESUME))
    assert not resumed.rollout.waiting.failed


def test_an_alarm_only_holds_on_the_way_home() -> None:
    known = home(900, 0)
    decision = at(known, seen_of(known, alarms={"checkout-5xx": good_alarm(state="ALARM")}))
    assert decision.rollout.progress.step == 0
    assert not written(decision)
    assert held(decision) == {HoldKind.GATE}


def test_blue_short_of_a_target_gets_no_more() -> None:
    known = changed(home(900, 1, bake=Bake(), intervals=()), step=1)
    short = {BLUE_GROUP: TargetsSeen(healthy=2), GREEN_GROUP: TargetsSeen(healthy=3)}
    decision = at(known, seen_of(known, targets=short))
    assert not written(decision)
    assert HoldKind.CAPACITY in held(decision)


def test_blue_that_somebody_made_smaller_gets_no_more_and_that_is_named() -> None:
    known = changed(home(900, 1, bake=Bake(), intervals=()), step=1)
    newer = good_deployment(id="ecs-svc/9", task_definition=WANTED)
    smaller = service("checkout", WANTED, desired=2, running=2, deployments=(newer,))
    two = {BLUE_GROUP: TargetsSeen(healthy=2), GREEN_GROUP: TargetsSeen(healthy=3)}
    decision = at(known, seen_of(known, blue=smaller, targets=two))
    assert not written(decision)
    (hold,) = [hold for hold in decision.rollout.waiting.holds if hold.kind is HoldKind.CAPACITY]
    assert (
        hold.reason == "blue could not take more traffic: checkout's desired count is 2, all traffic needs 3"
    )


def test_the_way_is_clear_once_blue_has_served_everything_for_a_period() -> None:
    decision = at(home(0, 2))
    assert decision.rollout.way_out.is_way_clear
    assert EventKind.TRAFFIC_ON_BLUE in recorded(decision)


def test_settling_too_long_calls_people_and_changes_nothing() -> None:
    known = settling(phase_since=NOON - timedelta(hours=2))
    decision = at(known)
    assert EventKind.PAGED in recorded(decision)
    assert decision.rollout.phase is Phase.SETTLING
    again = at(decision.rollout, now=NOON + MINUTE)
    assert EventKind.PAGED not in recorded(again), "once for one standstill"


def test_time_that_people_paused_does_not_count_towards_settlings_limit() -> None:
    known = settling(phase_since=NOON - timedelta(hours=2), paused_for=timedelta(hours=1))
    assert EventKind.PAGED not in recorded(at(known))
    assert EventKind.PAGED in recorded(at(changed(known, paused_for=timedelta(minutes=59))))


def test_blue_given_everything_by_hand_is_home_if_it_is_steady_on_the_revision() -> None:
    known = settling(900, is_homeward=True)
    decision = at(known, seen_of(known, rules={RULE: rule_seen(known, 0)}))
    assert decision.rollout.phase is Phase.SETTLING
    assert decision.rollout.progress.step == 2


def test_blue_given_everything_by_hand_before_it_is_ready_is_a_rollback() -> None:
    known = settling(1000)
    seen = seen_of(known, rules={RULE: rule_seen(known, 0)}, blue=service("checkout", FORMER))
    decision = at(known, seen)
    assert decision.rollout.phase is Phase.ROLLING_BACK
    assert only(decision, UpdateService).task_definition == FORMER
    assert not written(decision), "the weights are left"
    (asks,) = [e.message for e in decision.events if e.kind is EventKind.BLUE_UPDATE_ASKED]
    assert "the weights stay until blue is steady" in asks, (
        "green keeps nothing: somebody gave blue all of it"
    )


def test_a_write_that_is_not_wanted_any_more_is_written_over_and_not_believed_to_be_unwritten() -> None:
    """Green was to have 50 % again, and reads as before that: it may have it, whatever this look shows."""
    known = home(0, 3)
    under_way = rule(
        0, 500, intended=(Tenths(0), Tenths(500)), asked=Tenths(500), asked_at=NOON - timedelta(seconds=2)
    )
    draft = Draft(changed(known, rules=(under_way,)), seen_of(known, rules={RULE: rule_seen(known, 0)}), NOON)
    rules.want(draft, Tenths(0))
    looks = rule_looks.take_looks(draft)
    assert not rules.all_at(draft.row, Tenths(0)), "what reads so may be an old answer"
    rules.write(draft, looks, safe_is_less=False)
    assert [effect.green for effect in draft.effects if isinstance(effect, WriteRule)] == [0]
    assert rules.all_at(draft.row, Tenths(0)), "written last, and read"
