"""Statistics of a distribution: bounds as AWS documents them, exact where values have three digits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.world.cloudwatch import statistics
from sandbox.world.cloudwatch.cell import Cell, class_of, value_of
from sandbox.world.kernel.errors import AwsRefusal


def cell(*values: float) -> Cell:
    made = Cell()
    for value in values:
        made.add(value, 1)
    return made


TENTHS = cell(*(number / 10 for number in range(1, 11)))  # 0.1 to 1.0

EXACT = [
    ("Sum", 5.5),
    ("Average", 0.55),
    ("Minimum", 0.1),
    ("Maximum", 1.0),
    ("SampleCount", 10),
    ("p50", 0.5),
    ("p90", 0.9),
    ("p99.9", 1.0),
    ("p100", 1.0),
    ("TC(0.5:)", 5),  # the lower bound is exclusive
    ("TC(:0.5)", 5),  # and the upper one inclusive
    ("TC(0.2:0.5)", 3),
    ("tc80", 8),
    ("TS(:0.3)", 0.6),
    ("ts50", 1.5),
    ("PR(:0.5)", 50),
    ("PR(0.5:)", 50),
    ("PR(0.2:0.4)", 20),
    ("tm90", 0.5),
    ("TM(10%:90%)", 0.55),
    ("TM(0.2:0.4)", 0.35),
    ("IQM", 0.6),  # of 0.4 to 0.8: the ranks above 25 % and up to 75 %
    ("wm90", 0.54),
    ("WM(20%:80%)", 0.53),
    ("WM(0.3:0.5)", 0.43),
]


@pytest.mark.parametrize(("statistic", "value"), EXACT)
def test_a_statistic_is_what_its_definition_says(statistic: str, value: float) -> None:
    assert statistics.value(TENTHS, statistic) == pytest.approx(value)


def test_a_mean_of_bounds_without_a_sample_has_no_value_but_a_count_is_zero() -> None:
    assert statistics.value(TENTHS, "TM(2:3)") is None
    assert statistics.value(TENTHS, "TC(2:3)") == statistics.value(TENTHS, "PR(2:3)") == 0


@pytest.mark.parametrize(
    "text", ["p101", "q50", "TM(:)", "TM()", "PR(:90%)", "TM(90%:10%)", "tm", "Sum(1:2)", "P50"]
)
def test_what_is_no_statistic_is_refused(text: str) -> None:
    with pytest.raises(AwsRefusal, match="parameter Stat is not supported") as caught:
        statistics.check(text)
    assert caught.value.code == "ValidationError"


def test_a_percentage_and_a_value_in_one_statistic_are_not_here() -> None:
    with pytest.raises(AwsRefusal, match="not in this sandbox"):
        statistics.check("TM(10%:0.5)")


def test_negative_values_have_the_simple_statistics_alone() -> None:
    below = cell(-1.0, 3.0)
    assert (statistics.value(below, "Sum"), statistics.value(below, "p50")) == (2.0, None)


@given(st.floats(1e-6, 1e6), st.integers(1, 999), st.integers(-6, 5))
def test_a_value_is_above_a_bound_of_three_digits_exactly_if_its_class_is(
    value: float, digits: int, exponent: int
) -> None:
    bound = float(f"{digits}e{exponent}")
    kept = value_of(class_of(value))
    if abs(value / bound - 1) > 1e-7:  # closer than that is noise of the arithmetic
        assert (kept > bound) == (value > bound)
    assert value * (1 - 1e-7) <= kept <= value * 1.0101


@given(st.lists(st.floats(0.001, 100), min_size=1, max_size=200), st.integers(1, 100))
def test_a_percentile_is_a_sample_to_within_a_hundredth(values: list[float], percent: int) -> None:
    found = cell(*values).percentile(percent)
    exact = sorted(values)[max(1, -(-percent * len(values) // 100)) - 1]
    assert exact * (1 - 1e-6) <= found <= exact * 1.0101


def test_cells_merge_to_what_one_cell_would_hold() -> None:
    whole = cell(0.1, 0.2, 0.3)
    part = cell(0.1)
    part.merge(cell(0.2, 0.3))
    assert (part.count, part.low, part.high, part.classes) == (3, 0.1, 0.3, whole.classes)
    assert part.total == pytest.approx(whole.total)


def test_a_percentile_wants_ten_samples_beyond_it() -> None:
    assert statistics.parsed("p99").samples_wanted == pytest.approx(1000)
    assert statistics.parsed("p50").samples_wanted == pytest.approx(20)
    assert statistics.parsed("p10").samples_wanted == pytest.approx(100)
    assert statistics.parsed("tm99").samples_wanted == 0
