"""Tasks that ask not to be stopped while they work.

Source: "Protect your Amazon ECS tasks from being terminated by scale-in events": neither scaling in nor a deployment
stops a protected task before its protection ends; what has expired protects no more.
"""

from collections.abc import Iterable
from datetime import timedelta

from sandbox.world.ecs.resources import Task
from sandbox.world.ecs.rolling import Rolling
from sandbox.world.ecs.state import Containers
from sandbox.world.kernel.errors import AwsRefusal, Json
from sandbox.world.kernel.operation import Operation, operation

MOST = 100  # tasks of one call
LONGEST = 2880  # minutes
USUAL = 120


class Protection:
    """GetTaskProtection and UpdateTaskProtection."""

    def __init__(self, containers: Containers, rolling: Rolling) -> None:
        self._all = containers
        self._rolling = rolling

    def operations(self) -> dict[str, Operation]:
        """The operations by their AWS names."""
        return {
            "GetTaskProtection": operation(self.get, "cluster", "tasks"),
            "UpdateTaskProtection": operation(
                self.update, "cluster", "tasks", "protectionEnabled", "expiresInMinutes"
            ),
        }

    def get(self, params: Json) -> Json:
        """GetTaskProtection: which of these tasks are protected, and until when."""
        tasks, failures = self._found(params)
        return {"protectedTasks": [self._view(task) for task in tasks], "failures": failures}

    def update(self, params: Json) -> Json:
        """UpdateTaskProtection: for so many minutes, two hours unless said."""
        minutes = params.get("expiresInMinutes", USUAL)
        if not 1 <= minutes <= LONGEST:
            raise AwsRefusal("InvalidParameterException", f"expiresInMinutes must be from 1 to {LONGEST}")
        tasks, failures = self._found(params)
        kernel = self._all.kernel
        until = kernel.now + timedelta(minutes=minutes) if params["protectionEnabled"] else None
        for task in tasks:
            task.protected_until = until
            service = self._all.services.get(task.service)
            if service is not None:
                self._rolling.poke(service)
                if until is not None:
                    kernel.at(until, lambda service=service: self._rolling.poke(service))  # type: ignore[misc]
        return {"protectedTasks": [self._view(task) for task in tasks], "failures": failures}

    def _found(self, params: Json) -> tuple[list[Task], list[Json]]:
        cluster = self._all.cluster(params["cluster"])
        asked: Iterable[str] = params.get("tasks", ())
        if len(list(asked)) > MOST:
            raise AwsRefusal("InvalidParameterException", f"At most {MOST} tasks can be named")
        found, failures = [], []
        for name in asked:
            task = next((t for t in self._all.tasks.values() if name in (t.arn, t.id)), None)
            if task is None or task.cluster != cluster or task.last == "STOPPED":
                failures.append({"arn": name, "reason": "MISSING"})
            else:
                found.append(task)
        return found, failures

    def _view(self, task: Task) -> Json:
        is_protected = task.is_protected(self._all.kernel.now)
        shown: Json = {"taskArn": task.arn, "protectionEnabled": is_protected}
        return shown | ({"expirationDate": task.protected_until} if is_protected else {})
