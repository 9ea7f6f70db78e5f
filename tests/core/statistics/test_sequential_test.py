"""The statistics against numbers computed with 60 digits, and against what makes them valid at any time."""

import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.statistics.sequential_test import (
    FAIL_GRID,
    PROMOTE_GRID,
    Absolute,
    Grid,
    Onset,
    Sample,
    Sums,
    dispersion,
    log_add_exp,
    log_ratio,
)

_FILE = json.loads((Path(__file__).parent / "evidence_series.json").read_text())
SERIES: list[dict[str, Any]] = _FILE["series"]


def sample(row: dict[str, Any]) -> Sample:
    return Sample(
        green_requests=row["green_requests"],
        blue_requests=row.get("blue_requests", 0),
        green_events=row["green_errors"],
        blue_events=row.get("blue_errors", 0),
    )


def process_of(series: dict[str, Any]) -> Sums | Onset | Absolute:
    if series["process"] == "absolute_promote":
        return Absolute(p_max=series["p_max"], phi=series["phi"], parts=tuple(series["q_over_p_max"]))
    grid = Grid(**series["grid"])
    if series["process"] == "fail_start_time":
        return Onset(
            margin=series["margin"],
            phi=series["phi"],
            grid=grid,
            first_mass=series["first_mass"],
            hazard=series["hazard"],
            clip=series["clip"],
        )
    return Sums(margin=series["margin"], phi=series["phi"], grid=grid)


@pytest.mark.parametrize("series", SERIES, ids=[series["name"] for series in SERIES])
def test_evidence_agrees_with_sixty_digits(series: dict[str, Any]) -> None:
    process = process_of(series)
    for row in series["intervals"]:
        process = process.add(sample(row))
    assert process.log_e == pytest.approx(series["log_e"], abs=1e-6, rel=1e-9)


@pytest.mark.parametrize("given_input", _FILE["refused"], ids=str)
def test_impossible_input_is_refused(given_input: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"cannot be|not between"):
        log_ratio(given_input["k"], given_input["e"], float(given_input["s"]), margin=1.25, multiplier=2.0)


@pytest.mark.parametrize("wrong", [-1, math.nan, math.inf, 1.5])
def test_a_count_that_is_none_is_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="green_events is"):
        Sample(green_requests=10, blue_requests=10, green_events=wrong, blue_events=0)  # type: ignore[arg-type]


@given(
    share=st.floats(0.001, 0.999),
    margin=st.sampled_from([1.0, 1.25, 1.5, 3.0]),
    point=st.integers(0, FAIL_GRID.n - 1),
    ratio=st.floats(0.0, 1.0),
    blue_events=st.floats(0.01, 1000.0),
)
def test_no_true_ratio_within_the_margin_lets_evidence_for_a_failure_grow(
    share: float, margin: float, point: int, ratio: float, blue_events: float
) -> None:
    """Its expected factor is at most 1 for independent events: with Poisson counts it has a closed form."""
    g = FAIL_GRID.multipliers[point]
    assert _log_expected_factor(share, margin, g, ratio * margin, blue_events) <= 1e-9


@given(
    share=st.floats(0.001, 0.999),
    point=st.integers(0, PROMOTE_GRID.n - 1),
    ratio=st.floats(1.0, 30.0),
    blue_events=st.floats(0.01, 1000.0),
)
def test_no_true_ratio_beyond_the_bound_lets_evidence_for_a_promotion_grow(
    share: float, point: int, ratio: float, blue_events: float
) -> None:
    g = PROMOTE_GRID.multipliers[point]
    assert _log_expected_factor(share, 2.0, g, ratio * 2.0, blue_events) <= 1e-6 * blue_events


def _log_expected_factor(share: float, margin: float, g: float, ratio: float, blue_events: float) -> float:
    green_events = ratio * share / (1 - share) * blue_events
    of_green = math.exp(log_ratio(1, 1, share, margin=margin, multiplier=g))
    of_blue = math.exp(log_ratio(0, 1, share, margin=margin, multiplier=g))
    return (of_green - 1) * green_events + (of_blue - 1) * blue_events


