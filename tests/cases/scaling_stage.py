"""What tests of scaling set up and look at in a rehearsal's World, past the adapters."""

import json
from datetime import timedelta
from typing import Any

from sandbox.scenarios.scenery_scaling import KINDS, scale_by
from tests.support.rehearsal import MINUTE, Rehearsal

DIMENSION = "ecs:service:DesiredCount"


def scaled(stage: Rehearsal, *kinds: str, target: float = 50.0) -> Rehearsal:
    """Let these act on the service; unless named, everything that there is. 40 requests a second take a third of it."""
    stage.world.behaviour.requests_per_task = 40
    scale_by(stage.world, stage.scenery, *(kinds or KINDS), target=target)
    return stage


def scaling_of(stage: Rehearsal) -> dict[str, Any]:
    """Everything of Application Auto Scaling in the account, and every alarm, but for states and times."""
    call = stage.world.call
    asked = {"ServiceNamespace": "ecs"}
    alarms = call("cloudwatch", "DescribeAlarms", {})["MetricAlarms"]
    moving = ("State", "AlarmConfiguration", "Evaluation")
    found = {
        "targets": call("application-autoscaling", "DescribeScalableTargets", asked)["ScalableTargets"],
        "policies": call("application-autoscaling", "DescribeScalingPolicies", asked)["ScalingPolicies"],
        "actions": call("application-autoscaling", "DescribeScheduledActions", asked)["ScheduledActions"],
        "alarms": [{k: v for k, v in alarm.items() if not k.startswith(moving)} for alarm in alarms],
    }
    whole: dict[str, Any] = json.loads(json.dumps(found, default=str, sort_keys=True))
    return whole


def target_of(stage: Rehearsal, service: str = "checkout") -> dict[str, Any]:
    """A service's scalable target; empty if it has none."""
    asked = {"ServiceNamespace": "ecs", "ResourceIds": [f"service/prod/{service}"]}
    found = stage.world.call("application-autoscaling", "DescribeScalableTargets", asked)["ScalableTargets"]
    return dict(found[0]) if found else {}


def bounds_of(stage: Rehearsal, service: str = "checkout") -> tuple[int, int]:
    """The bounds of a service's scalable target."""
    target = target_of(stage, service)
    return target["MinCapacity"], target["MaxCapacity"]


def may_scale_in(stage: Rehearsal, service: str = "checkout") -> bool:
    """True unless a service's scale-in is suspended."""
    return not target_of(stage, service)["SuspendedState"]["DynamicScalingInSuspended"]


def somebody(stage: Rehearsal, **params: object) -> None:
    """A colleague registers blue's target anew, as the console and an apply do."""
    key = {"ServiceNamespace": "ecs", "ResourceId": "service/prod/checkout", "ScalableDimension": DIMENSION}
    stage.world.call("application-autoscaling", "RegisterScalableTarget", {**key, **params})


LIFTED = {
    "DynamicScalingInSuspended": False,
    "DynamicScalingOutSuspended": False,
    "ScheduledScalingSuspended": False,
}
PERIOD = MINUTE
TWO_PERIODS: timedelta = 2 * MINUTE
