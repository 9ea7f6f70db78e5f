"""Worlds and looks at them, for tests. Every call is checked against botocore's shapes on the way."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.scenarios.scenery import Scenery, furnish, register, until_steady
from sandbox.world import World, WorldSettings

START = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
Wire = Any  # AWS's answers


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def calm(**changes: object) -> World:
    """A checked World without delays and throttles, whose tasks start in 3 to 5 seconds."""
    settings = replace(WorldSettings.kind(), validate=True, **changes)  # type: ignore[arg-type]  # names are checked
    world = World(start=START, settings=settings)
    world.behaviour.start, world.behaviour.start_spread = seconds(3), seconds(2)
    return world


@dataclass(slots=True)
class Shop:
    """A furnished World, steady."""

    world: World
    scenery: Scenery

    def service(self, name: str = "checkout") -> Wire:
        asked = {"cluster": "prod", "services": [name], "include": ["TAGS"]}
        return self.world.call("ecs", "DescribeServices", asked)["services"][0]

    def update(self, **params: object) -> Wire:
        return self.world.call("ecs", "UpdateService", {"cluster": "prod", "service": "checkout", **params})

    def states(self, group: str | None = None) -> list[str]:
        asked = {"TargetGroupArn": group or self.scenery.target_group}
        health = self.world.call("elbv2", "DescribeTargetHealth", asked)["TargetHealthDescriptions"]
        return [each["TargetHealth"]["State"] for each in health]

    def actions(self) -> list[Wire]:
        rules = self.world.call("elbv2", "DescribeRules", {"RuleArns": [self.scenery.rules[0]]})["Rules"]
        return list(rules[0]["Actions"])

    def split(self, rule: int = 0, /, **weights: int) -> None:
        """Write a rule: weights by group name; groups that are not there are made."""
        groups = [{"TargetGroupArn": self.group(name), "Weight": weight} for name, weight in weights.items()]
        action = {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}
        self.world.call("elbv2", "ModifyRule", {"RuleArn": self.scenery.rules[rule], "Actions": [action]})

    def group(self, name: str) -> str:
        if name == "blue":
            return self.scenery.target_group
        params = {"Name": name, "Protocol": "HTTP", "Port": 8080, "TargetType": "ip", "VpcId": "vpc-0a1b2c3d"}
        params |= {"HealthCheckPath": "/healthz", "HealthCheckIntervalSeconds": 6}
        return str(self.world.call("elbv2", "CreateTargetGroup", params)["TargetGroups"][0]["TargetGroupArn"])

    def green_params(self, group: str, **more: object) -> Wire:
        blue = self.service()
        return {
            "cluster": "prod",
            "serviceName": "checkout-green",
            "taskDefinition": self.scenery.task_definition,
            "desiredCount": 2,
            "launchType": "FARGATE",
            "networkConfiguration": blue["networkConfiguration"],
            "loadBalancers": [{"targetGroupArn": group, "containerName": "checkout", "containerPort": 8080}],
            **more,
        }

    def define(self, **environment: str) -> str:
        return register(self.world, family="checkout", environment=environment)

    def roll(self, limit: timedelta = timedelta(minutes=10)) -> None:
        until_steady(self.world, self.scenery, within=limit)


def shop(world: World | None = None, **furniture: Wire) -> Shop:
    world = world or calm()
    scenery = furnish(world, **furniture)
    until_steady(world, scenery)
    return Shop(world, scenery)
