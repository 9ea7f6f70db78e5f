"""How often the shipped evidence is wrong, and how soon it is right: on simulated traffic, beside what others do.

``python -m tests.bench calibration`` prints the tables; ``python -m tests.bench.calibration --small`` the same from a
tenth of the runs. Beside each figure of Teal's stands the one that the method was chosen by ("expected").
"""

import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from random import Random
from statistics import median

from orchestrator.core.statistics.sequential_test import dispersion
from tests.bench import judging
from tests.bench.draws import (
    SCHEDULE,
    Case,
    Lasting,
    history,
    lasting_history,
    lasting_minutes,
    minutes,
)
from tests.bench.lines import quantile

HOUR = 60
SEED = 20_260
NEVER = 10**6
INDEPENDENT, BURSTY, OUTAGE = "independent", "bursty", "shared outage"
RATES, LOADS = (0.001, 0.01, 0.02), (10, 100, 1000)
PHIS = (2.0, 5.0, 10.0, 20.0)
MULTIPLES, WEIGHTS = (2, 5, 10, 100), (0.01, 0.10, 0.50)


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """How many rollouts each figure comes from."""

    good: int = 4000
    ranked: int = 1000  # good ones by the rank test
    bad: int = 300
    promoted: int = 4000


FULL = Runs()
SMALL = Runs(good=400, ranked=100, bad=60, promoted=400)

GOOD: dict[str, tuple[Case, ...]] = {
    INDEPENDENT: tuple(Case(rps=rps, rate=rate) for rate in RATES for rps in LOADS),
    BURSTY: tuple(Case(rps=100, rate=0.01, phi=phi) for phi in PHIS),
    OUTAGE: tuple(Case(rps=rps, rate=0.01, outage=(20, 30, 0.3)) for rps in LOADS),
}
BOUND_PERCENT = {INDEPENDENT: 0.1, BURSTY: 1.0, OUTAGE: 0.1}
"""The most false failures that each kind of good rollout may have, in percent of rollouts."""

# (rps, weight, multiple): median minutes; base 1 %, margin 1.25, phi 1. None: found in fewer than half of the hours.
DETECTION: dict[tuple[float, float, int], int | None] = {
    (10, 0.01, 2): None, (10, 0.01, 5): 35, (10, 0.01, 10): 12, (10, 0.01, 100): 3,
    (10, 0.10, 2): None, (10, 0.10, 5): 6, (10, 0.10, 10): 3, (10, 0.10, 100): 3,
    (10, 0.50, 2): 33, (10, 0.50, 5): 4, (10, 0.50, 10): 3, (10, 0.50, 100): 3,
    (100, 0.01, 2): 59, (100, 0.01, 5): 6, (100, 0.01, 10): 3, (100, 0.01, 100): 3,
    (100, 0.10, 2): 10, (100, 0.10, 5): 3, (100, 0.10, 10): 3, (100, 0.10, 100): 3,
    (100, 0.50, 2): 5, (100, 0.50, 5): 3, (100, 0.50, 10): 3, (100, 0.50, 100): 3,
    (1000, 0.01, 2): 9, (1000, 0.01, 5): 3, (1000, 0.01, 10): 3, (1000, 0.01, 100): 3,
    (1000, 0.10, 2): 4, (1000, 0.10, 5): 3, (1000, 0.10, 10): 3, (1000, 0.10, 100): 3,
    (1000, 0.50, 2): 4, (1000, 0.50, 5): 3, (1000, 0.50, 10): 3, (1000, 0.50, 100): 3,
}  # fmt: skip
# (rate, phi): percent of rollouts with a green twice as bad that are called "not twice as bad"; 100 rps.
PROMOTION = {
    (0.001, 1.0): 2.8, (0.001, 2.0): 3.56, (0.001, 5.0): 2.78, (0.001, 10.0): 2.98,
    (0.01, 1.0): 2.02, (0.01, 2.0): 3.1, (0.01, 5.0): 2.76, (0.01, 10.0): 3.22,
}  # fmt: skip
PROMOTION_BOUND_PERCENT = 5.0

