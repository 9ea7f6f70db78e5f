"""Copies of alarms and scheduled actions: every parameter that AWS takes has its place."""

import botocore.session
import pytest

from orchestrator.aws.services import scaling_alarms


def members(service: str, operation: str) -> set[str]:
    shape = botocore.session.get_session().get_service_model(service).operation_model(operation).input_shape
    return set(shape.members)


def test_every_parameter_of_an_alarm_is_accounted_for() -> None:
    """A parameter that AWS adds fails this until somebody has decided what becomes of it."""
    assert members("cloudwatch", "PutMetricAlarm") == {*scaling_alarms.COPIED, *scaling_alarms.NOT_COPIED}


KEY = {"ServiceNamespace", "ResourceId", "ScalableDimension"}


@pytest.mark.parametrize(
    ("operation", "known"),
    [
        (
            "PutScalingPolicy",
            {
                "PolicyName",
                "PolicyType",
                "StepScalingPolicyConfiguration",
                "TargetTrackingScalingPolicyConfiguration",
                "PredictiveScalingPolicyConfiguration",
            },
        ),
        (
            "PutScheduledAction",
            {"ScheduledActionName", "Schedule", "Timezone", "StartTime", "EndTime", "ScalableTargetAction"},
        ),
        ("RegisterScalableTarget", {"MinCapacity", "MaxCapacity", "RoleARN", "SuspendedState", "Tags"}),
    ],
)
def test_every_parameter_of_scaling_is_accounted_for(operation: str, known: set[str]) -> None:
    assert members("application-autoscaling", operation) == KEY | known


def test_what_an_alarm_does_besides_scaling_is_not_copied() -> None:
    described = {
        "AlarmName": "busy",
        "Threshold": 5.0,
        "StateValue": "OK",
        "AlarmActions": ["arn:policy", "arn:aws:sns:eu-west-1:1:oncall"],
        "OKActions": ["arn:aws:sns:eu-west-1:1:oncall"],
    }
    seen = scaling_alarms.driver_seen(described, {"arn:policy"})
    assert (seen.settings, seen.actions) == ('{"Threshold":5.0}', (("AlarmActions", ("arn:policy",)),))
