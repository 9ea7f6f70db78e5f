"""Events of EventBridge in AWS's own shapes: what each is about, and which rollouts that concerns."""

import json
from typing import Any

import pytest

from orchestrator.aws.events.eventbridge import NOBODY, key_of, keys_of
from orchestrator.core.domain.phases import Phase
from tests.core.stages import row

CLUSTER = "arn:aws:ecs:eu-west-1:123456789012:cluster/prod"
GREEN = f"{CLUSTER}/checkout-0a1b2c3d"


def event(kind: str, detail: Any, **more: Any) -> str:  # noqa: ANN401 - JSON
    """An event as it stands in a message of the queue."""
    return json.dumps(
        {
            "version": "0",
            "id": "3317b2af-7005-947d-b652-f55e762e571a",
            "detail-type": kind,
            "source": "aws.ecs" if kind.startswith("ECS") else "aws.cloudwatch",
            "account": "123456789012",
            "time": "2026-03-02T12:00:00Z",
            "region": "eu-west-1",
            "resources": [],
            "detail": detail,
            **more,
        }
    )


def task(**changes: Any) -> str:  # noqa: ANN401 - JSON
    """From "Amazon ECS task state change events": a task of green that was stopped."""
    detail = {
        "attachments": [],
        "availabilityZone": "eu-west-1b",
        "clusterArn": CLUSTER,
        "containers": [
            {"containerArn": "…", "exitCode": 137, "lastStatus": "STOPPED", "name": "app", "taskArn": "…"}
        ],
        "createdAt": "2026-03-02T11:40:00.000Z",
        "desiredStatus": "STOPPED",
        "group": "service:checkout-0a1b2c3d",
        "lastStatus": "STOPPED",
        "launchType": "FARGATE",
        "startedBy": "ecs-svc/3241571034958732112",
        "stopCode": "EssentialContainerExited",
        "stoppedReason": "Essential container in task exited",
        "taskArn": "arn:aws:ecs:eu-west-1:123456789012:task/prod/c13b4cb40f1f4fe4a2971f76ae5a47ad",
        "updatedAt": "2026-03-02T12:00:00.000Z",
        "version": 5,
        **changes,
    }
    return event("ECS Task State Change", {key: value for key, value in detail.items() if value is not None})


def of_service(kind: str, resource: str = "service/prod/checkout-0a1b2c3d", **detail: Any) -> str:  # noqa: ANN401
    """From "Amazon ECS service deployment state change events" and "… service action events"."""
    arn = f"arn:aws:ecs:eu-west-1:123456789012:{resource}"
    given = {"eventType": "ERROR", "eventName": "SERVICE_DEPLOYMENT_FAILED", **detail}
    return event(kind, given, resources=[arn])


ALARM = event(
    "CloudWatch Alarm State Change",
    {
        "alarmName": "checkout-5xx",
        "configuration": {"metrics": []},
        "previousState": {"value": "OK", "timestamp": "2026-03-02T11:50:00.000+0000"},
        "state": {
            "value": "ALARM",
            "reason": "Threshold Crossed",
            "timestamp": "2026-03-02T12:00:00.000+0000",
        },
    },
    resources=["arn:aws:cloudwatch:eu-west-1:123456789012:alarm:checkout-5xx"],
)


@pytest.mark.parametrize(
    ("body", "key"),
    [
        pytest.param(task(), GREEN, id="a task that stopped"),
        pytest.param(task(lastStatus="RUNNING", desiredStatus="RUNNING"), GREEN, id="a task that runs"),
        pytest.param(task(lastStatus="RUNNING"), GREEN, id="a task that is to stop"),
        pytest.param(
            task(lastStatus="PENDING", desiredStatus="RUNNING"), NOBODY, id="a task on its way to running"
        ),
        pytest.param(task(group="family:batch"), NOBODY, id="a task of no service"),
        pytest.param(task(group=None), NOBODY, id="a task without a group"),
        pytest.param(of_service("ECS Deployment State Change"), GREEN, id="a deployment"),
        pytest.param(of_service("ECS Service Action"), GREEN, id="an action of a service"),
        pytest.param(
            of_service("ECS Service Action", "service/checkout-0a1b2c3d", clusterArn=CLUSTER),
            GREEN,
            id="a service by its short ARN",
        ),
        pytest.param(ALARM, "alarm:123456789012:eu-west-1:checkout-5xx", id="an alarm"),
        pytest.param(
            event("EC2 Instance State-change Notification", {"state": "running"}), NOBODY, id="others"
        ),
        pytest.param(event("ECS Container Instance State Change", {}), NOBODY, id="others of ECS"),
        pytest.param(event("Scheduled Event", None), NOBODY, id="an event without detail"),
    ],
)
def test_an_event_is_about_a_service_or_an_alarm(body: str, key: str) -> None:
    assert key_of(body) == key


@pytest.mark.parametrize(
    "body",
    [
        "",
        "not JSON",
        "[]",
        "12",
        "null",
        '{"Records": []}',
        '{"detail-type": 1}',
        event("ECS Task State Change", None),
        event("ECS Task State Change", []),
        task(clusterArn=None),
        task(clusterArn=7),
        event("ECS Service Action", {}, resources=[]),
        event("ECS Service Action", {}, resources="x"),
        of_service("ECS Service Action", "task/prod/x"),
        of_service("ECS Service Action", "service/checkout"),
        event("CloudWatch Alarm State Change", {}),
        event("CloudWatch Alarm State Change", {"alarmName": "x"}, account=None),
    ],
)
def test_what_is_no_event_is_told_apart(body: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        key_of(body)


def test_a_rollout_is_concerned_by_both_its_services_and_its_alarms() -> None:
    assert set(keys_of(row(Phase.SHIFTING, weight=100))) == {
        f"{CLUSTER}/checkout",
        GREEN,
        "alarm:123456789012:eu-west-1:checkout-5xx",
    }


def test_a_rollout_whose_blue_is_not_read_yet_is_concerned_by_nothing() -> None:
    assert list(keys_of(row(Phase.PENDING))) == []
