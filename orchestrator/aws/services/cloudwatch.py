"""CloudWatch: the state of alarms and what they went through, and series of metrics and of expressions over them.

Source of all shapes: Amazon CloudWatch API Reference. What does not exist is left out of an answer without an error,
so what was asked for is compared with what came.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from orchestrator.aws.client.call import PAGES_MAX, Caller, chunks
from orchestrator.aws.client.concurrent import attempt, each
from orchestrator.aws.client.errors import unanswered
from orchestrator.aws.client.transport import Answer
from orchestrator.aws.services.cloudwatch_alarms import metric_alarm, other_alarm
from orchestrator.aws.services.cloudwatch_series import Result, entries, message_text
from orchestrator.core.cloud import composite_alarm
from orchestrator.core.cloud.metric_math import looks_around
from orchestrator.core.cloud.resources import Absent, AlarmSeen, MetricQuery, Series, Unread
from orchestrator.core.domain.errors import Rejected
from orchestrator.core.gates.scene import floor_to
from orchestrator.core.rollout.needs import MetricsNeed

ALARMS_PER_CALL = 100
QUERIES_PER_CALL = 500
# The default are metric alarms alone; the others would be left out in silence.
ALARM_TYPES = ["MetricAlarm", "CompositeAlarm", "LogAlarm"]
PARTS_DEPTH_MAX = 4  # composite alarms within composite alarms
REFUSED_CALLS_MAX = 32  # to find out which of a call's queries it was that CloudWatch refused

Found = AlarmSeen | Absent | Unread


async def alarms(
    call: Caller,
    names: Iterable[str],
    *,
    since: datetime | None = None,
    read: Callable[[tuple[str, ...]], Awaitable[Mapping[str, Found]]] | None = None,
) -> dict[str, AlarmSeen | Absent | Unread]:
    """Alarms by name, composite ones with the alarms they are made of. Never raises Outside: each is a value.

    Of those that changed `since` and are not in ALARM now, it is looked up whether they were in between.
    `read`: how alarms are read instead of by calls of their own (`read_alarms`); what it raises is raised.
    """
    wanted = tuple(dict.fromkeys(names))
    found: dict[str, Found] = {}
    lacking: tuple[str, ...] = wanted
    for _ in range(1 + PARTS_DEPTH_MAX):
        if not lacking:
            break
        found |= await (read(lacking) if read is not None else read_alarms(call, lacking))
        known = [alarm for alarm in found.values() if isinstance(alarm, AlarmSeen)]
        lacking = tuple({name: 0 for alarm in known for name in _part_names(alarm) if name not in found})
    if since is not None:
        found |= await _with_history(call, found, since)
    return {name: _whole(found[name], found, ()) for name in wanted}


async def read_alarms(call: Caller, names: tuple[str, ...]) -> dict[str, Found]:
    """Alarms by name, composite ones without the alarms they are made of. Never raises Outside: each is a value."""
    batches = chunks(names, ALARMS_PER_CALL)
    async with asyncio.TaskGroup() as tasks:
        reads = [tasks.create_task(each(batch, _alarms(call, batch))) for batch in batches]
    return {name: alarm for read in reads for name, alarm in read.result().items()}


def _part_names(alarm: AlarmSeen) -> tuple[str, ...]:
    try:
        return composite_alarm.names(alarm.rule) if alarm.rule else ()
    except composite_alarm.Unreadable:
        return ()


def _whole(alarm: Found, found: Mapping[str, Found], above: Collection[str]) -> Found:
    """A composite alarm with its parts, and theirs; it is as slow as the slowest of them."""
    if not isinstance(alarm, AlarmSeen) or not alarm.rule or len(above) > PARTS_DEPTH_MAX:
        return alarm
    within = (*above, alarm.name)
    named = (found.get(name) for name in _part_names(alarm) if name not in within)
    parts = tuple(part for one in named if one and isinstance(part := _whole(one, found, within), AlarmSeen))
    return replace(alarm, parts=parts, period=max((part.period for part in parts), default=timedelta(0)))


async def _with_history(call: Caller, found: Mapping[str, Found], since: datetime) -> dict[str, Found]:
    """The alarms that changed since, with when they last went to ALARM."""
    changed = [
        alarm
        for alarm in found.values()
        if isinstance(alarm, AlarmSeen)
        and alarm.state != "ALARM"
        and alarm.state_since is not None
        and alarm.state_since > since
    ]
    async with asyncio.TaskGroup() as tasks:
        reads = [tasks.create_task(attempt(_fired_at(call, alarm.name, since))) for alarm in changed]
    told: dict[str, Found] = {}
    for alarm, read in zip(changed, reads, strict=True):
        fired = read.result()
        if isinstance(fired, Unread):
            told[alarm.name] = replace(alarm, history_unread=fired.why)
        else:
            told[alarm.name] = replace(alarm, fired_at=fired)
    return told


async def _fired_at(call: Caller, name: str, since: datetime) -> datetime | None:
    """When an alarm last went to ALARM since then; None: it did not. Raises Outside."""
    asked: Answer = {
        "AlarmName": name,
        "AlarmTypes": ALARM_TYPES,
        "HistoryItemType": "StateUpdate",
        "StartDate": since,
        "ScanBy": "TimestampDescending",
        "MaxRecords": 100,
    }
    async for answer in answers(call, "DescribeAlarmHistory", asked):
        for item in answer.get("AlarmHistoryItems", ()):
            if json.loads(item["HistoryData"])["newState"]["stateValue"] == "ALARM":
                at: datetime = item["Timestamp"]
                return at.astimezone(UTC)
    return None


async def metrics(call: Caller, need: MetricsNeed) -> dict[str, Series | Unread]:
    """The series asked for, by the queries' ids, each from a boundary of its own period on.

    Never raises Outside: each is a value. A query that CloudWatch refuses costs the others nothing.
    """
    async with asyncio.TaskGroup() as tasks:
        reads = [
            tasks.create_task(each([query.id for query in batch], _unrefused(call, need, batch, _Tries())))
            for batch in _batches(need.queries)
        ]
    return {name: series for read in reads for name, series in read.result().items()}


async def _alarms(call: Caller, names: tuple[str, ...]) -> dict[str, AlarmSeen | Absent | Unread]:
    found: dict[str, AlarmSeen | Absent | Unread] = {name: Absent() for name in names}
    asked: Answer = {"AlarmNames": list(names), "AlarmTypes": ALARM_TYPES, "MaxRecords": ALARMS_PER_CALL}
    async for answer in answers(call, "DescribeAlarms", asked):
        for alarm in answer.get("MetricAlarms", ()):
            found[alarm["AlarmName"]] = metric_alarm(alarm)
        for member, kind in (("CompositeAlarms", "composite"), ("LogAlarms", "log")):
            for alarm in answer.get(member, ()):
                found[alarm["AlarmName"]] = other_alarm(alarm, kind)
    return found


def _batches(queries: tuple[MetricQuery, ...]) -> list[tuple[MetricQuery, ...]]:
    """What goes into one call: series of one period, since a call has one start.

    An expression that looks around itself has a call of its own.
    """
    batches: list[tuple[MetricQuery, ...]] = []
    alike: dict[timedelta, list[MetricQuery]] = {}
    for query in queries:
        if must_be_alone(query):
            batches.append((query,))
        else:
            alike.setdefault(query.period, []).append(query)
    for group in alike.values():
        batch: list[MetricQuery] = []
        for query in group:
            if batch and sum(map(size, batch)) + size(query) > QUERIES_PER_CALL:
                batches.append(tuple(batch))
                batch = []
            batch.append(query)
        batches.append(tuple(batch))
    return batches


def must_be_alone(query: MetricQuery) -> bool:
    """True for an expression that says something else where other series are asked for in the same call."""
    return looks_around(query.expression)


def size(query: MetricQuery) -> int:
    """How many of a call's queries a query is."""
    return 1 + len(query.inputs)


