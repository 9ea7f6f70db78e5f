"""What a plan can see: more with more traffic and more time, and never what lies within the margin."""

from datetime import timedelta

import pytest

from orchestrator.core.analysis.detectable_regression import Load, foresee, words_of
from orchestrator.core.domain.plan import NAMED_PLANS
from orchestrator.core.gates.compare import CompareSpec
from orchestrator.core.gates.registry import GatesSpec
from orchestrator.core.rollout.spec import Spec
from tests.core.stages import MINUTE, spec

PLANS = ("canary", "linear", "auto", "fast", "careful")


def by(plan: str, gates: GatesSpec = GatesSpec()) -> Spec:
    return spec(plan=NAMED_PLANS[plan], gates=gates)


def ratio(plan: str, errors_a_minute: float) -> float:
    found = foresee(by(plan), Load(requests=errors_a_minute * 1000, error_rate=0.001))
    return found.ratio if found.ratio is not None else float("inf")


@pytest.mark.parametrize("plan", PLANS)
def test_more_errors_a_minute_show_smaller_regressions_and_none_within_the_margin(plan: str) -> None:
    ratios = [ratio(plan, errors) for errors in (0.6, 6, 60, 600)]
    assert ratios == sorted(ratios, reverse=True)
    assert ratios[-1] > 1.25


def test_a_longer_plan_sees_more_than_a_short_one() -> None:
    assert ratio("linear", 6) < ratio("canary", 6)
    assert ratio("careful", 60) < ratio("fast", 60)


def test_a_total_failure_costs_two_periods_of_the_first_weight() -> None:
    found = foresee(by("canary"), Load(requests=1000, error_rate=0.001))
    assert found.total_harm == pytest.approx(0.1 * 1000 * 2.1)


def test_nothing_is_seen_without_errors_or_without_a_comparison() -> None:
    assert foresee(by("canary"), Load(requests=1000, error_rate=0.0)).ratio is None
    blind = by("canary", GatesSpec(compare=CompareSpec(on=False)))
    assert foresee(blind, Load(requests=1000, error_rate=0.01)).ratio is None


def test_clumped_errors_hide_regressions() -> None:
    load = Load(requests=6000, error_rate=0.01)
    clumped, alone = foresee(by("canary"), load, phi=5).ratio, foresee(by("canary"), load).ratio
    assert clumped is not None
    assert alone is not None
    assert clumped > alone


def test_times_follow_from_bakes_and_whole_periods() -> None:
    found = foresee(by("canary"), Load(requests=6000, error_rate=0.001))
    assert (found.full_after, found.ends_after) == (timedelta(minutes=5.5), timedelta(minutes=35.5))


def test_it_is_said_in_a_sentence() -> None:
    quiet = foresee(by("auto"), Load(requests=240, error_rate=0.001))
    assert words_of(quiet, MINUTE).startswith("at 4 requests/s and 0.1 % errors, errors ")
    none = foresee(by("instant"), Load(requests=240, error_rate=0.001))
    assert "too little traffic: an error regression may reach 100 % unnoticed" in words_of(none, MINUTE)
