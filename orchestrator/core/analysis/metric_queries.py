"""What the gates want to see: alarms, and series of CloudWatch over one window."""

from datetime import datetime

from orchestrator.core.analysis import intervals
from orchestrator.core.cloud.resources import MetricQuery
from orchestrator.core.domain.phases import Phase
from orchestrator.core.gates.gate import GateNeeds, Outlook
from orchestrator.core.gates.registry import those_on
from orchestrator.core.gates.scene import Colour, floor_to
from orchestrator.core.rollout.names import names_of
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.tick.needs import MetricsNeed


def metrics_need(row: Rollout, now: datetime) -> MetricsNeed | None:
    """The series that due intervals and the gates ask for, over one window."""
    if row.blue is None or row.green is None:
        return None
    starts = intervals.to_read(row, now)
    wanted: list[MetricQuery] = list(intervals.queries(row)) if starts else []
    earliest = [starts[0]] if starts else []
    if row.progress.bake.since is not None:
        for series in (
            series for needs in _of_gates(row, now, row.progress.bake.since) for series in needs.series
        ):
            wanted.extend(series.queries)
            earliest.append(series.since)
    end = max((floor_to(now, query.period) for query in wanted), default=now)
    if not wanted or end <= min(earliest):
        return None
    return MetricsNeed(queries=tuple(dict.fromkeys(wanted)), start=min(earliest), end=end)


def alarm_names(row: Rollout) -> tuple[str, ...]:
    """The alarms to look at: those that the gates ask for, and what they are made of."""
    found = (name for needs in _of_gates(row, row.created_at, None) for name in needs.alarms)
    return tuple(dict.fromkeys(found))


def _of_gates(row: Rollout, now: datetime, since: datetime | None) -> tuple[GateNeeds, ...]:
    outlook = Outlook(
        now=now,
        period=row.spec.metrics.period,
        lag=row.spec.metrics.lag,
        phase=row.phase,
        judged=Colour.BLUE if row.phase is Phase.SETTLING else Colour.GREEN,
        names=names_of(row),
        alarms_at_start=row.known.blue.alarms,
        since=since,
    )
    return tuple(gate.needs(spec, outlook) for gate, spec in those_on(row.spec.gates))


def alarms_since(row: Rollout) -> datetime | None:
    """From when on what alarms went through is held against green: its first traffic, or a person's word to go on."""
    begun = row.evidence.spells[0].since if row.evidence.spells else row.progress.bake.since
    if row.phase not in (Phase.SHIFTING, Phase.WATCHING) or begun is None:
        return None
    return max(begun, row.evidence.judged_from or begun)
