"""Application Auto Scaling: the scalable target of an ECS service, its policies and scheduled actions.

Source of all shapes: Application Auto Scaling API Reference. A service that does not scale has no target: no error.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from orchestrator.aws.client.call import Caller, chunks
from orchestrator.aws.client.concurrent import side_by_side
from orchestrator.aws.client.transport import Answer
from orchestrator.aws.services import scaling_alarms
from orchestrator.core.cloud import effects
from orchestrator.core.cloud.forward_action import canonical
from orchestrator.core.cloud.resources import (
    Absent,
    PolicySeen,
    ScalesSeen,
    ScalingSeen,
    ScheduleSeen,
    Unread,
)
from orchestrator.core.domain.errors import Missing

DIMENSION = "ecs:service:DesiredCount"
TARGETS_PER_CALL = 50
CONFIGURATIONS = {
    "StepScaling": "StepScalingPolicyConfiguration",
    "TargetTrackingScaling": "TargetTrackingScalingPolicyConfiguration",
    "PredictiveScaling": "PredictiveScalingPolicyConfiguration",
}
"""The member that a policy of each type is configured by."""


def resource_id(cluster: str, service: str) -> str:
    """How Application Auto Scaling names a service: ``service/<cluster>/<service>``; `cluster` may be an ARN."""
    return f"service/{cluster.rpartition('/')[2]}/{service}"


async def target(call: Caller, cluster: str, service: str) -> ScalingSeen | Absent:
    """A service's scalable target. Raises Outside."""
    found = await _targets(call, [resource_id(cluster, service)])
    return scaling_seen(found[0]) if found else Absent()


async def targets(
    call: Caller, cluster: str, services: Iterable[str]
) -> dict[str, ScalingSeen | Absent | Unread]:
    """Services' scalable targets, by the services' names. Raises Outside."""
    named = {resource_id(cluster, service): service for service in services}
    found: dict[str, ScalingSeen | Absent | Unread] = {service: Absent() for service in named.values()}
    for batch in chunks(tuple(named), TARGETS_PER_CALL):
        for each in await _targets(call, list(batch)):
            found[named[each["ResourceId"]]] = scaling_seen(each)
    return found


async def scales(
    call: Caller, cluster: str, service: str, *, alarms: tuple[str, ...] = (), are_tags_read: bool = False
) -> ScalesSeen:
    """Everything that scales a service, with the alarms that drive it: those of its policies, and `alarms`.

    A target that nothing acts on has no tags worth a call. Raises Outside.
    """
    resource = resource_id(cluster, service)
    async with side_by_side() as reads:
        listed = reads.create_task(_targets(call, [resource]))
        policies = reads.create_task(_policies(call, resource))
        actions = reads.create_task(_actions(call, resource))
    found = listed.result()
    stepped = [policy for policy in policies.result() if policy["PolicyType"] == "StepScaling"]
    shown = (a["AlarmName"] for policy in stepped for a in policy.get("Alarms", ()))
    names = tuple(dict.fromkeys((*alarms, *shown)))
    driven = await scaling_alarms.drivers(call, names, {policy["PolicyARN"] for policy in stepped})
    seen = ScalesSeen(
        target=scaling_seen(found[0]) if found else None,
        policies=tuple(policy_seen(policy) for policy in policies.result()),
        schedules=tuple(schedule_seen(action) for action in actions.result()),
        drivers=driven,
    )
    arn = found[0].get("ScalableTargetARN") if found and seen.is_driven and are_tags_read else None
    return replace(seen, tags=await _tags(call, arn)) if arn else seen


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


def policy_seen(policy: Mapping[str, Any]) -> PolicySeen:
    """A scaling policy as described."""
    kind = policy["PolicyType"]
    return PolicySeen(
        name=policy["PolicyName"],
        kind=kind,
        configuration=canonical(policy[CONFIGURATIONS[kind]]),
        arn=policy["PolicyARN"],
    )


def schedule_seen(action: Mapping[str, Any]) -> ScheduleSeen:
    """A scheduled action as described."""
    bounds = action.get("ScalableTargetAction") or {}
    return ScheduleSeen(
        name=action["ScheduledActionName"],
        schedule=action["Schedule"],
        zone=action.get("Timezone", ""),
        start=_moment(action.get("StartTime")),
        end=_moment(action.get("EndTime")),
        min_capacity=bounds.get("MinCapacity"),
        max_capacity=bounds.get("MaxCapacity"),
    )


