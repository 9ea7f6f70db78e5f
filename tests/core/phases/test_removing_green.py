"""The end of both ways out: rules to the letter, nothing of green left, and blue's settings as they were."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.core.cloud.deployment_configuration import unwatched
from orchestrator.core.cloud.effects import (
    DeleteTargetGroup,
    RestoreDeploymentConfiguration,
    ScaleService,
    SetScaling,
    UpdateService,
    WriteRule,
    update_key,
)
from orchestrator.core.cloud.forward_action import canonical, says_the_same
from orchestrator.core.cloud.resources import Absent, TargetsSeen, Unread
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import Tenths
from orchestrator.core.domain.phases import Phase
from orchestrator.core.phases import removing_green
from orchestrator.core.rollout.changes import changed
from orchestrator.core.rollout.handover import End, Holding, Retirement
from orchestrator.core.rollout.rollout import Asked, Rollout, Unanswered
from orchestrator.core.rollout.spec import DrainSpec
from orchestrator.core.scaling.target_values import suspended
from orchestrator.core.tick.seen import Seen
from tests.builders import BLUE_GROUP, FORMER, NOON, OTHER_GROUP, RULE, WANTED, forward, good_rule
from tests.core.stages import (
    GREEN_GROUP,
    GREEN_NAME,
    ID,
    MINUTE,
    OPERATOR,
    SCALING,
    asked,
    at,
    attempt,
    blue,
    group,
    held,
    only,
    recorded,
    rolling_back,
    rule,
    seen_of,
    service,
    settling,
    spec,
)

LONG_AGO = NOON - timedelta(hours=1)
UNREAD = Unread(why="a test")


def leaving(**changes: Any) -> Rollout:  # noqa: ANN401 - the fields of Rollout
    """On the way out with all traffic on blue since long; green still hangs on its rule at weight 0."""
    end = End(reason="a test", by=OPERATOR, at=LONG_AGO, traffic_on_blue_at=LONG_AGO)
    given = {"end": end, "on_blue_since": LONG_AGO, "is_way_clear": True, **changes}
    return rolling_back(0, **given)


def restored(**changes: Any) -> Rollout:  # noqa: ANN401 - the fields of Rollout
    """The same, with the rule's first list read back and green gone."""
    known = leaving(**{"rules": (rule(None),), **changes})
    assert known.green is not None
    return changed(known, green=replace(known.green, is_gone=True))


GONE = {"teal-checkout-0a1b2c3d-0": Absent()}
QUIET = {"groups": GONE, "scaling": SCALING}


def test_the_last_write_is_the_first_list_to_the_letter() -> None:
    effect = only(at(leaving()), WriteRule)
    assert (effect.green, effect.actions) == (None, good_rule().actions)
    assert asked(at(leaving())) == ["write_rule"], "green stays until the rules are restored"


def test_a_rule_that_somebody_changed_keeps_the_change_and_loses_only_green() -> None:
    changed = good_rule(actions=forward((BLUE_GROUP, 500), (GREEN_GROUP, 0), (OTHER_GROUP, 500)))
    known = leaving()
    actions = only(at(known, seen_of(known, rules={RULE: changed})), WriteRule).actions
    assert OTHER_GROUP in actions
    assert GREEN_GROUP not in actions


@pytest.mark.parametrize("found", [Absent(), good_rule(actions=forward((OTHER_GROUP, 1)))])
def test_a_rule_that_does_not_hold_green_any_more_is_left_alone(found: Any) -> None:  # noqa: ANN401
    known = leaving()
    assert "write_rule" not in asked(at(known, seen_of(known, rules={RULE: found})))


def test_a_rule_that_cannot_be_read_holds_everything_else_back() -> None:
    known = leaving()
    decision = at(known, seen_of(known, rules={RULE: UNREAD}))
    assert not decision.effects
    assert decision.rollout.phase is Phase.ROLLING_BACK


