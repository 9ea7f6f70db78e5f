"""Reports of simulations: the numbers add up, however many workers there are; what is left out is said."""

from dataclasses import replace
from datetime import timedelta
from xml.etree import ElementTree

import pytest

from orchestrator.core.gates.alarms import AlarmSpec, AlarmsSpec
from orchestrator.core.ids import Tenths
from orchestrator.core.plan import Plan, Step
from orchestrator.core.spec import ApprovalSpec, GatesSpec
from orchestrator.simulate.defects import Defect
from orchestrator.simulate.plot import svg
from orchestrator.simulate.report import Simulation, simulate, simulated
from tests.simulate.plans import BUSY, spec

TWO = (Defect.NONE, Defect.TOTAL)


@pytest.fixture(scope="module")
def report() -> Simulation:
    return simulate(spec("canary"), BUSY, runs=12, seed=40, defects=TWO, workers=1)


def test_the_same_seed_gives_the_same_report_with_any_number_of_workers(report: Simulation) -> None:
    assert simulate(spec("canary"), BUSY, runs=12, seed=40, defects=TWO, workers=2) == report


def test_every_policy_is_tried_on_every_defect(report: Simulation) -> None:
    assert report.policies[0] == "Teal canary"
    assert "CodeDeploy Canary10Percent5Minutes" in report.policies
    assert all([row.defect for row in report.of(policy)] == list(TWO) for policy in report.policies)


def test_harm_is_told_in_requests_and_in_percent_of_a_minute(report: Simulation) -> None:
    total = report.of("Teal canary")[1]
    assert total.harm_percent_median == pytest.approx(100 * total.harm_median / 60_000)
    assert total.harm_median <= total.harm_p95
    assert total.rolled_back == total.before_full == 1.0


def test_nothing_beats_the_physical_limit_by_more_than_chance(report: Simulation) -> None:
    limit = next(one.harm_percent for one in report.limits if one.defect is Defect.TOTAL)
    assert report.of("Teal canary")[1].harm_percent_mean > 0.8 * limit


def test_a_canary_is_advised_to_begin_smaller(report: Simulation) -> None:
    assert any(words.startswith("a probe of 150 requests") for words in report.advice)
    assert any("cuts the harm of total" in words for words in report.advice)


def test_what_cannot_be_simulated_is_said_and_taken_as_passing() -> None:
    asking = Plan(
        name="custom",
        steps=(
            Step(weight=Tenths(100), bake=timedelta(minutes=5), approval=True),
            Step(weight=Tenths(1000), bake=timedelta(minutes=30)),
        ),
    )
    known = spec("canary", gates=GatesSpec(alarms=AlarmsSpec(alarms=(AlarmSpec(name="checkout-5xx"),))))
    made, left = simulated(replace(known, plan=asking, approval=ApprovalSpec(required=2)))
    assert left == (
        "gates.alarms: taken as passing",
        "approvals: taken as given at once",
        "gates.compare.slow is not set: slow requests are not seen",
    )
    assert made.gates.alarms == AlarmsSpec()
    assert not any(step.approval for step in made.plan.steps)


def test_the_picture_is_well_formed_and_has_a_point_for_each_policy(report: Simulation) -> None:
    root = ElementTree.fromstring(svg(report))
    circles = [one for one in root.iter() if one.tag.endswith("circle")]
    assert len(circles) == 2 * len(report.policies)
