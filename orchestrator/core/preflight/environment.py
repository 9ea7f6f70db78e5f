"""What preflight alone reads, beside the survey: room, images, secrets, permissions, traffic.

None of it is needed to carry a rollout out, so each part is a value that may be ``Unread``: it is told, and refuses
nothing. A finding is made only of what was read.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from orchestrator.core.analysis.detectable_regression import Load
from orchestrator.core.cloud.resources import Absent, Unread
from orchestrator.core.cloud.survey import Survey
from orchestrator.core.domain.ids import Json, LoadBalancerArn, TargetGroupArn, TaskDefinitionArn
from orchestrator.core.gates.scene import floor_to
from orchestrator.core.preflight.permissions import Permit, permits_of
from orchestrator.core.rollout.spec import Spec


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSeen:
    """What one task of a task definition takes and asks for, as its definition says."""

    arn: TaskDefinitionArn
    vcpu: float = 0.0  # 0: the definition names none for the task as a whole
    memory_mib: int = 0
    execution_role: str = ""
    images: tuple[tuple[str, str], ...] = ()  # (container, image)
    secrets: tuple[tuple[str, str], ...] = ()  # (container, where the value comes from, as written)
    ports: tuple[tuple[str, int], ...] = ()  # (container, container port)
    start_period: timedelta = timedelta(0)  # the longest that a container's own health check grants


@dataclass(frozen=True, slots=True, kw_only=True)
class SubnetSeen:
    """One of the subnets that tasks get their addresses from."""

    id: str
    zone: str
    free: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BalancerUse:
    """What one of blue's load balancers carries already."""

    arn: LoadBalancerArn
    groups: int
    targets: int | Unread


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """A quota of the account, and how much of it is used; None: AWS does not count that."""

    name: str
    limit: float
    used: float | None = None


class Presence(StrEnum):
    """Whether something that a task needs is there."""

    PRESENT = "present"
    MISSING = "missing"
    DELETED = "deleted"  # it waits for its end, and cannot be read
    ELSEWHERE = "elsewhere"  # Teal has no way to ask there


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    """A call that the caller's policies do not allow."""

    action: str
    resource: str
    sid: str = ""  # the statement of docs/permissions.md that allows it
    is_explicit: bool = False  # some policy denies it, rather than none allowing it
    unknown: tuple[str, ...] = ()  # what the policies' conditions look at and nobody can tell beforehand
    never: tuple[str, ...] = ()  # what they look at and such a call does not have


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSeen:
    """The cluster, as far as it bounds what may be made in it."""

    services: int
    instances: int


UNASKED = Unread(why="it was not asked for")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Everything that preflight reads beside the survey."""

    wanted: TaskSeen | Absent | Unread = UNASKED
    former: TaskSeen | Absent | Unread = UNASKED
    subnets: tuple[SubnetSeen, ...] | Unread = ()
    balancing: Mapping[str, int] | Unread = UNASKED  # limits of the account by Elastic Load Balancing's names
    balancers: tuple[BalancerUse, ...] | Unread = ()
    cluster: ClusterSeen | Unread = UNASKED
    quotas: Mapping[str, Quota] | Unread = UNASKED  # by their names in Service Quotas
    images: Mapping[str, Presence | Unread] = field(default_factory=dict)
    secrets: Mapping[str, Presence | Unread] = field(default_factory=dict)
    denials: tuple[Denial, ...] | Unread = UNASKED  # of the caller
    unreadable: tuple[Denial, ...] | Unread = ()  # of the execution role: what its tasks could not fetch
    load: Load | Absent | Unread = UNASKED  # of one metric period, over the last hour; Absent: no requests
    ahead: timedelta = timedelta(0)  # AWS's clock minus this machine's
    guests: tuple[str, ...] | Unread = ()  # services like a green of this one, which carry Teal's tags


Groups = tuple[tuple[LoadBalancerArn, TargetGroupArn], ...]

LOOKED_BACK = 60  # periods of traffic
LATE = 2  # periods until a datapoint is final


def load_window(now: datetime, period: timedelta) -> tuple[datetime, datetime]:
    """From when to when a service's traffic is looked back on: whole periods that are final by now."""
    end = floor_to(now, period) - LATE * period
    return end - LOOKED_BACK * period, end


@dataclass(frozen=True, slots=True, kw_only=True)
class SurroundingsNeed:
    """What to read, as far as it is known before the first answer."""

    cluster: str  # ARN
    service: str  # as the file names it
    serving: str  # the ECS service that serves: the same, or a green that stayed in its place
    wanted: str  # task definition; empty: AWS does not know it, or it is still to be registered
    definition: Json  # RegisterTaskDefinition's parameters of one that is still to be registered; else empty
    former: str
    subnets: tuple[str, ...]
    groups: Groups
    is_fargate: bool
    period: timedelta
    permits: tuple[Permit, ...]


def groups_of(survey: Survey) -> Groups:
    """Blue's target groups, each with every load balancer that uses it."""
    return tuple((balancer, group.arn) for group in survey.groups for balancer in group.load_balancers)


def surroundings_need(spec: Spec, survey: Survey) -> SurroundingsNeed:
    """What is worth reading beside a survey."""
    template: dict[str, Any] = json.loads(survey.template)
    made = [new for new in survey.new_revisions if not new.is_greens_own]
    network = (template.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}
    return SurroundingsNeed(
        cluster=survey.blue.cluster,
        service=spec.service.service,
        serving=survey.blue.name,
        wanted="" if made or survey.revision is None else survey.revision.arn,
        definition=made[0].template if made else Json(""),
        former=survey.blue.task_definition,
        subnets=tuple(network.get("subnets", ())),
        groups=groups_of(survey),
        is_fargate=is_fargate(template),
        period=spec.metrics.period,
        permits=permits_of(spec, survey),
    )


def is_fargate(template: Mapping[str, Any]) -> bool:
    """True if CreateService's parameters place tasks on Fargate."""
    return bool(fargate_kinds(template))


def fargate_kinds(template: Mapping[str, Any]) -> frozenset[str]:
    """Which of Fargate's capacities the tasks are placed on: FARGATE, FARGATE_SPOT, both or neither."""
    strategy = template.get("capacityProviderStrategy") or ()
    named = {entry.get("capacityProvider", "") for entry in strategy} or {template.get("launchType", "")}
    return frozenset(named & {"FARGATE", "FARGATE_SPOT"})