def test_green_is_stopped_then_deleted_and_its_groups_after_it() -> None:
    known = leaving(rules=(rule(None),))
    stop = at(known)
    assert only(stop, ScaleService).desired == 0
    assert stop.rollout.green is not None
    assert stop.rollout.green.is_leaving
    empty = service(GREEN_NAME, WANTED, desired=0, running=0)
    assert "delete_service" in asked(at(known, seen_of(known, green=empty)))
    still = service(GREEN_NAME, WANTED, desired=0, running=1)
    assert "delete_service" not in asked(at(known, seen_of(known, green=still)))
    draining = at(known, seen_of(known, green=service(GREEN_NAME, WANTED, status="DRAINING", desired=0)))
    assert not {"delete_service", "delete_target_group"} & set(asked(draining))
    assert only(at(restored()), DeleteTargetGroup).group == GREEN_GROUP


def test_what_teal_did_not_make_is_never_deleted() -> None:
    known = leaving(rules=(rule(None),))
    foreign = service(GREEN_NAME, WANTED, tags={"teal:rollout": "another"})
    name = known.pairs[0].green_name
    decision = at(
        known, seen_of(known, green=foreign, groups={name: group(tags={"teal:rollout": "another"})})
    )
    assert not {"scale_service", "delete_service", "delete_target_group"} & set(asked(decision))


def test_a_creation_that_may_still_arrive_is_waited_for() -> None:
    known = leaving(rules=(rule(None),), created_last=NOON - timedelta(seconds=10))
    decision = at(known, seen_of(known, green=Absent(), groups=GONE))
    assert decision.rollout.green is not None
    assert not decision.rollout.green.is_gone
    assert not decision.rollout.pairs[0].is_deleted
    assert decision.rollout.phase is Phase.ROLLING_BACK
    later = at(known, seen_of(known, green=Absent(), groups=GONE), now=NOON + timedelta(seconds=31))
    assert later.rollout.green is not None
    assert later.rollout.green.is_gone


def test_scaling_is_given_back_as_it_was_read() -> None:
    known = restored()
    effect = only(at(known, seen_of(known, groups=GONE)), SetScaling)
    assert effect.wanted == SCALING


def test_scaling_waits_until_blues_metrics_have_settled() -> None:
    known = restored(on_blue_since=NOON - MINUTE)
    decision = at(known, seen_of(known, groups=GONE))
    assert "set_scaling" not in asked(decision)
    assert decision.rollout.phase is Phase.ROLLING_BACK


@pytest.mark.parametrize(
    "somebodys",
    [replace(SCALING, max_capacity=20), replace(SCALING, scale_out_suspended=True), Absent()],
)
def test_scaling_is_never_restored_over_somebodys_later_change(somebodys: Any) -> None:  # noqa: ANN401
    known = restored()
    decision = at(known, seen_of(known, groups=GONE, scaling=somebodys))
    assert "set_scaling" not in asked(decision)
    assert decision.rollout.phase is Phase.ROLLED_BACK


def test_teals_own_suspension_is_lifted_and_somebodys_bounds_stay() -> None:
    known = restored()
    changed = replace(suspended(SCALING), min_capacity=3)
    decision = at(known, seen_of(known, groups=GONE, scaling=changed))
    assert only(decision, SetScaling).wanted == replace(SCALING, min_capacity=3)
    assert decision.rollout.phase is Phase.ROLLING_BACK
    after = at(known, seen_of(known, groups=GONE, scaling=replace(SCALING, min_capacity=3)))
    assert after.rollout.phase is Phase.ROLLED_BACK
    assert EventKind.DRIFT_FOUND in recorded(after)


def test_a_suspension_that_was_there_before_the_rollout_stays() -> None:
    theirs = blue(scaling=suspended(SCALING))
    known = restored(blue=theirs)
    decision = at(known, seen_of(known, groups=GONE, scaling=suspended(SCALING)))
    assert "set_scaling" not in asked(decision)
    assert decision.rollout.phase is Phase.ROLLED_BACK


def test_somebodys_scaling_is_told_once_although_the_end_waits() -> None:
    known = restored(created_last=NOON - timedelta(seconds=10))
    changed = seen_of(known, groups=GONE, scaling=replace(SCALING, max_capacity=20))
    waiting = at(known, changed)
    assert waiting.rollout.phase is Phase.ROLLING_BACK
    assert EventKind.DRIFT_FOUND not in recorded(waiting)
    ended = at(waiting.rollout, changed, now=NOON + timedelta(seconds=20))
    assert ended.rollout.phase is Phase.ROLLED_BACK
    assert EventKind.DRIFT_FOUND in recorded(ended)


