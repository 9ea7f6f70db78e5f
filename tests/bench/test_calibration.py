"""The calibration at a small size, with fixed seeds: the full one is ``make bench``'s."""

from datetime import UTC, datetime
from random import Random
from statistics import mean, variance

import pytest

from orchestrator.core.gates.scene import Counts, Interval
from orchestrator.core.statistics import comparison
from orchestrator.core.statistics.sequential_test import Sample
from tests.bench import judging
from tests.bench.calibration import (
    BURSTY,
    DETECTION,
    GOOD,
    INDEPENDENT,
    LASTING,
    OUTAGE,
    is_as_expected,
    judge_bad,
    judge_good,
    lasting_percent,
    promoted_percent,
)
from tests.bench.draws import SCHEDULE, Case, errors, history, minutes, poisson

RUNS = range(25)
START = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.mark.parametrize("kind", [INDEPENDENT, OUTAGE])
def test_good_rollouts_do_not_fail_also_in_an_outage_of_both_colours(kind: str) -> None:
    failed = {case: judge_good(case, RUNS, 0).percent("compare") for case in GOOD[kind]}
    assert not any(failed.values()), failed


def test_good_rollouts_whose_errors_come_in_bursts_hardly_ever_fail() -> None:
    failed = [judge_good(case, RUNS, 0).percent("compare") for case in GOOD[BURSTY]]
    assert mean(failed) <= 1


def test_fixed_thresholds_blame_green_for_an_outage_of_both() -> None:
    found = judge_good(GOOD[OUTAGE][1], range(5), 0)
    assert [found.percent(way) for way in ("alarm 5 %", "Argo-like", "Flagger-like")] == [100, 100, 100]


@pytest.mark.parametrize(
    "cell", [(10, 0.10, 5), (100, 0.10, 2), (100, 0.10, 5), (1000, 0.01, 2), (1000, 0.50, 2)]
)
def test_a_bad_green_is_found_as_soon_as_expected(cell: tuple[int, float, int]) -> None:
    rps, weight, times = cell
    found = judge_bad(Case(rps=rps, rate=0.01, ratio=times), weight, range(40)).at("compare", 0.5)
    assert is_as_expected(found, DETECTION[cell]), found


@pytest.mark.parametrize("phi", [1.0, 5.0])
def test_a_green_twice_as_bad_is_hardly_ever_called_not_twice_as_bad(phi: float) -> None:
    assert promoted_percent(Case(rps=100, rate=0.01, ratio=2.0, phi=phi), range(60)) <= 5


@pytest.mark.parametrize("name", LASTING)
def test_slow_answers_are_hardly_ever_taken_for_missing_ones(name: str) -> None:
    case, weights = LASTING[name]
    assert lasting_percent(case, weights, RUNS) == 0


def test_the_bench_fails_a_rollout_in_the_very_interval_in_which_the_shipped_comparison_does() -> None:
    case = Case(rps=100, rate=0.01, ratio=2.0)
    for run in range(5):
        chance = Random(run)
        before = [Counts(requests=requests, answers_5xx=bad) for bad, requests in history(case, chance)]
        samples = tuple(minutes(case, SCHEDULE, chance))
        streams = comparison.freeze(judging.ERRORS_ALONE, before)
        failed: int | None = None
        for minute, sample in enumerate(samples, 1):
            streams = comparison.use(streams, _interval(sample), at=START)
            failed = failed or (minute if streams[0].failed_at is not None else None)
        assert judging.evidence(samples, phi=streams[0].dispersion.phi) == failed


def _interval(sample: Sample) -> Interval:
    return Interval(
        start=START,
        green=Counts(requests=sample.green_requests, answers_5xx=sample.green_events),
        blue=Counts(requests=sample.blue_requests, answers_5xx=sample.blue_events),
    )


@pytest.mark.parametrize("size", [0.5, 5.0, 12.0, 600.0])
@pytest.mark.parametrize("phi", [1.0, 5.0])
def test_counts_have_the_mean_and_the_variance_that_they_are_drawn_for(size: float, phi: float) -> None:
    chance = Random(1)
    drawn = [errors(size, phi, chance) for _ in range(20_000)]
    assert mean(drawn) == pytest.approx(size, rel=0.05)
    assert variance(drawn) == pytest.approx(size * phi, rel=0.15)


def test_nothing_is_drawn_for_a_mean_of_nothing() -> None:
    assert poisson(0.0, Random(1)) == 0


def test_the_rank_test_sees_what_lies_above_and_nothing_where_all_are_equal() -> None:
    def minute(green: int) -> Sample:
        return Sample(green_requests=100, blue_requests=100, green_events=green, blue_events=1)

    assert judging.mann_whitney([minute(1)] * 20) is None
    assert judging.mann_whitney([minute(5)] * 20) == judging.FIRST_LOOK


def test_medians_are_as_expected_within_a_minute_or_fifteen_percent() -> None:
    assert is_as_expected(4, 3)
    assert not is_as_expected(5, 3)
    assert is_as_expected(51, 59)
    assert is_as_expected(None, 59)
    assert not is_as_expected(None, 10)
