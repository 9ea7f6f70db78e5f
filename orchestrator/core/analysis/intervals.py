"""Whole metric periods since traffic moved: which are due, what they hold, and when a reading is final.

CloudWatch publishes a load balancer's minute one to three minutes late and may revise the newest. A period is taken
when two reads, a sixth of a period apart, agree and both colours that carry traffic are in it, and as it stands once
`lag` has passed since its end. Periods are read on while the weight changes: what a former weight did is then still
known, and a period in which the weight changed is told apart by having none.
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from functools import lru_cache

from orchestrator.core.analysis import bake, metric_sources
from orchestrator.core.cloud.forward_action import canonical
from orchestrator.core.cloud.resources import MetricQuery, Unread
from orchestrator.core.domain.events import EventKind, Record
from orchestrator.core.domain.ids import metric_dimension
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import ALL, NONE
from orchestrator.core.gates.gathered import StreamName
from orchestrator.core.gates.scene import Colour, Counts, Interval, first_whole, floor_to
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.rollout.rule_state import Pair
from orchestrator.core.statistics import comparison
from orchestrator.core.statistics.comparison import Use
from orchestrator.core.tick.draft import Draft

NAMESPACE = "AWS/ApplicationELB"
METRICS = {
    "requests": "RequestCount",
    "answers_2xx": "HTTPCode_Target_2XX_Count",
    "answers_3xx": "HTTPCode_Target_3XX_Count",
    "answers_4xx": "HTTPCode_Target_4XX_Count",
    "answers_5xx": "HTTPCode_Target_5XX_Count",
    "connection_errors": "TargetConnectionErrorCount",
}
RESPONSE_TIME = "TargetResponseTime"
KEPT = 60  # intervals kept in the row; all of them are records
READ_AT_ONCE = 60


def at_weight(row: Rollout) -> tuple[Interval, ...]:
    """The intervals taken at the present weight, oldest first."""
    if row.progress.bake.since is None:
        return ()
    first = first_whole(row.progress.bake.since, row.spec.metrics.period)
    return tuple(interval for interval in row.evidence.intervals if interval.start >= first)


def earlier(row: Rollout) -> tuple[Interval, ...]:
    """Intervals before those at the present weight that no person passed over, oldest first."""
    present = at_weight(row)
    before = row.evidence.intervals[: len(row.evidence.intervals) - len(present)]
    return tuple(i for i in before if row.evidence.judged_from is None or i.start >= row.evidence.judged_from)


def due(row: Rollout, now: datetime) -> tuple[datetime, ...]:
    """Starts of the whole periods that have ended since traffic moved and are not taken yet, oldest first."""
    period = row.spec.metrics.period
    if row.evidence.intervals:
        start = row.evidence.intervals[-1].start + period
    elif row.evidence.spells:
        start = floor_to(row.evidence.spells[0].since, period)
    elif row.progress.bake.since is not None:  # a row of a version that kept no spells
        start = first_whole(row.progress.bake.since, period)
    else:
        return ()
    count = (floor_to(now, period) - start) // period
    return tuple(start + n * period for n in range(min(max(count, 0), READ_AT_ONCE)))


def to_read(row: Rollout, now: datetime) -> tuple[datetime, ...]:
    """The due periods, if a look at them counts: one that closely follows the last can make none of them final.

    One that is about to become final by its age is read too: it may have become so by the time it is judged.
    """
    starts, metrics = due(row, now), row.spec.metrics
    is_apart = row.evidence.read_at is None or now - row.evidence.read_at >= metrics.look_gap
    is_ageing = bool(starts) and now + metrics.look_gap >= starts[0] + metrics.period + metrics.lag
    return starts if starts and (is_apart or is_ageing) else ()


def queries(row: Rollout) -> tuple[MetricQuery, ...]:
    """The series that an interval is made of: each count, of each colour's every target group."""
    if row.spec.metrics.source:
        return metric_sources.queries(row, Colour.BLUE, Colour.GREEN)
    return _queries(row.pairs, row.spec.metrics.period, _slow_over(row), Colour.BLUE, Colour.GREEN)


def blue_queries(row: Rollout) -> tuple[MetricQuery, ...]:
    """The same series of blue alone."""
    if row.spec.metrics.source:
        return metric_sources.queries(row, Colour.BLUE)
    return _queries(row.pairs, row.spec.metrics.period, _slow_over(row), Colour.BLUE)


