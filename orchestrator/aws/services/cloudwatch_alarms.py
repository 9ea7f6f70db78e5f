"""CloudWatch's descriptions of alarms as the core's values. Source: CloudWatch API Reference, DescribeAlarms."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any

from orchestrator.core.cloud.resources import AlarmSeen, MetricQuery


def metric_alarm(alarm: Mapping[str, Any]) -> AlarmSeen:
    """A metric alarm as described; one on metric math (or on a linked account's metric) is of the kind ``math``."""
    periods = alarm.get("EvaluationPeriods", 1)
    query = _judged(alarm["Metrics"]) if alarm.get("Metrics") else None
    return replace(
        _stated(alarm, "math" if query else "metric"),
        namespace=alarm.get("Namespace", ""),
        metric=alarm.get("MetricName", ""),
        dimensions=_dimensions(alarm),
        stat=alarm.get("Statistic") or alarm.get("ExtendedStatistic") or "",
        period=query.period if query else timedelta(seconds=alarm.get("Period", 0)),
        threshold=float(alarm.get("Threshold", 0.0)),
        comparison=alarm.get("ComparisonOperator", ""),
        evaluation_periods=periods,
        datapoints_to_alarm=alarm.get("DatapointsToAlarm", periods),
        missing=alarm.get("TreatMissingData", "missing"),
        query=query,
        is_anomaly="ThresholdMetricId" in alarm,
    )


def other_alarm(alarm: Mapping[str, Any], kind: str) -> AlarmSeen:
    """A composite or log alarm: its state, and the rule of a composite one."""
    return replace(_stated(alarm, kind), rule=alarm.get("AlarmRule", ""))


def _stated(alarm: Mapping[str, Any], kind: str) -> AlarmSeen:
    since = alarm.get("StateTransitionedTimestamp") or alarm.get("StateUpdatedTimestamp")
    return AlarmSeen(
        name=alarm["AlarmName"],
        kind=kind,
        state=alarm["StateValue"],
        state_since=since.astimezone(UTC) if since else None,
        reason=alarm.get("StateReason", ""),
        evaluation=alarm.get("EvaluationState", ""),
        muted=_muted(alarm),
    )


def _muted(alarm: Mapping[str, Any]) -> str:
    """Why an alarm's actions do not run, in words."""
    if alarm.get("ActionsEnabled") is False:
        return "its actions are switched off"
    if alarm.get("ActionsSuppressedBy"):
        return f"its actions are suppressed by {alarm['ActionsSuppressedBy']}"
    return ""


def _dimensions(holder: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple((entry["Name"], entry["Value"]) for entry in holder.get("Dimensions") or ())


def _judged(queries: Iterable[Mapping[str, Any]]) -> MetricQuery:
    """What an alarm on several queries judges: the one whose series it returns, over the others."""
    made = {query["Id"]: _query_of(query) for query in queries}
    returned = [query["Id"] for query in queries if query.get("ReturnData", True)]
    main = made[returned[0]] if returned else next(reversed(made.values()))
    longest = max(query.period for query in made.values())
    others = tuple(
        replace(query, period=query.period or longest) for query in made.values() if query is not main
    )
    return replace(main, period=main.period or longest, inputs=others if main.expression else ())


def _query_of(query: Mapping[str, Any]) -> MetricQuery:
    stat: Mapping[str, Any] = query.get("MetricStat") or {}
    metric: Mapping[str, Any] = stat.get("Metric") or {}
    return MetricQuery(
        id=query["Id"],
        namespace=metric.get("Namespace", ""),
        metric=metric.get("MetricName", ""),
        dimensions=_dimensions(metric),
        stat=stat.get("Stat", ""),
        period=timedelta(seconds=stat.get("Period") or query.get("Period") or 0),
        expression=query.get("Expression", ""),
        account=query.get("AccountId", ""),
    )
