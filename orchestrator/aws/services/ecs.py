"""Amazon ECS: services, their stopped tasks, task definitions, and the writes on a service.

Source of all shapes: Amazon ECS API Reference. What does not exist comes back in ``failures``, not as an error.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from orchestrator.aws.client.call import Caller, chunks
from orchestrator.aws.client.transport import Answer
from orchestrator.core.cloud import effects
from orchestrator.core.cloud.forward_action import canonical
from orchestrator.core.cloud.resources import (
    Absent,
    DeploymentSeen,
    ImageSeen,
    ProtectionSeen,
    ServiceSeen,
    StopSeen,
    Unread,
)
from orchestrator.core.cloud.survey import TaskDefinitionSeen
from orchestrator.core.domain.errors import Missing, Rejected
from orchestrator.core.domain.ids import TaskDefinitionArn

SERVICES_PER_CALL = 10
TASKS_PER_CALL = 100
REVISIONS_PER_CALL = 20
STOP_SECONDS = 30  # between SIGTERM and SIGKILL, unless a container says otherwise (``stopTimeout``)
UNDER_WAY = ["PENDING", "IN_PROGRESS", "STOP_REQUESTED", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS"]

# What describes the registration of a task definition, not what its tasks run by.
_REGISTRATION = frozenset(
    {
        "taskDefinitionArn",
        "revision",
        "status",
        "registeredAt",
        "registeredBy",
        "deregisteredAt",
        "deleteRequestedAt",
        "compatibilities",
        "requiresAttributes",
        "tags",
    }
)


async def describe_services(
    call: Caller, cluster: str, names: Iterable[str]
) -> dict[str, Answer | Absent | Unread]:
    """Services by name, as ECS describes them; an INACTIVE one is Absent. Raises Outside (Missing: no cluster)."""
    found: dict[str, Answer | Absent | Unread] = {}
    for batch in chunks(tuple(names), SERVICES_PER_CALL):
        answer = await call.read(
            "ecs",
            "DescribeServices",
            {"cluster": cluster, "services": list(batch), "include": ["TAGS"]},
            has="services",
        )
        for service in answer["services"]:
            is_gone = service.get("status") == "INACTIVE"
            found[service["serviceName"]] = Absent(reason="INACTIVE") if is_gone else service
        for failure in answer.get("failures", ()):
            reason = failure.get("reason", "")
            gone = (
                Absent(reason=reason)
                if reason == "MISSING"
                else Unread(why=f"ECS could not describe it: {reason}")
            )
            found.setdefault(failure.get("arn", "").rpartition("/")[2], gone)
        for name in batch:
            found.setdefault(name, Unread(why="ECS's answer leaves it out"))
    return found


async def clusters(call: Caller) -> tuple[str, ...]:
    """The names of the account's clusters in this region. Raises Outside."""
    arns: list[str] = await call.pages("ecs", "ListClusters", {}, items="clusterArns", token="nextToken")
    return tuple(arn.rpartition("/")[2] for arn in arns)


async def stops(
    call: Caller, cluster: str, service: str, told: dict[str, StopSeen] | None = None
) -> tuple[StopSeen, ...]:
    """The tasks of a service that stopped within about the last hour, newest first. Raises Outside.

    `told`: what tasks said once they had stopped, by ARN. They say it ever after, so they are not asked again; what
    others say is added.
    """
    known = {} if told is None else told
    try:
        arns = await _task_arns(call, cluster, service, "STOPPED")
    except Missing:  # no such service: none of its tasks stopped
        return ()
    seen = [known[arn] for arn in arns if arn in known]
    for task in await _tasks(call, cluster, [arn for arn in arns if arn not in known]):
        stop = _stop(task)
        if stop is None:
            continue
        seen.append(stop)
        if task.get("lastStatus") == "STOPPED":  # before that, reasons and exit codes are still to come
            known[stop.task] = stop
    return tuple(sorted(seen, key=lambda stop: (stop.at, stop.task), reverse=True))


async def addresses(call: Caller, cluster: str, service: str, desired_status: str) -> frozenset[str]:
    """The addresses of a service's RUNNING or STOPPED tasks, as far as they have their own. Raises Outside."""
    tasks = await _tasks(call, cluster, await _task_arns(call, cluster, service, desired_status))
    return frozenset(address for task in tasks for address in _addresses(task))


