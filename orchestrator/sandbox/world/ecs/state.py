"""What the account's ECS is made of."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime

from orchestrator.sandbox.world.ecs.announce import Announcer
from orchestrator.sandbox.world.errors import AwsRefusal, Json
from orchestrator.sandbox.world.events.bus import Bus
from orchestrator.sandbox.world.kernel import Kernel, Timer
from orchestrator.sandbox.world.stale import Stale


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
    healthy_once: bool = False
    protected_until: datetime | None = None  # ECS does not stop it of itself before then
    draining: int = 0  # target groups it still has to leave before SIGTERM
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


class Containers:
    """Every cluster, task definition, service and task of the account."""

    def __init__(self, kernel: Kernel, bus: Bus) -> None:
        self.kernel = kernel
        self.announcer = Announcer(kernel, bus)
        self.clusters: dict[str, Json] = {}  # by name
        self.definitions: dict[str, list[Definition]] = {}  # by family
        self.services: dict[str, Service] = {}  # by ARN
        self.tasks: dict[str, Task] = {}  # by ARN, stopped ones for a while
        self.revisions: dict[str, Revision] = {}
        self.service_views: Stale[Json | None] = Stale(kernel)  # what a slow reader still sees; None: MISSING

    def cluster(self, given: str | None) -> str:
        """The name of a cluster given by name or ARN. Raises AwsRefusal ClusterNotFoundException."""
        name = (given or "default").rsplit("/", 1)[-1]
        if name not in self.clusters:
            raise AwsRefusal("ClusterNotFoundException", "Cluster not found.")
        return name

    def find_service(self, cluster: str, given: str) -> Service | None:
        """A service of the cluster by name or ARN, whatever its status."""
        if given.startswith("arn:"):
            service = self.services.get(given)
            return service if service and service.cluster == cluster else None
        return self.services.get(self.service_arn(cluster, given))

    def service(self, cluster: str, given: str) -> Service:
        """A service that exists and has not ended. Raises AwsRefusal."""
        service = self.find_service(cluster, given)
        if service is None:
            raise AwsRefusal("ServiceNotFoundException", "Service not found.")
        if service.status != "ACTIVE":
            raise AwsRefusal("ServiceNotActiveException", "Service was not ACTIVE.")
        return service

    def service_arn(self, cluster: str, name: str) -> str:
        """The ARN in its long form."""
        return self.kernel.arn("ecs", f"service/{cluster}/{name}")

    def definition(self, given: str) -> Definition | None:
        """A task definition by ARN, ``family:revision`` or family (its latest active one)."""
        family, _, revision = given.rsplit("/", 1)[-1].partition(":")
        known = self.definitions.get(family, [])
        if not revision:
            return next((d for d in reversed(known) if d.body["status"] == "ACTIVE"), None)
        return next((d for d in known if str(d.body["revision"]) == revision), None)

    def tell(self, service: Service, message: str) -> None:
        """Add to the service's `events`."""
        event = {
            "id": self.kernel.uuid(),
            "createdAt": self.kernel.now,
            "message": f"(service {service.name}) {message}",
        }
        service.events.appendleft(event)
