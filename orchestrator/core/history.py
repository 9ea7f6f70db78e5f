"""Blue's last hour before green has traffic: what the comparison's dispersion is frozen from."""

from datetime import datetime

from orchestrator.core import comparison, intervals
from orchestrator.core.draft import Draft
from orchestrator.core.events import EventKind
from orchestrator.core.needs import MetricsNeed
from orchestrator.core.observed import Unread
from orchestrator.core.rollout import HoldKind, Rollout
from orchestrator.core.scene import Colour, floor_to

PERIODS = 61  # sixty differences between consecutive ones


def is_wanted(row: Rollout) -> bool:
    """True where something is to be compared and blue's history is not known yet."""
    return row.spec.gates.compare.on and bool(row.spec.gates.compare.streams) and row.history is None


def need(row: Rollout, now: datetime) -> MetricsNeed | None:
    """The series of blue's last hour that are final by now; None if they are not wanted."""
    if not is_wanted(row) or not row.pairs:
        return None
    end = _end(row, now)
    return MetricsNeed(
        queries=intervals.blue_queries(row), start=end - PERIODS * row.spec.metrics.period, end=end
    )


def take(draft: Draft) -> None:
    """Keep blue's history once it could be read; hold until then. Periods without a request are left out."""
    row, period = draft.row, draft.row.spec.metrics.period
    if not is_wanted(row):
        return
    found = {query.id: draft.seen.metrics.get(query.id) for query in intervals.blue_queries(row)}
    points: dict[str, dict[datetime, float]] = {}
    for name, series in found.items():
        if series is None or isinstance(series, Unread):
            why = series.why if isinstance(series, Unread) else "it was not looked at"
            draft.hold(
                HoldKind.AWS, f"blue's last hour could not be read: {why}", clears_when="CloudWatch answers"
            )
            return
        points[name] = dict(series)
    end = _end(row, draft.now)
    starts = (end - n * period for n in range(PERIODS, 0, -1))
    counts = (intervals.counts_at(points, Colour.BLUE, len(row.pairs), start) for start in starts)
    draft.change(history=tuple(one for one in counts if one is not None))


def freeze(draft: Draft) -> None:
    """Fix what the comparison judges by, before green's first traffic: it must not depend on what it will see."""
    spec, row = draft.row.spec.gates.compare, draft.row
    if not spec.on or row.history is None:
        return
    streams = comparison.freeze(spec, row.history)
    draft.change(comparison=streams, warm_up_left=spec.warm_up)
    for stream in streams:
        found = stream.dispersion
        told = f"φ {found.phi:.2g} from {len(row.history)} periods of blue"
        if found.estimate is None:
            told = f"φ {found.phi:.2g}, since blue's last hour holds too few to tell"
        elif found.is_beyond:
            told += f" (estimated {found.estimate:.3g}: they cluster more than the evidence allows for)"
        draft.tell(
            EventKind.EVIDENCE_FROZEN,
            f"compare {stream.name.replace('_', ' ')}: margin {stream.onset.margin:g}, {told}",
            stream=stream.name.value,
            margin=stream.onset.margin,
            phi=found.phi,
            phi_estimate=found.estimate,
            threshold=round(stream.threshold, 9),
            first_mass=stream.onset.first_mass,
            hazard=stream.onset.hazard,
            clip=stream.onset.clip,
            grid_lo=stream.onset.grid.lo,
            grid_hi=stream.onset.grid.hi,
            grid_n=stream.onset.grid.n,
        )


def _end(row: Rollout, now: datetime) -> datetime:
    metrics = row.spec.metrics
    return floor_to(now - metrics.lag, metrics.period)
