"""A service that the user names: what stands for its revisions, and nothing else of it is touched."""

from typing import Any

from orchestrator.core.rollout.spec import ServiceName
from orchestrator.verify.journal import Made
from orchestrator.verify.means import Refusal
from orchestrator.verify.place import template
from orchestrator.verify.place.making import Maker, Place

ABSENT = "/teal-verify-is-not-there"
_OUT = frozenset(
    {
        "taskDefinitionArn",
        "revision",
        "status",
        "requiresAttributes",
        "compatibilities",
        "registeredAt",
        "registeredBy",
        "deregisteredAt",
        "deleteRequestedAt",
    }
)


async def take_service(maker: Maker) -> Place:
    """Where its rollouts go. Good is what it runs, deployed anew; bad is a copy whose tasks cannot start.

    No user can meet the bad one: it never has a healthy target. Raises Refusal.
    """
    cluster, _, name = maker.wanted.service.partition("/")
    service = ServiceName(cluster=cluster, service=name)
    shown = await maker.calls("ecs", "DescribeServices", cluster=cluster, services=[name])
    if not shown["services"]:
        raise Refusal("ecs", "DescribeServices", "MISSING", f"there is no service {service}")
    blue = shown["services"][0]
    running = blue["taskDefinition"]
    place = Place(service=service, blue=running, good=running)
    place.group = next(
        (one["targetGroupArn"] for one in blue["loadBalancers"] if "targetGroupArn" in one), ""
    )
    if place.group:
        groups = await maker.calls("elbv2", "DescribeTargetGroups", TargetGroupArns=[place.group])
        place.load_balancer = next(iter(groups["TargetGroups"][0].get("LoadBalancerArns", ())), "")
    place.bad = await _broken(maker, running)
    return place


async def _broken(maker: Maker, running: str) -> str:
    shown = await maker.calls("ecs", "DescribeTaskDefinition", taskDefinition=running)
    definition: dict[str, Any] = {k: v for k, v in shown["taskDefinition"].items() if k not in _OUT}
    first, *others = definition["containerDefinitions"]
    definition["containerDefinitions"] = [{**first, "entryPoint": [ABSENT], "command": []}, *others]
    # A family of its own: the newest revision of the service's family stays the one that it was.
    definition["family"] = maker.wanted.name
    definition["tags"] = template.ecs_tags(maker.wanted)
    return await maker.make(
        Made(kind="task definitions", name=maker.wanted.name),
        ("ecs", "RegisterTaskDefinition", definition),
        "taskDefinition",
        "taskDefinitionArn",
    )
