"""A direct rollback while AWS is in trouble, says no, or is not as a rollout left it."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.aws.client.errors import iam_action
from orchestrator.aws.permissions import DIRECT, DISPENSABLE
from orchestrator.core.domain.errors import Denied, Missing, NotFound, Rejected
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from sandbox.scenarios.scenery import furnish, until_steady
from sandbox.world.kernel.faults import Fault
from tests.direct.glass import Glass
from tests.direct.test_with_engine import blue_rolling, shifting

WATCHED = {
    "deploymentCircuitBreaker": {"enable": True, "rollback": True},
    "alarms": {"alarmNames": ["checkout-5xx"], "enable": True, "rollback": True},
    "maximumPercent": 200,
    "minimumHealthyPercent": 100,
}


def begun(glass: Glass, moment: Any = shifting, **spec: Any) -> RolloutId:  # noqa: ANN401
    rollout = glass.start(glass.spec(glass.revision(), **spec))
    glass.die_when(rollout, moment)
    return rollout


def later(glass: Glass, seconds: float, act: Any) -> None:  # noqa: ANN401 - a callable
    glass.loop.call_later(seconds, act)


# AWS does not answer ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["unavailable", "throttle", "timeout"])
def test_it_waits_for_aws_and_goes_on_when_aws_is_back(glass: Glass, kind: str) -> None:
    begun(glass)
    glass.world.faults.outage("all", kind=kind)  # type: ignore[arg-type] # a Kind
    later(glass, 90, glass.world.faults.end_outage)
    ended = glass.bring_home()
    assert glass.all_is_on_blue()
    assert any("trying again" in words for words in glass.told)
    assert timedelta(seconds=85) < ended.on_blue_after < timedelta(seconds=110)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", ["timeout", "throttle", "unavailable"])
def test_write_of_which_nobody_knows_whether_it_worked_is_read_back(
    glass: Glass, kind: str, when: str
) -> None:
    begun(glass)
    glass.world.faults.add(Fault(operation="ModifyRule", kind=kind, when=when, times=4))  # type: ignore[arg-type]
    glass.bring_home()
    assert glass.all_is_on_blue()
    assert any("looking again" in words for words in glass.told)


def test_listener_that_cannot_be_read_keeps_nobody_else_from_coming_home() -> None:
    with Glass(default_rule=True) as glass:
        forward = [{"Type": "forward", "TargetGroupArn": glass.scenery.target_group}]
        listener = {
            "LoadBalancerArn": glass.scenery.load_balancer,
            "Protocol": "HTTP",
            "Port": 81,
            "DefaultActions": forward,
        }
        made = glass.world.call("elbv2", "CreateListener", listener)["Listeners"][0]["ListenerArn"]
        begun(glass)
        # Both listeners' rules are read side by side, three times at most: the first of them fails three times.
        glass.world.faults.add(Fault(operation="DescribeRules", kind="unavailable", times=5))
        begins = len(glass.world.log)
        glass.bring_home()
        assert glass.all_is_on_blue()
        (actions,) = glass.world.call("elbv2", "DescribeListeners", {"ListenerArns": [made]})["Listeners"]
        green = [
            group["Weight"]
            for group in actions["DefaultActions"][0]["ForwardConfig"]["TargetGroups"]
            if group["TargetGroupArn"] != glass.scenery.target_group
        ]
        assert green == [0]
        calls = list(glass.world.log)[begins:]
        writes = [n for n, call in enumerate(calls) if call.operation in ("ModifyRule", "ModifyListener")]
        assert any(call.operation == "DescribeRules" for call in calls[writes[0] : writes[-1]])


def test_late_write_of_the_dying_engine_is_undone(glass: Glass) -> None:
    begun(glass)
    raised = [
        {"TargetGroupArn": arn, "Weight": 1 if arn == glass.scenery.target_group else 9}
        for arn in glass.weights()[0]
    ]
    late = {
        "RuleArn": glass.scenery.rules[0],
        "Actions": [{"Type": "forward", "ForwardConfig": {"TargetGroups": raised}}],
    }
    later(glass, 5, lambda: glass.world.call("elbv2", "ModifyRule", late))
    glass.bring_home()
    assert glass.all_is_on_blue()


def test_interrupted_run_is_gone_on_with_by_the_next(glass: Glass) -> None:
    rollout = begun(glass, blue_rolling)

    async def cut_short() -> None:
        async with asyncio.timeout(3):
            await glass._bringing().run(by="operator: first")

    with pytest.raises(TimeoutError):
        glass.run(cut_short())
    glass.bring_home()
    row = glass.until(rollout)
    assert row.phase is Phase.ROLLED_BACK
    assert row.end is not None
    assert "operator: first" in row.end.reason
    assert glass.letter == glass.before


# AWS says no ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "action"),
    [
        ("DescribeServices", "ecs:DescribeServices"),
        ("DescribeRules", "elasticloadbalancing:DescribeRules"),
        ("DescribeTags", "elasticloadbalancing:DescribeTags"),
        ("ModifyRule", "elasticloadbalancing:ModifyRule"),
    ],
)
def test_missing_permission_is_named(glass: Glass, operation: str, action: str) -> None:
    begun(glass)
    glass.world.faults.add(Fault(operation=operation, kind="denied", times=100))
    with pytest.raises(Denied, match=action):
        glass.bring_home()


AFTER_A_SWAP = {"ecs:ListServices"}  # finds the service of record where the named one does not serve


def test_permissions_are_those_that_are_listed() -> None:
    with Glass(deployment=WATCHED, default_rule=True) as glass:
        begun(glass, blue_rolling)
        begins = len(glass.world.log)
        glass.run(glass.direct.find(cluster="", service="checkout"))
        glass.bring_home()
        made = {iam_action(call.service, call.operation) for call in list(glass.world.log)[begins:]}
        assert made == set(DIRECT) - AFTER_A_SWAP


def test_what_can_be_dispensed_with_keeps_nothing_from_coming_home(glass: Glass) -> None:
    begun(glass, blue_rolling)
    for action in DISPENSABLE:
        glass.world.faults.add(Fault(operation=action.partition(":")[2], kind="denied", times=1000))
    glass.bring_home()
    assert glass.all_is_on_blue()
    assert glass.blue()["taskDefinition"] == glass.scenery.task_definition


def test_permission_that_is_missing_for_health_alone_keeps_nothing_from_coming_home(glass: Glass) -> None:
    begun(glass)
    for operation in ("DescribeTargetHealth", "DescribeScalableTargets"):
        glass.world.faults.add(Fault(operation=operation, kind="denied", times=100))
    glass.bring_home()
    assert glass.all_is_on_blue()


def test_expired_credentials_are_said(glass: Glass) -> None:
    begun(glass)
    glass.world.faults.outage("all", kind="expired")
    with pytest.raises(Denied, match="enew the credentials"):
        glass.bring_home()


def test_rule_that_is_refused_does_not_keep_the_others() -> None:
    with Glass(rules=2) as two:
        begun(two)
        two.world.faults.add(Fault(operation="ModifyRule", nth=1, kind="denied"))
        with pytest.raises(Denied):
            two.bring_home()
        assert len(two.world.log.of("ModifyRule")) > 0
        on_green = [
            [w for arn, w in rule.items() if arn != two.scenery.target_group] for rule in two.weights()
        ]
        assert sorted(weights[0] > 0 for weights in on_green) == [False, True]


def test_former_revision_that_is_not_there_any_more_is_an_error_that_says_so(glass: Glass) -> None:
    begun(glass, blue_rolling)
    glass.world.faults.before("UpdateService", 1, lambda world: retire(glass))
    with pytest.raises((Missing, Rejected), match="inactive"):
        glass.bring_home()


def retire(glass: Glass) -> None:
    """The former task definition is deregistered, as a clean-up job does."""
    definitions = glass.world._containers.definitions
    for family in definitions.values():
        for one in family:
            if one.arn == glass.scenery.task_definition:
                one.body["status"] = "INACTIVE"


# names ------------------------------------------------------------------------------------------------------------


def test_service_alone_is_found_where_one_cluster_has_it(glass: Glass) -> None:
    glass.world.call("ecs", "CreateCluster", {"clusterName": "stage"})
    found = glass.run(glass.direct.find(cluster="", service="checkout"))
    assert str(found) == "prod/checkout"


def test_green_s_own_name_means_its_blue(glass: Glass) -> None:
    rollout = begun(glass)
    green = glass.row(rollout).green
    assert green is not None
    assert str(glass.run(glass.direct.find(cluster="", service=green.name))) == "prod/checkout"


def test_service_that_two_clusters_have_is_asked_about() -> None:
    with Glass() as glass:
        other = furnish(
            glass.world, cluster="stage", listener_port=81, load_balancer=glass.scenery.load_balancer
        )
        until_steady(glass.world, other)
        with pytest.raises(NotFound, match="prod/checkout, stage/checkout"):
            glass.run(glass.direct.find(cluster="", service="checkout"))


@pytest.mark.parametrize(("cluster", "service"), [("prod", "chekout"), ("prd", "checkout"), ("", "chekout")])
def test_wrong_name_is_an_error_that_says_what_to_check(glass: Glass, cluster: str, service: str) -> None:
    with pytest.raises((Missing, NotFound), match="heck the name"):
        glass.run(glass.direct.find(cluster=cluster, service=service))


def test_without_permission_to_list_clusters_the_default_one_is_tried(glass: Glass) -> None:
    glass.world.faults.add(Fault(operation="ListClusters", kind="denied", times=9))
    with pytest.raises(Missing, match="default/checkout"):
        glass.run(glass.direct.find(cluster="", service="checkout"))


# what is there ----------------------------------------------------------------------------------------------------


def test_without_a_green_there_is_nothing_to_do_and_nothing_is_written(glass: Glass) -> None:
    before = glass.letter
    calls = len(glass.world.log)
    ended = glass.bring_home()
    assert (ended.has_acted, ended.place.guests) == (False, ())
    written = [c.operation for c in list(glass.world.log)[calls:]]
    assert not [one for one in written if one.startswith(("Modify", "Update", "Tag", "Add", "Register"))]
    assert glass.letter == before


def test_green_of_another_service_on_the_rule_is_left_alone(glass: Glass) -> None:
    begun(glass)
    (green,) = [arn for arn in glass.weights()[0] if arn != glass.scenery.target_group]
    tag = {"Key": "teal:service", "Value": "prod/basket"}
    glass.world.call("elbv2", "AddTags", {"ResourceArns": [green], "Tags": [tag]})
    before = glass.weights()
    assert not glass.bring_home().place.guests
    assert glass.weights() == before


def test_foreign_groups_stickiness_and_order_are_kept_to_the_letter(glass: Glass) -> None:
    rollout = begun(glass)
    blue = glass.scenery.target_group
    (green,) = [arn for arn in glass.weights()[0] if arn != blue]
    settings = glass.world.call("elbv2", "DescribeTargetGroups", {"TargetGroupArns": [blue]})
    copied = {key: settings["TargetGroups"][0][key] for key in ("Protocol", "Port", "VpcId", "TargetType")}
    made = glass.world.call("elbv2", "CreateTargetGroup", {"Name": "legacy", **copied})
    legacy = made["TargetGroups"][0]["TargetGroupArn"]
    groups = [
        {"TargetGroupArn": legacy, "Weight": 7},
        {"TargetGroupArn": green, "Weight": 3},
        {"TargetGroupArn": blue, "Weight": 30},
    ]
    config = {
        "TargetGroups": groups,
        "TargetGroupStickinessConfig": {"Enabled": True, "DurationSeconds": 77},
    }
    actions = [{"Type": "forward", "ForwardConfig": config, "Order": 5}]
    glass.world.call("elbv2", "ModifyRule", {"RuleArn": glass.scenery.rules[0], "Actions": actions})
    (before,) = glass.rules()
    glass.bring_home()
    (after,) = glass.rules()
    forward = before["Actions"][0]["ForwardConfig"]
    forward["TargetGroups"] = [
        {"TargetGroupArn": legacy, "Weight": 7},
        {"TargetGroupArn": blue, "Weight": 33},
    ]
    assert after == before, "green is out, since a weight of 0 frees nobody whom a cookie keeps on it"
    assert glass.row(rollout).phase is Phase.SHIFTING


def test_blue_that_was_scaled_down_is_raised_first(glass: Glass) -> None:
    begun(glass, lambda row: row.phase is Phase.WATCHING and row.green_weight == 1000)
    glass.world.call("ecs", "UpdateService", {"cluster": "prod", "service": "checkout", "desiredCount": 1})
    glass.world.advance(timedelta(seconds=20))
    begins = len(glass.world.log)
    glass.bring_home()
    assert glass.blue()["desiredCount"] == 3
    calls = [c.operation for c in list(glass.world.log)[begins:]]
    assert calls.index("UpdateService") < calls.index("ModifyRule")
    assert any("raising checkout to 3 tasks" in words for words in glass.told)


def test_alarms_and_breaker_are_off_for_the_way_back_and_on_again_at_the_end() -> None:
    with Glass(deployment=WATCHED) as glass:
        before = glass.letter
        begun(glass, lambda row: row.phase is Phase.SETTLING and bool(row.handover.attempts))
        begins = len(glass.world.log)
        glass.bring_home()
        updates = [c.params for c in list(glass.world.log)[begins:] if c.operation == "UpdateService"]
        off = updates[0]["deploymentConfiguration"]
        assert (off["alarms"]["enable"], off["deploymentCircuitBreaker"]["rollback"]) == (False, False)
        assert glass.letter[1] == before[1]


def test_what_an_interrupted_run_switched_off_the_next_one_switches_on() -> None:
    with Glass(deployment=WATCHED) as glass:
        before = glass.letter
        begun(glass, lambda row: row.phase is Phase.SETTLING and bool(row.handover.attempts))

        async def cut_short() -> None:
            async with asyncio.timeout(5):
                await glass._bringing().run(by="operator: first")

        with pytest.raises(TimeoutError):
            glass.run(cut_short())
        assert glass.letter[1] != before[1]
        glass.bring_home()
        assert glass.letter[1] == before[1]


@pytest.mark.long
def test_alarm_that_green_s_revision_fires_does_not_win_over_the_way_back() -> None:
    with Glass(deployment=WATCHED) as glass:
        begun(glass, lambda row: row.phase is Phase.SETTLING and bool(row.handover.attempts))
        fires = {
            "AlarmName": "checkout-5xx",
            "Namespace": "AWS/ApplicationELB",
            "MetricName": "HTTPCode_ELB_5XX_Count",
            "Statistic": "Sum",
            "Period": int(glass.world.minute.total_seconds()),
            "EvaluationPeriods": 1,
            "Threshold": 5,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "breaching",
        }
        later(glass, 3, lambda: glass.world.call("cloudwatch", "PutMetricAlarm", fires))
        glass.bring_home()
        found = glass.world.call("cloudwatch", "DescribeAlarms", {"AlarmNames": ["checkout-5xx"]})
        assert found["MetricAlarms"][0]["StateValue"] == "ALARM"
        assert glass.blue()["taskDefinition"] == glass.scenery.task_definition
        assert glass.all_is_on_blue()
