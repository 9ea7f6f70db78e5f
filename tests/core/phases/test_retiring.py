"""Retiring: green takes blue's place on every rule, and blue leaves, one step after the other."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.core.cloud.effects import (
    DeleteService,
    DeleteTargetGroup,
    PutTags,
    RestoreDeploymentConfiguration,
    ScaleService,
    WriteRule,
)
from orchestrator.core.cloud.forward_action import canonical
from orchestrator.core.cloud.resources import Absent, GroupSeen, ServiceSeen, TargetsSeen, Unread
from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout import rule_lists
from orchestrator.core.rollout.changes import changed
from orchestrator.core.rollout.handover import Retirement
from orchestrator.core.rollout.rollout import HoldKind, Rollout
from orchestrator.core.rollout.spec import Ending
from orchestrator.core.tick.seen import Failure, Seen
from orchestrator.core.traffic import swap_rules
from orchestrator.core.what_to_read import needs_of
from tests.builders import BLUE_GROUP, FORMER, LOAD_BALANCER, NOON, WANTED, good_rule
from tests.core.stages import (
    GREEN_GROUP,
    GREEN_NAME,
    ID,
    MINUTE,
    a_command,
    asked,
    at,
    blue,
    commanded,
    group,
    held,
    only,
    recorded,
    row,
    seen_of,
    service,
    spec,
    written,
)

SERVING = {"teal:rollout": ID, "teal:managed": "true", "teal:serves": "true"}
LONG_AGO = NOON - timedelta(minutes=30)
SWAPPED = Retirement(token="again", desired=3, is_swapping=True, swapped_at=LONG_AGO, is_configured=True)
DRAINED = replace(SWAPPED, drained_from=NOON - 5 * MINUTE, is_empty=True, asked_at=NOON - 5 * MINUTE)
EMPTY = service("checkout", FORMER, desired=0, running=0)
OWN_TAGS = (
    ("teal:managed", "true"),
    ("teal:rollout", "checkout-00000001"),
    ("teal:service", "prod/checkout"),
)


def retiring(
    ending: Ending = Ending.KEEP,
    *,
    retirement: Retirement | None = None,
    **changes: Any,  # noqa: ANN401
) -> Rollout:
    """A row in retiring, with everything on green."""
    given = {
        "spec": spec(ending=ending),
        "retirement": retirement,
        "blue": blue(scaling=None),
        "is_scaling_touched": False,
        **changes,
    }
    return row(Phase.RETIRING, weight=1000, **given)


def swap_seen(known: Rollout, **changes: Any) -> Seen:  # noqa: ANN401 - the fields of Seen
    """Everything as the row says: with a retirement, every rule has its final list."""
    is_swapped = known.retirement is not None and known.retirement.is_swapping
    lists = [
        swap_rules.final(known, rule) if is_swapped else rule_lists.listed(known, rule, rule.verified)
        for rule in known.rules
    ]
    seen_rules = {
        rule.arn: good_rule(actions=actions) for rule, actions in zip(known.rules, lists, strict=True)
    }
    good = {
        "rules": seen_rules,
        "balancers": {LOAD_BALANCER: tuple(seen_rules.values())},
        "green": service(GREEN_NAME, WANTED, tags=SERVING),
        "groups": {pair.green_name: group(tags=SERVING) for pair in known.pairs},
        "scaling": None,
        **changes,
    }
    return seen_of(known, **good)


def test_green_and_its_groups_are_marked_as_the_service_of_record_before_any_rule_forgets_blue() -> None:
    known = retiring()
    seen = swap_seen(
        known, green=service(GREEN_NAME, WANTED), groups={p.green_name: group() for p in known.pairs}
    )
    decision = at(known, seen)
    effect = only(decision, PutTags)
    assert (effect.groups, effect.tags) == ((GREEN_GROUP,), (("teal:serves", "retiring"),))
    assert asked(decision) == ["put_tags"]


def test_every_rule_gets_its_first_list_with_greens_group_in_blues_place() -> None:
    known = retiring()
    write = only(at(known, swap_seen(known)), WriteRule)
    assert write.actions == known.rules[0].base.replace(BLUE_GROUP, GREEN_GROUP)
    assert write.expects is not None


def test_a_plain_forward_stays_a_plain_forward() -> None:
    known = retiring()
    plain = canonical([{"Type": "forward", "Order": 1, "TargetGroupArn": BLUE_GROUP}])
    known = replace(known, rules=(replace(known.rules[0], base=plain),))
    write = only(at(known, swap_seen(known)), WriteRule)
    assert json.loads(write.actions) == [{"Type": "forward", "Order": 1, "TargetGroupArn": GREEN_GROUP}]


def test_stickiness_that_was_only_lent_is_not_in_the_final_list() -> None:
    known = retiring()
    known = replace(known, rules=(replace(known.rules[0], lent_stickiness_s=60),))
    write = only(at(known, swap_seen(known)), WriteRule)
    assert "DurationSeconds" not in write.actions


@pytest.mark.parametrize(
    "balancers",
    [{}, {LOAD_BALANCER: Unread(why="a test")}, {LOAD_BALANCER: Absent()}],
    ids=["not looked at", "unread", "gone"],
)
def test_rules_that_cannot_be_listed_stop_the_retirement(balancers: Any) -> None:  # noqa: ANN401
    known = retiring()
    assert asked(at(known, swap_seen(known, balancers=balancers))) == []


def test_a_rule_of_others_that_still_gives_blue_traffic_stops_the_retirement_and_is_named() -> None:
    known = retiring(retirement=SWAPPED)
    stray = good_rule(arn=f"{known.rules[0].arn}9", priority="77")
    decision = at(known, swap_seen(known, balancers={LOAD_BALANCER: (stray,)}))
    assert asked(decision) == []
    assert held(decision) == {HoldKind.DRIFT}
    assert "rule 77" in decision.rollout.waiting.holds[0].reason


def test_a_rule_that_somebody_changed_is_left_alone_and_holds() -> None:
    known = retiring()
    changed = good_rule(actions=known.rules[0].base)
    decision = at(known, swap_seen(known, rules={known.rules[0].arn: changed}))
    assert asked(decision) == []
    assert HoldKind.DRIFT in held(decision)


def test_blue_keeps_its_tasks_until_its_connections_had_their_groups_delay() -> None:
    known = retiring(retirement=replace(SWAPPED, swapped_at=NOON - timedelta(seconds=29)))
    decision = at(known, swap_seen(known))
    assert asked(decision) == []
    assert "the last connections to leave blue" in decision.rollout.waiting.waiting_for
    pairs = tuple(replace(pair, attributes=canonical({})) for pair in known.pairs)
    slow = replace(known, pairs=pairs, retirement=replace(SWAPPED, swapped_at=NOON - timedelta(seconds=299)))
    assert asked(at(slow, swap_seen(slow))) == []


def test_green_gets_the_deployment_configuration_that_blue_had() -> None:
    known = retiring(retirement=replace(SWAPPED, is_configured=False))
    own = canonical({"deploymentCircuitBreaker": {"enable": True, "rollback": False}})
    seen = swap_seen(known, green=service(GREEN_NAME, WANTED, tags=SERVING, deployment_configuration=own))
    decision = at(known, seen)
    effect = only(decision, RestoreDeploymentConfiguration)
    assert known.blue is not None
    wanted = json.loads(known.blue.deployment_configuration)
    assert effect.service == GREEN_NAME
    assert json.loads(effect.deployment_configuration) == {
        "deploymentCircuitBreaker": {"enable": False, "rollback": False},
        **wanted,
    }


def test_blue_is_drained_with_its_count_recorded() -> None:
    known = retiring(retirement=SWAPPED)
    decision = at(known, swap_seen(known))
    assert only(decision, ScaleService).desired == 0
    assert decision.rollout.retirement is not None
    assert (decision.rollout.retirement.desired, decision.rollout.retirement.drained_from) == (3, NOON)
    assert EventKind.BLUE_DRAINED in recorded(decision)


@pytest.mark.parametrize("step", [None, SWAPPED, DRAINED], ids=["unswapped", "swapped", "drained"])
def test_a_paused_retirement_takes_no_further_step(step: Retirement | None) -> None:
    known = retiring(Ending.DELETE, retirement=step)
    known = changed(known, paused_by=known.author)
    assert (
        asked(at(known, swap_seen(known, blue=EMPTY if step is DRAINED else service("checkout", FORMER))))
        == []
    )


def test_green_without_a_healthy_target_keeps_what_is_left_of_blue_and_calls_people_once() -> None:
    known = retiring(retirement=SWAPPED)
    seen = swap_seen(
        known, targets={BLUE_GROUP: TargetsSeen(healthy=3), GREEN_GROUP: TargetsSeen(unhealthy=3)}
    )
    decision = at(known, seen)
    assert asked(decision) == []
    assert HoldKind.FAILED in held(decision)
    assert EventKind.PAGED in recorded(decision)
    assert EventKind.PAGED not in recorded(at(decision.rollout, seen, now=NOON + MINUTE))


def test_blues_last_tasks_and_targets_are_waited_for() -> None:
    known = retiring(retirement=DRAINED)
    decision = at(known, swap_seen(known, blue=service("checkout", FORMER, desired=0, running=2)))
    assert decision.rollout.waiting.waiting_for == "blue's last 2 tasks to stop"
    targets = {BLUE_GROUP: TargetsSeen(draining=1), GREEN_GROUP: TargetsSeen(healthy=3)}
    decision = at(known, swap_seen(known, blue=EMPTY, targets=targets))
    assert decision.rollout.waiting.waiting_for == "1 target of blue to leave checkout"


def test_tasks_that_outlast_delay_and_stop_timeout_call_people() -> None:
    """The group's 30 s, the 30 s that a task may take to stop, and a minute, although the file says less."""
    limits = replace(spec().limits, settle=timedelta(seconds=1))
    slow = service("checkout", FORMER, desired=0, running=1)
    for since, is_called in ((119, False), (121, True)):
        begun = replace(DRAINED, drained_from=NOON - timedelta(seconds=since))
        known = retiring(retirement=begun)
        known = replace(known, spec=replace(known.spec, limits=limits), phase_since=LONG_AGO)
        assert (EventKind.PAGED in recorded(at(known, swap_seen(known, blue=slow)))) is is_called


