"""Somebody else behind blue's own target group: its weight would move their traffic too."""

from collections.abc import Iterator

import pytest

from orchestrator.core.domain.phases import Phase
from tests.cases.looks import tasks_of
from tests.cases.starts import refused
from tests.support.rehearsal import Rehearsal


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    with Rehearsal(requests_per_second=20) as rehearsal:
        yield rehearsal


def test_case_08_a_target_that_somebody_registered_by_hand_is_refused_by_its_address(
    stage: Rehearsal,
) -> None:
    """A host beside the service's tasks: it gets traffic by the same weight, and no revision."""
    group = stage.scenery.target_group
    targets = {"TargetGroupArn": group, "Targets": [{"Id": "10.9.9.9", "Port": 8080}]}
    stage.world.call("elbv2", "RegisterTargets", targets)
    words = refused(stage, stage.spec(stage.revision()))
    assert "target group checkout-blue holds 1 target besides the service's tasks: 10.9.9.9" in words
    stage.world.call("elbv2", "DeregisterTargets", targets)
    assert stage.start(stage.spec(stage.revision()))


def test_case_08_another_service_in_the_same_target_group_is_refused(stage: Rehearsal) -> None:
    """Its tasks are not blue's: green would take over only what blue's own tasks answer."""
    scenery = stage.scenery
    stage.world.call(
        "ecs",
        "CreateService",
        {
            "cluster": "prod",
            "serviceName": "twin",
            "taskDefinition": scenery.task_definition,
            "desiredCount": 2,
            "launchType": "FARGATE",
            "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-0aaa"]}},
            "loadBalancers": [
                {
                    "targetGroupArn": scenery.target_group,
                    "containerName": scenery.container,
                    "containerPort": scenery.container_port,
                }
            ],
        },
    )
    stage.let_run(2 * stage.world.minute)
    words = refused(stage, stage.spec(stage.revision()))
    assert "target group checkout-blue holds 2 targets besides the service's tasks" in words
    assert "give whatever answers there a target group of its own" in words


def test_case_08_a_task_that_just_stopped_is_no_stranger(stage: Rehearsal) -> None:
    """Tasks come and go while they are read: one whose target is still listed is known as a stopped one."""
    stage.world.virtual_tasks.crash(tasks_of(stage)[0])
    rollout = stage.start(stage.spec(stage.revision()))
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
