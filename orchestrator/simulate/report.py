"""Many simulated rollouts of one plan on each defect, beside what others would do: the numbers, and advice."""

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from multiprocessing import get_context
from statistics import fmean, median

from orchestrator.core.analysis.detectable_regression import DELAY, Foresight, Measured
from orchestrator.core.domain.ids import Tenths
from orchestrator.core.domain.plan import ALL, NAMED_PLANS, Plan
from orchestrator.core.gates.registry import GatesSpec
from orchestrator.core.rollout.spec import Spec
from orchestrator.simulate.defects import FAILING, GOOD, HIGH_LOAD_FROM, Defect
from orchestrator.simulate.rivals import RIVALS, Rival, deploy
from orchestrator.simulate.scope import foreseen, horizon_of, senseless, simulated
from orchestrator.simulate.teal import Outcome, roll_out
from orchestrator.simulate.traffic import Demand

CHUNK = 25
ADVISED = (Defect.TOTAL, Defect.TWENTY, Defect.FIVE, Defect.HIGH_LOAD)
WORTH_SAYING = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What became of many rollouts with one defect. Harm is also a percentage of one minute of all traffic."""

    policy: str
    defect: Defect
    runs: int
    harm_median: float  # requests
    harm_p95: float
    harm_mean: float
    harm_percent_median: float
    harm_percent_p95: float
    harm_percent_mean: float
    detect_seconds_median: float | None  # from the first harmed request to all traffic on blue
    rolled_back: float  # share of the runs; of a good release: false aborts
    before_full: float  # share rolled back before full weight
    full_minutes_median: float | None
    lasts_minutes_median: float

    @property
    def is_false_abort(self) -> bool:
        """True where taking back is a mistake."""
        return self.defect in GOOD


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """The least harm, in percent of one minute of all traffic, that anything can do with a defect."""

    defect: Defect
    harm_percent: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """A plan's worth: its rows and its rivals', the physical limit, what it can see, what was left out, advice."""

    plan: str
    load: Demand
    seed: int
    rows: tuple[Row, ...]
    limits: tuple[Limit, ...]  # at the plan's own weights
    foresight: Foresight
    left_out: tuple[str, ...]
    advice: tuple[str, ...]
    measured: Measured | None = None  # what the load was read from; None: it was said

    @property
    def policies(self) -> tuple[str, ...]:
        """Every policy, the plan itself first."""
        return tuple(dict.fromkeys(row.policy for row in self.rows))

    def of(self, policy: str) -> tuple[Row, ...]:
        """One policy's rows."""
        return tuple(row for row in self.rows if row.policy == policy)


