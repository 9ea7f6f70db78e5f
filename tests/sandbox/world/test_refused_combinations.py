"""What is right alone and refused together: attributes of target groups, balancing over zones, priorities."""

import pytest

from sandbox.world import AwsRefusal
from tests.sandbox.world.places import Shop, Wire, shop

ALGORITHM = "load_balancing.algorithm.type"
MITIGATION = "load_balancing.algorithm.anomaly_mitigation"
SLOW = "slow_start.duration_seconds"
ZONE = "attribute:ecs.availability-zone"
BALANCED = {"availabilityZoneRebalancing": "ENABLED"}
ONE_BY_ONE = {"deploymentConfiguration": {"maximumPercent": 100, "minimumHealthyPercent": 50}}


def modify(s: Shop, **changes: str) -> None:
    attributes = [{"Key": key, "Value": value} for key, value in changes.items()]
    params = {"TargetGroupArn": s.scenery.target_group, "Attributes": attributes}
    s.world.call("elbv2", "ModifyTargetGroupAttributes", params)


def attributes(s: Shop) -> dict[str, str]:
    asked = {"TargetGroupArn": s.scenery.target_group}
    shown = s.world.call("elbv2", "DescribeTargetGroupAttributes", asked)["Attributes"]
    return {each["Key"]: each["Value"] for each in shown}


@pytest.mark.parametrize(
    ("there", "change"),
    [
        ({ALGORITHM: "weighted_random"}, {SLOW: "60"}),
        ({ALGORITHM: "weighted_random"}, {"stickiness.enabled": "true"}),
        ({"stickiness.enabled": "true"}, {"load_balancing.cross_zone.enabled": "false"}),
        ({SLOW: "60"}, {ALGORITHM: "least_outstanding_requests"}),
        ({}, {MITIGATION: "on"}),
        ({ALGORITHM: "weighted_random", MITIGATION: "on"}, {ALGORITHM: "round_robin"}),
        ({}, {SLOW: "29"}),
        ({}, {ALGORITHM: "fastest"}),
        ({}, {"stickiness.type": "source_ip"}),
        ({}, {"stickiness.enabled": "true", "stickiness.type": "app_cookie"}),
        (
            {"stickiness.enabled": "true"},
            {"stickiness.type": "app_cookie", "stickiness.app_cookie.cookie_name": "AWSALBAPP-0"},
        ),
        ({}, {"load_balancing.cross_zone.enabled": "on"}),
        ({}, {"lambda.multi_value_headers.enabled": "true"}),
    ],
    ids=str,
)
def test_attributes_that_do_not_go_together_are_refused_and_none_of_them_changes(
    there: dict[str, str], change: dict[str, str]
) -> None:
    s = shop()
    modify(s, **there)
    before = attributes(s)
    with pytest.raises(AwsRefusal, match="InvalidConfigurationRequest"):
        modify(s, **change)
    assert attributes(s) == before


def test_attributes_that_go_together_only_at_once_are_taken_at_once() -> None:
    s = shop()
    wanted = {ALGORITHM: "weighted_random", MITIGATION: "on", "load_balancing.cross_zone.enabled": "true"}
    modify(s, **wanted)
    assert attributes(s) | wanted == attributes(s)
    modify(s, **{ALGORITHM: "round_robin", MITIGATION: "off", SLOW: "30"})


@pytest.mark.parametrize(
    "wrong",
    [
        ONE_BY_ONE,
        {"placementConstraints": [{"type": "memberOf", "expression": f"{ZONE} == eu-west-1a"}]},
        {"placementStrategy": [{"type": "binpack", "field": "cpu"}]},
    ],
    ids=["100 % at most", "a constraint on zones", "a strategy that packs"],
)
def test_a_service_that_cannot_be_balanced_over_zones_is_refused_that_and_without_asking_has_it_not(
    wrong: Wire,
) -> None:
    s = shop()
    group = s.group("green")
    s.split(blue=1, green=0)
    with pytest.raises(AwsRefusal, match="availabilityZoneRebalancing cannot be ENABLED"):
        s.world.call("ecs", "CreateService", s.green_params(group, **BALANCED, **wrong))
    made = s.world.call("ecs", "CreateService", s.green_params(group, **wrong))["service"]
    assert made["availabilityZoneRebalancing"] == "DISABLED"
    with pytest.raises(AwsRefusal, match="availabilityZoneRebalancing cannot be ENABLED"):
        s.world.call("ecs", "UpdateService", {"cluster": "prod", "service": "checkout-green", **BALANCED})


def test_a_balanced_service_can_spread_over_zones_and_not_be_rolled_one_by_one() -> None:
    s = shop()
    group = s.group("green")
    s.split(blue=1, green=0)
    spread = {"placementStrategy": [{"type": "spread", "field": ZONE}]}
    made = s.world.call("ecs", "CreateService", s.green_params(group, **spread))["service"]
    assert made["availabilityZoneRebalancing"] == "ENABLED"
    with pytest.raises(AwsRefusal, match="maximumPercent of 100 or less"):
        s.world.call("ecs", "UpdateService", {"cluster": "prod", "service": "checkout-green", **ONE_BY_ONE})


def set_priorities(s: Shop, *priorities: int) -> None:
    pairs = [
        {"RuleArn": arn, "Priority": number} for arn, number in zip(s.scenery.rules, priorities, strict=False)
    ]
    s.world.call("elbv2", "SetRulePriorities", {"RulePriorities": pairs})


def priorities(s: Shop) -> list[str]:
    rules = s.world.call("elbv2", "DescribeRules", {"RuleArns": list(s.scenery.rules)})["Rules"]
    return [rule["Priority"] for rule in rules]


def test_rules_can_exchange_their_priorities_and_none_takes_anothers() -> None:
    s = shop(rules=2)
    assert priorities(s) == ["1000", "999"]
    set_priorities(s, 999, 1000)
    assert priorities(s) == ["999", "1000"]
    with pytest.raises(AwsRefusal, match="PriorityInUse"):
        set_priorities(s, 1000)
    assert priorities(s) == ["999", "1000"]
    assert [rule.arn for rule in s.world.traffic.listeners()[0].rules[:2]] == list(s.scenery.rules)


def test_a_default_rule_has_no_priority_to_be_set() -> None:
    s = shop(rules=1, default_rule=True)
    with pytest.raises(AwsRefusal, match="OperationNotPermitted"):
        set_priorities(s, 1, 2)
    assert priorities(s) == ["1000", "default"]