def test_tasks_that_somebody_gives_blue_again_are_left_to_it() -> None:
    known = retiring(Ending.DELETE, retirement=DRAINED)
    decision = at(known, swap_seen(known))
    assert asked(decision) == []
    assert held(decision) == {HoldKind.DRIFT}


@pytest.mark.parametrize("ending", [Ending.KEEP, Ending.DELETE])
def test_a_blue_that_one_look_did_not_find_is_not_gone(ending: Ending) -> None:
    known = retiring(ending, retirement=DRAINED)
    targets = {BLUE_GROUP: TargetsSeen(), GREEN_GROUP: TargetsSeen(healthy=3)}
    unfound = swap_seen(known, blue=Absent(), targets=targets)
    first = at(known, unfound)
    assert first.rollout.phase is Phase.RETIRING
    assert first.rollout.waiting.waiting_for == "a second look at blue, which was not found"
    assert at(first.rollout, unfound, now=NOON + MINUTE).rollout.phase is Phase.SUCCEEDED


def test_blue_that_is_kept_ends_the_rollout_without_tasks_and_its_group_is_named() -> None:
    known = retiring(retirement=DRAINED)
    targets = {BLUE_GROUP: TargetsSeen(), GREEN_GROUP: TargetsSeen(healthy=3)}
    decision = at(known, swap_seen(known, blue=EMPTY, targets=targets))
    assert decision.rollout.phase is Phase.SUCCEEDED
    assert asked(decision) == []
    ended = next(event for event in decision.events if event.kind is EventKind.ENDED)
    assert f"{GREEN_NAME} serves in its place; checkout is kept without tasks" in ended.message
    assert "checkout stays, which Teal did not make" in ended.message