@given(st.integers(1, 10**9), st.integers(0, 10**9))
def test_one_interval_multiplies_clipped_evidence_by_ten_at_most(requests: int, errors: int) -> None:
    before = Onset(margin=1.25, phi=1.0).add(_quiet())
    after = before.add(
        Sample(green_requests=requests, blue_requests=requests, green_events=errors, blue_events=0)
    )
    assert after.log_e <= before.log_e + math.log(10.0) + 1e-9


def test_an_interval_without_both_colours_changes_nothing() -> None:
    before = Onset(margin=1.25, phi=1.0).add(_quiet())
    only_green = Sample(green_requests=50, blue_requests=0, green_events=50, blue_events=0)
    only_blue = Sample(green_requests=0, blue_requests=50, green_events=3, blue_events=0)
    assert before.add(only_green) == before.add(only_blue) == before


def test_evidence_depends_on_the_order_of_intervals_so_rows_are_its_source() -> None:
    bad = Sample(green_requests=100, blue_requests=900, green_events=9, blue_events=9)
    start = Onset(margin=1.25, phi=1.0)
    assert start.add(bad).add(_quiet()).log_e != start.add(_quiet()).add(bad).log_e


def test_independent_counts_have_no_dispersion_and_pairs_have_about_two() -> None:
    once = [
        7,
        9,
        8,
        12,
        6,
        9,
        11,
        8,
        10,
        7,
        9,
        13,
        8,
        6,
        10,
        9,
        12,
        8,
        7,
        11,
        9,
        10,
        8,
        9,
        12,
        7,
        10,
        9,
        8,
        11,
        9,
    ]
    assert dispersion(at_constant(once)).phi == 1.0
    doubled = [2 * count for count in [9, 14, 6, 10, 5, 12, 9, 13, 7, 11, 8] * 3]
    assert 2.0 < dispersion(at_constant(doubled)).phi < 4.0


def test_noise_in_the_amount_of_traffic_is_no_dispersion() -> None:
    """Exactly one request in a hundred fails, and the requests vary by a factor of four."""
    busy_and_quiet = [(requests // 100, requests) for requests in [4000, 1000, 2500, 1500, 3000] * 10]
    assert dispersion(busy_and_quiet).phi == 1.0
    assert dispersion(busy_and_quiet).estimate == 0.0


def test_at_constant_traffic_it_is_the_squared_differences_of_the_counts_over_their_sums() -> None:
    counts = [3, 8, 1, 9, 5, 5, 7, 2, 6, 4] * 4
    squares = sum((b - a) ** 2 for a, b in pairwise(counts))
    sums = sum(a + b for a, b in pairwise(counts))
    assert dispersion(at_constant(counts)).estimate == pytest.approx(squares / sums)


def at_constant(counts: list[int]) -> list[tuple[int, int]]:
    return [(count, 6000) for count in counts]


def test_a_short_or_quiet_history_takes_the_cautious_value() -> None:
    assert dispersion(at_constant([5] * 30)).phi == 2.0
    assert dispersion(at_constant([1] * 40)).phi == 2.0
    assert dispersion(at_constant([1] * 40)).estimate is None
    assert dispersion([(0, 0)] * 90).estimate is None


def test_dispersion_is_capped_and_says_so() -> None:
    spiky = dispersion(at_constant([10, 10, 400] * 20))
    assert spiky.phi == 10.0
    assert spiky.is_beyond


def test_minus_infinity_adds_nothing() -> None:
    assert log_add_exp(-math.inf, 1.5) == 1.5
    assert log_add_exp(-math.inf, -math.inf) == -math.inf


def _quiet() -> Sample:
    return Sample(green_requests=100, blue_requests=900, green_events=1, blue_events=9)