async def set_scaling(call: Caller, effect: effects.SetScaling) -> None:
    """Write a target's bounds and all three suspensions; one that is not there is registered. Raises Outside.

    AWS moves the present capacity into the bounds at once, also when only a suspension was meant.
    """
    wanted = effect.wanted
    params: Answer = {
        **_key(effect.cluster, effect.service),
        "MinCapacity": wanted.min_capacity,
        "MaxCapacity": wanted.max_capacity,
        "SuspendedState": {
            "DynamicScalingInSuspended": wanted.scale_in_suspended,
            "DynamicScalingOutSuspended": wanted.scale_out_suspended,
            "ScheduledScalingSuspended": wanted.scheduled_suspended,
        },
    }
    if effect.tags:
        params["Tags"] = dict(effect.tags)
    await call.write("application-autoscaling", "RegisterScalableTarget", params)


async def deregister(call: Caller, effect: effects.DeregisterScaling) -> None:
    """Take a target away, with its policies and scheduled actions; one that is gone is done. Raises Outside."""
    try:
        await call.write(
            "application-autoscaling", "DeregisterScalableTarget", _key(effect.cluster, effect.service)
        )
    except Missing:
        return


async def put_policy(call: Caller, effect: effects.PutScalingPolicy) -> None:
    """Make a policy, or give it this configuration. Raises Outside."""
    params = {
        **_key(effect.cluster, effect.service),
        "PolicyName": effect.name,
        "PolicyType": effect.policy_type,
        CONFIGURATIONS[effect.policy_type]: json.loads(effect.configuration),
    }
    await call.write("application-autoscaling", "PutScalingPolicy", params)


async def put_action(call: Caller, effect: effects.PutScheduledAction) -> None:
    """Make a scheduled action. Raises Outside.

    On an update, leaving StartTime and EndTime out deletes the former ones: what is asked for is all there is.
    """
    wanted = effect.action
    bounds = {"MinCapacity": wanted.min_capacity, "MaxCapacity": wanted.max_capacity}
    params: Answer = {
        **_key(effect.cluster, effect.service),
        "ScheduledActionName": wanted.name,
        "Schedule": wanted.schedule,
        "ScalableTargetAction": {name: value for name, value in bounds.items() if value is not None},
    }
    times = {"Timezone": wanted.zone or None, "StartTime": wanted.start, "EndTime": wanted.end}
    params |= {name: value for name, value in times.items() if value is not None}
    await call.write("application-autoscaling", "PutScheduledAction", params)


async def _targets(call: Caller, resources: list[str]) -> list[Answer]:
    return await _all(call, "DescribeScalableTargets", "ScalableTargets", {"ResourceIds": resources})


async def _policies(call: Caller, resource: str) -> list[Answer]:
    return await _all(call, "DescribeScalingPolicies", "ScalingPolicies", {"ResourceId": resource})


async def _actions(call: Caller, resource: str) -> list[Answer]:
    return await _all(call, "DescribeScheduledActions", "ScheduledActions", {"ResourceId": resource})


async def _tags(call: Caller, arn: str) -> tuple[tuple[str, str], ...]:
    """A target's tags, but for AWS's own and Teal's."""
    asked = {"ResourceARN": arn}
    try:
        answer = await call.read("application-autoscaling", "ListTagsForResource", asked, has="Tags")
    except Missing:
        return ()
    tags = answer["Tags"].items()
    return tuple(sorted((k, v) for k, v in tags if not k.startswith(("aws:", "teal:"))))


async def _all(call: Caller, operation: str, items: str, which: Answer) -> list[Answer]:
    params = {"ServiceNamespace": "ecs", "ScalableDimension": DIMENSION, **which}
    return await call.pages("application-autoscaling", operation, params, items=items, token="NextToken")


def _key(cluster: str, service: str) -> Answer:
    return {
        "ServiceNamespace": "ecs",
        "ResourceId": resource_id(cluster, service),
        "ScalableDimension": DIMENSION,
    }


def _moment(given: datetime | None) -> datetime | None:
    return given.astimezone(UTC) if given else None