def _slow_over(row: Rollout) -> timedelta | None:
    compare = row.spec.gates.compare
    slow = compare.stream(StreamName.SLOW) if compare.on else None
    return slow.over if slow else None


@lru_cache(maxsize=1024)  # the same in every tick of a rollout
def _queries(
    pairs: tuple[Pair, ...], period: timedelta, over: timedelta | None, *colours: Colour
) -> tuple[MetricQuery, ...]:
    wanted = {field: (metric, "Sum") for field, metric in METRICS.items()}
    if over is not None:
        # TC counts the samples above a bound; the time is in seconds (CloudWatch statistics definitions).
        wanted["timed"] = (RESPONSE_TIME, "SampleCount")
        wanted["slow"] = (RESPONSE_TIME, f"TC({over.total_seconds():g}:)")
    return tuple(
        MetricQuery(
            id=f"{colour} {number} {field}",
            namespace=NAMESPACE,
            metric=metric,
            dimensions=(
                ("LoadBalancer", metric_dimension(pair.load_balancer)),
                ("TargetGroup", metric_dimension(group)),
            ),
            stat=stat,
            period=period,
        )
        for number, pair in enumerate(pairs)
        for colour in colours
        if (group := pair.blue if colour is Colour.BLUE else pair.green) is not None
        for field, (metric, stat) in wanted.items()
    )


def take(draft: Draft) -> None:
    """Take every due interval that is final into the row, oldest first, and note the readings that are not."""
    row, metrics = draft.row, draft.row.spec.metrics
    starts = due(row, draft.now)
    if not starts:
        return
    wanted = [query.id for query in queries(row)]
    if (
        row.evidence.read_at is not None
        and not to_read(row, draft.now)
        and wanted[0] not in draft.seen.metrics
    ):
        _look_again(draft, row.evidence.reading, at=row.evidence.read_at + metrics.look_gap)
        return
    found = [(name, draft.seen.metrics.get(name)) for name in wanted]
    points = {name: dict(one) for name, one in found if one is not None and not isinstance(one, Unread)}
    if len(points) < len(wanted):
        if draft.now >= starts[0] + metrics.period + metrics.lag:
            unread = next((one for _, one in found if isinstance(one, Unread)), None)
            _hold_unread(draft, unread, since=starts[0] + metrics.period + metrics.lag)
        return
    readings = tuple(_interval(row, points, start) for start in starts)
    taken = 0
    for reading in readings:
        if not _is_final(draft, reading):
            break
        _keep(draft, reading)
        taken += 1
    draft.reading = readings[taken:]
    _look_again(draft, draft.reading, at=draft.now + metrics.look_gap)
    is_apart = row.evidence.read_at is None or draft.now - row.evidence.read_at >= metrics.look_gap
    if taken or is_apart:
        draft.change(reading=readings[taken:], read_at=draft.now)


def _hold_unread(draft: Draft, unread: Unread | None, *, since: datetime) -> None:
    """Hold for counts that are final since then and were not read.

    Where nobody had reason to ask for them when the look began, which took long enough for that to change, they are
    looked at in the next tick, at once: nothing more is known now than a moment ago.
    """
    before, is_first = draft.before.ticks.ticked_at, draft.row.evidence.read_at is None
    if unread is None and not is_first and before is not None and before < since:
        draft.wake_by(draft.now)
        return
    seen = Unread(why="they were not looked at") if unread is None else unread
    draft.read(seen, "request counts", clears_when="CloudWatch answers")


def _look_again(draft: Draft, reading: tuple[Interval, ...], *, at: datetime) -> None:
    """Look soon at what is not final yet; while watching only for the second look that makes it so."""
    if reading and (draft.row.phase is not Phase.WATCHING or _has_all(reading[0])):
        draft.wake_by(at)


Points = Mapping[str, Mapping[datetime, float]]  # by query and start