@pytest.mark.parametrize(
    ("ago", "effects"),
    [
        pytest.param(3 * MINUTE - timedelta(seconds=1), [], id="not yet three periods"),
        pytest.param(3 * MINUTE, ["set_scaling"], id="three periods"),
    ],
)
def test_scaling_is_restored_after_three_periods_at_blue(ago: timedelta, effects: list[str]) -> None:
    known = restored(on_blue_since=NOON - ago)
    decision = at(known, seen_of(known, groups=GONE))
    assert asked(decision) == effects
    if not effects:
        assert decision.wake_at == NOON + timedelta(seconds=1)


def test_a_suspension_that_may_still_arrive_is_waited_for() -> None:
    known = restored(created_last=NOON - timedelta(seconds=29), on_blue_since=LONG_AGO)
    early = at(known, seen_of(known, **QUIET))
    assert (early.rollout.phase, early.wake_at) == (Phase.ROLLING_BACK, NOON + timedelta(seconds=1))
    assert at(known, seen_of(known, **QUIET), now=NOON + timedelta(seconds=1)).wake_at is None


# requests on their way ---------------------------------------------------------------------------------------------


SERVED = rule(0, intended=(Tenths(0), Tenths(500)))
STOPPED = service(GREEN_NAME, WANTED, desired=0, running=0)
DELAY = timedelta(seconds=30)  # of green's target group
STICKY = forward((BLUE_GROUP, 999), (GREEN_GROUP, 0), stickiness={"Enabled": True, "DurationSeconds": 3600})


@pytest.mark.parametrize(
    ("ago", "effects"),
    [
        pytest.param(timedelta(seconds=9), [], id="it may still be reached"),
        pytest.param(timedelta(seconds=10), ["scale_service"], id="the weight has spread"),
    ],
)
def test_green_is_stopped_only_once_its_last_requests_have_left(ago: timedelta, effects: list[str]) -> None:
    known = leaving(rules=(SERVED,), on_blue_since=NOON - ago)
    decision = at(known)
    assert asked(decision) == effects
    if not effects:
        assert decision.wake_at == NOON + timedelta(seconds=1)
        assert decision.rollout.green is not None
        assert not decision.rollout.green.is_leaving, "until then there is a way back to it"


def test_green_that_never_had_traffic_is_stopped_at_once() -> None:
    known = leaving(rules=(rule(None, intended=(Tenths(0),)),), on_blue_since=NOON)
    assert asked(at(known)) == ["scale_service"]


def test_a_late_write_that_gave_green_traffic_again_is_undone_and_green_waits_once_more() -> None:
    known = leaving(rules=(SERVED,))
    late = good_rule(actions=forward((BLUE_GROUP, 500), (GREEN_GROUP, 500)))
    undo = at(known, seen_of(known, rules={RULE: late}))
    assert asked(undo) == ["write_rule"]
    effect = only(undo, WriteRule)
    blues = forward((BLUE_GROUP, 999), (GREEN_GROUP, 0))
    assert (effect.green, effect.to_safety) == (0, True), "it stays in the rule, and so AWS drains it"
    assert says_the_same(effect.actions, blues), effect.actions
    soon = NOON + timedelta(seconds=2)
    assert asked(at(undo.rollout, seen_of(known), now=soon)) == [], "its last requests may still be in flight"
    assert asked(at(undo.rollout, seen_of(known), now=NOON + timedelta(seconds=10))) == ["scale_service"]


def stopping(since: timedelta = timedelta(seconds=20)) -> Rollout:
    """Green had traffic, and its tasks were asked to stop so long ago."""
    return leaving(rules=(SERVED,), stopping_since=NOON - since, is_scaling_touched=False)


@pytest.mark.parametrize(
    ("targets", "effects"),
    [
        pytest.param(TargetsSeen(healthy=3), [], id="not deregistered yet"),
        pytest.param(TargetsSeen(draining=3), [], id="draining"),
        pytest.param(TargetsSeen(), ["delete_service", "write_rule"], id="drained"),
        pytest.param(Absent(), ["delete_service", "write_rule"], id="the group is gone"),
        pytest.param(UNREAD, [], id="unread"),
    ],
)
def test_green_leaves_the_rule_once_its_targets_are_drained(targets: Any, effects: list[str]) -> None:  # noqa: ANN401
    known = stopping()
    decision = at(known, seen_of(known, green=STOPPED, targets={GREEN_GROUP: targets}))
    assert sorted(asked(decision)) == effects
    if effects:
        assert only(decision, WriteRule).actions == good_rule().actions


