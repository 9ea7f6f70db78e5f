"""Target groups of a Lambda function: what they have not, how many targets they take, and their place in a rule."""

import pytest

from sandbox.ports import ForwardView
from sandbox.world import AwsRefusal
from tests.sandbox.world.places import Shop, Wire, shop

FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:search:live"


def made(s: Shop, **more: object) -> Wire:
    params = {"Name": "search", "TargetType": "lambda", **more}
    return s.world.call("elbv2", "CreateTargetGroup", params)["TargetGroups"][0]


def register(s: Shop, group: str, *targets: Wire) -> None:
    s.world.call("elbv2", "RegisterTargets", {"TargetGroupArn": group, "Targets": list(targets)})


def health(s: Shop, group: str, **more: object) -> Wire:
    return s.world.call("elbv2", "DescribeTargetHealth", {"TargetGroupArn": group, **more})[
        "TargetHealthDescriptions"
    ]


def hang(s: Shop, group: str, weight: int) -> None:
    groups = [
        {"TargetGroupArn": s.scenery.target_group, "Weight": 3},
        {"TargetGroupArn": group, "Weight": weight},
    ]
    actions = [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]
    s.world.call("elbv2", "ModifyRule", {"RuleArn": s.scenery.rules[0], "Actions": actions})


def test_a_functions_group_has_neither_port_nor_network_and_is_not_checked_unless_asked() -> None:
    group = made(shop())
    assert not {"Port", "VpcId", "Protocol", "ProtocolVersion", "HealthCheckPort"} & group.keys()
    assert (group["HealthCheckEnabled"], group["HealthCheckIntervalSeconds"]) == (False, 35)


@pytest.mark.parametrize("wrong", [{"Port": 80}, {"VpcId": "vpc-0a1b2c3d"}, {"Protocol": "HTTP"}], ids=str)
def test_what_does_not_apply_to_a_function_is_refused(wrong: Wire) -> None:
    with pytest.raises(AwsRefusal, match="cannot be specified for target groups with target type 'lambda'"):
        made(shop(), **wrong)


def test_health_checks_are_switched_off_for_functions_alone() -> None:
    params = {"Name": "ip", "TargetType": "ip", "Protocol": "HTTP", "Port": 80, "VpcId": "vpc-0a1b2c3d"}
    with pytest.raises(AwsRefusal, match="for Lambda functions alone"):
        shop().world.call("elbv2", "CreateTargetGroup", {**params, "HealthCheckEnabled": False})


def test_a_function_is_unused_then_unavailable_and_with_health_checks_healthy() -> None:
    s = shop()
    group, checked = (
        made(s)["TargetGroupArn"],
        made(s, Name="checked", HealthCheckEnabled=True)["TargetGroupArn"],
    )
    register(s, group, {"Id": FUNCTION})
    register(s, checked, {"Id": FUNCTION, "AvailabilityZone": "all"})
    assert s.states(group) == ["unused"]
    hang(s, group, 1)
    (seen,) = health(s, group)
    assert seen["Target"] == {"Id": FUNCTION, "AvailabilityZone": "all"}
    assert seen["TargetHealth"]["Reason"] == "Target.HealthCheckDisabled"
    assert health(s, group, Targets=[{"Id": FUNCTION}]) == [seen]
    hang(s, checked, 1)
    assert s.states(checked) == ["healthy"]


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ({"Id": "10.0.0.4"}, "InvalidTarget"),
        ({"Id": FUNCTION.replace("eu-west-1", "us-east-1")}, "InvalidTarget"),
        ({"Id": FUNCTION, "AvailabilityZone": "eu-west-1a"}, "InvalidTarget"),
        ({"Id": f"{FUNCTION}-2"}, "TooManyTargets"),
    ],
    ids=["an address", "of another region", "in one zone", "a second one"],
)
def test_one_function_of_the_account_and_region_can_be_registered(target: Wire, words: str) -> None:
    s = shop()
    group = made(s)["TargetGroupArn"]
    register(s, group, {"Id": FUNCTION})
    with pytest.raises(AwsRefusal, match=words):
        register(s, group, target)


def test_a_rule_forwards_to_a_function_by_weight_beside_other_groups() -> None:
    s = shop()
    group = made(s)["TargetGroupArn"]
    register(s, group, {"Id": FUNCTION})
    hang(s, group, 2)
    action = s.world.traffic.listeners()[0].rules[0].action
    assert isinstance(action, ForwardView)
    assert dict(action.weights) == {s.scenery.target_group: 3, group: 2}
    view = s.world.traffic.group(group)
    assert (view.function, view.targets) == (FUNCTION, ())


def test_a_service_cannot_be_put_behind_a_function() -> None:
    s = shop()
    group = made(s)["TargetGroupArn"]
    hang(s, group, 0)
    with pytest.raises(AwsRefusal, match="target type lambda"):
        s.world.call("ecs", "CreateService", s.green_params(group))


def test_a_functions_group_has_the_attributes_of_functions() -> None:
    s = shop()
    group = made(s)["TargetGroupArn"]

    def modify(key: str, value: str) -> None:
        params = {"TargetGroupArn": group, "Attributes": [{"Key": key, "Value": value}]}
        s.world.call("elbv2", "ModifyTargetGroupAttributes", params)

    modify("lambda.multi_value_headers.enabled", "true")
    for key, value in (
        ("slow_start.duration_seconds", "60"),
        ("deregistration_delay.timeout_seconds", "5"),
        ("load_balancing.cross_zone.enabled", "false"),
    ):
        with pytest.raises(AwsRefusal, match="InvalidConfigurationRequest"):
            modify(key, value)