FLAT, STEPPED = (0.05,) * HOUR, SCHEDULE
LASTING: dict[str, tuple[Lasting, Sequence[float]]] = {
    f"{of}, 200 rps, {where}, {how}": (
        Lasting(rps=200, green_seconds=2.0, blue_seconds=blue, is_counted_when_routed=how == "when routed"),
        weights,
    )
    for of, blue in (("2 s answers", 2.0), ("2 s of green alone", 0.05))
    for where, weights in (("5 %", FLAT), ("steps", STEPPED))
    for how in ("when routed", "when answered")
}
"""Good rollouts without an error or a lost request, by how long answers take and when a request counts."""
LASTING_BOUND_PERCENT = 1.0

WAYS = ("compare", "alarm 5 %", "Argo-like", "Flagger-like", "Mann-Whitney")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """When each way first called green bad, run by run."""

    minutes: dict[str, list[int | None]]

    def percent(self, way: str) -> float:
        """In how many of the runs it did."""
        runs = self.minutes[way]
        return 100 * sum(minute is not None for minute in runs) / len(runs)

    def at(self, way: str, share: float) -> int | None:
        """The minute by which it did in that share of the runs; None: not within them."""
        runs = [NEVER if minute is None else minute for minute in self.minutes[way]]
        found = int(median(runs)) if share == 0.5 else int(quantile(runs, share))
        return None if found == NEVER else found


def judge_good(case: Case, runs: range, ranked: int) -> Found:
    """Good rollouts, each with the dispersion of its own hour before."""
    return _judge(case, SCHEDULE, runs, ranked, phi=None)


def judge_bad(case: Case, weight: float, runs: range) -> Found:
    """Rollouts at one weight, of traffic that does not come in bursts."""
    return _judge(case, (weight,) * HOUR, runs, len(runs), phi=1.0)


def _judge(case: Case, weights: Sequence[float], runs: range, ranked: int, *, phi: float | None) -> Found:
    found: dict[str, list[int | None]] = {way: [] for way in WAYS}
    for run in runs:
        chance = Random(f"{SEED} {case} {weights[0]} {run}")
        own = dispersion(history(case, chance)).phi if phi is None else phi
        samples = tuple(minutes(case, weights, chance))
        found["compare"].append(judging.evidence(samples, phi=own))
        found["alarm 5 %"].append(judging.ALARM.minute(samples))
        found["Argo-like"].append(judging.ARGO_LIKE.minute(samples))
        found["Flagger-like"].append(judging.FLAGGER_LIKE.minute(samples))
        if run < ranked:
            found["Mann-Whitney"].append(judging.mann_whitney(samples))
    return Found(minutes=found)


def promoted_percent(case: Case, runs: range) -> float:
    """How many rollouts of a green twice as bad were called "not twice as bad" within an hour at 10 %."""
    count = 0
    for run in runs:
        chance = Random(f"{SEED} {case} {run}")
        phi = dispersion(history(case, chance)).phi
        count += judging.promotion(tuple(minutes(case, (0.10,) * HOUR, chance)), phi=phi) is not None
    return 100 * count / len(runs)


def lasting_percent(case: Lasting, weights: Sequence[float], runs: range) -> float:
    """How many rollouts of slow answers, none of them missing, are failed within their hour."""
    count = 0
    for run in runs:
        chance = Random(f"{SEED} {case} {weights[0]} {weights[-1]} {run}")
        before = lasting_history(case, chance)
        count += judging.comparison_of(before, tuple(lasting_minutes(case, weights, chance))) is not None
    return 100 * count / len(runs)


def is_as_expected(found: int | None, expected: int | None) -> bool:
    """Within a minute or 15 % of the median that is expected; one found by half of the runs only is near the end."""
    if found is None or expected is None:
        return (found or expected or HOUR) >= 0.85 * HOUR
    return abs(found - expected) <= max(1.0, 0.15 * expected)


def measure(runs: Runs = FULL) -> Iterator[str]:
    """The tables, and how many figures are not as they should be."""
    with ProcessPoolExecutor() as pool:
        misses = yield from _good(runs, pool.map)
        misses += yield from _bad(runs, pool.map)
        misses += yield from _promoted(runs, pool.map)
        misses += yield from _lasting(runs, pool.map)
    yield f"calibration_figures_beyond_their_bounds: {misses}"