def test_greens_targets_are_read_while_its_tasks_drain_and_only_then() -> None:
    assert removing_green.needs(stopping(), NOON).targets == (GREEN_GROUP,)
    assert removing_green.needs(leaving(rules=(SERVED,)), NOON).targets == ()
    assert removing_green.needs(restored(), NOON).targets == ()


def test_draining_is_waited_for_no_longer_than_it_can_take() -> None:
    """Green's delay, the longest time in which a task stops, and a minute."""
    longest = DELAY + timedelta(seconds=30) + MINUTE
    draining = {"green": STOPPED, "targets": {GREEN_GROUP: TargetsSeen(draining=3)}}
    early, late = stopping(longest - timedelta(seconds=1)), stopping(longest)
    assert asked(at(early, seen_of(early, **draining))) == []
    assert "write_rule" in asked(at(late, seen_of(late, **draining)))


def test_tasks_that_were_never_told_to_stop_have_not_had_their_time_to_drain() -> None:
    """The call was recorded and never sent: its process was stopped on the way."""
    known = stopping(timedelta(minutes=10))
    decision = at(known, seen_of(known, targets={GREEN_GROUP: TargetsSeen(healthy=3)}))
    assert asked(decision) == ["scale_service"]
    assert decision.rollout.way_out.stopping_since == NOON


def test_green_leaves_a_sticky_rule_before_its_tasks_go_and_they_wait_out_its_delay() -> None:
    known = leaving(rules=(SERVED,), is_scaling_touched=False)
    out = at(known, seen_of(known, rules={RULE: good_rule(actions=STICKY)}))
    assert asked(out) == ["write_rule"]
    assert only(out, WriteRule).green is None
    gone = {RULE: good_rule()}
    seen = at(out.rollout, seen_of(known, rules=gone), now=NOON + timedelta(seconds=1))
    assert asked(seen) == []
    until = NOON + timedelta(seconds=1 + 10) + DELAY
    early = at(seen.rollout, seen_of(known, rules=gone), now=until - timedelta(seconds=1))
    assert asked(early) == []
    assert early.wake_at == until
    assert asked(at(early.rollout, seen_of(known, rules=gone), now=until)) == ["scale_service"]


def test_green_that_is_stopped_in_slices_leaves_the_rule_after_the_last() -> None:
    known = leaving(
        rules=(SERVED,), spec=spec(drain=DrainSpec(slices=3, every=MINUTE)), on_blue_since=NOON - MINUTE
    )
    first = at(known)
    assert only(first, ScaleService).desired == 2
    assert first.rollout.way_out.stopping_since is None
    last = at(first.rollout, seen_of(known), now=NOON + 3 * MINUTE)
    assert only(last, ScaleService).desired == 0
    assert last.rollout.way_out.stopping_since == NOON + 3 * MINUTE


# a blue that somebody deleted --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "known",
    [
        pytest.param(restored(is_configuration_touched=True), id="its deployment configuration"),
        pytest.param(
            restored(blue=blue(scaling=None), attempts=(attempt(desired=5, desired_before=3, at=LONG_AGO),)),
            id="its count",
        ),
        pytest.param(restored(is_scaling_touched=True), id="its scaling"),
        pytest.param(
            restored(retirement=Retirement(token="again", desired=3, is_tagged=True)), id="its tags"
        ),
    ],
)
def test_a_blue_that_somebody_deleted_needs_nothing_restored_and_the_end_says_so(known: Rollout) -> None:
    deleted = seen_of(known, blue=Absent(), groups=GONE)
    first = at(known, deleted)
    assert (first.rollout.phase, asked(first)) == (Phase.ROLLING_BACK, []), "one look alone may be wrong"
    assert "a second look at blue" in first.rollout.waiting.waiting_for
    assert first.wake_at == NOON + timedelta(seconds=10)
    second = at(first.rollout, deleted, now=NOON + timedelta(seconds=10))
    assert second.rollout.phase is Phase.ROLLED_BACK
    assert asked(second) == []
    (ended,) = [event for event in second.events if event.kind is EventKind.ENDED]
    words = "nothing of green is left; checkout is gone, which somebody deleted: nothing of it was restored"
    assert f"; {words}; not as it was: checkout: there → deleted (compared: " in ended.message