def test_green_is_the_service_of_record_for_good_once_all_the_rest_is_done() -> None:
    known = retiring(retirement=DRAINED)
    targets = {BLUE_GROUP: TargetsSeen(), GREEN_GROUP: TargetsSeen(healthy=3)}
    green = service(GREEN_NAME, WANTED, tags={**SERVING, "teal:serves": "retiring"})
    decision = at(known, swap_seen(known, blue=EMPTY, targets=targets, green=green))
    assert only(decision, PutTags).tags == (("teal:serves", "true"),)
    assert decision.rollout.phase is Phase.RETIRING


def gone(known: Rollout, **changes: Any) -> Seen:  # noqa: ANN401 - the fields of Seen
    """What is seen once blue's tasks have left."""
    targets = {BLUE_GROUP: TargetsSeen(), GREEN_GROUP: TargetsSeen(healthy=3)}
    return swap_seen(known, **{"blue": EMPTY, "targets": targets, **changes})


def test_a_blue_that_teal_did_not_make_is_tagged_before_it_is_deleted() -> None:
    known = retiring(Ending.DELETE, retirement=DRAINED)
    decision = at(known, gone(known))
    assert dict(only(decision, PutTags).tags)["teal:managed"] == "true"
    assert decision.rollout.retirement is not None
    assert decision.rollout.retirement.is_tagged
    tagged = replace(EMPTY, tags={"teal:managed": "true", "teal:rollout": ID})
    decision = at(decision.rollout, gone(known, blue=tagged), now=NOON + MINUTE)
    assert only(decision, DeleteService).service == "checkout"
    assert decision.rollout.retirement is not None
    assert decision.rollout.retirement.is_deleting


