"""What is read once, at the start: blue, everything that carries its traffic, and what may speak against a rollout."""

import json
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from orchestrator.core.cloud.definition_differences import Difference
from orchestrator.core.cloud.resources import (
    AlarmSeen,
    RuleSeen,
    ScalesSeen,
    ScalingSeen,
    Series,
    ServiceSeen,
    TargetsSeen,
    Unread,
)
from orchestrator.core.domain.ids import Json, LoadBalancerArn, TargetGroupArn, TaskDefinitionArn


class Severity(StrEnum):
    """``error`` refuses the rollout; ``warning`` is told; ``note`` is what was found."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that preflight found: what, why it matters, what to do."""

    severity: Severity
    code: str  # stable, kebab-case
    what: str
    why: str = ""
    next_step: str = ""
    passes: bool = False  # of an error: it ends without anybody's doing, and may be waited for


LB_COOKIE = "lb_cookie"
DAY_SECONDS = 86_400  # a target group's cookie lives so long unless it says otherwise


def is_elsewhere(name: str, *, account: str, region: str) -> bool:
    """True for the ARN of a thing in another account or region, about which AWS is not even to be asked here."""
    if not name.startswith("arn:"):
        return False
    return name.split(":")[3:5] != [region, account]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSurvey:
    """One of blue's target groups, and how to make one like it."""

    arn: TargetGroupArn
    name: str
    load_balancers: tuple[LoadBalancerArn, ...]
    protocol_version: str
    container: str  # the service's container and port behind it
    port: int
    template: Json  # CreateTargetGroup's parameters, blue's own Tags among them; without Name and Teal's tags
    attributes: Json  # {key: value} that differ from a new group's defaults
    stickiness: str  # "", lb_cookie, app_cookie
    targets: TargetsSeen | None  # None where it could not be read
    strangers: tuple[str, ...] = ()  # targets of it that are no tasks of blue

    @property
    def cookie_seconds(self) -> int:
        """How long the load balancer's own cookie keeps a user on one target. Source: "Target group attributes"."""
        return int(json.loads(self.attributes).get("stickiness.lb_cookie.duration_seconds", DAY_SECONDS))


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDefinitionSeen:
    """A task definition as far as it decides whether a service can run it."""

    arn: TaskDefinitionArn
    status: str  # ACTIVE | INACTIVE | DELETE_IN_PROGRESS
    network_mode: str
    architecture: str
    ports: tuple[tuple[str, int], ...]  # (container, container port)
    digest: str  # of everything a task runs by; equal digests run the same
    images: tuple[tuple[str, str], ...] = ()  # (container, image), as written in the definition
    vcpu: float = 0.0  # of one task; 0: the definition names none
    stops_in: timedelta = timedelta(seconds=30)  # the longest that a container may take to stop
    mesh_proxy: str = ""  # the container that App Mesh's proxy runs in (proxyConfiguration of type APPMESH)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRevision:
    """A revision that the rollout registers by itself."""

    family: str
    newest: int  # the family's newest revision so far: whatever the rollout registers has a larger number
    template: Json  # RegisterTaskDefinition's parameters; its tags without Teal's
    is_greens_own: bool = (
        False  # only green runs it; blue takes the revision over that does not know its colour
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """The state of the world before a rollout, as read from AWS with read-only calls."""

    account: str
    region: str
    blue: ServiceSeen
    controller: str  # ECS | CODE_DEPLOY | EXTERNAL
    strategy: str  # ROLLING | BLUE_GREEN | LINEAR | CANARY
    scheduling: str  # REPLICA | DAEMON
    unclonable: tuple[str, ...]  # features of blue that this version cannot give to green, in words
    unsettled: tuple[str, ...]  # deployments that another tool has under way on blue
    minimum_percent: int
    maximum_percent: int
    template: (
        Json  # CreateService's parameters but for name, task definition, count, groups, token and Teal's tags
    )
    groups: tuple[GroupSurvey, ...]
    rules: tuple[
        RuleSeen, ...
    ]  # every rule, on any listener of blue's load balancers, that forwards to blue's groups
    missing_rules: tuple[str, ...]  # rules or listeners that the file names and AWS does not know
    zones_without_targets: tuple[str, ...] = ()
    revision: TaskDefinitionSeen | None = None  # the wanted one; None: AWS does not know it
    former: TaskDefinitionSeen | None = None
    former_template: str = (
        ""  # canonical JSON: RegisterTaskDefinition's parameters for it, its images by digest
    )
    scaling: ScalingSeen | None = None
    policies: tuple[str, ...] = ()
    scheduled_actions: tuple[str, ...] = ()
    scales: ScalesSeen | None = None  # None: nothing acts on its scalable target, if it has one
    alarms: tuple[AlarmSeen, ...] = ()
    missing_alarms: tuple[str, ...] = ()
    metrics: tuple[
        tuple[str, Series | Unread], ...
    ] = ()  # by name: the last hour of blue's own, by the file's queries
    new_revisions: tuple[NewRevision, ...] = ()  # what is to be registered for this rollout
    registries: tuple[str, ...] = ()  # of service discovery, that blue answers in
    known: str = ""  # the ECS service that the store expected to serve; empty: it expected none
    is_known_gone: bool = False  # and which is not there any more
    rivals: tuple[str, ...] = ()  # other services under the same name that rules give traffic too
    zones: int = 1  # of blue's load balancers, where they were asked for
    revisions_unread: str = (
        ""  # why blue's service revisions could not be read, which alone show some of its features
    )
    groups_per_load_balancer: int = 0  # the fullest of blue's load balancers; the quota is 100
    differences: tuple[Difference, ...] | None = (
        None  # of the wanted revision from blue's; None: one is not known
    )
