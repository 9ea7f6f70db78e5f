"""Real requests through several rules on the same target groups: none is lost while a group leaves them all."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from sandbox.plane.clients.load import Load
from sandbox.ports import ForwardView
from sandbox.sandbox import Sandbox
from sandbox.scenarios.scenery import Scenery, furnish, register
from sandbox.world.kernel.errors import AwsRefusal, Json
from tests.sandbox.plane.board import run, until

RULES = 3
ROUNDS = 3
REQUESTS = 30  # of each round that the group answers


class Shared:
    """A service whose rules are sticky, and a second one beside it in the same rules."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox, self.port = sandbox, sandbox.proxy.reserve()
        draining = timedelta(seconds=1)
        self.blue = furnish(sandbox.world, rules=RULES, listener_port=self.port, desired=2, draining=draining)
        self.green: Scenery | None = None
        self.group = ""

    def elb(self, operation: str, **params: object) -> Any:  # noqa: ANN401 - AWS's own shapes
        return self.sandbox.world.call("elbv2", operation, params)

    async def write(self, **weights: int) -> None:
        """Write every rule, one right after another; each comes into force in its own time."""
        arns = {"blue": self.blue.target_group, "green": self.group}
        groups = [{"TargetGroupArn": arns[name], "Weight": weight} for name, weight in weights.items()]
        sticky = {"Enabled": True, "DurationSeconds": 600}
        forward = {"TargetGroups": groups, "TargetGroupStickinessConfig": sticky}
        for rule in self.blue.rules:
            params = {"RuleArn": rule, "Actions": [{"Type": "forward", "ForwardConfig": forward}]}
            await self.until_taken("elbv2", "ModifyRule", params, but="Rate exceeded")

    async def until_taken(self, service: str, operation: str, params: Json, *, but: str) -> None:
        """Make a call again for as long as AWS refuses it with these words."""

        def is_taken() -> bool:
            try:
                self.sandbox.world.call(service, operation, params)
            except AwsRefusal as refusal:
                if but not in refusal.message:
                    raise
                return False
            return True

        await until(is_taken)

    def states(self, group: str) -> set[str]:
        return {target.state for target in self.sandbox.world.traffic.group(group).targets}

    def in_force(self) -> list[set[str]]:
        """The groups of each rule, as requests meet them."""
        actions = [rule.action for view in self.sandbox.world.traffic.listeners() for rule in view.rules]
        return [{arn for arn, _ in action.weights} for action in actions if isinstance(action, ForwardView)]

    async def add_green(self) -> None:
        world, blue = self.sandbox.world, self.blue
        await until(lambda: self.states(blue.target_group) == {"healthy"})
        like = self.elb("DescribeTargetGroups", TargetGroupArns=[blue.target_group])["TargetGroups"][0]
        kept = ("Protocol", "Port", "VpcId", "TargetType", "HealthCheckPath", "HealthCheckIntervalSeconds")
        made = self.elb("CreateTargetGroup", Name="green", **{name: like[name] for name in kept})
        self.group = made["TargetGroups"][0]["TargetGroupArn"]
        await self.write(blue=1, green=1)
        service = {
            "cluster": blue.cluster,
            "serviceName": "green",
            "taskDefinition": register(world, family=blue.service, environment={"TEAL_DEMO_VERSION": "2"}),
            "desiredCount": 2,
            "launchType": "FARGATE",
            "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-0aaa"]}},
            "loadBalancers": [
                {"targetGroupArn": self.group, "containerName": blue.container, "containerPort": 8080}
            ],
        }
        # The group's association takes a moment to be visible, and a service is refused until then.
        await self.until_taken("ecs", "CreateService", service, but="associated load balancer")
        await self.until_green_serves()

    async def until_green_serves(self) -> None:
        await until(lambda: self.states(self.group) == {"healthy"})
        await until(lambda: all(self.group in groups for groups in self.in_force()))


async def until_served(loads: Sequence[Load], version: str, *, times: int) -> None:
    """Until a version has answered each of the loads so many times more."""

    def answers() -> list[int]:
        revisions = [load.seen().revisions.values() for load in loads]
        return [sum(seen.requests for seen in of_one if seen.version == version) for of_one in revisions]

    wanted = [count + times for count in answers()]
    await until(lambda: all(count >= least for count, least in zip(answers(), wanted, strict=True)))


@pytest.mark.machine(seconds=30)
def test_no_request_is_lost_while_a_group_leaves_several_rules() -> None:
    async def scene() -> None:
        async with Sandbox(empty=True, seed=3) as sandbox:
            shared = Shared(sandbox)
            await shared.add_green()
            paths = ["", *(f"{shared.blue.service}-{number}/" for number in range(1, RULES))]
            first, second, third = (
                Load(f"http://127.0.0.1:{shared.port}/{path}", rate=30, in_flight=1024) for path in paths
            )
            loads = (first, second, third)
            async with first, second, third:
                for _ in range(ROUNDS):
                    await shared.write(blue=1)
                    await until(lambda: shared.states(shared.group) == {"unused"})
                    await shared.write(blue=1, green=0)
                    await shared.until_green_serves()
                    await shared.write(blue=0, green=1)
                    await until_served(loads, "2", times=REQUESTS)
                ends = [await load.finish() for load in loads]
            assert [dict(seen.shift) for seen in ends] == [{}] * RULES
            assert [seen.failed_by_revision for seen in ends] == [0] * RULES
            assert all(len(seen.revisions) == 2 for seen in ends)

    run(scene())