@dataclass(slots=True)
class _Tries:
    """How many calls may still be spent on finding a refused query."""

    left: int = REFUSED_CALLS_MAX


async def _unrefused(
    call: Caller, need: MetricsNeed, queries: tuple[MetricQuery, ...], tries: _Tries
) -> dict[str, Series | Unread]:
    """The series of these queries. CloudWatch refuses a call as a whole, so halves find the query that it means."""
    try:
        return await _metrics(call, need, queries)
    except Rejected as error:
        if len(queries) == 1:
            return {queries[0].id: Unread(why=f"CloudWatch refuses it: {error.why}", is_refused=True)}
        if tries.left < 2:
            raise
        tries.left -= 2
        half = len(queries) // 2
        parts = (queries[:half], queries[half:])
    found: dict[str, Series | Unread] = {}
    for part in parts:
        found |= await each([query.id for query in part], _unrefused(call, need, part, tries))
    return found


async def _metrics(
    call: Caller, need: MetricsNeed, queries: tuple[MetricQuery, ...]
) -> dict[str, Series | Unread]:
    # An id must begin with a lower-case letter and hold no other signs: ours are mapped to ones that do.
    results = {f"q{number}": Result() for number in range(len(queries))}
    asked: Answer = {
        "MetricDataQueries": [
            entry
            for name, query in zip(results, queries, strict=True)
            for entry in entries(name, query, is_alone=len(queries) == 1)
        ],
        # CloudWatch rounds a start down to the minute, not to the period: an alarm's period may be longer than the
        # rollout's, and its points would then begin where no period of the alarm does.
        "StartTime": floor_to(need.start, queries[0].period),
        "EndTime": need.end,
        "ScanBy": "TimestampAscending",
    }
    async for answer in answers(call, "GetMetricData", asked):
        for message in answer.get("Messages") or ():  # about the call as a whole
            raise unanswered("cloudwatch", "GetMetricData", why=message_text(message))
        for entry in answer.get("MetricDataResults", ()):
            results[entry["Id"]].add(entry)
    return {query.id: result.series() for query, result in zip(queries, results.values(), strict=True)}


async def answers(call: Caller, operation: str, params: Answer) -> AsyncIterator[Answer]:
    """Every page of a read. Raises Outside."""
    asked = dict(params)
    for _ in range(PAGES_MAX):
        answer = await call.read("cloudwatch", operation, asked)
        yield answer
        if not answer.get("NextToken"):
            return
        asked["NextToken"] = answer["NextToken"]
    raise unanswered("cloudwatch", operation, why=f"the answer did not end after {PAGES_MAX} pages")
