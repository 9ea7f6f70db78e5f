"""Makes the throw-away service, each thing announced in the journal first."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from orchestrator.core.domain.errors import Rejected
from orchestrator.core.rollout.spec import ServiceName
from orchestrator.verify.journal import Journal, Made
from orchestrator.verify.means import Calls, Refusal
from orchestrator.verify.place import template
from orchestrator.verify.wanted import Wanted

Tell = Callable[[str], object]
STEADY_WITHIN = timedelta(minutes=10)
TRIES, PRIORITY, PRIORITIES = 12, 40_001, 50
NOT_YET = "does not have an associated load balancer"


class Unsteady(Rejected):
    """The throw-away service did not come up."""

    code = "unsteady"


@dataclass(slots=True, kw_only=True)
class Place:
    """Where the run happens: ARNs as AWS gave them. Empty: not there, or not the run's business."""

    service: ServiceName
    load_balancer: str = ""
    listener: str = ""
    group: str = ""
    rule: str = ""
    host: str = ""
    port: int = 80
    protocol: str = "HTTP"
    vpc: str = ""
    blue: str = ""  # task definitions
    good: str = ""
    bad: str = ""
    alarms: tuple[str, ...] = ()
    revisions: dict[str, str] = field(default_factory=dict)  # by name

    @property
    def url(self) -> str:
        """Where users' requests go."""
        return f"{self.protocol.lower()}://{self.host}:{self.port}"


class Maker:
    """Makes things that the journal knows of."""

    def __init__(self, calls: Calls, journal: Journal, wanted: Wanted, tell: Tell) -> None:
        self.calls, self.journal, self.wanted, self.tell = calls, journal, wanted, tell

    async def make(
        self,
        made: Made,
        call: tuple[str, str, Mapping[str, Any]],
        *path: str | int,
        again: Callable[[Refusal], bool] = lambda _: False,
    ) -> str:
        """Make one thing; `path` leads to its ARN in the answer. Raises Refusal.

        `again`: a refusal that passes by itself some seconds later.
        """
        service, operation, params = call
        was_there = self.journal.knows(made)  # an earlier revision of the same family
        self.journal.making(made)
        for left in reversed(range(TRIES)):
            try:
                found: Any = await self.calls(service, operation, **params)
                break
            except Refusal as refusal:
                if not again(refusal) or not left:
                    if not refusal.may_have_acted and not was_there:  # there is nothing to remove
                        self.journal.removed(made)
                    raise
            await asyncio.sleep(self.wanted.minute.total_seconds() / 12)
        for step in path:
            found = found[step]
        arn = found if isinstance(found, str) else ""
        self.journal.made(Made(kind=made.kind, name=made.name, within=made.within, arn=arn))
        self.tell(f"made {made.kind} {made.name}")
        return arn

    async def group(self, name: str, vpc: str) -> str:
        """A target group of the run."""
        arn = await self.make(
            Made(kind="target group", name=name),
            ("elbv2", "CreateTargetGroup", template.target_group(self.wanted, vpc, name)),
            "TargetGroups",
            0,
            "TargetGroupArn",
        )
        await self.calls("elbv2", "ModifyTargetGroupAttributes", **template.draining(arn))
        return arn

    async def rule(self, listener: str, group: str) -> str:
        """The run's rule, at the first priority from 40001 on that is free."""
        for priority in range(PRIORITY, PRIORITY + PRIORITIES):
            try:
                return await self.make(
                    Made(kind="rule", name=self.wanted.name, within=listener),
                    ("elbv2", "CreateRule", template.rule(self.wanted, listener, group, priority)),
                    "Rules",
                    0,
                    "RuleArn",
                )
            except Refusal as refusal:
                if refusal.code != "PriorityInUse":
                    raise
        raise Unsteady(
            what=f"no priority from {PRIORITY} to {PRIORITY + PRIORITIES} is free on the listener",
            next_step="name another listener",
        )

    async def revisions(self, *, with_command: bool) -> dict[str, str]:
        """The revisions by name: blue, a good one, and one that fails every request."""
        family = Made(kind="task definitions", name=self.wanted.name)
        environments = {"blue": {}, "good": {"TEAL_DEMO_VERSION": "2"}, "bad": {template.ERROR_RATE: "1"}}
        return {
            name: await self.make(
                family,
                (
                    "ecs",
                    "RegisterTaskDefinition",
                    template.task_definition(self.wanted, environment, with_command=with_command),
                ),
                "taskDefinition",
                "taskDefinitionArn",
            )
            for name, environment in environments.items()
        }


