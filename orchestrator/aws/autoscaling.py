"""Application Auto Scaling: the scalable target of an ECS service, its policies and scheduled actions.

Source of all shapes: Application Auto Scaling API Reference. A service that does not scale has no target: no error.
"""

from collections.abc import Mapping
from typing import Any

from orchestrator.aws.call import Caller
from orchestrator.aws.transport import Answer
from orchestrator.core import effects
from orchestrator.core.observed import Absent, ScalingSeen

DIMENSION = "ecs:service:DesiredCount"


def resource_id(cluster: str, service: str) -> str:
    """How Application Auto Scaling names a service: ``service/<cluster>/<service>``; `cluster` may be an ARN."""
    return f"service/{cluster.rpartition('/')[2]}/{service}"


async def target(call: Caller, cluster: str, service: str) -> ScalingSeen | Absent:
    """A service's scalable target. Raises Outside."""
    found = await _all(
        call, "DescribeScalableTargets", "ScalableTargets", {"ResourceIds": [resource_id(cluster, service)]}
    )
    return scaling_seen(found[0]) if found else Absent()


async def policies(call: Caller, cluster: str, service: str) -> tuple[str, ...]:
    """Names of a service's scaling policies. Raises Outside."""
    found = await _all(
        call, "DescribeScalingPolicies", "ScalingPolicies", {"ResourceId": resource_id(cluster, service)}
    )
    return tuple(policy["PolicyName"] for policy in found)


async def scheduled_actions(call: Caller, cluster: str, service: str) -> tuple[str, ...]:
    """A service's scheduled actions, each as ``name (schedule)``. Raises Outside."""
    found = await _all(
        call, "DescribeScheduledActions", "ScheduledActions", {"ResourceId": resource_id(cluster, service)}
    )
    return tuple(f"{action['ScheduledActionName']} ({action['Schedule']})" for action in found)


def scaling_seen(target: Mapping[str, Any]) -> ScalingSeen:
    """A scalable target as described; what is not said to be suspended is not."""
    suspended = target.get("SuspendedState") or {}
    return ScalingSeen(
        min_capacity=target["MinCapacity"],
        max_capacity=target["MaxCapacity"],
        scale_in_suspended=bool(suspended.get("DynamicScalingInSuspended")),
        scale_out_suspended=bool(suspended.get("DynamicScalingOutSuspended")),
        scheduled_suspended=bool(suspended.get("ScheduledScalingSuspended")),
    )


async def set_scaling(call: Caller, effect: effects.SetScaling) -> None:
    """Write a target's bounds and all three suspensions. Raises Outside.

    AWS moves the present capacity into the bounds at once, also when only a suspension was meant.
    """
    wanted = effect.wanted
    params: Answer = {
        "ServiceNamespace": "ecs",
        "ResourceId": resource_id(effect.cluster, effect.service),
        "ScalableDimension": DIMENSION,
        "MinCapacity": wanted.min_capacity,
        "MaxCapacity": wanted.max_capacity,
        "SuspendedState": {
            "DynamicScalingInSuspended": wanted.scale_in_suspended,
            "DynamicScalingOutSuspended": wanted.scale_out_suspended,
            "ScheduledScalingSuspended": wanted.scheduled_suspended,
        },
    }
    await call.write("application-autoscaling", "RegisterScalableTarget", params)


async def _all(call: Caller, operation: str, items: str, which: Answer) -> list[Answer]:
    params = {"ServiceNamespace": "ecs", "ScalableDimension": DIMENSION, **which}
    return await call.pages("application-autoscaling", operation, params, items=items, token="NextToken")
