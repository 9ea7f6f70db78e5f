"""Simulated traffic: what is drawn, how late it is seen, and that a seed is the same traffic."""

from datetime import timedelta

import pytest

from orchestrator.simulate.defects import FAILING, Defect
from orchestrator.simulate.traffic import START, Demand, Traffic

MINUTE = timedelta(minutes=1)


def traffic(
    defect: Defect = Defect.NONE, *, seed: int = 1, rate: float = 100, errors: float = 0.01
) -> Traffic:
    return Traffic(Demand(requests_per_second=rate, error_rate=errors), defect, period=MINUTE, seed=seed)


def after(minutes: int, defect: Defect = Defect.NONE, *, share: float = 0.5, seed: int = 1) -> Traffic:
    """Green at a share from the start, for so long."""
    made = traffic(defect, seed=seed)
    made.write(share)
    made.advance(START + minutes * MINUTE)
    return made


def test_the_same_seed_is_the_same_traffic_and_another_is_another() -> None:
    one, same, other = (after(20, Defect.FIVE, seed=seed) for seed in (7, 7, 8))
    assert [p.green for p in one.periods] == [p.green for p in same.periods]
    assert one.harm == same.harm != other.harm


@pytest.mark.parametrize("defect", list(Defect))
def test_when_anybody_looks_makes_no_difference_to_what_is_drawn(defect: Defect) -> None:
    seldom, often = traffic(defect, seed=4), traffic(defect, seed=4)
    for made in (seldom, often):
        made.write(0.5)
    for second in range(0, 30 * 60, 7):
        often.advance(START + timedelta(seconds=second))
    for made in (seldom, often):
        made.advance(START + 30 * MINUTE)
    assert seldom.harm == often.harm
    assert seldom.harmed_since == often.harmed_since
    assert [(p.blue, p.green) for p in seldom.periods] == [(p.blue, p.green) for p in often.periods]


def test_the_first_harm_is_told_within_the_span_in_which_it_came() -> None:
    made = traffic(Defect.LEAK)
    made.write(0.5)
    made.advance(START + 30 * MINUTE)
    begun = made.first_traffic
    assert begun is not None
    assert made.harmed_since is not None
    assert timedelta(0) <= made.harmed_since - begun - 12 * MINUTE < timedelta(seconds=5)


def test_requests_and_errors_come_at_their_rates() -> None:
    found = after(200)
    requests = sum(p.blue.requests + p.green.requests for p in found.periods)
    errors = sum(p.blue.errors + p.green.errors for p in found.periods)
    assert requests / (200 * 60) == pytest.approx(100, rel=0.05)
    assert errors / requests == pytest.approx(0.01, rel=0.05)
    assert sum(p.green.requests for p in found.periods) / requests == pytest.approx(0.5, rel=0.02)


def test_a_good_release_and_an_outage_do_no_harm_and_a_total_failure_harms_every_request_of_green() -> None:
    assert after(20).harm == 0
    assert after(30, Defect.OUTAGE).harm == 0
    total = after(10, Defect.TOTAL)
    assert total.harm == pytest.approx(sum(p.green.requests for p in total.periods), rel=0.02)


@pytest.mark.parametrize(
    ("defect", "share", "minutes", "failing"),
    [
        (Defect.HIGH_LOAD, 0.4, 10, 0.0),
        (Defect.HIGH_LOAD, 0.5, 10, FAILING),
        (Defect.LEAK, 0.5, 11, 0.0),
        (Defect.SHARED, 0.05, 10, 0.0),
        (Defect.COLD, 0.5, 2, 0.09),
    ],
)
def test_a_defect_shows_where_it_should(defect: Defect, share: float, minutes: int, failing: float) -> None:
    found = after(minutes, defect, share=share)
    green = sum(p.green.requests for p in found.periods)
    assert found.harm / green == pytest.approx(failing, rel=0.15, abs=1e-9)


def test_a_green_that_exhausts_what_both_share_harms_blues_users_too() -> None:
    found = after(10, Defect.SHARED)
    assert sum(p.blue.errors for p in found.periods) > 0.15 * sum(p.blue.requests for p in found.periods)


def test_a_datapoint_is_seen_one_to_two_periods_after_its_end_and_never_before_an_older_one() -> None:
    found = after(60).periods
    delays = [(p.visible_at - p.start) / MINUTE for p in found]
    assert all(
        2 <= delay <= 3 or p.visible_at == q.visible_at
        for delay, p, q in zip(delays[1:], found[1:], found, strict=False)
    )
    assert [p.visible_at for p in found] == sorted(p.visible_at for p in found)
    assert traffic().read(START) == []


def test_a_written_weight_takes_some_seconds_to_be_everywhere() -> None:
    made = traffic()
    made.write(0.5)
    made.advance(START + timedelta(seconds=2))
    assert made.green_share == 0.0
    made.advance(START + timedelta(seconds=4))
    assert made.green_share == 0.5
    assert made.first_traffic == START + timedelta(seconds=3)


@pytest.mark.parametrize("mean", [0.2, 3.0, 29.0, 31.0, 5000.0])
def test_poisson_counts_have_their_mean_and_variance(mean: float) -> None:
    made = traffic()
    drawn = [made.poisson(mean) for _ in range(4000)]
    average = sum(drawn) / len(drawn)
    variance = sum((count - average) ** 2 for count in drawn) / len(drawn)
    assert average == pytest.approx(mean, rel=0.1, abs=0.02)
    assert variance == pytest.approx(mean, rel=0.15, abs=0.05)
