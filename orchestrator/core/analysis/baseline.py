"""Blue's last hour before green has traffic: what the comparison's dispersion is frozen from."""

from datetime import datetime

from orchestrator.core.analysis import auto_plan, detectable_regression, intervals
from orchestrator.core.domain.events import EventKind
from orchestrator.core.gates import probe
from orchestrator.core.gates.scene import Colour, floor_to
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.statistics import comparison
from orchestrator.core.statistics.sequential_test import Dispersion
from orchestrator.core.tick.draft import Draft
from orchestrator.core.tick.needs import MetricsNeed

PERIODS = 61  # sixty differences between consecutive ones


def is_wanted(row: Rollout) -> bool:
    """True where something is to be compared and blue's history is not known yet."""
    return row.spec.gates.compare.on and bool(row.spec.gates.compare.streams) and row.evidence.history is None


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
    points: dict[str, dict[datetime, float]] = {}
    for query in intervals.blue_queries(row):
        seen = draft.seen.metrics.get(query.id)
        series = draft.must_read(seen, "blue's last hour", clears_when="CloudWatch answers")
        if isinstance(series, str):
            return
        points[query.id] = dict(series)
    end = _end(row, draft.now)
    starts = (end - n * period for n in range(PERIODS, 0, -1))
    counts = (intervals.counts_at(points, Colour.BLUE, len(row.pairs), start) for start in starts)
    draft.change(history=tuple(one for one in counts if one is not None))


def freeze(draft: Draft) -> None:
    """Fix what the comparison judges by, before green's first traffic: it must not depend on what it will see."""
    spec, row = draft.row.spec.gates.compare, draft.row
    if not spec.on or row.evidence.history is None:
        return
    # A probe has warmed green up: its first traffic is as good as any.
    is_warm = probe.is_warm(row.spec.gates.probe, row.checks.probed) if row.spec.gates.probe.on else False
    draft.change(
        comparison=comparison.freeze(spec, row.evidence.history), warm_up_left=0 if is_warm else spec.warm_up
    )
    tell(draft)
    seen = foreseen(draft.row)
    if seen is not None:
        draft.tell(
            EventKind.FORESEEN,
            f"this plan: {detectable_regression.words_of(seen, row.spec.metrics.period)}",
            requests_a_period=round(seen.load.requests, 1),
            error_rate=round(seen.load.error_rate, 6),
            smallest_ratio=None if seen.ratio is None else round(seen.ratio, 2),
            total_harm=round(seen.total_harm),
        )


def tell(draft: Draft) -> None:
    """Say what each stream is judged by from here on, so that its evidence can be recomputed from the events alone."""
    periods = len(draft.row.evidence.history or ())
    for stream in draft.row.evidence.comparison:
        onset = stream.onset
        draft.tell(
            EventKind.EVIDENCE_FROZEN,
            f"compare {stream.name.replace('_', ' ')}: margin {onset.margin:g}, "
            f"{_dispersion(stream.dispersion, periods)}",
            stream=stream.name.value,
            margin=onset.margin,
            phi=onset.phi,
            phi_estimate=stream.dispersion.estimate,
            threshold=round(stream.threshold, 9),
            first_mass=onset.first_mass,
            hazard=onset.hazard,
            clip=onset.clip,
            grid_lo=onset.grid.lo,
            grid_hi=onset.grid.hi,
            grid_n=onset.grid.n,
            **_fall(stream),
        )


def _fall(stream: comparison.Stream) -> dict[str, int]:
    """How late answers are known to come, where that matters: the fall of the sum of remainders, and beside what."""
    if stream.remainders is None:
        return {}
    fall = stream.remainders.green.fall
    return {"fall": fall.by, "fall_requests": fall.requests}


def foreseen(row: Rollout) -> detectable_regression.Foresight | None:
    """What the plan can see with blue's traffic of its last hour; None while that is not known, or had none."""
    requests = auto_plan.requests_a_period(row)
    if not requests:
        return None
    phi = max((stream.dispersion.phi for stream in row.evidence.comparison), default=1.0)
    load = detectable_regression.Load(requests=requests, error_rate=auto_plan.errors_a_period(row) / requests)
    return detectable_regression.foresee(row.spec, load, phi=phi)


def _dispersion(found: Dispersion, periods: int) -> str:
    if found.estimate is None:
        return f"φ {found.phi:.3g}, since blue's last hour holds too few to tell"
    words = f"φ {found.phi:.3g} from {periods} periods of blue"
    if found.is_beyond:
        words += f" (estimated {found.estimate:.3g}: they cluster more than the evidence allows for)"
    return words


def _end(row: Rollout, now: datetime) -> datetime:
    metrics = row.spec.metrics
    return floor_to(now - metrics.lag, metrics.period)
