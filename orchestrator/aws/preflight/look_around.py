"""Everything that preflight reads beside the survey, side by side; what cannot be read costs itself alone."""

import asyncio
from collections.abc import Coroutine
from datetime import datetime
from typing import Any, TypeVar

from orchestrator.aws.client.call import Caller
from orchestrator.aws.client.concurrent import attempt
from orchestrator.aws.preflight import (
    cloudwatch,
    ec2,
    ecr,
    elbv2,
    iam,
    secretsmanager,
    service_quotas,
    ssm,
    sts,
)
from orchestrator.aws.services import ecs_listing
from orchestrator.core.cloud.resources import Absent, Unread
from orchestrator.core.preflight.environment import (
    ClusterSeen,
    Denial,
    Presence,
    Quota,
    Surroundings,
    SurroundingsNeed,
    TaskSeen,
)
from orchestrator.core.preflight.permissions import Permit

T = TypeVar("T")


async def look_around(call: Caller, region: str, need: SurroundingsNeed, now: datetime) -> Surroundings:
    """What is around a rollout. Never raises Outside: what could not be read is Unread."""
    async with asyncio.TaskGroup() as reads:

        def begin(read: Coroutine[Any, Any, T]) -> asyncio.Task[T | Unread]:
            return reads.create_task(attempt(read))

        wanted = begin(ecs_listing.task(call, need.wanted, need.definition))
        former = begin(ecs_listing.task(call, need.former))
        subnets = begin(ec2.subnets(call, need.subnets))
        limits = begin(elbv2.limits(call))
        balancers = begin(elbv2.uses(call, [balancer for balancer, _ in need.groups]))
        cluster = begin(ecs_listing.cluster(call, need.cluster))
        quotas = begin(_quotas(call, need, now))
        denials = begin(_denials(call, need.permits))
        load = begin(cloudwatch.load(call, need.groups, period=need.period, now=now))
    tasks = (wanted.result(), former.result())
    async with asyncio.TaskGroup() as reads:
        images = reads.create_task(_images(call, region, tasks))
        secrets = reads.create_task(_secrets(call, tasks[0]))
        unreadable = reads.create_task(attempt(_unreadable(call, tasks[0])))
        guests = reads.create_task(attempt(_guests(call, need, cluster.result())))
    return Surroundings(
        wanted=wanted.result(),
        former=former.result(),
        subnets=subnets.result(),
        balancing=limits.result(),
        balancers=balancers.result(),
        cluster=cluster.result(),
        quotas=quotas.result(),
        images=images.result(),
        secrets=secrets.result(),
        denials=denials.result(),
        unreadable=unreadable.result(),
        load=load.result(),
        guests=guests.result(),
    )


async def _quotas(call: Caller, need: SurroundingsNeed, now: datetime) -> dict[str, Quota]:
    codes = ("ecs", "fargate") if need.is_fargate else ("ecs",)
    found = [quota for code in codes for quota in (await service_quotas.applied(call, code)).values()]
    used = await attempt(cloudwatch.used(call, found, now=now))
    return {
        quota.name: Quota(
            name=quota.name,
            limit=quota.limit,
            used=None if isinstance(used, Unread) else used.get(quota.name),
        )
        for quota in found
    }


async def _denials(call: Caller, permits: tuple[Permit, ...]) -> tuple[Denial, ...]:
    principal = await iam.principal_of(call, await sts.caller(call))
    return await iam.denials(call, principal, permits)


async def _images(
    call: Caller, region: str, tasks: tuple[TaskSeen | Absent | Unread, ...]
) -> dict[str, Presence | Unread]:
    named = dict.fromkeys(image for task in tasks if isinstance(task, TaskSeen) for _, image in task.images)
    return {image: await attempt(ecr.presence(call, image, region)) for image in named}


async def _secrets(call: Caller, task: TaskSeen | Absent | Unread) -> dict[str, Presence | Unread]:
    if not isinstance(task, TaskSeen):
        return {}
    sources = dict.fromkeys(source for _, source in task.secrets)
    return {source: await attempt(_secret(call, source)) for source in sources}


async def _secret(call: Caller, source: str) -> Presence:
    if ":secretsmanager:" in source:
        return await secretsmanager.presence(call, secretsmanager.secret_of(source))
    return await ssm.presence(call, ssm.parameter_of(source))


async def _unreadable(call: Caller, task: TaskSeen | Absent | Unread) -> tuple[Denial, ...]:
    """What the execution role may not fetch for its tasks."""
    if not isinstance(task, TaskSeen) or not task.execution_role:
        return ()
    wanted = [
        Permit(action="secretsmanager:GetSecretValue", resource=secretsmanager.secret_of(source))
        if ":secretsmanager:" in source
        else Permit(action="ssm:GetParameters", resource=source)
        for _, source in task.secrets
        if source.startswith("arn:")
    ]
    return await iam.denials(call, task.execution_role, dict.fromkeys(wanted)) if wanted else ()


async def _guests(call: Caller, need: SurroundingsNeed, cluster: ClusterSeen | Unread) -> tuple[str, ...]:
    if isinstance(cluster, ClusterSeen) and cluster.services <= ecs_listing.SERVICES_LISTED:
        return await ecs_listing.guests(call, need.cluster, need.service, serving=need.serving)
    return ()