async def protection(call: Caller, cluster: str, service: str) -> ProtectionSeen:
    """Which of a service's running tasks ECS must not stop. Raises Outside."""
    try:
        arns = await _task_arns(call, cluster, service, "RUNNING")
    except Missing:  # no such service
        return ProtectionSeen()
    until: list[datetime] = []
    for batch in chunks(tuple(arns), TASKS_PER_CALL):
        asked = {"cluster": cluster, "tasks": list(batch)}
        answer = await call.read("ecs", "GetTaskProtection", asked, has="protectedTasks")
        until += [
            entry["expirationDate"].astimezone(UTC)
            for entry in answer["protectedTasks"]
            if entry.get("protectionEnabled") and entry.get("expirationDate")
        ]
    return ProtectionSeen(count=len(until), until=max(until, default=None))


async def zones(call: Caller, cluster: str, service: str) -> frozenset[str]:
    """The Availability Zones in which tasks of a service run. Raises Outside."""
    tasks = await _tasks(call, cluster, await _task_arns(call, cluster, service, "RUNNING"))
    return frozenset(task["availabilityZone"] for task in tasks if task.get("availabilityZone"))


async def task_definition(call: Caller, name: str) -> Answer | None:
    """A task definition by ARN or ``family:revision``, as ECS describes it; None: it knows none. Raises Outside."""
    try:
        answer = await call.read(
            "ecs", "DescribeTaskDefinition", {"taskDefinition": name}, has="taskDefinition"
        )
    except Missing:
        return None
    found: Answer = answer["taskDefinition"]
    return found


async def deployments_under_way(call: Caller, cluster: str, service: str) -> tuple[str, ...]:
    """Deployments on a service that have not ended, in words. Raises Outside."""
    listed = await call.pages(
        "ecs",
        "ListServiceDeployments",
        {"cluster": cluster, "service": service, "status": UNDER_WAY},
        items="serviceDeployments",
        token="nextToken",
    )
    return tuple(f"{brief['serviceDeploymentArn']} is {brief.get('status')}" for brief in listed)


async def revisions(call: Caller, arns: Iterable[str]) -> list[Answer]:
    """Service revisions, the only place that shows some settings of a service. Raises Outside."""
    found: list[Answer] = []
    for batch in chunks(tuple(arns), REVISIONS_PER_CALL):
        asked = {"serviceRevisionArns": list(batch)}
        answer = await call.read("ecs", "DescribeServiceRevisions", asked, has="serviceRevisions")
        found.extend(answer["serviceRevisions"])
    return found


async def revisions_of(call: Caller, service: Mapping[str, Any]) -> list[Answer]:
    """The current revisions of a service as ECS describes it, the newest last. Raises Outside."""
    found = await revisions(call, [entry["arn"] for entry in service.get("currentServiceRevisions", ())])
    return sorted(found, key=lambda revision: str(revision.get("createdAt", "")))


def images(revisions: Iterable[Mapping[str, Any]], task_definition: str) -> tuple[ImageSeen, ...]:
    """The images of the newest service revision that runs a task definition, with the digests that ECS resolved."""
    own = [revision for revision in revisions if revision.get("taskDefinition") == task_definition]
    return tuple(
        ImageSeen(
            container=shown["containerName"],
            image=shown.get("image", ""),
            digest=shown.get("imageDigest", ""),
        )
        for shown in (own[-1].get("containerImages", ()) if own else ())
    )


def service_seen(service: Mapping[str, Any], *, stops: tuple[StopSeen, ...] = ()) -> ServiceSeen:
    """A service as ECS describes it (with ``include=["TAGS"]``)."""
    events = service.get("events") or ()  # newest first
    return ServiceSeen(
        name=service["serviceName"],
        arn=service["serviceArn"],
        cluster=service["clusterArn"],
        status=service["status"],
        task_definition=TaskDefinitionArn(service.get("taskDefinition", "")),
        desired=service["desiredCount"],
        running=service["runningCount"],
        pending=service["pendingCount"],
        deployments=tuple(_deployment(entry) for entry in service.get("deployments", ())),
        deployment_configuration=canonical(service.get("deploymentConfiguration") or {}),
        tags=tags_of(service),
        stops=stops,
        last_event=events[0].get("message", "") if events else "",
    )


