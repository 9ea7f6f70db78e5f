"""Tasks that somebody runs and stops by hand, and the capacity providers that place tasks."""

from typing import Any

import pytest

from sandbox.world import AwsRefusal
from tests.sandbox.world.places import Shop, Wire, calm, seconds, shop

CLUSTER = {"cluster": "prod"}
MIXED = [
    {"capacityProvider": "FARGATE", "base": 1, "weight": 1},
    {"capacityProvider": "FARGATE_SPOT", "weight": 3},
]


def run(s: Shop, **more: object) -> Wire:
    params = {"taskDefinition": s.scenery.task_definition, "launchType": "FARGATE", **CLUSTER, **more}
    params["networkConfiguration"] = s.service()["networkConfiguration"]
    return s.world.call("ecs", "RunTask", {k: v for k, v in params.items() if v is not None})


def seen(s: Shop, *tasks: Wire) -> list[Wire]:
    arns = [task["taskArn"] for task in tasks]
    return list(s.world.call("ecs", "DescribeTasks", {**CLUSTER, "tasks": arns})["tasks"])


def stop(s: Shop, task: Wire, **more: str) -> Wire:
    return s.world.call("ecs", "StopTask", {**CLUSTER, "task": task["taskArn"], **more})["task"]


def providers(s: Shop, *names: str, default: Any = ()) -> None:  # noqa: ANN401 - a strategy on the wire
    params = {**CLUSTER, "capacityProviders": list(names), "defaultCapacityProviderStrategy": list(default)}
    s.world.call("ecs", "PutClusterCapacityProviders", params)


def test_a_task_runs_beside_the_services_and_ends_when_it_is_stopped() -> None:
    s = shop()
    (task,) = run(s, startedBy="me")["tasks"]
    assert (task["group"], task["startedBy"]) == ("family:checkout", "me")
    s.world.advance(seconds(6))
    assert seen(s, task)[0]["lastStatus"] == "RUNNING"
    assert s.service()["runningCount"] == 3, "it is no task of the service"
    assert len(s.states()) == 3, "nothing registers it"
    listed = s.world.call("ecs", "ListTasks", {**CLUSTER, "startedBy": "me"})["taskArns"]
    assert listed == [task["taskArn"]]
    assert stop(s, task, reason="enough")["desiredStatus"] == "STOPPED"
    s.world.advance(seconds(2))
    ended = seen(s, task)[0]
    assert (ended["lastStatus"], ended["stopCode"], ended["stoppedReason"]) == (
        "STOPPED",
        "UserInitiated",
        "enough",
    )


def test_a_tasks_environment_can_be_overridden_and_its_end_is_nobodys_to_replace() -> None:
    s = shop()
    crash = [{"name": "checkout", "environment": [{"name": "TEAL_DEMO_CRASH_AFTER", "value": "1"}]}]
    (task,) = run(s, overrides={"containerOverrides": crash})["tasks"]
    s.world.advance(seconds(10))
    ended = seen(s, task)[0]
    assert (ended["stopCode"], ended["overrides"]["containerOverrides"]) == (
        "EssentialContainerExited",
        crash,
    )
    assert s.service()["runningCount"] == 3


def test_a_task_of_a_service_that_somebody_stops_is_drained_and_replaced() -> None:
    s = shop()
    before = s.world.call("ecs", "ListTasks", {**CLUSTER, "serviceName": "checkout"})["taskArns"]
    stop(s, {"taskArn": before[0]})
    assert "draining" in s.states()
    s.world.advance(seconds(60))
    after = s.world.call("ecs", "ListTasks", {**CLUSTER, "serviceName": "checkout"})["taskArns"]
    assert len(after) == 3
    assert before[0] not in after


def test_what_has_no_room_is_a_failure_and_no_error() -> None:
    s = shop()
    s.world.capacity.limit = 4
    answer = run(s, count=3)
    assert (len(answer["tasks"]), len(answer["failures"])) == (1, 2)


@pytest.mark.parametrize("wrong", [{"count": 11}, {"count": 0}, {"capacityProviderStrategy": MIXED}], ids=str)
def test_a_task_that_cannot_be_run_so_is_refused(wrong: Wire) -> None:
    with pytest.raises(AwsRefusal, match="InvalidParameterException"):
        run(shop(), **wrong)


def test_an_unknown_task_cannot_be_stopped() -> None:
    s = shop()
    with pytest.raises(AwsRefusal, match="was not found"):
        stop(s, {"taskArn": "0" * 32})


def test_a_strategy_places_its_base_first_and_then_by_weight() -> None:
    s = shop()
    providers(s, "FARGATE", "FARGATE_SPOT")
    tasks = run(s, count=5, launchType=None, capacityProviderStrategy=MIXED)["tasks"]
    names = [task["capacityProviderName"] for task in tasks]
    assert (names[0], names.count("FARGATE"), names.count("FARGATE_SPOT")) == ("FARGATE", 2, 3)
    assert {task["launchType"] for task in tasks} == {"FARGATE"}


def test_a_service_without_strategy_and_launch_type_gets_the_clusters_own() -> None:
    s = shop()
    providers(s, "FARGATE", "FARGATE_SPOT", default=MIXED)
    group = s.group("green")
    s.split(blue=1, green=0)
    params = s.green_params(group)
    del params["launchType"]
    made = s.world.call("ecs", "CreateService", params)["service"]
    assert made["capacityProviderStrategy"] == [{"weight": 0, "base": 0, **item} for item in MIXED]
    assert "launchType" not in made
    s.world.advance(seconds(6))
    with pytest.raises(AwsRefusal, match="ResourceInUseException"):
        providers(s, "FARGATE")


@pytest.mark.parametrize(
    "wrong",
    [
        [{"capacityProvider": "mine", "weight": 1}],
        [{"capacityProvider": "FARGATE"}, {"capacityProvider": "FARGATE_SPOT"}],
        [{**MIXED[0]}, {**MIXED[1], "base": 1}],
    ],
    ids=["not of the cluster", "all of weight 0", "two bases"],
)
def test_a_strategy_that_a_cluster_cannot_have_is_refused(wrong: Wire) -> None:
    s = shop()
    with pytest.raises(AwsRefusal, match="InvalidParameterException"):
        providers(s, "FARGATE", "FARGATE_SPOT", default=wrong)


def test_a_cluster_can_be_made_with_its_providers() -> None:
    params = {
        "clusterName": "new",
        "capacityProviders": ["FARGATE"],
        "defaultCapacityProviderStrategy": MIXED[:1],
    }
    made = calm().call("ecs", "CreateCluster", params)["cluster"]
    assert (made["capacityProviders"], made["defaultCapacityProviderStrategy"]) == (["FARGATE"], MIXED[:1])
