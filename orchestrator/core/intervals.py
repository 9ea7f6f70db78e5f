"""Whole metric periods at one weight: which are due, what they hold, and when a reading is final.

CloudWatch publishes a load balancer's minute one to three minutes late and may revise the newest. A period is taken
when two reads, a sixth of a period apart, agree and both colours that carry traffic are in it, and as it stands once
`lag` has passed since its end.
"""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime

from orchestrator.core.draft import Draft
from orchestrator.core.events import EventKind, Record
from orchestrator.core.ids import metric_dimension
from orchestrator.core.observed import MetricQuery, Series, Unread
from orchestrator.core.plan import ALL, NONE
from orchestrator.core.rollout import HoldKind, Rollout
from orchestrator.core.scene import Colour, Counts, Interval, first_whole, floor_to
from orchestrator.core.traffic import canonical

NAMESPACE = "AWS/ApplicationELB"
METRICS = {
    "requests": "RequestCount",
    "answers_2xx": "HTTPCode_Target_2XX_Count",
    "answers_3xx": "HTTPCode_Target_3XX_Count",
    "answers_4xx": "HTTPCode_Target_4XX_Count",
    "answers_5xx": "HTTPCode_Target_5XX_Count",
    "connection_errors": "TargetConnectionErrorCount",
}
KEPT = 60  # intervals kept in the row; all of them are records
READ_AT_ONCE = 60


def due(row: Rollout, now: datetime) -> tuple[datetime, ...]:
    """Starts of the whole periods that have ended at this weight and are not taken yet, oldest first."""
    if row.bake.since is None:
        return ()
    period = row.spec.metrics.period
    start = row.intervals[-1].start + period if row.intervals else first_whole(row.bake.since, period)
    count = (floor_to(now, period) - start) // period
    return tuple(start + n * period for n in range(min(max(count, 0), READ_AT_ONCE)))


def queries(row: Rollout) -> tuple[MetricQuery, ...]:
    """The series that an interval is made of: each count, of each colour's every target group."""
    return tuple(
        MetricQuery(
            id=f"{colour} {number} {field}",
            namespace=NAMESPACE,
            metric=metric,
            dimensions=(
                ("LoadBalancer", metric_dimension(pair.load_balancer)),
                ("TargetGroup", metric_dimension(group)),
            ),
            stat="Sum",
            period=row.spec.metrics.period,
        )
        for number, pair in enumerate(row.pairs)
        for colour, group in ((Colour.BLUE, pair.blue), (Colour.GREEN, pair.green))
        if group is not None
        for field, metric in METRICS.items()
    )


def take(draft: Draft) -> None:
    """Take every due interval that is final into the row, oldest first, and note the readings that are not."""
    row, metrics = draft.row, draft.row.spec.metrics
    starts = due(row, draft.now)
    if not starts:
        return
    unread = next((m for q in queries(row) if isinstance(m := draft.seen.metrics.get(q.id), Unread)), None)
    if unread is not None or any(q.id not in draft.seen.metrics for q in queries(row)):
        if draft.now >= starts[0] + metrics.period + metrics.lag:
            why = unread.why if unread else "they were not looked at"
            draft.hold(
                HoldKind.AWS, f"request counts could not be read: {why}", clears_when="CloudWatch answers"
            )
        return
    points = {q.id: dict(_series(draft, q.id)) for q in queries(row)}
    readings = tuple(_interval(row, points, start) for start in starts)
    taken = 0
    for reading in readings:
        if not _is_final(draft, reading):
            break
        _keep(draft, reading)
        taken += 1
    draft.reading = readings[taken:]
    is_apart = row.read_at is None or draft.now - row.read_at >= metrics.look_gap
    if taken or is_apart:
        draft.change(reading=readings[taken:], read_at=draft.now)


def _series(draft: Draft, query: str) -> Series:
    series = draft.seen.metrics[query]
    assert not isinstance(series, Unread)
    return series


def _interval(row: Rollout, points: Mapping[str, Mapping[datetime, float]], start: datetime) -> Interval:
    def counts(colour: Colour) -> Counts | None:
        numbers = [n for n in range(len(row.pairs)) if f"{colour} {n} requests" in points]
        if not any(start in points[f"{colour} {n} requests"] for n in numbers):
            return None
        sums = {
            field: sum(points[f"{colour} {n} {field}"].get(start, 0.0) for n in numbers) for field in METRICS
        }
        return Counts(**{field: int(value) for field, value in sums.items()})

    return Interval(start=start, blue=counts(Colour.BLUE), green=counts(Colour.GREEN))


def _is_final(draft: Draft, reading: Interval) -> bool:
    row, metrics = draft.row, draft.row.spec.metrics
    if draft.now >= reading.start + metrics.period + metrics.lag:
        return True
    weight = row.green_weight
    has_all = (reading.green is not None or weight == NONE) and (reading.blue is not None or weight == ALL)
    is_apart = row.read_at is not None and draft.now - row.read_at >= metrics.look_gap
    return has_all and is_apart and reading in row.reading


def _keep(draft: Draft, interval: Interval) -> None:
    row = draft.row
    draft.change(intervals=(*row.intervals, interval)[-KEPT:])
    body = asdict(interval) | {"phase": row.phase.value, "step": row.step, "green_tenths": row.green_weight}
    draft.records.append(
        Record(
            key=f"interval {row.phase} {interval.start.isoformat()}",
            at=draft.now,
            kind="interval",
            body=canonical(body),
        )
    )
    draft.tell(
        EventKind.INTERVAL_TAKEN,
        f"period from {interval.start:%H:%M:%S}Z: blue {_words(interval.blue)}, green {_words(interval.green)}",
        start=interval.start.isoformat(),
        blue_requests=interval.blue.requests if interval.blue else None,
        blue_errors=interval.blue.errors if interval.blue else None,
        green_requests=interval.green.requests if interval.green else None,
        green_errors=interval.green.errors if interval.green else None,
        green_tenths=row.green_weight,
    )


def _words(counts: Counts | None) -> str:
    return f"{counts.errors} of {counts.requests} requests failed" if counts else "had no requests"