def test_one_look_that_does_not_find_blue_is_no_deletion_in_the_last_sentence() -> None:
    known = restored()
    first = at(known, seen_of(known, blue=Absent(), groups=GONE))
    assert first.rollout.phase is Phase.ROLLING_BACK
    last = at(first.rollout, seen_of(known, **QUIET), now=NOON + timedelta(seconds=10))
    (ended,) = [event for event in last.events if event.kind is EventKind.ENDED]
    assert "deleted" not in ended.message


@pytest.mark.parametrize("look", [None, UNREAD])
def test_a_blue_that_cannot_be_read_at_the_end_was_not_compared_and_is_not_called_deleted(
    look: Unread | None,
) -> None:
    known = restored()
    seen = seen_of(known, **{**QUIET, "blue": look})
    last = at(at(known, seen).rollout, seen, now=NOON + MINUTE)
    (ended,) = [event for event in last.events if event.kind is EventKind.ENDED]
    assert "not compared, since it could not be read: blue" in ended.message
    assert "deleted" not in ended.message


def test_a_blue_that_is_there_again_is_restored_after_all() -> None:
    known = restored(is_configuration_touched=True, blue=blue(deployment_configuration=WATCHED))
    changed = service("checkout", FORMER, deployment_configuration=UNWATCHED)
    missing = at(known, seen_of(known, blue=Absent(), groups=GONE))
    back = at(missing.rollout, seen_of(known, **QUIET, blue=changed), now=NOON + timedelta(seconds=10))
    assert asked(back) == ["restore_deployment_configuration"]
    assert back.rollout.way_out.blue_absent_since is None


def test_a_group_is_not_deleted_while_green_is_still_there() -> None:
    known = leaving(rules=(rule(None),))
    for seen in (service(GREEN_NAME, WANTED), service(GREEN_NAME, WANTED, desired=0, running=0), UNREAD):
        assert "delete_target_group" not in asked(at(known, seen_of(known, green=seen)))


@pytest.mark.parametrize("unread", [{"green": UNREAD}, {"groups": {"teal-checkout-0a1b2c3d-0": UNREAD}}])
def test_what_cannot_be_read_is_not_taken_as_gone(unread: dict[str, Any]) -> None:
    known = leaving(rules=(rule(None),), is_scaling_touched=False)
    decision = at(known, seen_of(known, **{"green": Absent(), "groups": GONE, **unread}))
    assert not decision.effects
    assert decision.rollout.phase is Phase.ROLLING_BACK
    assert held(decision)


def test_scaling_that_cannot_be_read_holds_the_end_up() -> None:
    known = restored()
    decision = at(known, seen_of(known, groups=GONE, scaling=UNREAD))
    assert decision.rollout.phase is Phase.ROLLING_BACK
    assert held(decision)


WATCHED = canonical({"deploymentCircuitBreaker": {"enable": True, "rollback": True}})
UNWATCHED = unwatched(WATCHED)


def test_blues_deployment_configuration_is_given_back() -> None:
    known = restored(is_configuration_touched=True, blue=blue(deployment_configuration=WATCHED))
    changed = service("checkout", FORMER, deployment_configuration=UNWATCHED)
    decision = at(known, seen_of(known, **QUIET, blue=changed))
    assert known.blue is not None
    effect = only(decision, RestoreDeploymentConfiguration)
    assert effect.deployment_configuration == known.blue.deployment_configuration
    assert decision.rollout.phase is Phase.ROLLING_BACK
    again = service("checkout", FORMER, deployment_configuration=WATCHED)
    assert at(known, seen_of(known, **QUIET, blue=again)).rollout.phase is Phase.ROLLED_BACK