def test_the_groups_of_a_blue_that_teal_did_not_make_are_never_deleted() -> None:
    known = retiring(Ending.DELETE, retirement=replace(DRAINED, is_deleting=True))
    decision = at(known, gone(known, blue=Absent()))
    assert decision.rollout.phase is Phase.SUCCEEDED
    assert asked(decision) == []


def own(**changes: Any) -> Rollout:  # noqa: ANN401 - the fields of Retirement
    """A blue that an earlier swap left, which goes although the file says to keep."""
    known = retiring(retirement=replace(DRAINED, **changes))
    assert known.blue is not None
    return changed(known, blue=replace(known.blue, tags=OWN_TAGS))


def own_group(**changes: Any) -> GroupSeen:  # noqa: ANN401 - the fields of GroupSeen
    return group(**{"arn": BLUE_GROUP, "name": "checkout", "tags": dict(OWN_TAGS), **changes})


def test_a_blue_that_an_earlier_swap_left_goes_and_then_its_groups() -> None:
    known = own()
    decision = at(known, gone(known, blue=replace(EMPTY, tags=dict(OWN_TAGS))))
    assert only(decision, DeleteService).service == "checkout"
    known = own(is_deleting=True, is_gone=True)
    decision = at(known, gone(known, blue=Absent(), groups={"checkout": own_group()}))
    assert only(decision, DeleteTargetGroup).group == BLUE_GROUP
    assert decision.rollout.retirement is not None
    assert decision.rollout.retirement.is_clearing
    ended = at(decision.rollout, gone(known, blue=Absent(), groups={"checkout": Absent()}), now=NOON + MINUTE)
    assert ended.rollout.phase is Phase.SUCCEEDED


def test_a_group_without_teals_tag_stays_even_beside_an_own_blue() -> None:
    known = own(is_deleting=True, is_gone=True)
    decision = at(known, gone(known, blue=Absent(), groups={"checkout": own_group(tags={})}))
    assert not [effect for effect in decision.effects if isinstance(effect, DeleteTargetGroup)]


def test_a_group_that_a_rule_still_uses_is_left_and_named() -> None:
    known = own(is_deleting=True, is_gone=True, is_clearing=True)
    refused = Failure(key=DeleteTargetGroup(group=BLUE_GROUP).key, why="ResourceInUse", is_final=True)
    groups = {"checkout": own_group()}
    decision = at(known, gone(known, blue=Absent(), groups=groups, failures=(refused,)))
    assert decision.rollout.way_out.in_use == (BLUE_GROUP,)
    assert needs_of(decision.rollout, (), NOON).balancers == (LOAD_BALANCER,)
    user = good_rule(arn=f"{known.rules[0].arn}9", priority="77")
    seen = gone(known, blue=Absent(), groups=groups, balancers={LOAD_BALANCER: (user,)})
    ended = at(decision.rollout, seen, now=NOON + MINUTE)
    assert ended.rollout.way_out.left == (BLUE_GROUP,)
    ended = at(ended.rollout, seen, now=NOON + 2 * MINUTE) if ended.rollout.waiting.holds else ended
    assert ended.rollout.phase is Phase.SUCCEEDED
    assert any("left since a rule still uses it: checkout" in event.message for event in ended.events)


def test_a_rollback_is_refused_once_blues_groups_may_be_gone() -> None:
    known = own(is_clearing=True)
    decision = commanded(known, a_command(CommandKind.ROLLBACK))
    assert decision.rollout.phase is Phase.RETIRING
    assert "--undo" in decision.outcomes[0].text


