"""Is there room: addresses, vCPU, targets, target groups, services, less what other rollouts have been promised?"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.core.cloud.resources import Unread
from orchestrator.core.cloud.survey import Finding, Survey
from orchestrator.core.domain.ids import LoadBalancerArn
from orchestrator.core.domain.text import counted, load_balancer_name
from orchestrator.core.preflight.environment import (
    ClusterSeen,
    Quota,
    SubnetSeen,
    Surroundings,
    TaskSeen,
    fargate_kinds,
)
from orchestrator.core.preflight.reserved_capacity import Reserved
from orchestrator.preflight.findings import error, note, warning
from orchestrator.preflight.room.capacity import largest_and_least

GROUPS = "target-groups-per-application-load-balancer"
TARGETS = "targets-per-application-load-balancer"
DEFAULTS = {GROUPS: 100, TARGETS: 1000}  # Source: Quotas for your Application Load Balancers
VCPU = {
    "FARGATE": "Fargate On-Demand vCPU resource count",
    "FARGATE_SPOT": "Fargate Spot vCPU resource count",
}
PER_CLUSTER, PER_SERVICE = "Services per cluster", "Tasks per service"


def look(survey: Survey, around: Surroundings, reserved: Reserved) -> Iterator[Finding]:
    """What speaks against the room for twice the tasks, and what of it cannot be known."""
    template: dict[str, Any] = json.loads(survey.template)
    more = extra_tasks(survey)
    yield from _addresses(around, more, reserved)
    yield from _balancers(survey, around, reserved)
    yield from _cluster(survey, around)
    yield from _vcpu(survey, around, more, reserved)
    yield from _placement(template, around, more)
    if reserved.unknown:
        yield note(
            "others-unknown",
            f"{counted(len(reserved.unknown), 'rollout')} of this store has not looked at AWS yet",
            f"what {' and '.join(reserved.unknown)} will take is not counted here",
        )


def extra_tasks(survey: Survey) -> int:
    """Tasks at most beside blue's own: green's, and those that ECS adds while blue rolls in settling."""
    largest, _ = largest_and_least(survey)
    return survey.blue.desired + max(0, largest - survey.blue.desired)


def _addresses(around: Surroundings, more: int, reserved: Reserved) -> Iterator[Finding]:
    if isinstance(around.subnets, Unread):
        yield unread("subnets", "free addresses of the subnets", around.subnets, "ec2:DescribeSubnets")
        return
    if not around.subnets:
        return
    promised = reserved.tasks_in(subnet.id for subnet in around.subnets)
    free = sum(subnet.free for subnet in around.subnets)
    told = ", ".join(f"{subnet.id} ({subnet.zone}) {subnet.free}" for subnet in around.subnets)
    if free - promised < more:
        yield warning(
            "addresses-short",
            f"free addresses in the service's subnets: {free}{_promised(promised, reserved)}; "
            f"up to {more} more are needed",
            f"tasks without an address do not start: {told}",
            "give the service a larger subnet, or free addresses",
        )
        return
    yield from (_full(subnet) for subnet in around.subnets if not subnet.free)
    yield note("addresses", f"addresses are free for {counted(more, 'more task')}", told)


def _full(subnet: SubnetSeen) -> Finding:
    return warning(
        "subnet-full",
        f"subnet {subnet.id} in {subnet.zone} has no free address",
        "green's tasks would all start in the other zones",
        "free addresses there, or give the service another subnet in that zone",
    )


def _promised(number: int, reserved: Reserved) -> str:
    return f", {number} of them promised to {' and '.join(reserved.rollouts)}" if number else ""


def _balancers(survey: Survey, around: Surroundings, reserved: Reserved) -> Iterator[Finding]:
    if isinstance(around.balancers, Unread):
        yield unread(
            "balancers",
            "what the load balancers carry",
            around.balancers,
            "elasticloadbalancing:DescribeTargetHealth",
        )
        return
    limits = around.balancing if not isinstance(around.balancing, Unread) else DEFAULTS
    for use in around.balancers:
        own = sum(use.arn in group.load_balancers for group in survey.groups)
        promised = reserved.groups.get(use.arn, 0)
        most = limits.get(GROUPS, DEFAULTS[GROUPS])
        if promised and use.groups + promised + own > most:
            yield error(
                "target-groups-promised",
                f"load balancer {load_balancer_name(use.arn)} has {use.groups} of {most} target groups, and "
                f"{promised} more are promised to other rollouts of this store",
                f"green needs {own}: AWS would refuse one of them in mid-rollout",
                "wait until another rollout has ended",
            )
        if isinstance(use.targets, Unread):
            yield note("targets-uncounted", f"the targets of {load_balancer_name(use.arn)} were not counted")
            continue
        yield from _targets(use.arn, use.targets, survey, own, limits, reserved)


def _targets(
    balancer: LoadBalancerArn,
    registered: int,
    survey: Survey,
    groups: int,
    limits: Mapping[str, int],
    reserved: Reserved,
) -> Iterator[Finding]:
    most = limits.get(TARGETS, DEFAULTS[TARGETS])
    taken = registered + reserved.targets.get(balancer, 0)
    least, peak = survey.blue.desired * groups, extra_tasks(survey) * groups
    words = f"load balancer {load_balancer_name(balancer)} has {taken} of {most} targets"
    if taken + least > most:
        yield error(
            "targets-full",
            f"{words}; green needs {least}",
            "its tasks could not be registered, and would never be healthy",
            'ask for more of "Targets per Application Load Balancer" in Service Quotas',
        )
    elif taken + peak > most:
        yield warning(
            "targets-short",
            f"{words}; up to {peak} more are needed while blue takes the new revision over",
            "settling would stand still until there is room",
            'ask for more of "Targets per Application Load Balancer" in Service Quotas',
        )


def _cluster(survey: Survey, around: Surroundings) -> Iterator[Finding]:
    quotas = around.quotas
    if isinstance(quotas, Unread):
        yield unread("quotas", "the account's quotas", quotas, "servicequotas:ListServiceQuotas")
        return
    per_cluster, per_service = quotas.get(PER_CLUSTER), quotas.get(PER_SERVICE)
    services = around.cluster.services if isinstance(around.cluster, ClusterSeen) else 0
    if per_cluster and services + 1 > per_cluster.limit:
        yield _full_quota(
            "cluster-full", per_cluster, f"the cluster has {services} services", "green's service"
        )
    largest, _ = largest_and_least(survey)
    if per_service and largest > per_service.limit:
        words = f"blue may have {counted(largest, 'task')} while ECS rolls it"
        yield _full_quota("service-full", per_service, words, "them")


def _full_quota(code: str, quota: Quota, words: str, what: str) -> Finding:
    return error(
        code,
        f'{words}; the quota "{quota.name}" is {quota.limit:g}',
        f"AWS would refuse {what}",
        f'ask for more of "{quota.name}" in Service Quotas',
    )


def _vcpu(survey: Survey, around: Surroundings, more: int, reserved: Reserved) -> Iterator[Finding]:
    kinds = fargate_kinds(json.loads(survey.template))
    if isinstance(around.quotas, Unread) or not isinstance(around.wanted, TaskSeen) or len(kinds) != 1:
        return
    (kind,) = kinds
    quota, promised = around.quotas.get(VCPU[kind]), reserved.vcpu.get(kind, 0.0)
    if quota is None:
        return
    need = more * around.wanted.vcpu
    now = survey.blue.running * around.wanted.vcpu
    used = now if quota.used is None else max(quota.used, now)
    if used + promised + need > quota.limit:
        others = f", {promised:g} more are promised to {' and '.join(reserved.rollouts)}" if promised else ""
        yield warning(
            "vcpu-short",
            f'{used:g} of {quota.limit:g} vCPU of the quota "{quota.name}" are used{others}; '
            f"up to {need:g} more are needed",
            "ECS could not start all of green's tasks: the rollout would be rolled back after limits.provision",
            f'ask for more of "{quota.name}" in Service Quotas',
        )


def _placement(template: Mapping[str, Any], around: Surroundings, more: int) -> Iterator[Finding]:
    kinds = fargate_kinds(template)
    if "FARGATE_SPOT" in kinds:
        yield note(
            "spot",
            "tasks run on Fargate Spot",
            "AWS may have none to give, and may take running ones away: such a task holds a step, it fails nothing",
        )
    if kinds:
        return
    names = [entry.get("capacityProvider", "") for entry in template.get("capacityProviderStrategy") or ()]
    where = f"capacity provider {' and '.join(names)}" if names else "the cluster's instances"
    seen = around.cluster
    count = f" ({counted(seen.instances, 'instance')} now)" if isinstance(seen, ClusterSeen) else ""
    yield note(
        "capacity-unknown",
        f"tasks run on {where}{count}",
        f"whether there is room for {counted(more, 'more task')} is known only when ECS places them: "
        "limits.provision bounds the wait",
    )


def unread(what: str, words: str, why: Unread, action: str) -> Finding:
    """A note that something could not be looked at, and what would allow it."""
    return note(
        f"{what}-unread", f"{words} could not be read", f"{why.why}; allow {action} to have it checked"
    )