def test_what_others_made_of_blues_deployment_configuration_meanwhile_stays() -> None:
    known = restored(is_configuration_touched=True, blue=blue(deployment_configuration=WATCHED))
    theirs = canonical({**json.loads(UNWATCHED), "maximumPercent": 150})
    decision = at(
        known, seen_of(known, **QUIET, blue=service("checkout", FORMER, deployment_configuration=theirs))
    )
    effect = only(decision, RestoreDeploymentConfiguration)
    assert json.loads(effect.deployment_configuration) == {**json.loads(WATCHED), "maximumPercent": 150}


@pytest.mark.parametrize(
    ("desired", "effects"),
    [(5, ["scale_service"]), (3, []), (7, [])],
    ids=["raised", "back", "changed since"],
)
def test_without_scaling_blues_count_is_given_back_if_nobody_changed_it(
    desired: int, effects: list[str]
) -> None:
    attempts = (attempt(desired=5, desired_before=3, at=LONG_AGO),)
    known = restored(blue=blue(scaling=None), attempts=attempts)
    seen = service("checkout", WANTED, desired=desired, running=desired)
    assert asked(at(known, seen_of(known, groups=GONE, blue=seen))) == effects


def test_a_rollback_ends_when_everything_was_seen_to_be_gone() -> None:
    decision = at(restored(), seen_of(restored(), **QUIET))
    assert decision.rollout.phase is Phase.ROLLED_BACK
    assert decision.wake_at is None
    assert EventKind.PHASE_CHANGED not in recorded(decision), "the end is one event"
    (ended,) = [event for event in decision.events if event.kind is EventKind.ENDED]
    assert ended.message.startswith("rolled_back: a test; nothing of green is left")


def test_the_last_sentence_says_what_is_not_as_it_was() -> None:
    known = changed(restored(), is_scaling_touched=False)
    another = service("checkout", type(FORMER)(f"{FORMER.rpartition(':')[0]}:99"))
    smaller = replace(SCALING, min_capacity=1)
    decision = at(known, seen_of(known, **QUIET | {"blue": another, "scaling": smaller}))
    (ended,) = [event for event in decision.events if event.kind is EventKind.ENDED]
    assert (
        "; not as it was: blue's revision: checkout:42 → checkout:99; blue's minimum: 2 → 1" in ended.message
    )
    as_it_was = at(known, seen_of(known, **QUIET))
    (ended,) = [event for event in as_it_was.events if event.kind is EventKind.ENDED]
    assert "; the rest is as it was (compared: 1 rule, blue's revision" in ended.message


def test_settling_ends_in_success_by_the_same_way() -> None:
    known = settling(0, is_way_clear=True, rules=(rule(None),), on_blue_since=LONG_AGO)
    assert known.green is not None
    known = changed(known, green=replace(known.green, is_gone=True))
    decision = at(known, seen_of(known, **QUIET))
    assert decision.rollout.phase is Phase.SUCCEEDED
    assert decision.rollout.end is not None
    assert ID in known.id


def test_a_write_that_does_not_show_yet_is_sent_again_ever_more_slowly_and_not_at_every_look() -> None:
    key = only(at(restored()), DeleteTargetGroup).key

    def is_sent(seconds: int, *, times: int) -> bool:
        since = NOON - timedelta(minutes=10)
        before = Asked(key=key, at=NOON - timedelta(seconds=seconds), times=times, since=since)
        decision = at(restored(asked=(before,)))
        assert decision.wake_at is not None
        return "delete_target_group" in asked(decision)

    assert [is_sent(seconds, times=1) for seconds in (1, 2)] == [False, True]
    assert [is_sent(seconds, times=4) for seconds in (15, 16)] == [False, True]
    assert [is_sent(seconds, times=50) for seconds in (29, 30)] == [False, True]


def test_a_suspension_that_lands_after_scaling_was_given_back_is_lifted_again() -> None:
    ours = suspended(SCALING)
    given_back = Holding(
        base=SCALING, written=(ours,), written_at=(NOON - timedelta(seconds=5),), back=SCALING
    )
    known = restored(holding=given_back, created_last=NOON - timedelta(seconds=5))
    late = at(known, seen_of(known, groups=GONE, scaling=ours))
    assert only(late, SetScaling).wanted == SCALING
    assert late.rollout.phase is Phase.ROLLING_BACK
    theirs = replace(SCALING, max_capacity=20)
    assert "set_scaling" not in asked(at(known, seen_of(known, groups=GONE, scaling=theirs)))


