"""ECS's own scheduler: rolling deployments, the circuit breaker and deployment alarms.

Sources: "Amazon ECS services" (rolling update), "How the Amazon ECS deployment circuit breaker detects failures",
"How CloudWatch alarms detect Amazon ECS deployment failures".
"""

from datetime import datetime, timedelta

from sandbox.world.ecs.pace import Counts, breaker_threshold, pace
from sandbox.world.ecs.resources import Deployment, Revision, Rollout, Service, Task
from sandbox.world.ecs.state import Containers
from sandbox.world.ecs.tasks import Tasks
from sandbox.world.elb.state import Group, Target


class Rolling:
    """Moves every service towards what is wanted of it, a little after each change."""

    def __init__(self, containers: Containers, tasks: Tasks) -> None:
        self._all = containers
        self._tasks = tasks
        tasks.on_end = self._ended
        tasks.on_news = self.poke

    def poke(self, service: Service, delay: timedelta | None = None) -> None:
        """Have the scheduler look at the service soon; an earlier look that is due stays."""
        kernel = self._all.kernel
        due = kernel.now + (kernel.settings.scheduler if delay is None else delay)
        if service.timer and service.timer.run is not None:
            if service.timer.at <= due:
                return
            service.timer.cancel()
        service.timer = kernel.at(due, lambda: self._look(service))

    def deploy(
        self, service: Service, revision: Revision, *, reason: str, back_from: Deployment | None = None
    ) -> None:
        """Make `revision` the PRIMARY deployment. `back_from`: the failed one that it takes back."""
        kernel = self._all.kernel
        now = kernel.now
        if back_from is None:
            rollout = Rollout(
                arn=self._all.part_arn(service, "service-deployment", kernel.hex_id(21)),
                created=now,
                updated=now,
                status="IN_PROGRESS",
                reason="",
                source=service.completed,
                target=revision,
                configuration=service.configuration,
            )
            if service.rollouts and service.rollouts[0].finished is None:
                _finish(service.rollouts[0], "STOPPED", "Superseded by a newer deployment", now)
            service.rollouts.insert(0, rollout)
        else:
            rollout = back_from.rollout
            rollout.status, rollout.updated = "ROLLBACK_IN_PROGRESS", now
            rollout.rollback = {"reason": reason, "startedAt": now, "serviceRevisionArn": revision.arn}
        deployment = Deployment(
            id=f"ecs-svc/{kernel.decimal_id()}",
            status="PRIMARY",
            revision=revision,
            rollout=rollout,
            desired=service.desired,
            created=now,
            updated=now,
            reason=reason if back_from else "",
            returning=back_from is not None,
        )
        deployment.reason = deployment.reason or f"ECS deployment {deployment.id} in progress."
        for former in service.deployments:
            former.status = "ACTIVE"
            former.desired = 0
        service.deployments.insert(0, deployment)
        service.definition = revision.definition
        service.load_balancers = revision.settings["loadBalancers"]
        self._all.announcer.deployment(service, deployment, "IN_PROGRESS")
        self.poke(service)

    def desire(self, service: Service, count: int) -> None:
        """Change the desired count: no deployment starts."""
        service.desired = count
        if service.deployments:
            service.primary.desired = count
        self.poke(service)

    def drain(self, service: Service) -> None:
        """The service was deleted: its tasks leave, then it is INACTIVE."""
        service.status = "DRAINING"
        for task in list(service.tasks.values()):
            self._tasks.stop(service, task, code="ServiceSchedulerInitiated", reason=_scaled(service.primary))
        self._settle_deleted(service)

    def target_changed(self, group: Group, target: Target) -> None:
        """A load balancer has changed its mind about a target."""
        task = self._all.tasks.get(target.owner)
        if task is None or task.desired != "RUNNING":
            return
        service = self._all.services[task.service]
        if target.state == "healthy":
            self._became_healthy(service, task)
        elif target.state == "unhealthy":
            self._became_unhealthy(service, task, group, target.reason)
        self.poke(service)

    def alarms_changed(self, in_alarm: set[str]) -> None:
        """Judge every deployment in progress by its service's deployment alarms."""
        for service in self._all.services.values():
            alarms = service.configuration.get("alarms")
            if not alarms or not alarms["enable"] or service.status != "ACTIVE":
                continue
            primary = service.primary
            fired = sorted(in_alarm & set(alarms["alarmNames"]))
            if fired and primary.state == "IN_PROGRESS":
                primary.rollout.triggered_alarms = fired
                self._fail(service, "ECS deployment alarms detected: " + ", ".join(fired), alarms["rollback"])

    def _became_healthy(self, service: Service, task: Task) -> None:
        breaker = service.configuration["deploymentCircuitBreaker"]
        if breaker.get("resetOnHealthyTask", True) and task.deployment == service.primary.id:
            service.primary.failures_in_a_row = 0

    def _became_unhealthy(self, service: Service, task: Task, group: Group, why: str) -> None:
        kernel = self._all.kernel
        assert task.started is not None  # only a running task is registered
        graced = task.started + timedelta(seconds=service.settings.get("healthCheckGracePeriodSeconds", 0))
        if kernel.now < graced:
            kernel.at(graced, lambda: self._still_unhealthy(service, task, group))
            return
        port = task.port
        self._all.tell(
            service, f"(port {port}) is unhealthy in (target-group {group.arn}) due to (reason {why})"
        )
        reason = f"Task failed ELB health checks in (target-group {group.arn})"
        self._tasks.stop(service, task, code="ServiceSchedulerInitiated", reason=reason)
        self._count_failure(service, task)

    def _still_unhealthy(self, service: Service, task: Task, group: Group) -> None:
        target = group.targets.get((task.host, task.port))
        if target and target.state == "unhealthy" and task.desired == "RUNNING":
            self._became_unhealthy(service, task, group, target.reason)
            self.poke(service)

    def _ended(self, service: Service, task: Task, failed: bool) -> None:
        if failed:
            self._all.tell(service, f"has stopped 1 running tasks: (task {task.id}).")
            self._say_of_failure(service, task)
            self._count_failure(service, task)
        if service.status == "DRAINING":
            self._settle_deleted(service)
        else:
            self.poke(service, self._all.kernel.settings.task_retry if failed else None)

    def _say_of_failure(self, service: Service, task: Task) -> None:
        """A task that failed by itself: TASKS_STOPPED, and a service that cannot start its tasks is impaired."""
        self._all.announcer.action(service, "TASKS_STOPPED")
        if task.stop_code == "TaskFailedToStart":
            self._all.announcer.action(service, "SERVICE_TASK_START_IMPAIRED", kind="WARN")

    def _count_failure(self, service: Service, task: Task) -> None:
        if service.status != "ACTIVE":
            return
        primary = service.primary
        primary.steady_since = None
        if task.deployment != primary.id or primary.state != "IN_PROGRESS":
            return
        primary.failed_tasks += 1
        primary.failures_in_a_row += 1
        primary.updated = self._all.kernel.now
        primary.rollout.failures = primary.failed_tasks
        breaker = service.configuration["deploymentCircuitBreaker"]
        threshold = breaker_threshold(service.desired, breaker.get("thresholdConfiguration"))
        if breaker["enable"] and primary.failures_in_a_row >= threshold:
            self._fail(service, "ECS deployment circuit breaker: tasks failed to start.", breaker["rollback"])

    def _fail(self, service: Service, reason: str, rollback: bool) -> None:
        now = self._all.kernel.now
        failed = service.primary
        failed.state, failed.reason, failed.updated = "FAILED", reason, now
        self._all.tell(service, f"(deployment {failed.id}) deployment failed: {reason}")
        self._all.announcer.deployment(service, failed, "FAILED")
        if rollback and not failed.returning and service.completed is not None:
            way_back = (
                reason.split(":")[0] + f": rolling back to the last completed deployment of {service.name}."
            )
            self.deploy(service, service.completed, reason=way_back, back_from=failed)
            self._all.tell(service, f"rolling back to deployment {service.primary.id}.")
        else:
            _finish(failed.rollout, "ROLLBACK_FAILED" if failed.returning else "STOPPED", reason, now)

    def _look(self, service: Service) -> None:
        """One look of the scheduler."""
        service.timer = None
        if service.status != "ACTIVE":
            return
        primary = service.primary
        if self._stops_at_a_hook(service):
            return
        new = [t for t in service.tasks.values() if t.deployment == primary.id and t.desired == "RUNNING"]
        old = [t for t in service.tasks.values() if t.deployment != primary.id and t.desired == "RUNNING"]
        healthy = {t.arn for t in (*new, *old) if self._tasks.is_healthy(service, t)}
        counts = Counts(
            new=len(new),
            new_healthy=sum(t.arn in healthy for t in new),
            old=len(old),
            old_healthy=sum(t.arn in healthy for t in old),
        )
        configuration = service.configuration
        step = pace(
            service.desired, configuration["minimumHealthyPercent"], configuration["maximumPercent"], counts
        )
        self._stop(service, old, healthy, step.stop_old)
        self._stop(service, new, healthy, step.stop_new)
        if primary.state != "FAILED":
            self._start(service, step.start)
        self._conclude(service, counts)

    def _stops_at_a_hook(self, service: Service) -> bool:
        """True if a deployment in progress goes no further than a lifecycle hook before its first task."""
        primary, does = service.primary, self._all.kernel.settings.rolling_hooks
        is_new = primary.state == "IN_PROGRESS" and not primary.returning and service.completed is not None
        if does == "ignored" or not is_new or not service.configuration.get("lifecycleHooks"):
            return False
        if primary.revision is service.completed:
            return False
        if does == "fail":
            self._fail(service, "deployment failed: hook execution failure(s) detected", rollback=True)
        return True

    def _start(self, service: Service, count: int) -> None:
        started: list[str] = []
        for _ in range(count):
            if not self._tasks.has_room():
                self._all.tell(
                    service,
                    "was unable to place a task. Reason: Capacity is unavailable at this time. Please try again"
                    " later or in a different availability zone.",
                )
                self._all.announcer.action(
                    service, "SERVICE_TASK_PLACEMENT_FAILURE", kind="ERROR", reason="RESOURCE:FARGATE"
                )
                self.poke(service, self._all.kernel.settings.placement_retry)
                break
            started.append(f"(task {self._tasks.start(service, service.primary).id})")
        if started:
            self._all.tell(service, f"has started {len(started)} tasks: {' '.join(started)}.")

    def _stop(self, service: Service, tasks: list[Task], healthy: set[str], count: int) -> None:
        now = self._all.kernel.now
        free = [task for task in tasks if not task.is_protected(now)]
        leaving = sorted(free, key=lambda t: (t.arn in healthy, -t.created.timestamp()))[: max(count, 0)]
        if not leaving:
            return
        self._all.tell(
            service,
            f"has stopped {len(leaving)} running tasks: {' '.join(f'(task {t.id})' for t in leaving)}.",
        )
        self._all.announcer.action(service, "TASKS_STOPPED")
        for task in leaving:
            reason = _scaled(next(d for d in service.deployments if d.id == task.deployment))
            self._tasks.stop(service, task, code="ServiceSchedulerInitiated", reason=reason)

    def _conclude(self, service: Service, counts: Counts) -> None:
        """Drop former deployments whose tasks are gone, and see whether the wanted one is complete."""
        alive = {task.deployment for task in service.tasks.values()}
        service.deployments[1:] = [d for d in service.deployments[1:] if d.id in alive]
        primary = service.primary
        steady = len(service.deployments) == 1 and counts.new == counts.new_healthy == service.desired
        if not steady or primary.state != "IN_PROGRESS":
            if not steady:
                primary.steady_since = None
            return
        now = self._all.kernel.now
        if primary.steady_since is None:
            primary.steady_since = now
        bake = self._bake(service)
        if now < primary.steady_since + bake:
            self.poke(service, primary.steady_since + bake - now)
            return
        primary.state, primary.updated = "COMPLETED", now
        primary.reason = f"ECS deployment {primary.id} completed."
        service.completed = primary.revision
        _finish(primary.rollout, "ROLLBACK_SUCCESSFUL" if primary.returning else "SUCCESSFUL", "", now)
        self._all.tell(service, f"(deployment {primary.id}) deployment completed.")
        self._all.tell(service, "has reached a steady state.")
        self._all.announcer.deployment(service, primary, "COMPLETED")
        self._all.announcer.action(service, "SERVICE_STEADY_STATE")

    def _bake(self, service: Service) -> timedelta:
        alarms = service.configuration.get("alarms")
        watched = bool(alarms and alarms["enable"] and alarms["alarmNames"])
        kernel = self._all.kernel
        return (
            kernel.minute * kernel.settings.alarm_bake_minutes
            if watched and service.desired
            else timedelta(0)
        )

    def _settle_deleted(self, service: Service) -> None:
        if service.status == "DRAINING" and not service.tasks:
            kernel = self._all.kernel
            service.status = "INACTIVE"
            service.deployments.clear()
            kernel.after(kernel.settings.inactive_services_kept, lambda: self._forget(service))

    def _forget(self, service: Service) -> None:
        if self._all.services.get(service.arn) is service:
            del self._all.services[service.arn]


def _scaled(deployment: Deployment) -> str:
    return f"Scaling activity initiated by (deployment {deployment.id})"


def _finish(rollout: Rollout, status: str, reason: str, now: datetime) -> None:
    rollout.status, rollout.reason = status, reason
    rollout.finished = rollout.updated = now
