"""Simulated rollouts by the real core: what `auto` catches and what it lets through, beside the alternatives.

Few runs with fixed seeds: each bound is far from what many runs give, so that it fails only if something is wrong.
"""

from dataclasses import replace
from statistics import fmean

import pytest

from orchestrator.core.gates.compare import CompareSpec
from orchestrator.core.gates.registry import GatesSpec
from orchestrator.core.rollout.spec import Spec
from orchestrator.simulate.defects import Defect
from orchestrator.simulate.rivals import RIVALS, deploy
from orchestrator.simulate.teal import Outcome, roll_out
from orchestrator.simulate.traffic import Demand
from tests.simulate.plans import BUSY, QUIET, spec

SEEDS = range(900, 912)


def runs(defect: Defect, *, of: Spec | None = None, load: Demand = BUSY) -> list[Outcome]:
    return [roll_out(of or spec(), load, defect, seed=seed) for seed in SEEDS]


def percent(outcomes: list[Outcome], load: Demand = BUSY) -> float:
    """Mean harm in percent of one minute of all traffic."""
    return fmean(100 * outcome.harm / (60 * load.requests_per_second) for outcome in outcomes)


@pytest.mark.long
@pytest.mark.parametrize("load", [BUSY, QUIET], ids=["busy", "quiet"])
@pytest.mark.parametrize("defect", [Defect.NONE, Defect.OUTAGE])
def test_a_good_release_goes_home_also_through_an_outage(defect: Defect, load: Demand) -> None:
    outcomes = runs(defect, load=load)
    assert sum(outcome.is_rolled_back for outcome in outcomes) <= 1, [o.reason for o in outcomes]
    assert all(outcome.harm == 0 for outcome in outcomes)


@pytest.mark.parametrize(
    ("defect", "most"),
    [(Defect.TOTAL, 2.0), (Defect.TWENTY, 0.6), (Defect.FIVE, 1.5), (Defect.HIGH_LOAD, 35.0)],
)
def test_a_bad_release_is_taken_back_before_full_weight(defect: Defect, most: float) -> None:
    outcomes = runs(defect)
    assert all(outcome.before_full for outcome in outcomes)
    assert percent(outcomes) < most


def test_auto_does_a_tenth_of_the_harm_of_a_canary_by_the_clock() -> None:
    canary = next(rival for rival in RIVALS if rival.name == "CodeDeploy Canary10Percent5Minutes")
    for defect in (Defect.TOTAL, Defect.TWENTY, Defect.FIVE):
        by_the_clock = [deploy(canary, BUSY, defect, seed=seed) for seed in SEEDS]
        assert percent(runs(defect)) * 10 < percent(by_the_clock), defect


def test_green_that_hurts_blue_is_convicted_by_intervention() -> None:
    outcomes = runs(Defect.SHARED)
    assert all(outcome.is_rolled_back for outcome in outcomes)
    assert all("recovered with green at" in outcome.reason for outcome in outcomes)


def test_clumped_errors_of_a_good_release_are_no_reason_to_go_back() -> None:
    load = replace(BUSY, requests_per_second=100)
    assert sum(outcome.is_rolled_back for outcome in runs(Defect.CLUMPED, load=load)) <= 1


def test_failures_that_a_proxy_tries_again_hide_from_errors_and_show_as_slow_answers() -> None:
    """Of a fifth of failures the load balancer counts one in 125; what users wait longer for is seen by `slow`."""
    by_errors, seen = GatesSpec(compare=CompareSpec()), runs(Defect.RETRIED)
    hidden = runs(Defect.RETRIED, of=spec(gates=by_errors))
    assert all(outcome.is_rolled_back for outcome in seen)
    assert fmean(outcome.harm for outcome in seen) < fmean(outcome.harm for outcome in hidden)


@pytest.mark.long
def test_low_traffic_takes_the_longer_plan_and_catches_a_total_failure_all_the_same() -> None:
    good = runs(Defect.NONE, load=QUIET)
    assert all(o.full_after is not None and o.full_after.total_seconds() >= 15 * 60 for o in good)
    assert all(outcome.before_full for outcome in runs(Defect.TOTAL, load=QUIET))


@pytest.mark.long
def test_without_the_comparison_a_small_regression_passes() -> None:
    blind = spec(gates=GatesSpec(compare=CompareSpec(on=False)))
    assert not any(outcome.is_rolled_back for outcome in runs(Defect.FIVE, of=blind))


def test_the_same_seed_is_the_same_rollout() -> None:
    assert roll_out(spec(), BUSY, Defect.FIVE, seed=5) == roll_out(spec(), BUSY, Defect.FIVE, seed=5)


@pytest.mark.parametrize("plan", ["auto", "canary"])
@pytest.mark.parametrize("load", [BUSY, QUIET], ids=["busy", "quiet"])
@pytest.mark.parametrize("defect", [Defect.NONE, Defect.FIVE, Defect.SHARED, Defect.LEAK, Defect.OUTAGE])
def test_looks_that_find_nothing_new_are_left_out_without_a_difference(
    defect: Defect, load: Demand, plan: str
) -> None:
    short, whole = (
        roll_out(spec(plan), load, defect, seed=77, is_every_look_taken=every) for every in (False, True)
    )
    assert short == whole


@pytest.mark.parametrize("plan", ["canary", "linear", "instant", "fast", "careful"])
def test_every_named_plan_can_be_simulated(plan: str) -> None:
    assert not roll_out(spec(plan), BUSY, Defect.NONE, seed=3).is_rolled_back
    assert roll_out(spec(plan), BUSY, Defect.TOTAL, seed=3).is_rolled_back
