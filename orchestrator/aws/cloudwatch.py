"""CloudWatch: the state of alarms, and series of metrics.

Source of all shapes: Amazon CloudWatch API Reference. What does not exist is left out of an answer without an error,
so what was asked for is compared with what came.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import UTC, timedelta
from typing import Any

from orchestrator.aws.call import PAGES_MAX, Caller, chunks
from orchestrator.aws.errors import unanswered
from orchestrator.aws.together import each
from orchestrator.aws.transport import Answer
from orchestrator.core.needs import MetricsNeed
from orchestrator.core.observed import Absent, AlarmSeen, MetricQuery, Series, Unread
from orchestrator.core.scene import floor_to

ALARMS_PER_CALL = 100
QUERIES_PER_CALL = 500
# The default are metric alarms alone; the others would be left out in silence.
ALARM_TYPES = ["MetricAlarm", "CompositeAlarm", "LogAlarm"]


async def alarms(call: Caller, names: Iterable[str]) -> dict[str, AlarmSeen | Absent | Unread]:
    """Alarms by name. Never raises Outside: each is a value."""
    batches = chunks(tuple(dict.fromkeys(names)), ALARMS_PER_CALL)
    async with asyncio.TaskGroup() as tasks:
        reads = [tasks.create_task(each(batch, _alarms(call, batch))) for batch in batches]
    return {name: alarm for read in reads for name, alarm in read.result().items()}


async def metrics(call: Caller, need: MetricsNeed) -> dict[str, Series | Unread]:
    """The series asked for, by the queries' ids, each from a boundary of its own period on.

    Never raises Outside: each is a value.
    """
    async with asyncio.TaskGroup() as tasks:
        reads = [
            tasks.create_task(each([query.id for query in batch], _metrics(call, need, batch)))
            for batch in _batches(need.queries)
        ]
    return {name: series for read in reads for name, series in read.result().items()}


def metric_alarm(alarm: Mapping[str, Any]) -> AlarmSeen:
    """A metric alarm as described; one on a metric-math expression or another query is of the kind ``math``."""
    since = alarm.get("StateTransitionedTimestamp") or alarm.get("StateUpdatedTimestamp")
    periods = alarm.get("EvaluationPeriods", 1)
    return AlarmSeen(
        name=alarm["AlarmName"],
        kind="metric" if alarm.get("MetricName") else "math",
        state=alarm["StateValue"],
        state_since=since.astimezone(UTC) if since else None,
        reason=alarm.get("StateReason", ""),
        evaluation=alarm.get("EvaluationState", ""),
        namespace=alarm.get("Namespace", ""),
        metric=alarm.get("MetricName", ""),
        dimensions=tuple((entry["Name"], entry["Value"]) for entry in alarm.get("Dimensions", ())),
        stat=alarm.get("Statistic") or alarm.get("ExtendedStatistic") or "",
        period=timedelta(seconds=alarm.get("Period", 0)),
        threshold=float(alarm.get("Threshold", 0.0)),
        comparison=alarm.get("ComparisonOperator", ""),
        evaluation_periods=periods,
        datapoints_to_alarm=alarm.get("DatapointsToAlarm", periods),
        missing=alarm.get("TreatMissingData", "missing"),
    )


def other_alarm(alarm: Mapping[str, Any], kind: str) -> AlarmSeen:
    """A composite or log alarm: its state, and nothing to judge it by with other names."""
    since = alarm.get("StateTransitionedTimestamp") or alarm.get("StateUpdatedTimestamp")
    return AlarmSeen(
        name=alarm["AlarmName"],
        kind=kind,
        state=alarm["StateValue"],
        state_since=since.astimezone(UTC) if since else None,
        reason=alarm.get("StateReason", ""),
        evaluation=alarm.get("EvaluationState", ""),
    )


async def _alarms(call: Caller, names: tuple[str, ...]) -> dict[str, AlarmSeen | Absent | Unread]:
    found: dict[str, AlarmSeen | Absent | Unread] = {name: Absent() for name in names}
    asked: Answer = {"AlarmNames": list(names), "AlarmTypes": ALARM_TYPES, "MaxRecords": ALARMS_PER_CALL}
    async for answer in _answers(call, "DescribeAlarms", asked):
        for alarm in answer.get("MetricAlarms", ()):
            found[alarm["AlarmName"]] = metric_alarm(alarm)
        for member, kind in (("CompositeAlarms", "composite"), ("LogAlarms", "log")):
            for alarm in answer.get(member, ()):
                found[alarm["AlarmName"]] = other_alarm(alarm, kind)
    return found


def _batches(queries: tuple[MetricQuery, ...]) -> list[tuple[MetricQuery, ...]]:
    """What goes into one call: series of one period, since a call has one start."""
    alike: dict[timedelta, list[MetricQuery]] = {}
    for query in queries:
        alike.setdefault(query.period, []).append(query)
    return [
        tuple(group[at : at + QUERIES_PER_CALL])
        for group in alike.values()
        for at in range(0, len(group), QUERIES_PER_CALL)
    ]


async def _metrics(
    call: Caller, need: MetricsNeed, queries: tuple[MetricQuery, ...]
) -> dict[str, Series | Unread]:
    # An id must begin with a lower-case letter and hold no other signs: ours are mapped to ones that do.
    results = {f"q{number}": _Result() for number in range(len(queries))}
    asked: Answer = {
        "MetricDataQueries": [_query(name, query) for name, query in zip(results, queries, strict=True)],
        # CloudWatch rounds a start down to the minute, not to the period: an alarm's period may be longer than the
        # rollout's, and its points would then begin where no period of the alarm does.
        "StartTime": floor_to(need.start, queries[0].period),
        "EndTime": need.end,
        "ScanBy": "TimestampAscending",
    }
    async for answer in _answers(call, "GetMetricData", asked):
        for message in answer.get("Messages") or ():  # about the call as a whole
            raise unanswered("cloudwatch", "GetMetricData", why=_message(message))
        for entry in answer.get("MetricDataResults", ()):
            results[entry["Id"]].add(entry)
    return {query.id: result.series() for query, result in zip(queries, results.values(), strict=True)}


async def _answers(call: Caller, operation: str, params: Answer) -> AsyncIterator[Answer]:
    """Every page of a read. Raises Outside."""
    asked = dict(params)
    for _ in range(PAGES_MAX):
        answer = await call.read("cloudwatch", operation, asked)
        yield answer
        if not answer.get("NextToken"):
            return
        asked["NextToken"] = answer["NextToken"]
    raise unanswered("cloudwatch", operation, why=f"the answer did not end after {PAGES_MAX} pages")


class _Result:
    """One query's answer, which may come on several pages; the last page's status is the one that counts."""

    __slots__ = ("points", "said", "status")

    def __init__(self) -> None:
        self.points: list[tuple[Any, float]] = []
        self.status = "missing from the answer"
        self.said = ""

    def add(self, entry: Mapping[str, Any]) -> None:
        self.points.extend(zip(entry.get("Timestamps", ()), entry.get("Values", ()), strict=True))
        self.status = entry.get("StatusCode", "")
        self.said = self.said or ", ".join(_message(message) for message in entry.get("Messages") or ())

    def series(self) -> Series | Unread:
        if self.status != "Complete" or self.said:
            return Unread(
                why=f"CloudWatch's series is {self.status or 'without a status'} {self.said}".rstrip()
            )
        return tuple(sorted((at.astimezone(UTC), float(value)) for at, value in self.points))


def _query(name: str, query: MetricQuery) -> Answer:
    return {
        "Id": name,
        "MetricStat": {
            "Metric": {
                "Namespace": query.namespace,
                "MetricName": query.metric,
                "Dimensions": [{"Name": key, "Value": value} for key, value in query.dimensions],
            },
            "Period": int(query.period.total_seconds()),
            "Stat": query.stat,  # no Unit: a wrong one would return nothing
        },
        "ReturnData": True,
    }


def _message(message: Mapping[str, Any]) -> str:
    return ": ".join(part for part in (message.get("Code"), message.get("Value")) if part)
