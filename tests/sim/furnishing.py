"""The World of a scenario before its rollouts: services with their rules, and what stands beside them."""

from typing import Any

from sandbox.scenarios.scenery import Scenery, furnish, until_steady
from sandbox.scenarios.scenery_scaling import scale_by
from sandbox.world.world import World
from tests.sim.scenario import Neighbour, Scenario

TARGET = 120.0  # requests a task and minute: at 40 a second, blue's tasks have a few more
LIFE = 60  # seconds that a cookie keeps its user
TEST_PORT = 9000
COMPOSITE = "-whole"


def furnish_for(world: World, scenario: Scenario) -> Scenery:
    """Blue, its rules and its neighbours, steady."""
    deployment = None
    if scenario.blue_in_settling == "breaker puts the former back":
        breaker = {"enable": True, "rollback": True}
        deployment = {
            "minimumHealthyPercent": 100,
            "maximumPercent": 200,
            "deploymentCircuitBreaker": breaker,
        }
    scenery = furnish(
        world,
        rules=scenario.rules,
        default_rule=scenario.default_rule,
        scalable=scenario.scalable,
        deployment=deployment,
        test_port=TEST_PORT if scenario.test_rule else 0,
    )
    until_steady(world, scenery)
    if scenario.scalable:
        scale_by(world, scenery, *scenario.scaled_by, target=TARGET)
    tuples: list[dict[str, Any]] = [{"TargetGroupArn": scenery.target_group, "Weight": 3}]
    if scenario.foreign_group:
        group = world.call("elbv2", "DescribeTargetGroups", {"TargetGroupArns": [scenery.target_group]})
        kept = ("Protocol", "Port", "VpcId", "TargetType")
        like = {key: group["TargetGroups"][0][key] for key in kept}
        made = world.call("elbv2", "CreateTargetGroup", {"Name": "neighbour", **like})
        tuples.append({"TargetGroupArn": made["TargetGroups"][0]["TargetGroupArn"], "Weight": 1})
    if scenario.foreign_group or scenario.sticky:
        config: dict[str, Any] = {"TargetGroups": tuples}
        if scenario.sticky:
            config["TargetGroupStickinessConfig"] = {"Enabled": True, "DurationSeconds": LIFE}
        actions = [{"Type": "forward", "ForwardConfig": config}]
        world.call("elbv2", "ModifyRule", {"RuleArn": scenery.rules[0], "Actions": actions})
    if "composite alarm" in scenario.gates:
        rule = f'ALARM("{scenery.alarms[0]}")'
        named = {"AlarmName": f"{scenery.alarms[0]}{COMPOSITE}", "AlarmRule": rule}
        world.call("cloudwatch", "PutCompositeAlarm", named)
    return scenery


def furnish_beside(world: World, neighbour: Neighbour, number: int, scenery: Scenery) -> Scenery:
    """Another service on the same load balancer, with a listener of its own, steady."""
    beside = furnish(
        world,
        service=neighbour.name,
        rules=neighbour.rules,
        scalable=False,
        load_balancer=scenery.load_balancer,
        listener_port=8000 + number,
    )
    until_steady(world, beside)
    return beside
