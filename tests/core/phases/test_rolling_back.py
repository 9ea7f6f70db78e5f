"""The way back, from every phase: traffic first, and blue's former revision before it where settling touched blue."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.core.cloud.effects import UpdateService, WriteRule
from orchestrator.core.cloud.forward_action import canonical, read_forward
from orchestrator.core.cloud.resources import Absent, TargetsSeen, Unread
from orchestrator.core.decide import decide
from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import Tenths
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.changes import changed
from orchestrator.core.rollout.handover import End
from orchestrator.core.rollout.progress import Loss
from orchestrator.core.rollout.rollout import Paged, Rollout
from orchestrator.core.tick.needs import Needs
from orchestrator.core.tick.seen import Failure, Seen
from orchestrator.core.what_to_read import needs_of
from tests.builders import BLUE_GROUP, FORMER, NOON, OTHER_GROUP, RULE, WANTED, forward, good_rule
from tests.core.stages import (
    GREEN_GROUP,
    GREEN_NAME,
    MINUTE,
    OPERATOR,
    a_command,
    asked,
    at,
    attempt,
    baked,
    blue,
    commanded,
    group,
    only,
    recorded,
    rolling_back,
    row,
    rule,
    rule_seen,
    seen_of,
    service,
    settling,
    written,
)

UNREAD = Unread(why="a test")
EARLY = [
    pytest.param(row(Phase.PENDING), [], id="pending"),
    pytest.param(row(Phase.PREPARING), [], id="preparing"),
    pytest.param(row(Phase.PROVISIONING, weight=0), [None], id="provisioning"),
    pytest.param(baked(2), [0], id="shifting"),
    pytest.param(
        row(Phase.SHIFTING, weight=100, step=1, rules=(rule(100, 500),)), [0], id="between two steps"
    ),
    pytest.param(baked(2, phase=Phase.WATCHING, step=2), [0], id="watching"),
]


@pytest.mark.parametrize("kind", [CommandKind.ROLLBACK, CommandKind.REJECT])
@pytest.mark.parametrize(("known", "writes"), EARLY)
def test_until_the_watch_has_passed_a_rollback_is_one_write(
    known: Rollout, writes: list[int | None], kind: CommandKind
) -> None:
    decision = commanded(known, a_command(kind, reason="a test"))
    assert decision.rollout.phase in (Phase.ROLLING_BACK, Phase.ROLLED_BACK)
    assert written(decision) == writes
    assert decision.rollout.end is not None
    assert decision.rollout.end.by == OPERATOR


@pytest.mark.parametrize(("known", "writes"), EARLY)
def test_a_rollback_ends_a_pause(known: Rollout, writes: list[int | None]) -> None:
    decision = commanded(changed(known, paused_by=OPERATOR), a_command(CommandKind.ROLLBACK))
    assert written(decision) == writes
    assert decision.rollout.pause.paused_by is None


@pytest.mark.parametrize("known", [baked(2), rolling_back(100)])
def test_a_rollback_reads_only_the_rules(known: Rollout) -> None:
    commands = () if known.phase is Phase.ROLLING_BACK else (a_command(CommandKind.ROLLBACK),)
    needs = needs_of(known, commands, NOON)
    assert [need.arn for need in needs.rules] == [RULE]
    assert needs == Needs(rules=needs.rules, cluster=needs.cluster, is_urgent=True)


def test_a_rollback_needs_nothing_but_the_rules() -> None:
    known = baked(2)
    decision = decide(
        known, Seen(rules={RULE: rule_seen(known)}, commands=(a_command(CommandKind.ROLLBACK),)), NOON
    )
    assert written(decision) == [0]


def test_a_write_to_safety_is_asked_for_in_every_tick_until_it_is_seen() -> None:
    known = baked(2)
    first = commanded(known, a_command(CommandKind.ROLLBACK))
    failed = (Failure(key=first.effects[0].key, why="no answer", is_final=False),)
    second = at(first.rollout, seen_of(first.rollout, rules={RULE: rule_seen(known, 100)}, failures=failed))
    assert written(second) == [0]


@pytest.mark.parametrize("old", [0, None], ids=["green at 0 %", "without green"])
def test_a_rule_that_reads_as_before_the_last_raise_is_written_to_blue_again_and_not_believed(
    old: int | None,
) -> None:
    """Reads of rules may go back: an old answer of 0 % is no sign that green has nothing."""
    raised = rule(0, 500, intended=(Tenths(0), Tenths(500)), asked_at=NOON - timedelta(seconds=3))
    known = row(Phase.SHIFTING, weight=0, step=1, rules=(raised,))
    order = (a_command(CommandKind.ROLLBACK),)
    first = at(known, seen_of(known, commands=order, rules={RULE: rule_seen(known, old)}))
    assert written(first) == [0]
    assert EventKind.TRAFFIC_ON_BLUE not in recorded(first)
    # That write may have been refused, or its process killed: it is asked for in every look of that time.
    soon = at(
        first.rollout, seen_of(known, rules={RULE: rule_seen(known, old)}), now=NOON + timedelta(seconds=1)
    )
    assert written(soon) == [0]
    fresh = at(
        soon.rollout, seen_of(known, rules={RULE: rule_seen(known, 500)}), now=NOON + timedelta(seconds=2)
    )
    assert written(fresh) == [0]
    done = at(
        fresh.rollout, seen_of(known, rules={RULE: rule_seen(known, 0)}), now=NOON + timedelta(seconds=3)
    )
    assert EventKind.TRAFFIC_ON_BLUE in recorded(done)


def test_a_rule_that_goes_on_reading_as_before_the_last_raise_is_believed_after_a_quarter_of_a_minute() -> (
    None
):
    raised = rule(0, 500, intended=(Tenths(0), Tenths(500)), asked_at=NOON - timedelta(seconds=3))
    known = row(Phase.SHIFTING, weight=0, step=1, rules=(raised,))
    seen = {RULE: rule_seen(known, 0)}
    order = (a_command(CommandKind.ROLLBACK),)
    first = at(known, seen_of(known, commands=order, rules=seen))
    last = at(first.rollout, seen_of(known, rules=seen), now=NOON + timedelta(seconds=15))
    assert (written(last), EventKind.TRAFFIC_ON_BLUE in recorded(last)) == ([], True)


def test_a_rule_without_a_raise_under_way_is_believed_at_once() -> None:
    raised = rule(0, 500, intended=(Tenths(0), Tenths(500)), asked_at=NOON - timedelta(minutes=1))
    known = row(Phase.SHIFTING, weight=0, step=1, rules=(raised,))
    order = (a_command(CommandKind.ROLLBACK),)
    first = at(known, seen_of(known, commands=order, rules={RULE: rule_seen(known, 0)}))
    assert EventKind.TRAFFIC_ON_BLUE in recorded(first)


def test_a_rollback_leaves_what_somebody_else_did_to_the_rule() -> None:
    known = rolling_back(100)
    changed = good_rule(
        priority="7", actions=forward((BLUE_GROUP, 400), (GREEN_GROUP, 100), (OTHER_GROUP, 500))
    )
    actions = only(at(known, seen_of(known, rules={RULE: changed})), WriteRule).actions
    found = read_forward(actions)
    assert found is not None
    assert found.weight(GREEN_GROUP) == 0
    assert found.weight(OTHER_GROUP) == found.weight(BLUE_GROUP)


@pytest.mark.parametrize("found", [UNREAD, None])
def test_a_rollback_waits_for_a_rule_that_cannot_be_read_and_writes_the_others(found: Unread | None) -> None:
    other = replace(rule(100), arn=type(RULE)(RULE + "2"))
    known = rolling_back(100)
    known = replace(known, rules=(*known.rules, other))
    seen = {other.arn: replace(rule_seen(known, 100), arn=other.arn)} | ({RULE: found} if found else {})
    decision = at(known, seen_of(known, rules=seen))
    assert [effect.rule for effect in decision.effects if isinstance(effect, WriteRule)] == [other.arn]
    assert decision.rollout.end is not None
    assert decision.rollout.end.traffic_on_blue_at is None


@pytest.mark.parametrize("found", [UNREAD, None])
def test_a_rule_that_was_not_read_does_not_count_as_on_blue_though_every_other_is(
    found: Unread | None,
) -> None:
    """Green may have users by it: nothing of green is stopped, and the rollback is not said to be done."""
    other = replace(rule(0), arn=type(RULE)(RULE + "2"))
    known = rolling_back(500, rules=(rule(500), other))
    on_blue = replace(rule_seen(known, 0), arn=other.arn)
    decision = at(known, seen_of(known, rules={other.arn: on_blue} | ({RULE: found} if found else {})))
    assert decision.rollout.end is not None
    assert decision.rollout.end.traffic_on_blue_at is None
    assert EventKind.TRAFFIC_ON_BLUE not in recorded(decision)
    assert not decision.effects
    alone = rolling_back(500)
    nothing = at(alone, seen_of(alone, rules={RULE: found} if found else {}))
    assert EventKind.TRAFFIC_ON_BLUE not in recorded(nothing)
    assert not nothing.effects


def test_a_blue_that_somebody_scaled_to_nothing_gets_its_tasks_before_its_traffic() -> None:
    known = rolling_back(500, blue_loss=Loss.EMPTY)
    empty = service("checkout", FORMER, desired=0, running=0)
    nobody = {BLUE_GROUP: TargetsSeen(), GREEN_GROUP: TargetsSeen(healthy=3)}
    decision = at(known, seen_of(known, blue=empty, targets=nobody))
    assert asked(decision) == ["scale_service"]
    assert not written(decision)
    back = at(decision.rollout, seen_of(known))
    assert written(back) == [0]


def test_people_are_called_where_blue_does_not_get_its_traffic_within_a_minute() -> None:
    known = rolling_back(500)  # for a minute already
    refused = (Failure(key=f"write_rule {RULE} 0", why="AccessDenied: ModifyRule", is_final=True),)
    late = at(known, seen_of(known, failures=refused))
    (page,) = [event for event in late.events if event.kind is EventKind.PAGED]
    assert page.message.startswith("rolling back for 1 min, and blue does not have all traffic yet")
    assert written(late) == [0], "it goes on trying"
    once = at(late.rollout, seen_of(known, failures=refused), now=NOON + MINUTE)
    assert EventKind.PAGED not in recorded(once)
    early = changed(known, end=End(reason="a test", by=OPERATOR, at=NOON - timedelta(seconds=50)))
    assert EventKind.PAGED not in recorded(at(early))


def test_users_whom_a_cookie_keeps_on_green_are_freed_by_greens_leaving_the_rule() -> None:
    """At weight 0 they would stay on green for as long as their cookie lives."""
    sticky = {"Enabled": True, "DurationSeconds": 3600}
    first = forward((BLUE_GROUP, 1), stickiness=sticky)
    known = rolling_back(500, rules=(rule(500, base=first),))
    write = only(at(known), WriteRule)
    assert (write.green, write.to_safety) == (None, True)
    assert write.actions == first


@pytest.mark.parametrize("on", ["the service", "a target group"])
def test_a_tag_on_what_this_rollout_made_says_that_somebody_rolled_it_back_with_aws_alone(on: str) -> None:
    known = baked(2)
    name = known.pairs[0].green_name

    def seen(rollout: str) -> Seen:
        tags = {"teal:rollout": rollout, "teal:rollback": "ann: a test"}
        if on == "the service":
            return seen_of(known, green=service(GREEN_NAME, WANTED, tags=tags))
        return seen_of(known, groups={name: group(tags=tags)})

    decision = at(known, seen(known.id))
    assert decision.rollout.phase is Phase.ROLLING_BACK
    assert decision.rollout.end is not None
    assert (decision.rollout.end.reason, decision.rollout.end.by.name) == (
        "rolled back with AWS alone by ann: a test",
        "ann",
    )
    assert at(known, seen("checkout-99999999")).rollout.phase is Phase.SHIFTING, (
        "another rollout's says nothing"
    )


def test_a_rule_that_is_gone_holds_nothing_up() -> None:
    known = rolling_back(100)
    decision = at(known, seen_of(known, rules={RULE: Absent()}))
    assert decision.rollout.end is not None
    assert decision.rollout.end.traffic_on_blue_at == NOON


def test_all_traffic_on_blue_is_told_when_it_was_read_back() -> None:
    decision = at(rolling_back(0))
    assert EventKind.TRAFFIC_ON_BLUE in recorded(decision)
    assert decision.rollout.way_out.on_blue_since == NOON


# after settling touched blue ---------------------------------------------------------------------------------------

WATCHFUL = canonical(
    {
        "minimumHealthyPercent": 100,
        "maximumPercent": 200,
        "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        "alarms": {"alarmNames": ["checkout-5xx"], "enable": True, "rollback": True},
    }
)


@pytest.mark.parametrize("weight", [1000, 900, 500, 0])
def test_a_rollback_in_settling_gives_blue_its_former_revision_and_leaves_the_weights(weight: int) -> None:
    known = settling(weight, is_homeward=weight < 1000)
    decision = commanded(known, a_command(CommandKind.ROLLBACK))
    assert decision.rollout.phase is Phase.ROLLING_BACK
    assert only(decision, UpdateService).task_definition == FORMER
    assert not written(decision)
    assert decision.rollout.handover.attempts[-1].task_definition == FORMER


def test_a_rollback_in_settling_before_blue_was_touched_is_one_write() -> None:
    assert written(commanded(settling(attempts=0), a_command(CommandKind.ROLLBACK))) == [0]


def test_a_configuration_that_others_changed_in_settling_is_theirs_on_the_way_back_and_after_it() -> None:
    theirs = canonical(
        {"maximumPercent": 150, "deploymentCircuitBreaker": {"enable": True, "rollback": True}}
    )
    known = rolling_back(1000, attempts=(attempt(is_taken=True),))
    first = at(known, seen_of(known, blue=service("checkout", WANTED, deployment_configuration=theirs)))
    written_there = json.loads(str(only(first, UpdateService).deployment_configuration))
    assert written_there == {
        "maximumPercent": 150,
        "deploymentCircuitBreaker": {"enable": True, "rollback": False},
    }
    assert first.rollout.handover.theirs_configuration == theirs


def test_blues_alarms_and_breaker_cannot_undo_the_way_back() -> None:
    known = settling(blue=blue(deployment_configuration=WATCHFUL))
    seen = service("checkout", WANTED, deployment_configuration=WATCHFUL)
    decision = at(known, seen_of(known, blue=seen, commands=(a_command(CommandKind.ROLLBACK),)))
    sent = only(decision, UpdateService).deployment_configuration
    assert sent is not None
    assert json.loads(sent)["alarms"] == {"alarmNames": ["checkout-5xx"], "enable": False, "rollback": False}
    assert json.loads(sent)["deploymentCircuitBreaker"] == {"enable": True, "rollback": False}
    assert decision.rollout.handover.is_configuration_touched


def back(**changes: Any) -> Rollout:  # noqa: ANN401 - the fields of Rollout
    """On the way back after settling touched blue: blue was given its former revision a minute ago."""
    attempts = (attempt(), attempt(number=2, task_definition=FORMER, at=NOON - MINUTE))
    return rolling_back(900, **{"attempts": attempts, "ready_since": NOON - MINUTE, **changes})


def test_blue_whose_own_alarms_could_still_take_it_elsewhere_is_asked_once_more() -> None:
    """It is on its former revision again, and somebody or a late call has switched its watch on meanwhile."""
    attempts = (attempt(), attempt(number=2, task_definition=FORMER, at=NOON - 10 * MINUTE))
    known = rolling_back(1000, attempts=attempts)
    watched = service("checkout", FORMER, deployment_configuration=WATCHFUL)
    assert asked(at(known, seen_of(known, blue=watched))) == ["update_service"]
    assert asked(at(known)) == []


def test_traffic_goes_back_once_blue_is_steady_on_its_former_revision_in_two_looks() -> None:
    assert written(at(back(ready_since=None))) == []
    assert written(at(back())) == [0]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"blue": service("checkout", WANTED)}, id="still on the new revision"),
        pytest.param({"blue": service("checkout", FORMER, running=2)}, id="a task short"),
        pytest.param({"blue": UNREAD}, id="unread"),
        pytest.param(
            {"targets": {BLUE_GROUP: TargetsSeen(healthy=2), GREEN_GROUP: TargetsSeen(healthy=3)}},
            id="a target short",
        ),
    ],
)
def test_traffic_does_not_go_back_to_a_blue_that_is_not_ready(changes: dict[str, object]) -> None:
    known = back()
    decision = at(known, seen_of(known, **changes))
    assert not written(decision)
    assert decision.rollout.progress.ready_since is None or changes.get("blue") == UNREAD


def test_a_late_update_of_settling_is_undone_by_the_same_attempt() -> None:
    known = back()
    decision = at(known, seen_of(known, blue=service("checkout", WANTED)))
    assert only(decision, UpdateService).attempt == 2
    assert len(decision.rollout.handover.attempts) == 2


def test_steady_does_not_count_while_an_earlier_update_may_still_arrive() -> None:
    attempts = (attempt(), attempt(number=2, task_definition=FORMER, at=NOON - timedelta(seconds=10)))
    assert written(at(back(attempts=attempts))) == []


@pytest.mark.parametrize("phase", [phase for phase in Phase if phase.is_final])
def test_nothing_is_decided_after_the_end(phase: Phase) -> None:
    known = replace(baked(2), phase=phase)
    decision = commanded(known)
    assert (decision.effects, decision.events, decision.wake_at) == ((), (), None)


@pytest.mark.parametrize(
    "known", [baked(2), settling(), rolling_back(500), row(Phase.PENDING), row(Phase.PROVISIONING, weight=0)]
)
def test_an_abandoned_rollout_writes_nothing_more_and_says_what_is_left(known: Rollout) -> None:
    decision = commanded(known, a_command(CommandKind.ABANDON, reason="a test"))
    assert decision.rollout.phase is Phase.ABANDONED
    assert asked(decision) == []
    assert EventKind.PHASE_CHANGED not in recorded(decision), "the end is one event"
    ended = next(event for event in decision.events if event.kind is EventKind.ENDED)
    assert "abandon" in ended.message
    assert known.green is None or known.green.name in str(dict(ended.facts)["left"])


# what does not go ------------------------------------------------------------------------------------------------


def test_people_are_called_where_traffic_is_on_blue_and_what_teal_made_does_not_go() -> None:
    known = row(Phase.ROLLING_BACK, weight=0, end=End(reason="a test", by=OPERATOR, at=NOON))
    on_blue = at(changed(known, paged=(Paged(about="traffic", at=NOON),)), seen_of(known)).rollout
    assert on_blue.end is not None
    assert on_blue.end.traffic_on_blue_at == NOON
    refused = (Failure(key="delete_service green", why="AccessDenied: ecs:DeleteService", is_final=True),)
    hours = NOON + timedelta(hours=2)
    early = at(on_blue, seen_of(known, failures=refused), now=hours)
    assert EventKind.PAGED not in recorded(early), "draining has its time besides"
    late = at(early.rollout, seen_of(known, failures=refused), now=hours + timedelta(minutes=10))
    (page,) = [event for event in late.events if event.kind is EventKind.PAGED]
    assert "all traffic is on blue" in page.message
    assert "AccessDenied: ecs:DeleteService" in page.message
    once = at(late.rollout, seen_of(known, failures=refused), now=hours + timedelta(minutes=20))
    assert EventKind.PAGED not in recorded(once)