def test_a_rollback_hangs_blues_group_on_the_rules_and_gives_it_its_tasks_before_any_traffic() -> None:
    known = retiring(retirement=DRAINED)
    decision = at(known, gone(known, commands=(a_command(CommandKind.ROLLBACK),)))
    assert decision.rollout.phase is Phase.ROLLING_BACK
    assert only(decision, ScaleService).desired == 3
    write = only(decision, WriteRule)
    assert write.actions == rule_lists.listed(known, known.rules[0], known.rules[0].verified)
    assert EventKind.BLUE_CALLED_BACK in recorded(decision)


def test_everything_goes_to_blue_once_it_is_steady_in_two_looks_and_no_late_call_can_stop_it() -> None:
    begun = at(
        retiring(retirement=DRAINED),
        gone(retiring(retirement=DRAINED), commands=(a_command(CommandKind.ROLLBACK),)),
    )
    known = begun.rollout
    ready = swap_seen(
        known,
        rules={r.arn: good_rule(actions=rule_lists.listed(known, r, r.verified)) for r in known.rules},
        green=service(GREEN_NAME, WANTED, tags={**SERVING, "teal:rollback": "teal: rollback by operator"}),
    )
    first = at(known, ready, now=NOON + MINUTE)
    assert asked(first) == []
    second = at(first.rollout, ready, now=NOON + 2 * MINUTE)
    assert only(second, WriteRule).green == 0
    late = replace(known, retirement=replace(DRAINED, asked_at=NOON + MINUTE, returning_from=NOON))
    soon = at(late, ready, now=NOON + MINUTE)
    assert "may still be in flight" in soon.rollout.waiting.waiting_for


def test_a_blue_that_has_its_tasks_gets_no_traffic_while_its_group_is_in_no_rule() -> None:
    """Targets of a group in no rule are not checked: they are as good as unknown."""
    known = at(
        retiring(retirement=DRAINED),
        gone(retiring(retirement=DRAINED), commands=(a_command(CommandKind.ROLLBACK),)),
    ).rollout
    for minutes in (1, 2, 3):
        decision = at(known, swap_seen(known), now=NOON + minutes * MINUTE)
        assert written(decision) == [1000], "blue's group is hung there again, with nothing"
        assert decision.rollout.waiting.waiting_for.startswith(
            "blue to be back: blue's target groups on every rule"
        )
        known = decision.rollout


def test_a_deleted_blue_is_made_anew_from_its_stored_request() -> None:
    known = retiring(Ending.DELETE, retirement=replace(DRAINED, is_deleting=True))
    decision = at(known, gone(known, blue=Absent(), commands=(a_command(CommandKind.ROLLBACK),)))
    effect = next(one for one in decision.effects if one.kind == "create_service")
    assert (effect.name, effect.task_definition, effect.desired) == ("checkout", FORMER, 3)
    assert effect.groups == ((BLUE_GROUP, BLUE_GROUP),)
    assert decision.rollout.handover.is_configuration_touched


def test_a_draining_blue_keeps_its_name_and_is_waited_for() -> None:
    known = retiring(Ending.DELETE, retirement=replace(DRAINED, is_deleting=True))
    leaving = replace(EMPTY, status="DRAINING")
    decision = at(known, gone(known, blue=leaving, commands=(a_command(CommandKind.ROLLBACK),)))
    assert "create_service" not in asked(decision)
    assert "name to be free" in decision.rollout.waiting.waiting_for


def test_a_rollback_before_any_rule_was_swapped_is_one_write() -> None:
    known = retiring(retirement=Retirement(token="again", desired=3))
    decision = at(known, swap_seen(known, commands=(a_command(CommandKind.ROLLBACK),)))
    assert only(decision, WriteRule).green == 0


def test_abandoning_says_what_is_left_of_blue() -> None:
    known = retiring(Ending.DELETE, retirement=DRAINED)
    decision = at(known, gone(known, commands=(a_command(CommandKind.ABANDON),)))
    ended = next(event for event in decision.events if event.kind is EventKind.ENDED)
    assert "checkout, which had 3 tasks and has none" in ended.message
    assert isinstance(EMPTY, ServiceSeen)
