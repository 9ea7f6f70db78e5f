"""CloudWatch alarms that make step-scaling policies act: the user's, and Teal's copies of them for green.

Source of all shapes: Amazon CloudWatch API Reference, DescribeAlarms, PutMetricAlarm, DeleteAlarms.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from orchestrator.aws.client.call import Caller, chunks
from orchestrator.aws.client.transport import Answer
from orchestrator.core.cloud import effects
from orchestrator.core.cloud.forward_action import canonical
from orchestrator.core.cloud.resources import DriverSeen
from orchestrator.core.domain.errors import Missing

ALARMS_PER_CALL = 100
ACTIONS = ("OKActions", "AlarmActions", "InsufficientDataActions")
COPIED = (
    "AlarmDescription",
    "ActionsEnabled",
    "MetricName",
    "Namespace",
    "Statistic",
    "ExtendedStatistic",
    "Dimensions",
    "Period",
    "Unit",
    "EvaluationPeriods",
    "DatapointsToAlarm",
    "Threshold",
    "ComparisonOperator",
    "TreatMissingData",
    "EvaluateLowSampleCountPercentile",
    "Metrics",
    "ThresholdMetricId",
    "EvaluationWindow",
    "WarmUpConfiguration",
    "EvaluationCriteria",
    "EvaluationInterval",
)
"""PutMetricAlarm's parameters that a copy has as its original; names, actions and tags are its own."""
NOT_COPIED = ("AlarmName", "Tags", "ActionConfiguration", *ACTIONS)


async def drivers(call: Caller, names: tuple[str, ...], policies: Collection[str]) -> tuple[DriverSeen, ...]:
    """The metric alarms of these names, and what they do about these policies (ARNs). Raises Outside."""
    found: list[DriverSeen] = []
    for batch in chunks(names, ALARMS_PER_CALL):
        asked: Answer = {
            "AlarmNames": list(batch),
            "AlarmTypes": ["MetricAlarm"],
            "MaxRecords": ALARMS_PER_CALL,
        }
        answer = await call.read("cloudwatch", "DescribeAlarms", asked, has="MetricAlarms")
        found.extend(driver_seen(alarm, policies) for alarm in answer["MetricAlarms"])
    return tuple(found)


def driver_seen(alarm: Mapping[str, Any], policies: Collection[str]) -> DriverSeen:
    """An alarm as described, with those of its actions that are these policies."""
    kept = {name: alarm[name] for name in COPIED if alarm.get(name) not in (None, [], "")}
    actions = ((state, tuple(arn for arn in alarm.get(state, ()) if arn in policies)) for state in ACTIONS)
    return DriverSeen(
        name=alarm["AlarmName"],
        settings=canonical(kept),
        actions=tuple((state, arns) for state, arns in actions if arns),
    )


async def put_alarm(call: Caller, effect: effects.PutAlarm) -> None:
    """Make an alarm, or give it these settings; tags are taken only of one that is new. Raises Outside."""
    params = {
        **json.loads(effect.settings),
        **dict(_as_lists(effect.actions)),
        "AlarmName": effect.name,
        "Tags": [{"Key": key, "Value": value} for key, value in effect.tags],
    }
    await call.write("cloudwatch", "PutMetricAlarm", params)


async def delete_alarms(call: Caller, effect: effects.DeleteAlarms) -> None:
    """Delete alarms; those that are gone are done. Raises Outside."""
    try:
        await call.write("cloudwatch", "DeleteAlarms", {"AlarmNames": list(effect.names)})
    except Missing:
        return


def _as_lists(actions: effects.Actions) -> Iterator[tuple[str, list[str]]]:
    for state, arns in actions:
        yield state, list(arns)
