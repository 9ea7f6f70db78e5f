"""Tasks without processes: timers on the World's own clock."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from sandbox.ports import TaskReports, TaskSpec
from sandbox.world.elb.health import Health
from sandbox.world.elb.state import Group, Target
from sandbox.world.kernel.kernel import Kernel, Timer
from sandbox.world.tasks.behaviour import LEAK_KILLS, LEAK_SLOWS, Behaviour, Conduct


@dataclass(slots=True, kw_only=True)
class _Running:
    spec: TaskSpec
    conduct: Conduct
    address: tuple[str, int]
    timer: Timer
    running_since: datetime | None = None
    stopping: bool = False


class VirtualTasks:
    """A `TaskRunner` whose tasks start, pass or fail their checks, crash and stop as `Behaviour` says.

    It also makes the health checks: not every one, only those whose result changes a state.
    """

    def __init__(self, kernel: Kernel, reports: TaskReports, health: Health, behaviour: Behaviour) -> None:
        self._kernel = kernel
        self._reports = reports
        self._health = health
        self._behaviour = behaviour
        self._random = Random(kernel.random.getrandbits(32))
        self._tasks: dict[str, _Running] = {}
        self._by_address: dict[tuple[str, int], _Running] = {}
        self._checks: dict[tuple[str, str, int], Timer] = {}
        self._placed = 0
        self._outage: tuple[float, datetime | None] = (0.0, None)
        self._unhealthy_until: datetime | None = None
        health.on_watch = self._watch

    def start(self, spec: TaskSpec) -> None:
        """Begin to start a task."""
        conduct = self._behaviour.conduct(spec, self._random.random())
        self._placed += 1
        address = (f"10.0.{self._placed // 250 % 250}.{self._placed % 250 + 4}", spec.container_port or 8080)
        timer = self._kernel.after(conduct.start, lambda: self._started(spec.arn))
        self._tasks[spec.arn] = _Running(spec=spec, conduct=conduct, address=address, timer=timer)

    def stop(self, arn: str) -> None:
        """Begin to stop a task."""
        task = self._tasks.get(arn)
        if task is None or task.stopping:
            return
        task.stopping = True
        task.timer.cancel()
        task.timer = self._kernel.after(task.conduct.stops_in, lambda: self._end(arn, 0, "stopped as told"))

    def crash(self, arn: str, *, exit_code: int = 1) -> None:
        """A running task dies now."""
        if arn in self._tasks:
            self._end(arn, exit_code, "crashed")

    def change(self, arn: str, **conduct: object) -> None:
        """Change what a running task does, for instance ``never_healthy=True`` or ``error_rate=1.0``."""
        task = self._tasks[arn]
        task.conduct = replace(task.conduct, **conduct)  # type: ignore[arg-type]  # replace checks the names itself
        for group in self._health.groups_with(*task.address):
            self._watch(group, group.targets[task.address])

    def conduct_at(self, host: str, port: int) -> Conduct | None:
        """What answers at an address, as it is now; None if nothing does."""
        task = self._by_address.get((host, port))
        if task is None:
            return None
        leaks_after = task.conduct.leaks_after
        if leaks_after is None or task.running_since is None:
            return task.conduct
        leaking = (self._kernel.now - task.running_since - leaks_after) / timedelta(seconds=1)
        return replace(task.conduct, latency=task.conduct.latency + max(0.0, leaking) * LEAK_SLOWS)

    def fail_all(self, rate: float, *, until: datetime | None = None) -> None:
        """What every task depends on fails: each answers this share of its requests with an error, until then.

        Zero ends it. Neither colour is to blame.
        """
        self._outage = (rate, until)

    def fail_checks(self, until: datetime) -> None:
        """What every task's health check depends on is away: no check passes until then, of whichever task."""
        self._unhealthy_until = until
        for task in self._by_address.values():
            for group in self._health.groups_with(*task.address):
                self._watch(group, group.targets[task.address])

    def outage_rate(self) -> float:
        """The share of requests that every task fails now because of what all depend on."""
        rate, until = self._outage
        return rate if until is None or self._kernel.now < until else 0.0

    def _started(self, arn: str) -> None:
        task = self._tasks[arn]
        if task.conduct.start_failure:
            self._end(arn, None, task.conduct.start_failure)
            return
        task.running_since = self._kernel.now
        self._by_address[task.address] = task
        if task.conduct.crashes_after is not None:
            task.timer = self._kernel.after(task.conduct.crashes_after, lambda: self._end(arn, 1, "crashed"))
        elif task.conduct.leaks_after is not None:
            killed_after = task.conduct.leaks_after + LEAK_KILLS
            task.timer = self._kernel.after(
                killed_after,
                lambda: self._end(arn, 137, "OutOfMemoryError: container killed due to memory usage"),
            )
        self._reports.task_running(arn, host=task.address[0], port=task.address[1])

    def _end(self, arn: str, exit_code: int | None, reason: str) -> None:
        task = self._tasks.pop(arn)
        task.timer.cancel()
        self._by_address.pop(task.address, None)
        self._reports.task_stopped(arn, exit_code=exit_code, reason=reason)

    def _watch(self, group: Group, target: Target) -> None:
        """Begin to check a target, half an interval from now."""
        self._check_in(group, target, timedelta(seconds=group.settings["HealthCheckIntervalSeconds"]) / 2)

    def _check_in(self, group: Group, target: Target, delay: timedelta) -> None:
        key = (group.arn, target.host, target.port)
        former = self._checks.get(key)
        if former:
            former.cancel()
        self._checks[key] = self._kernel.after(delay, lambda: self._check(group, target))

    def _check(self, group: Group, target: Target) -> None:
        """Make a check; the next one only if it can change something."""
        self._checks.pop((group.arn, target.host, target.port), None)
        task = self._by_address.get((target.host, target.port))
        if task is None or target.state not in ("initial", "healthy", "unhealthy"):
            return
        assert task.running_since is not None  # it has an address
        passes_in = task.running_since + task.conduct.passes_after - self._kernel.now
        is_away = self._unhealthy_until is not None and self._kernel.now < self._unhealthy_until
        flaps_after = task.conduct.flaps_after
        flaps_in = None if flaps_after is None else task.running_since + flaps_after - self._kernel.now
        has_flapped = flaps_in is not None and flaps_in <= timedelta(0)
        is_well = passes_in <= timedelta(0) and not is_away and not has_flapped
        passed = not task.conduct.never_healthy and is_well
        self._health.check(
            group,
            target.host,
            target.port,
            passed=passed,
            reason="" if passed else self._behaviour.unhealthy_reason,
        )
        interval = timedelta(seconds=group.settings["HealthCheckIntervalSeconds"])
        if target.state != ("healthy" if passed else "unhealthy"):
            self._check_in(group, target, interval)
        elif passed and flaps_in is not None:
            self._check_in(group, target, max(interval, flaps_in))
        elif not passed and not task.conduct.never_healthy and not has_flapped:
            self._check_in(group, target, max(interval, passes_in))