def test_no_rollout_ends_while_a_call_that_makes_something_may_still_land() -> None:
    known = restored(created_last=NOON - timedelta(seconds=10), is_scaling_touched=False)
    known = changed(known, pairs=tuple(replace(pair, is_deleted=True) for pair in known.pairs))
    decision = at(known, seen_of(known, **QUIET))
    assert decision.rollout.phase is Phase.ROLLING_BACK
    assert decision.rollout.waiting.waiting_for
    later = at(known, seen_of(known, **QUIET), now=NOON + timedelta(seconds=21))
    assert later.rollout.phase is Phase.ROLLED_BACK


def test_no_rollback_ends_while_an_update_of_blue_that_it_overtook_may_still_be_carried_out() -> None:
    """AWS takes a call for as long as its signature is good: blue would get the new revision after the end."""
    attempts = (attempt(), attempt(number=2, task_definition=FORMER, at=LONG_AGO))
    late = Unanswered(key=update_key("checkout", 1), at=LONG_AGO, until=NOON + MINUTE)
    known = restored(attempts=attempts, unanswered=(late,))
    decision = at(known, seen_of(known, **QUIET))
    assert decision.rollout.phase is Phase.ROLLING_BACK
    assert decision.rollout.waiting.waiting_for.startswith("an update of blue that AWS may still carry out")
    assert decision.wake_at is not None
    assert at(known, seen_of(known, **QUIET), now=NOON + MINUTE).rollout.phase is Phase.ROLLED_BACK


def test_greens_group_is_not_deleted_while_a_rule_still_names_it() -> None:
    known = changed(restored(), rules=(rule(0, intended=(Tenths(0), Tenths(100))),), is_scaling_touched=False)
    assert asked(at(known)) == ["write_rule"]
    assert "delete_target_group" in asked(at(restored()))


def test_no_rollout_ends_while_somebody_has_paused_it() -> None:
    known = settling(0, is_way_clear=True, rules=(rule(None),), on_blue_since=LONG_AGO, paused_by=OPERATOR)
    assert known.green is not None
    known = changed(known, green=replace(known.green, is_gone=True))
    assert at(known, seen_of(known, **QUIET)).rollout.phase is Phase.SETTLING
    known = changed(known, paused_by=None)
    assert at(known, seen_of(known, **QUIET)).rollout.phase is Phase.SUCCEEDED


# an update of blue that is carried out late -------------------------------------------------------------------------


def taken_back() -> Rollout:
    """All traffic is on blue again, which runs its former revision since long."""
    return leaving(
        rules=(rule(None),),
        attempts=(attempt(), attempt(number=2, task_definition=FORMER, at=LONG_AGO - MINUTE)),
    )


def on_the_new(known: Rollout) -> Seen:
    return seen_of(known, blue=service("checkout", WANTED))


def test_one_look_that_shows_blue_on_the_revision_that_was_taken_back_changes_nothing() -> None:
    """It may be an answer from before the rollback."""
    first = at(taken_back(), on_the_new(taken_back()))
    assert "update_service" not in asked(first)
    assert "scale_service" not in asked(first), "nor is anything removed meanwhile"
    assert EventKind.PAGED not in recorded(first)
    then = at(first.rollout, now=NOON + MINUTE)
    assert "update_service" not in asked(then)
    assert then.rollout.handover.attempts == taken_back().handover.attempts


def test_two_looks_that_agree_give_blue_its_former_revision_again_and_call_people() -> None:
    known = at(taken_back(), on_the_new(taken_back())).rollout
    decision = at(known, on_the_new(known), now=NOON + MINUTE)
    effect = only(decision, UpdateService)
    assert (effect.task_definition, effect.attempt) == (FORMER, 3)
    assert EventKind.PAGED in recorded(decision)
    assert decision.rollout.handover.is_configuration_touched, "its alarms and breaker come back at the end"
    later = at(decision.rollout, seen_of(decision.rollout), now=NOON + 2 * MINUTE)
    assert later.rollout.waiting.waiting_for == "blue to be on checkout:42 again"
    steady = at(later.rollout, seen_of(decision.rollout), now=NOON + 3 * MINUTE)
    assert "update_service" not in asked(steady)
    assert steady.rollout.waiting.waiting_for != "blue to be on checkout:42 again"
