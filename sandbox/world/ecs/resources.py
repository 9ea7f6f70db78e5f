"""ECS's own things, as the World keeps them: services, their deployments, and tasks."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime

from sandbox.world.kernel.errors import Json
from sandbox.world.kernel.kernel import Timer


@dataclass(slots=True, kw_only=True)
class Definition:
    """A registered task definition; `body` is what DescribeTaskDefinition shows."""

    arn: str
    body: Json
    tags: list[Json]

    @property
    def family_revision(self) -> str:
        """``family:revision``."""
        return self.arn.rsplit("/", 1)[1]

    def container(self, name: str) -> Json | None:
        """The container definition of that name."""
        return next((c for c in self.body["containerDefinitions"] if c["name"] == name), None)


@dataclass(slots=True, kw_only=True)
class Revision:
    """A service revision: everything a deployment brings. `settings` as CreateService spells them."""

    arn: str
    created: datetime
    definition: Definition
    settings: Json


@dataclass(slots=True, kw_only=True)
class Rollout:
    """A service deployment, as ListServiceDeployments keeps it: one attempt, with the way back if there was one."""

    arn: str
    created: datetime
    updated: datetime
    status: str
    reason: str
    source: Revision | None
    target: Revision
    configuration: Json
    finished: datetime | None = None
    rollback: Json | None = None
    failures: int = 0
    triggered_alarms: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Deployment:
    """One entry of a service's `deployments`: PRIMARY, or ACTIVE while its last tasks leave."""

    id: str
    status: str
    revision: Revision
    rollout: Rollout
    desired: int
    created: datetime
    updated: datetime
    state: str = "IN_PROGRESS"
    reason: str = ""
    failed_tasks: int = 0
    failures_in_a_row: int = 0  # what the circuit breaker counts
    returning: bool = False  # it puts the last completed revision back
    steady_since: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Task:
    """One ECS task."""

    arn: str
    service: str
    cluster: str
    deployment: str
    definition: Definition
    zone: str
    launch_type: str
    provider: str = ""  # the capacity provider that it was placed by
    created: datetime
    last: str = "PROVISIONING"
    desired: str = "RUNNING"
    host: str = ""
    port: int = 0
    started: datetime | None = None
    stopping: datetime | None = None
    stopped: datetime | None = None
    stop_code: str = ""
    reason: str = ""
    exit_code: int | None = None
    protected_until: datetime | None = None  # ECS does not stop it of itself before then
    draining: int = 0  # target groups it still has to leave before SIGTERM
    group: str = ""  # of a task that somebody runs by hand; a service's is in the group of its service
    started_by: str = ""  # likewise; else its deployment
    overrides: Json = field(default_factory=dict)
    version: int = 1

    @property
    def id(self) -> str:
        """The last part of its ARN."""
        return self.arn.rsplit("/", 1)[1]

    def is_protected(self, now: datetime) -> bool:
        """True while ECS must not stop it of itself."""
        return self.protected_until is not None and now < self.protected_until


@dataclass(slots=True, kw_only=True)
class Service:
    """An ECS service. `settings` are the CreateService members that are kept as they were given."""

    arn: str
    name: str
    cluster: str
    created: datetime
    status: str
    desired: int
    settings: Json
    configuration: Json
    definition: Definition
    load_balancers: list[Json]
    tags: dict[str, str]
    token: tuple[str, Json] | None
    deployments: list[Deployment] = field(default_factory=list)
    rollouts: list[Rollout] = field(default_factory=list)  # newest first
    completed: Revision | None = None
    tasks: dict[str, Task] = field(default_factory=dict)  # without stopped ones
    events: deque[Json] = field(default_factory=lambda: deque(maxlen=100))  # newest first
    timer: Timer | None = None

    @property
    def subnets(self) -> list[str]:
        """The subnets that its tasks get their addresses from; none without a network of their own."""
        network: Json = self.settings.get("networkConfiguration", {}).get("awsvpcConfiguration", {})
        return list(network.get("subnets", ()))

    @property
    def primary(self) -> Deployment:
        """The deployment that is wanted."""
        return self.deployments[0]
