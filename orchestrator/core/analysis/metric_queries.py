"""What the gates want to see: alarms, and series of CloudWatch over one window."""

from collections.abc import Iterator
from datetime import datetime

from orchestrator.core.analysis import intervals
from orchestrator.core.cloud.resources import AlarmSeen, MetricQuery
from orchestrator.core.domain.phases import Phase
from orchestrator.core.gates import alarm_scope, metric
from orchestrator.core.gates.scene import Colour, first_whole, floor_to
from orchestrator.core.rollout.names import names_of
from orchestrator.core.rollout.needs import MetricsNeed
from orchestrator.core.rollout.rollout import Rollout


def metrics_need(row: Rollout, now: datetime) -> MetricsNeed | None:
    """The series that due intervals and alarms on blue's names ask for, over one window."""
    if row.blue is None or row.green is None:
        return None
    starts = intervals.to_read(row, now)
    wanted: list[MetricQuery] = list(intervals.queries(row)) if starts else []
    earliest = [starts[0]] if starts else []
    if row.bake.since is not None:
        for queries, start in (*_of_alarms(row, row.bake.since, now), *_of_metrics(row, row.bake.since, now)):
            wanted.extend(queries)
            earliest.append(start)
    end = max((floor_to(now, query.period) for query in wanted), default=now)
    if not wanted or end <= min(earliest):
        return None
    return MetricsNeed(queries=tuple(dict.fromkeys(wanted)), start=min(earliest), end=end)


Wanted = tuple[tuple[MetricQuery, ...], datetime]  # series, and from when on


def _of_alarms(row: Rollout, since: datetime, now: datetime) -> Iterator[Wanted]:
    """Green's series that stand for alarms on blue's names."""
    names = names_of(row)
    for alarm in _counted_alarms(row):
        for leaf in alarm_scope.leaves(alarm, names):
            newest = floor_to(now, leaf.period) - leaf.period * (leaf.evaluation_periods + 3)
            yield alarm_scope.queries(leaf, names), max(first_whole(since, leaf.period), newest)


def _of_metrics(row: Rollout, since: datetime, now: datetime) -> Iterator[Wanted]:
    """The series of the gate `metric`."""
    period, lag = row.spec.metrics.period, row.spec.metrics.lag
    judged = Colour.BLUE if row.phase is Phase.SETTLING else Colour.GREEN
    for spec in row.spec.gates.metrics:
        if metric.is_asked(spec, is_watch=row.phase is Phase.WATCHING):
            asked = metric.query(spec, names_of(row), judged, period=period)
            yield (asked,), metric.window(spec, since, now, period=period, lag=lag)


def alarms_since(row: Rollout) -> datetime | None:
    """From when on what alarms went through is held against green: its first traffic, or a person's word to go on."""
    begun = row.spells[0].since if row.spells else row.bake.since
    if row.phase not in (Phase.SHIFTING, Phase.WATCHING) or begun is None:
        return None
    return max(begun, row.judged_from or begun)


def alarm_names(row: Rollout) -> tuple[str, ...]:
    """The alarms to look at: those that the file names, and what they are made of."""
    named = {alarm.name for alarm in row.spec.gates.alarms.alarms}
    begun = row.blue.alarms if row.blue is not None else ()
    parts = alarm_scope.everyone(part for alarm in begun if alarm.name in named for part in alarm.parts)
    return tuple(dict.fromkeys((*(alarm.name for alarm in row.spec.gates.alarms.alarms), *parts)))


def _counted_alarms(row: Rollout) -> tuple[AlarmSeen, ...]:
    if row.phase not in (Phase.SHIFTING, Phase.WATCHING) or row.blue is None:
        return ()
    return tuple(alarm for alarm in row.blue.alarms if alarm.state != "ALARM")