async def make_place(maker: Maker, *, with_command: bool = True) -> Place:
    """Make all of it and wait until it is steady. Raises Refusal, Unsteady."""
    wanted, calls = maker.wanted, maker.calls
    name = ServiceName(cluster=wanted.name, service=wanted.name)
    place = Place(service=name, port=wanted.port)
    place.vpc = await _network(calls, wanted)
    if wanted.listener:
        await _take_listener(calls, wanted, place)
    else:
        await _make_listener(maker, place)
    place.group = await maker.group(wanted.name, place.vpc)
    place.rule = await maker.rule(place.listener, place.group)
    cluster = {"clusterName": wanted.name, "tags": template.ecs_tags(wanted)}
    await maker.make(
        Made(kind="cluster", name=wanted.name), ("ecs", "CreateCluster", cluster), "cluster", "clusterArn"
    )
    place.revisions = await maker.revisions(with_command=with_command)
    place.blue, place.good, place.bad = (place.revisions[name] for name in ("blue", "good", "bad"))
    alarm = template.alarm(wanted, place.load_balancer, place.group)
    await maker.make(Made(kind="alarm", name=wanted.name), ("cloudwatch", "PutMetricAlarm", alarm))
    place.alarms = (wanted.name,)
    await maker.make(
        Made(kind="service", name=wanted.name, within=wanted.name),
        ("ecs", "CreateService", template.service(wanted, place.blue, place.group)),
        "service",
        "serviceArn",
        again=lambda refusal: NOT_YET in refusal.message,
    )
    await until_steady(calls, place, wanted, maker.tell)
    return place


async def _network(calls: Calls, wanted: Wanted) -> str:
    shown = (await calls("ec2", "DescribeSubnets", SubnetIds=list(wanted.subnets)))["Subnets"]
    zones = {subnet["AvailabilityZone"] for subnet in shown}
    networks = {subnet["VpcId"] for subnet in shown}
    if len(zones) < 2 or len(networks) != 1:
        raise Unsteady(
            what="the subnets cannot hold a load balancer",
            why=f"they are in {len(zones)} zone{'s' if len(zones) > 1 else ''} and {len(networks)} VPC"
            f"{'s' if len(networks) > 1 else ''}",
            next_step="name two subnets of one VPC in two zones",
        )
    return str(networks.pop())


async def _make_listener(maker: Maker, place: Place) -> None:
    wanted = maker.wanted
    place.load_balancer = await maker.make(
        Made(kind="load balancer", name=wanted.name),
        ("elbv2", "CreateLoadBalancer", template.load_balancer(wanted)),
        "LoadBalancers",
        0,
        "LoadBalancerArn",
    )
    place.listener = await maker.make(
        Made(kind="listener", name=wanted.name, within=place.load_balancer),
        ("elbv2", "CreateListener", template.listener(wanted, place.load_balancer)),
        "Listeners",
        0,
        "ListenerArn",
    )
    await _address(maker.calls, place)


async def _take_listener(calls: Calls, wanted: Wanted, place: Place) -> None:
    shown = (await calls("elbv2", "DescribeListeners", ListenerArns=[wanted.listener]))["Listeners"][0]
    place.listener, place.load_balancer = wanted.listener, shown["LoadBalancerArn"]
    place.port, place.protocol = shown["Port"], shown["Protocol"]
    await _address(calls, place)


async def _address(calls: Calls, place: Place) -> None:
    shown = await calls("elbv2", "DescribeLoadBalancers", LoadBalancerArns=[place.load_balancer])
    place.host = shown["LoadBalancers"][0].get("DNSName", "")


async def until_steady(calls: Calls, place: Place, wanted: Wanted, tell: Tell) -> None:
    """Wait for the service's only deployment, and for its targets. Raises Unsteady with ECS's last word."""
    tell("waiting for the service's tasks")
    loop = asyncio.get_running_loop()
    end = loop.time() + STEADY_WITHIN.total_seconds()
    while loop.time() < end:
        shown = await calls(
            "ecs", "DescribeServices", cluster=place.service.cluster, services=[place.service.service]
        )
        if any(_is_steady(service) for service in shown["services"]):
            health = await calls("elbv2", "DescribeTargetHealth", TargetGroupArn=place.group)
            states = [one["TargetHealth"]["State"] for one in health["TargetHealthDescriptions"]]
            if states.count("healthy") >= template.DESIRED:
                return
        await asyncio.sleep(wanted.minute.total_seconds() / 12)
    events = [event["message"] for service in shown["services"] for event in service.get("events", ())]
    raise Unsteady(
        what=f"the throw-away service was not steady within {STEADY_WITHIN.total_seconds() / 60:g} minutes",
        why=events[0] if events else "ECS says nothing of it",
        next_step="check that the subnets reach the image's registry, and that the security group lets its members "
        f"reach each other's port {template.PORT}",
    )


def _is_steady(service: Mapping[str, Any]) -> bool:
    states = [deployment.get("rolloutState") for deployment in service["deployments"]]
    return states == ["COMPLETED"] and service["runningCount"] == service["desiredCount"] > 0
