"""What the account's ECS is made of."""

from sandbox.world.ecs.announce import Announcer
from sandbox.world.ecs.resources import Definition, Revision, Service, Task
from sandbox.world.events.bus import Bus
from sandbox.world.kernel.errors import AwsRefusal, Json
from sandbox.world.kernel.kernel import Kernel
from sandbox.world.kernel.stale import Stale


class Containers:
    """Every cluster, task definition, service and task of the account."""

    def __init__(self, kernel: Kernel, bus: Bus) -> None:
        self.kernel = kernel
        self.announcer = Announcer(kernel, bus)
        self.long_arns = {
            "serviceLongArnFormat": not kernel.settings.short_arns,
            "taskLongArnFormat": not kernel.settings.short_arns,
        }
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
        return next(
            (found for arn in self._arns(cluster, given) if (found := self.find_service(cluster, arn))), None
        )

    def service(self, cluster: str, given: str) -> Service:
        """A service that exists and has not ended. Raises AwsRefusal."""
        service = self.find_service(cluster, given)
        if service is None:
            raise AwsRefusal("ServiceNotFoundException", "Service not found.")
        if service.status != "ACTIVE":
            raise AwsRefusal("ServiceNotActiveException", "Service was not ACTIVE.")
        return service

    def service_arn(self, cluster: str, name: str) -> str:
        """The ARN of a service that is made now."""
        return self._arns(cluster, name)[0 if self.long_arns["serviceLongArnFormat"] else 1]

    def _arns(self, cluster: str, name: str) -> tuple[str, str]:
        """Its ARN in the long and in the short form."""
        long, short = f"service/{cluster}/{name}", f"service/{name}"
        return self.kernel.arn("ecs", long), self.kernel.arn("ecs", short)

    def part_arn(self, service: Service, kind: str, end: str) -> str:
        """The ARN of a service's deployment or revision, which always names the cluster."""
        return self.kernel.arn("ecs", f"{kind}/{service.cluster}/{service.name}/{end}")

    def service_of_part(self, arn: str) -> Service | None:
        """The service of a deployment or revision, by its ARN."""
        parts = arn.split("/")
        return self.find_service(parts[1], parts[2]) if len(parts) == 4 else None

    def task_arn(self, cluster: str, id: str) -> str:
        """The ARN of a task that is started now."""
        return self.kernel.arn(
            "ecs", f"task/{cluster}/{id}" if self.long_arns["taskLongArnFormat"] else f"task/{id}"
        )

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