def tags_of(service: Mapping[str, Any]) -> dict[str, str]:
    """The tags of a service as described with them."""
    return {tag["key"]: tag.get("value", "") for tag in service.get("tags", ())}


def task_definition_seen(definition: Mapping[str, Any]) -> TaskDefinitionSeen:
    """A task definition as ECS describes it; an absent architecture is X86_64, an absent network mode bridge."""
    runs_by = {key: value for key, value in definition.items() if key not in _REGISTRATION}
    return TaskDefinitionSeen(
        arn=TaskDefinitionArn(definition["taskDefinitionArn"]),
        status=definition.get("status", ""),
        network_mode=definition.get("networkMode") or "bridge",
        architecture=(definition.get("runtimePlatform") or {}).get("cpuArchitecture") or "X86_64",
        ports=tuple(
            (container["name"], mapping["containerPort"])
            for container in definition.get("containerDefinitions", ())
            for mapping in container.get("portMappings", ())
            if "containerPort" in mapping
        ),
        digest=hashlib.sha256(canonical(runs_by).encode()).hexdigest(),
        images=tuple(
            (container["name"], container.get("image", ""))
            for container in definition.get("containerDefinitions", ())
        ),
        vcpu=vcpu_of(definition),
        mesh_proxy=_mesh_proxy(definition),
        stops_in=timedelta(
            seconds=max(
                (
                    container.get("stopTimeout") or STOP_SECONDS
                    for container in definition.get("containerDefinitions", ())
                ),
                default=STOP_SECONDS,
            )
        ),
    )


def _mesh_proxy(definition: Mapping[str, Any]) -> str:
    """The container of App Mesh's proxy; a type that is not said is APPMESH. Source: ECS ProxyConfiguration."""
    proxy = definition.get("proxyConfiguration") or {}
    return str(proxy.get("containerName", "")) if proxy.get("type", "APPMESH") == "APPMESH" else ""


def vcpu_of(definition: Mapping[str, Any]) -> float:
    """The vCPU of one task: what the definition says for the task, else for its containers together."""
    containers = definition.get("containerDefinitions", ())
    return int(definition.get("cpu") or sum(one.get("cpu", 0) for one in containers)) / 1024


async def create_service(call: Caller, effect: effects.CreateService) -> None:
    """Make green. Raises Outside; Rejected with AWS's words if the name is taken or still draining."""
    template = json.loads(effect.template)
    tags = {tag["key"]: tag.get("value", "") for tag in template.pop("tags", ())} | dict(effect.tags)
    params = {
        **template,
        "cluster": effect.cluster,
        "serviceName": effect.name,
        "taskDefinition": effect.task_definition,
        "desiredCount": effect.desired,
        "clientToken": effect.token,
        "loadBalancers": _in_groups_of_green(template.get("loadBalancers", ()), effect),
        "tags": [{"key": key, "value": value} for key, value in tags.items()],
    }
    await call.write("ecs", "CreateService", params)


async def scale_service(call: Caller, effect: effects.ScaleService) -> None:
    """Set the desired count; a service that is gone needs none. Raises Outside."""
    await _unless_gone(
        call,
        "UpdateService",
        {"cluster": effect.cluster, "service": effect.service, "desiredCount": effect.desired},
    )


async def update_service(call: Caller, effect: effects.UpdateService) -> None:
    """Give a service a revision and a count, and a deployment configuration if one is named. Raises Outside."""
    params: Answer = {
        "cluster": effect.cluster,
        "service": effect.service,
        "taskDefinition": effect.task_definition,
        "desiredCount": effect.desired,
    }
    if effect.deployment_configuration is not None:
        params["deploymentConfiguration"] = json.loads(effect.deployment_configuration)
    if effect.is_forced:
        params["forceNewDeployment"] = True
    await call.write("ecs", "UpdateService", params)


async def restore_configuration(call: Caller, effect: effects.RestoreDeploymentConfiguration) -> None:
    """Write a deployment configuration back; a service that is gone needs none. Raises Outside."""
    await _unless_gone(
        call,
        "UpdateService",
        {
            "cluster": effect.cluster,
            "service": effect.service,
            "deploymentConfiguration": json.loads(effect.deployment_configuration),
        },
    )


