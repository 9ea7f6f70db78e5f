"""The World of a scenario before its rollout: a service with its rules, and what stands beside it."""

from sandbox.scenarios.scenery import Scenery, furnish, until_steady
from sandbox.scenarios.scenery_scaling import scale_by
from sandbox.world.world import World
from tests.sim.scenario import Scenario

TARGET = 120.0  # requests a task and minute: at 40 a second, blue's tasks have a few more


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
    )
    until_steady(world, scenery)
    if scenario.scalable:
        scale_by(world, scenery, *scenario.scaled_by, target=TARGET)
    if scenario.room is not None:
        world.capacity.limit = scenario.room
    if scenario.foreign_group:
        group = world.call("elbv2", "DescribeTargetGroups", {"TargetGroupArns": [scenery.target_group]})
        kept = ("Protocol", "Port", "VpcId", "TargetType")
        like = {key: group["TargetGroups"][0][key] for key in kept}
        made = world.call("elbv2", "CreateTargetGroup", {"Name": "neighbour", **like})
        tuples = [
            {"TargetGroupArn": scenery.target_group, "Weight": 3},
            {"TargetGroupArn": made["TargetGroups"][0]["TargetGroupArn"], "Weight": 1},
        ]
        actions = [{"Type": "forward", "ForwardConfig": {"TargetGroups": tuples}}]
        world.call("elbv2", "ModifyRule", {"RuleArn": scenery.rules[0], "Actions": actions})
    return scenery