def counts_at(points: Points, colour: Colour, groups: int, start: datetime) -> Counts | None:
    """One colour's counts in one period, over so many groups; None if CloudWatch holds no requests of it there."""
    names = [f"{colour} {n}" for n in range(groups) if f"{colour} {n} requests" in points]
    if not any(start in points[f"{name} requests"] for name in names):
        return None
    fields = (*METRICS, "timed", "slow")
    sums = {
        field: sum(points.get(f"{name} {field}", {}).get(start, 0.0) for name in names) for field in fields
    }
    counts = Counts(**{field: round(value) for field, value in sums.items()})
    is_of_load_balancer = any(f"{name} answers_2xx" in points for name in names)
    return counts if is_of_load_balancer else _all_answered(counts)


def _all_answered(counts: Counts) -> Counts:
    """Counts of a source that knows of answers alone: what is no error was well, and every answer had its time."""
    well = max(0, counts.requests - counts.answers_4xx - counts.answers_5xx)
    return replace(counts, answers_2xx=well, timed=counts.requests)


def _interval(row: Rollout, points: Points, start: datetime) -> Interval:
    groups = len(row.pairs)
    return Interval(
        start=start,
        blue=counts_at(points, Colour.BLUE, groups, start),
        green=counts_at(points, Colour.GREEN, groups, start),
        weight=bake.weight_in(row, start),
        dilution=bake.dilution(row, start),
    )


def _is_final(draft: Draft, reading: Interval) -> bool:
    row, metrics = draft.row, draft.row.spec.metrics
    if draft.now >= reading.start + metrics.period + metrics.lag:
        return True
    is_apart = row.evidence.read_at is not None and draft.now - row.evidence.read_at >= metrics.look_gap
    return _has_all(reading) and is_apart and reading in row.evidence.reading


def _has_all(reading: Interval) -> bool:
    """True if every colour that carried traffic is in a reading; of a period with a change, either."""
    weight = reading.weight
    if weight is None:
        return reading.green is not None or reading.blue is not None
    return (reading.green is not None or weight == NONE) and (reading.blue is not None or weight == ALL)


def _keep(draft: Draft, interval: Interval) -> None:
    row = draft.row
    draft.change(intervals=(*row.evidence.intervals, interval)[-KEPT:])
    use = _compare(draft, interval)
    body = asdict(interval) | {"phase": row.phase.value, "step": row.progress.step, "use": use.value}
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
        use=use.value,
        green_tenths=interval.weight,
        **_facts(draft.row, interval),
    )


def _compare(draft: Draft, interval: Interval) -> Use:
    """Have the comparison use an interval, unless it says nothing; which it is never depends on its errors."""
    row = draft.row
    if interval.green is None or interval.blue is None:
        return Use.NO_DATA
    if interval.weight is None:
        return Use.WEIGHT_CHANGE
    if row.evidence.warm_up_left:
        known = comparison.warm_up(row.evidence.comparison, interval)
        draft.change(warm_up_left=row.evidence.warm_up_left - 1, comparison=known)
        return Use.WARM_UP
    before, after = row.evidence.comparison, comparison.use(row.evidence.comparison, interval, at=draft.now)
    if interval not in at_weight(draft.row):
        # Evidence against green counts whenever it comes; what shows it to be well is shown at each weight anew.
        after = tuple(
            replace(
                new,
                mirror=old.mirror,
                absolute=old.absolute,
                at_weight=old.at_weight,
                green_at_weight=old.green_at_weight,
            )
            for old, new in zip(before, after, strict=True)
        )
    draft.change(comparison=after)
    return Use.USED


def _facts(row: Rollout, interval: Interval) -> dict[str, int | float | None]:
    """What was counted, as far as a comparison can use it, and how the evidence stands after it."""
    facts: dict[str, int | float | None] = {}
    for colour in Colour:
        found = interval.of(colour)
        facts[f"{colour}_requests"] = found.requests if found else None
        facts[f"{colour}_errors"] = found.answers_5xx + found.connection_errors if found else None
        facts[f"{colour}_unanswered"] = found.unanswered if found else None
        facts[f"{colour}_remainder"] = found.remainder if found else None
        facts[f"{colour}_client_errors"] = found.answers_4xx if found else None
        if found and found.timed:
            facts[f"{colour}_timed"], facts[f"{colour}_slow"] = found.timed, found.slow
    for stream in row.evidence.comparison:
        facts[f"{stream.name}_log_e"] = round(stream.onset.log_e, 9)
    return facts


def _words(counts: Counts | None) -> str:
    return f"{counts.errors} of {counts.requests} requests failed" if counts else "had no requests"