async def delete_service(call: Caller, effect: effects.DeleteService) -> None:
    """Delete a service that runs nothing; one that is gone already is done. Raises Outside."""
    await _unless_gone(call, "DeleteService", {"cluster": effect.cluster, "service": effect.service})


async def tag(call: Caller, arn: str, tags: effects.Tags) -> None:
    """Put tags on a service. Raises Outside."""
    wanted = [{"key": key, "value": value} for key, value in tags]
    await call.write("ecs", "TagResource", {"resourceArn": arn, "tags": wanted})


async def untag(call: Caller, effect: effects.RemoveTags) -> None:
    """Take tags off a service; one that is gone has none. Raises Outside."""
    params = {"resourceArn": effect.service, "tagKeys": list(effect.names)}
    await _unless_gone(call, "UntagResource", params)


def _deployment(entry: Mapping[str, Any]) -> DeploymentSeen:
    return DeploymentSeen(
        id=entry["id"],
        status=entry["status"],
        task_definition=TaskDefinitionArn(entry["taskDefinition"]),
        rollout_state=entry.get("rolloutState", ""),
        reason=entry.get("rolloutStateReason", ""),
        desired=entry.get("desiredCount", 0),
        running=entry.get("runningCount", 0),
        pending=entry.get("pendingCount", 0),
        failed=entry.get("failedTasks", 0),
    )


async def _task_arns(call: Caller, cluster: str, service: str, desired_status: str) -> list[str]:
    return await call.pages(
        "ecs",
        "ListTasks",
        {"cluster": cluster, "serviceName": service, "desiredStatus": desired_status},
        items="taskArns",
        token="nextToken",
    )


async def _tasks(call: Caller, cluster: str, arns: Iterable[str]) -> list[Answer]:
    tasks: list[Answer] = []
    for batch in chunks(tuple(arns), TASKS_PER_CALL):
        asked = {"cluster": cluster, "tasks": list(batch)}
        answer = await call.read("ecs", "DescribeTasks", asked, has="tasks")
        tasks.extend(answer["tasks"])
    return tasks


def _addresses(task: Mapping[str, Any]) -> Iterator[str]:
    """Those of its network interface, which a task and its containers show. Source: ECS Task, Attachment."""
    for container in task.get("containers", ()):
        for interface in container.get("networkInterfaces", ()):
            yield from (interface[n] for n in ("privateIpv4Address", "ipv6Address") if interface.get(n))
    for attachment in task.get("attachments", ()):
        for detail in attachment.get("details", ()):
            if detail.get("name") in ("privateIPv4Address", "privateIPv6Address") and detail.get("value"):
                yield detail["value"]


def _stop(task: Mapping[str, Any]) -> StopSeen | None:
    at: datetime | None = task.get("stoppedAt") or task.get("stoppingAt") or task.get("createdAt")
    if at is None:
        return None
    return StopSeen(
        task=task["taskArn"],
        task_definition=TaskDefinitionArn(task.get("taskDefinitionArn", "")),
        at=at.astimezone(UTC),
        code=task.get("stopCode", ""),
        reason=_stop_reason(task),
    )


def _stop_reason(task: Mapping[str, Any]) -> str:
    """The task's reason, and what its containers add: a cause, or an exit code that is not 0."""
    said = task.get("stoppedReason", "")
    parts = [said] if said else []
    for container in task.get("containers", ()):
        cause = container.get("reason", "")
        if not cause and container.get("exitCode"):
            cause = f"exit code {container['exitCode']}"
        if cause and cause not in said:
            parts.append(f"{container.get('name', 'container')}: {cause}")
    return "; ".join(parts)


def _in_groups_of_green(entries: Iterable[Mapping[str, Any]], effect: effects.CreateService) -> list[Answer]:
    green_of = dict(effect.groups)
    placed: list[Answer] = []
    for entry in entries:
        green = green_of.get(entry["targetGroupArn"])
        if green is None:  # in blue's own group green would get traffic at any weight
            raise Rejected(
                what=f"service {effect.name} cannot be created",
                why=f"no target group of green stands beside {entry['targetGroupArn']}",
                next_step="roll back and start again",
            )
        placed.append({**entry, "targetGroupArn": green})
    return placed


async def _unless_gone(call: Caller, operation: str, params: Answer) -> None:
    try:
        await call.write("ecs", operation, params)
    except Missing:
        return
