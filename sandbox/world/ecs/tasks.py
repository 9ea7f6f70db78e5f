"""The life of one task: placed, started, registered, drained, stopped, and for an hour remembered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from sandbox.ports import TaskRunner, TaskSpec
from sandbox.world.ecs import capacity_providers, views
from sandbox.world.ecs.resources import Deployment, Service, Task
from sandbox.world.ecs.state import Containers
from sandbox.world.elb.health import Health
from sandbox.world.elb.state import Balancing, Group


@dataclass(slots=True)
class Capacity:
    """Room for tasks in the whole account; None: without end."""

    limit: int | None = None


class Tasks:
    """Starts and ends tasks, and hears of their fate (it is the World's `TaskReports`)."""

    def __init__(self, containers: Containers, balancing: Balancing, health: Health) -> None:
        self._all = containers
        self._balancing = balancing
        self._health = health
        self.capacity = Capacity()
        self.runner: TaskRunner  # set by the World, which makes it last
        self.on_end: Callable[[Service, Task, bool], None] = lambda service, task, failed: None
        """Called when a task has stopped; True if it failed by itself."""
        self.on_news: Callable[[Service], None] = lambda service: None
        """Called when a task's state has changed in a way that the scheduler should look at."""

    def has_room(self) -> bool:
        """True if one more task can be placed."""
        limit = self.capacity.limit
        return limit is None or sum(task.stopped is None for task in self._all.tasks.values()) < limit

    def start(self, service: Service, deployment: Deployment) -> Task:
        """Place a task and have it started."""
        kernel = self._all.kernel
        revision = deployment.revision
        strategy = revision.settings.get("capacityProviderStrategy") or []
        used = [one.provider for one in service.tasks.values() if one.desired == "RUNNING"]
        provider = capacity_providers.next_provider(strategy, used)
        launch_type = "FARGATE" if provider in capacity_providers.FARGATE else "EC2" if provider else ""
        task = Task(
            arn=self._all.task_arn(service.cluster, kernel.hex_id(32)),
            service=service.arn,
            cluster=service.cluster,
            deployment=deployment.id,
            definition=revision.definition,
            zone=self._emptiest_zone(service),
            launch_type=launch_type or revision.settings.get("launchType", ""),
            provider=provider,
            created=kernel.now,
        )
        service.tasks[task.arn] = self._all.tasks[task.arn] = task
        self._announce(task)
        self.runner.start(_spec(service.name, task, revision.settings["loadBalancers"]))
        return task

    def start_alone(self, task: Task, environment: Mapping[str, str]) -> None:
        """Place a task of no service and have it started."""
        task.zone = self._health.zones()[0]
        self._all.tasks[task.arn] = task
        self._announce(task)
        self.runner.start(replace(_spec("", task, []), environment=environment))

    def _announce(self, task: Task) -> None:
        self._all.announcer.task(task, lambda: views.task(self._all, task))

    def stop(self, service: Service | None, task: Task, *, code: str, reason: str) -> None:
        """Deregister a task, wait for its draining, then send SIGTERM. `service`: None where it is of none."""
        if task.desired == "STOPPED":
            return
        task.desired, task.stop_code, task.reason = "STOPPED", code, reason
        task.stopping = self._all.kernel.now
        task.version += 1
        groups = self._groups(service, task) if task.port and service else []
        task.last = "DEACTIVATING" if groups else "STOPPING"
        task.draining = len(groups)
        self._announce(task)
        if not groups:
            self.runner.stop(task.arn)
        if service is None:
            return
        for group in groups:
            self._all.tell(service, f"deregistered 1 targets in (target-group {group.arn})")
            self._health.deregister(group, task.host, task.port, lambda: self._drained(task))
        self.on_news(service)

    def task_running(self, arn: str, *, host: str, port: int) -> None:
        """The task's process runs: register it in its service's target groups."""
        task = self._all.tasks.get(arn)
        if task is None or task.stopped:
            return
        task.host, task.port, task.started = host, port, self._all.kernel.now
        task.version += 1
        if task.desired == "STOPPED":
            return
        task.last = "RUNNING"
        self._announce(task)
        service = self._all.services.get(task.service)
        if service is None:
            return
        for group in self._groups(service, task):
            self._health.register(group, host, port, zone=task.zone, owner=arn)
            self._all.tell(service, f"registered 1 targets in (target-group {group.arn})")
        self.on_news(service)

    def task_stopped(self, arn: str, *, exit_code: int | None, reason: str) -> None:
        """The task's process has ended."""
        task = self._all.tasks.get(arn)
        if task is None or task.stopped:
            return
        kernel = self._all.kernel
        service = self._all.services.get(task.service)
        failed = task.desired == "RUNNING"
        if failed:
            code = (
                "EssentialContainerExited" if task.started or exit_code is not None else "TaskFailedToStart"
            )
            task.desired, task.stop_code, task.stopping = "STOPPED", code, kernel.now
            task.reason = "Essential container in task exited" if code.startswith("Ess") else reason
            for group in self._groups(service, task) if task.port and service else ():
                self._health.deregister(group, task.host, task.port)
        task.last, task.stopped, task.exit_code = "STOPPED", kernel.now, exit_code
        task.version += 1
        if service is not None:
            del service.tasks[arn]
        self._announce(task)
        kernel.after(kernel.settings.stopped_tasks_kept, lambda: self._forget(arn))
        if service is not None:
            self.on_end(service, task, failed)

    def is_healthy(self, service: Service, task: Task) -> bool:
        """True if the task runs and no target group that checks it has reason to doubt it."""
        if task.last != "RUNNING" or task.desired != "RUNNING":
            return False
        for group in self._groups(service, task):
            target = group.targets.get((task.host, task.port))
            if target is None or target.state not in ("healthy", "unused", "unavailable"):
                return False
        return True

    def _emptiest_zone(self, service: Service) -> str:
        """ECS spreads a service over the zones of its subnets."""
        used = [task.zone for task in service.tasks.values() if task.desired == "RUNNING"]
        zones = tuple(self._balancing.zones_of(service.subnets).values()) or self._health.zones()
        return min(zones, key=used.count)

    def _forget(self, arn: str) -> None:
        del self._all.tasks[arn]

    def _drained(self, task: Task) -> None:
        task.draining -= 1
        if task.draining == 0 and task.stopped is None:
            task.last = "STOPPING"
            task.version += 1
            self._announce(task)
            self.runner.stop(task.arn)

    def _groups(self, service: Service, task: Task) -> list[Group]:
        deployment = next((d for d in service.deployments if d.id == task.deployment), None)
        entries = deployment.revision.settings["loadBalancers"] if deployment else service.load_balancers
        found = [self._balancing.groups.get(entry["targetGroupArn"]) for entry in entries]
        return [group for group in found if group is not None]


def _spec(service: str, task: Task, load_balancers: list[dict[str, object]]) -> TaskSpec:
    definition = task.definition
    entry = load_balancers[0] if load_balancers else {}
    name = str(entry.get("containerName", ""))
    container = definition.container(name) or definition.body["containerDefinitions"][0]
    return TaskSpec(
        arn=task.arn,
        service=service,
        task_definition=definition.family_revision,
        container=name,
        container_port=int(str(entry.get("containerPort", 0))),
        environment={entry["name"]: entry["value"] for entry in container["environment"]},
        command=tuple(container.get("command", ())),
        stop_timeout=timedelta(seconds=container.get("stopTimeout", 30)),
    )
