"""What ECS tells EventBridge, in the shapes of its documentation.

Sources: "Amazon ECS task state change events", "service deployment state change events", "service action events".
"""

from collections.abc import Callable

from sandbox.world.ecs.resources import Deployment, Service, Task
from sandbox.world.events.bus import Bus
from sandbox.world.kernel.errors import Json
from sandbox.world.kernel.kernel import Kernel

SERVICE_ACTION = "ECS Service Action"
DEPLOYMENT = "ECS Deployment State Change"
TASK = "ECS Task State Change"


class Announcer:
    """Posts ECS's events; costs nothing while no rule listens."""

    def __init__(self, kernel: Kernel, bus: Bus) -> None:
        self._kernel = kernel
        self._bus = bus

    def action(self, service: Service, name: str, *, kind: str = "INFO", **more: str) -> None:
        """ECS Service Action: `kind` is INFO, WARN or ERROR."""
        cluster = _cluster(service.arn)

        def detail() -> Json:
            return {
                "eventType": kind,
                "eventName": name,
                "clusterArn": cluster,
                "createdAt": self._kernel.now,
                **more,
            }

        self._bus.post("aws.ecs", SERVICE_ACTION, [service.arn], detail)

    def deployment(self, service: Service, of: Deployment, name: str) -> None:
        """ECS Deployment State Change: `name` is its end, IN_PROGRESS, COMPLETED or FAILED."""

        def detail() -> Json:
            return {
                "eventType": "ERROR" if name == "FAILED" else "INFO",
                "eventName": f"SERVICE_DEPLOYMENT_{name}",
                "deploymentId": of.id,
                "updatedAt": of.updated,
                "reason": of.reason,
            }

        self._bus.post("aws.ecs", DEPLOYMENT, [service.arn], detail)

    def task(self, task: Task, shown: Callable[[], Json]) -> None:
        """ECS Task State Change: the whole task as DescribeTasks shows it."""

        def detail() -> Json:
            told = shown()
            told.pop("tags", None)
            return told | {"updatedAt": self._kernel.now}

        self._bus.post("aws.ecs", TASK, [task.arn], detail)


def _cluster(service_arn: str) -> str:
    head, _, rest = service_arn.partition(":service/")
    return f"{head}:cluster/{rest.partition('/')[0]}"