Map = Callable[..., Iterator[Found]]


def _good(runs: Runs, spread: Map) -> Generator[str, None, int]:
    """Returns how many rows are over their bound."""
    yield f"good rollouts called bad, % of {runs.good} (60 min, 5/10/25/50 %, a look every minute)"
    yield _row("case", "bound", *WAYS)
    cases = [(kind, case) for kind, listed in GOOD.items() for case in listed]
    judged = spread(
        partial(judge_good, runs=range(runs.good), ranked=runs.ranked), [case for _, case in cases]
    )
    misses = 0
    for (kind, case), found in zip(cases, judged, strict=True):
        misses += found.percent("compare") > BOUND_PERCENT[kind]
        shown = (f"{found.percent(way):.2f}" for way in WAYS)
        yield _row(_name(kind, case), f"{BOUND_PERCENT[kind]:g}", *shown)
    return misses


def _bad(runs: Runs, spread: Map) -> Generator[str, None, int]:
    """Returns how many medians are not as expected."""
    yield f"minutes until a bad green is found, median (90 %) of {runs.bad}; base 1 %"
    yield _row("rps, weight, green", "expected", *WAYS)
    cells = [(rps, weight, times) for rps in LOADS for weight in WEIGHTS for times in MULTIPLES]
    judged = spread(
        partial(judge_bad, runs=range(runs.bad)),
        [Case(rps=rps, rate=0.01, ratio=times) for rps, _, times in cells],
        [weight for _, weight, _ in cells],
    )
    misses = 0
    for cell, found in zip(cells, judged, strict=True):
        rps, weight, times = cell
        expected = DETECTION[cell]
        is_there = is_as_expected(found.at("compare", 0.5), expected)
        misses += not is_there
        shown = (f"{_minute(found.at(way, 0.5))} ({_minute(found.at(way, 0.9))})" for way in WAYS)
        name = f"{rps}, {weight:.0%}, {times} x{'' if is_there else '  DIFFERS'}"
        yield _row(name, _minute(expected), *shown)
    return misses


def _promoted(runs: Runs, spread: Callable[..., Iterator[float]]) -> Generator[str, None, int]:
    """Returns how many rows are over the bound."""
    yield f'a green twice as bad called "not twice as bad", % of {runs.promoted} (60 min at 10 %, 100 rps)'
    yield _row("rate, phi", "bound", "expected", "compare")
    cases = [Case(rps=100, rate=rate, ratio=2.0, phi=phi) for rate, phi in PROMOTION]
    judged = spread(partial(promoted_percent, runs=range(runs.promoted)), cases)
    misses = 0
    for ((rate, phi), expected), found in zip(PROMOTION.items(), judged, strict=True):
        misses += found > PROMOTION_BOUND_PERCENT
        yield _row(f"{rate:.1%}, {phi:g}", f"{PROMOTION_BOUND_PERCENT:g}", f"{expected:g}", f"{found:.2f}")
    return misses


def _lasting(runs: Runs, spread: Callable[..., Iterator[float]]) -> Generator[str, None, int]:
    """Returns how many rows are over the bound."""
    yield f"good rollouts with answers that last called bad, % of {runs.good} (60 min, all streams, a request counts …)"
    yield _row("case", "bound", "compare")
    cases, weights = zip(*LASTING.values(), strict=True)
    judged = spread(partial(lasting_percent, runs=range(runs.good)), cases, weights)
    misses = 0
    for name, found in zip(LASTING, judged, strict=True):
        misses += found > LASTING_BOUND_PERCENT
        yield _row(name, f"{LASTING_BOUND_PERCENT:g}", f"{found:.2f}")
    return misses


def _name(kind: str, case: Case) -> str:
    clumped = f", phi {case.phi:g}" if case.phi > 1 else ""
    return f"{kind}, {case.rate:.1%}, {case.rps:g} rps{clumped}"


def _minute(value: int | None) -> str:
    return "-" if value is None else str(value)


def _row(first: str, *cells: str) -> str:
    return f"  {first:<46}" + "".join(f"{cell:>15}" for cell in cells)


if __name__ == "__main__":
    for words in measure(SMALL if "--small" in sys.argv[1:] else FULL):
        print(words, flush=True)