def simulate(
    spec: Spec,
    load: Demand,
    *,
    runs: int,
    seed: int,
    defects: Sequence[Defect] = tuple(Defect),
    with_rivals: bool = True,
    with_advice: bool = True,
    workers: int | None = None,
) -> Simulation:
    """Simulate `runs` rollouts with each defect. The same seed gives the same report, on however many workers.

    Raises Invalid for a plan that is longer than a day.
    """
    ours, left = simulated(spec)
    name = f"Teal {spec.plan.name}"
    seen = foreseen(ours, load)
    with _Pool(workers, horizon_of(seen)) as pool:
        rows = [_row(name, defect, load, pool.teal(ours, load, defect, runs, seed)) for defect in defects]
        if with_rivals:
            rows += [
                _row(rival.name, defect, load, pool.rival(rival, load, defect, runs, seed))
                for rival in RIVALS
                for defect in defects
            ]
        advice = (
            _advice(spec, ours, load, rows, pool, runs=max(20, runs // 5), seed=seed) if with_advice else ()
        )
    return Simulation(
        plan=name,
        load=load,
        seed=seed,
        rows=tuple(rows),
        limits=tuple(
            Limit(defect=defect, harm_percent=limit)
            for defect in defects
            if (limit := _limit(spec, seen, load, defect)) is not None
        ),
        foresight=seen,
        left_out=(*left, *senseless(load)),
        advice=advice,
    )


class _Pool:
    """Runs rollouts on every core; in this process where one worker is asked for."""

    def __init__(self, workers: int | None, horizon: timedelta) -> None:
        self._horizon = horizon
        self._workers = workers or os.cpu_count() or 1
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> "_Pool":
        if self._workers > 1:
            self._pool = ProcessPoolExecutor(self._workers, mp_context=get_context("spawn"))
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def teal(self, spec: Spec, load: Demand, defect: Defect, runs: int, seed: int) -> list[Outcome]:
        return self._map(_teal_runs, (spec, load, defect, self._horizon), runs, seed)

    def rival(self, rival: Rival, load: Demand, defect: Defect, runs: int, seed: int) -> list[Outcome]:
        return self._map(_rival_runs, (rival, load, defect, self._horizon), runs, seed)

    def _map(
        self, work: Callable[..., list[Outcome]], about: tuple[object, ...], runs: int, seed: int
    ) -> list[Outcome]:
        chunks = [range(seed + at, seed + min(at + CHUNK, runs)) for at in range(0, runs, CHUNK)]
        if self._pool is None:
            return [outcome for chunk in chunks for outcome in work(*about, chunk)]
        futures = [self._pool.submit(work, *about, chunk) for chunk in chunks]
        return [outcome for future in futures for outcome in future.result()]


def _teal_runs(
    spec: Spec, load: Demand, defect: Defect, horizon: timedelta, seeds: Iterable[int]
) -> list[Outcome]:
    return [roll_out(spec, load, defect, seed=seed, horizon=horizon) for seed in seeds]


def _rival_runs(
    rival: Rival, load: Demand, defect: Defect, horizon: timedelta, seeds: Iterable[int]
) -> list[Outcome]:
    return [deploy(rival, load, defect, seed=seed, horizon=horizon) for seed in seeds]


def _row(policy: str, defect: Defect, load: Demand, outcomes: Sequence[Outcome]) -> Row:
    minute = load.requests_per_second * 60
    harm = sorted(outcome.harm for outcome in outcomes)
    p95 = harm[min(len(harm) - 1, round(0.95 * (len(harm) - 1)))]
    found = [o.back_after.total_seconds() for o in outcomes if o.back_after is not None]
    full = [o.full_after.total_seconds() / 60 for o in outcomes if o.full_after is not None]
    return Row(
        policy=policy,
        defect=defect,
        runs=len(outcomes),
        harm_median=median(harm),
        harm_p95=p95,
        harm_mean=fmean(harm),
        harm_percent_median=100 * median(harm) / minute,
        harm_percent_p95=100 * p95 / minute,
        harm_percent_mean=100 * fmean(harm) / minute,
        detect_seconds_median=median(found) if found else None,
        rolled_back=sum(o.is_rolled_back for o in outcomes) / len(outcomes),
        before_full=sum(o.before_full for o in outcomes) / len(outcomes),
        full_minutes_median=median(full) if full else None,
        lasts_minutes_median=median(o.lasted.total_seconds() / 60 for o in outcomes),
    )


def _limit(spec: Spec, seen: Foresight, load: Demand, defect: Defect) -> float | None:
    """The least harm that anything can do with minute metrics at this plan's weights, percent of a minute."""
    first = seen.total_harm / DELAY / seen.load.requests
    excess = {Defect.TWICE: 1.0, Defect.FIVE: 4.0, Defect.TWENTY: 19.0}
    scale = spec.metrics.period.total_seconds() / 60
    if defect is Defect.TOTAL:
        return 100 * first * DELAY * scale
    if defect in excess:
        return 100 * first * min(1.0, load.error_rate * excess[defect]) * DELAY * scale
    if defect is Defect.HIGH_LOAD:
        return 100 * HIGH_LOAD_FROM * FAILING * DELAY * scale
    return 100 * FAILING * DELAY * scale if defect is Defect.LEAK else None


def _advice(
    spec: Spec, ours: Spec, load: Demand, rows: Sequence[Row], pool: _Pool, *, runs: int, seed: int
) -> tuple[str, ...]:
    """Which change of the plan would help most, by simulating each; the most helpful first."""
    now = {row.defect: row.harm_percent_mean for row in rows if row.policy == f"Teal {spec.plan.name}"}
    found: list[tuple[float, str]] = []
    for words, changed in _changes(ours):
        for defect in ADVISED:
            if defect not in now:
                continue
            harm = _row("", defect, load, pool.teal(changed, load, defect, runs, seed)).harm_percent_mean
            times = now[defect] / harm if harm > 0 else 1.0
            if times >= WORTH_SAYING:
                told = f"{words} cuts the harm of {defect.value} {times:.1f} times ({now[defect]:.2g} to {harm:.2g} %)"
                found.append((times, told))
    best = [told for _, told in sorted(found, reverse=True)[:4]]
    has_probe = getattr(spec.gates, "probe", None) != getattr(GatesSpec(), "probe", None)
    if not has_probe and now.get(Defect.TOTAL):
        best.insert(
            0,
            "a probe of 150 requests before traffic costs no user anything and finds a green that fails 2 % or more",
        )
    return tuple(best)


def _changes(spec: Spec) -> Iterable[tuple[str, Spec]]:
    plan = spec.plan
    if plan.auto is None:
        yield "plan auto", replace(spec, plan=NAMED_PLANS["auto"])
        first = plan.steps[0]
        if 10 < first.weight < ALL:
            steps = (replace(first, weight=Tenths(10)), *plan.steps)
            yield "a first weight of 1 %", replace(spec, plan=Plan(name="custom", steps=steps))
        if not any(500 <= step.weight < ALL for step in plan.steps):
            half = replace(first, weight=Tenths(500))
            steps = (*plan.steps[:-1], half, plan.steps[-1])
            yield "a step of 50 % before full weight", replace(spec, plan=Plan(name="custom", steps=steps))
    elif plan.name != "careful":
        yield "plan careful", replace(spec, plan=NAMED_PLANS["careful"])
    if not spec.gates.compare.on:
        yield "gate compare", replace(spec, gates=GatesSpec(health=spec.gates.health, guard=spec.gates.guard))
