"""Tasks that somebody runs and stops by hand.

Sources: RunTask and StopTask of the Amazon ECS API reference (ten tasks a call, the default group, what an override may
change, the default strategy of the cluster); "Stopped tasks error codes" of the developer guide (UserInitiated). The
words for a task that is stopped without a reason are not documented.
"""

from collections.abc import Mapping

from sandbox.world.ecs import capacity_providers, views
from sandbox.world.ecs.resources import Definition, Task
from sandbox.world.ecs.state import Containers
from sandbox.world.ecs.tasks import Tasks
from sandbox.world.kernel.errors import AwsRefusal, Json
from sandbox.world.kernel.operation import Operation, only, operation

INVALID = "InvalidParameterException"
_COUNT_MAX = 10
_NO_ROOM = "Capacity is unavailable at this time. Please try again later or in a different availability zone."


class StandaloneTasks:
    """RunTask and StopTask."""

    def __init__(self, containers: Containers, tasks: Tasks) -> None:
        self._all = containers
        self._tasks = tasks

    def operations(self) -> dict[str, Operation]:
        """The operations by their AWS names."""
        return {
            "RunTask": operation(
                self.run,
                "cluster",
                "taskDefinition",
                "count",
                "launchType",
                "capacityProviderStrategy",
                "networkConfiguration",
                "platformVersion",
                "overrides",
                "startedBy",
                "group",
            ),
            "StopTask": operation(self.stop, "cluster", "task", "reason"),
        }

    def run(self, params: Json) -> Json:
        """RunTask: what there is no room for is a failure, not an error."""
        name = self._all.cluster(params.get("cluster"))
        count = params.get("count", 1)
        if not 1 <= count <= _COUNT_MAX:
            raise AwsRefusal(INVALID, f"The count must be from 1 to {_COUNT_MAX}.")
        definition = self._definition(params)
        strategy, launch_type = self._placed_by(params, self._all.clusters[name])
        environment = _environment(params.get("overrides", {}), definition)
        used: list[str] = []
        started: list[Task] = []
        for _ in range(count):
            if not self._tasks.has_room():
                break
            provider = capacity_providers.next_provider(strategy, used)
            used.append(provider)
            task = Task(
                arn=self._all.task_arn(name, self._all.kernel.hex_id(32)),
                service="",
                cluster=name,
                deployment="",
                definition=definition,
                zone="",
                launch_type=launch_type or ("FARGATE" if provider in capacity_providers.FARGATE else "EC2"),
                provider=provider,
                created=self._all.kernel.now,
                group=params.get("group") or f"family:{definition.body['family']}",
                started_by=params.get("startedBy", ""),
                overrides=params.get("overrides", {}),
            )
            self._tasks.start_alone(task, environment)
            started.append(task)
        failures = [{"reason": _NO_ROOM}] * (count - len(started))
        return {"tasks": [views.task(self._all, task) for task in started], "failures": failures}

    def stop(self, params: Json) -> Json:
        """StopTask, of a service's task too, which its service then replaces; one that has stopped is answered."""
        name = self._all.cluster(params.get("cluster"))
        given = params["task"]
        task = self._all.tasks.get(given if given.startswith("arn:") else self._all.task_arn(name, given))
        if task is None or task.cluster != name:
            raise AwsRefusal(INVALID, "The referenced task was not found.")
        reason = params.get("reason") or "Task stopped by user"
        self._tasks.stop(self._all.services.get(task.service), task, code="UserInitiated", reason=reason)
        return {"task": views.task(self._all, task)}

    def _definition(self, params: Json) -> Definition:
        definition = self._all.definition(params["taskDefinition"])
        if definition is None or definition.body["status"] != "ACTIVE":
            raise AwsRefusal("ClientException", "TaskDefinition not found.")
        is_awsvpc = definition.body.get("networkMode") == "awsvpc"
        if is_awsvpc is not ("networkConfiguration" in params):
            raise AwsRefusal(
                INVALID, "Network Configuration goes with networkMode 'awsvpc', and only with it."
            )
        return definition

    def _placed_by(self, params: Json, cluster: Json) -> tuple[list[Json], str]:
        """The strategy, or else the launch type."""
        strategy: list[Json] = params.get("capacityProviderStrategy", [])
        launch_type: str = params.get("launchType", "")
        if strategy and launch_type:
            raise AwsRefusal(
                INVALID, "Specifying both a launch type and capacity provider strategy is not supported."
            )
        if not launch_type:
            strategy = strategy or cluster["defaultCapacityProviderStrategy"]
        capacity_providers.check(strategy, cluster["capacityProviders"])
        return strategy, launch_type or ("" if strategy else "EC2")


def _environment(overrides: Json, definition: Definition) -> Mapping[str, str]:
    """The environment of the first container, with what is said in its place."""
    only(overrides, ("containerOverrides",), "overrides")
    changed: dict[str, Json] = {}
    for each in overrides.get("containerOverrides", ()):
        only(each, ("name", "environment"), "containerOverrides")
        if definition.container(each["name"]) is None:
            raise AwsRefusal(
                INVALID, f"Override for container named {each['name']} is not a container in the task."
            )
        changed[each["name"]] = {pair["name"]: pair["value"] for pair in each.get("environment", ())}
    first = definition.body["containerDefinitions"][0]
    return {pair["name"]: pair["value"] for pair in first["environment"]} | changed.get(first["name"], {})
