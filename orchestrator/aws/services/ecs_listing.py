"""Amazon ECS: what a task takes, the cluster, and services beside blue. Source: Amazon ECS API Reference."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from orchestrator.aws.client.call import Caller
from orchestrator.aws.services import ecs
from orchestrator.core.cloud.resources import Absent, Unread
from orchestrator.core.domain.errors import Missing
from orchestrator.core.domain.ids import TaskDefinitionArn
from orchestrator.core.preflight.environment import ClusterSeen, TaskSeen

SERVICES_LISTED = 1000  # ten pages: a cluster of more is not searched for guests


async def task(call: Caller, definition: str, made: str = "") -> TaskSeen | Absent:
    """What one task of a definition takes; `made`: of one that is still to be registered. Raises Outside."""
    if made:
        return task_seen(json.loads(made))
    if not definition:
        return Absent()
    try:
        answer = await call.read(
            "ecs", "DescribeTaskDefinition", {"taskDefinition": definition}, has="taskDefinition"
        )
    except Missing:
        return Absent()
    return task_seen(answer["taskDefinition"])


async def cluster(call: Caller, arn: str) -> ClusterSeen:
    """The cluster. Raises Outside (Missing: there is none)."""
    answer = await call.read("ecs", "DescribeClusters", {"clusters": [arn]}, has="clusters")
    if not answer["clusters"]:
        raise Missing(what=f"cluster {arn}", why="ECS does not describe it", next_step="check its name")
    found = answer["clusters"][0]
    return ClusterSeen(
        services=found.get("activeServicesCount", 0),
        instances=found.get("registeredContainerInstancesCount", 0),
    )


async def names(call: Caller, arn: str) -> tuple[str, ...]:
    """The names of a cluster's services, in order. Raises Outside."""
    asked = {"cluster": arn, "maxResults": 100}
    found: list[str] = await call.pages("ecs", "ListServices", asked, items="serviceArns", token="nextToken")
    return tuple(sorted(service.rpartition("/")[2] for service in found))


async def guests(call: Caller, arn: str, service: str, *, serving: str) -> tuple[str, ...]:
    """Services that are named like a green of this one and carry Teal's tag, each with its rollout. Raises Outside.

    `serving`: the one that serves, which is no guest.
    """
    like = re.compile(re.escape(service) + r"-[0-9a-f]{8}(-\d+)?")
    alike = [name for name in await names(call, arn) if like.fullmatch(name) and name != serving]
    described = await ecs.describe_services(call, arn, alike)
    return tuple(
        f"{name} (rollout {tags['teal:rollout']})"
        for name, service in described.items()
        if not isinstance(service, Absent | Unread) and "teal:rollout" in (tags := _tags(service))
    )


def task_seen(definition: Mapping[str, Any]) -> TaskSeen:
    """A task definition as described, as far as it says what a task takes and asks for."""
    containers = definition.get("containerDefinitions", ())
    return TaskSeen(
        arn=TaskDefinitionArn(definition.get("taskDefinitionArn", "")),
        vcpu=ecs.vcpu_of(definition),
        memory_mib=int(definition.get("memory") or sum(_memory(one) for one in containers)),
        execution_role=definition.get("executionRoleArn", ""),
        images=tuple((one["name"], one["image"]) for one in containers if "image" in one),
        secrets=tuple(pair for one in containers for pair in _secrets(one)),
        ports=tuple(
            (one["name"], port["containerPort"])
            for one in containers
            for port in one.get("portMappings", ())
            if "containerPort" in port
        ),
        start_period=timedelta(
            seconds=max((_start_period(one) for one in containers), default=0),
        ),
    )


def _memory(container: Mapping[str, Any]) -> int:
    return int(container.get("memory") or container.get("memoryReservation") or 0)


def _start_period(container: Mapping[str, Any]) -> int:
    return int((container.get("healthCheck") or {}).get("startPeriod") or 0)


def _secrets(container: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(container, source) of everything that the agent fetches before the container starts."""
    options = (container.get("logConfiguration") or {}).get("secretOptions", ())
    for secret in (*container.get("secrets", ()), *options):
        yield container["name"], secret["valueFrom"]
    registry = (container.get("repositoryCredentials") or {}).get("credentialsParameter")
    if registry and registry.startswith("arn:"):
        yield container["name"], registry


def _tags(service: Mapping[str, Any]) -> dict[str, str]:
    return {tag["key"]: tag.get("value", "") for tag in service.get("tags", ())}
