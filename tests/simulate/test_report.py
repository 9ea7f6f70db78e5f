"""Reports of simulations: the numbers add up, however many workers there are; what is left out is said."""

import textwrap
from dataclasses import replace
from datetime import timedelta
from xml.etree import ElementTree

import pytest

from orchestrator.config import load_text
from orchestrator.core.domain.ids import Tenths
from orchestrator.core.domain.plan import Plan, Step
from orchestrator.core.gates.alarms import AlarmSpec, AlarmsSpec
from orchestrator.core.gates.registry import GatesSpec
from orchestrator.core.rollout.spec import ApprovalSpec, MetricsSpec
from orchestrator.simulate.defects import Defect
from orchestrator.simulate.plot import svg
from orchestrator.simulate.report import Simulation, simulate
from orchestrator.simulate.rivals import RIVALS
from orchestrator.simulate.scope import simulated
from orchestrator.simulate.traffic import Demand
from tests.simulate.plans import BUSY, spec

TWO = (Defect.NONE, Defect.TOTAL)
Steps = tuple[tuple[float, float], ...]


@pytest.fixture(scope="module")
def report() -> Simulation:
    return simulate(spec("canary"), BUSY, runs=12, seed=40, defects=TWO, workers=1)


@pytest.mark.machine
def test_the_same_seed_gives_the_same_report_with_any_number_of_workers(report: Simulation) -> None:
    assert simulate(spec("canary"), BUSY, runs=12, seed=40, defects=TWO, workers=2) == report


def test_every_policy_is_tried_on_every_defect(report: Simulation) -> None:
    assert report.policies[0] == "Teal canary"
    assert "CodeDeploy Canary10Percent5Minutes" in report.policies
    assert all([row.defect for row in report.of(policy)] == list(TWO) for policy in report.policies)


def test_the_alternatives_have_the_schedules_of_the_products_they_are_named_after() -> None:
    """CodeDeploy's predefined configurations, ECS's canary and linear as set here, Argo's analysis between steps."""
    steps = {rival.name: rival.steps for rival in RIVALS}
    canary: Steps = ((0, 0.1), (5, 1.0))
    assert steps["CodeDeploy Canary10Percent5Minutes"] == steps["the same, tight alarm"] == canary
    linear: Steps = tuple((minute, round((minute + 1) / 10, 1)) for minute in range(10))
    assert steps["CodeDeploy Linear10PercentEvery1Minute, tight alarm"] == linear
    slower: Steps = ((0, 0.1), (10, 1.0))
    assert steps["ECS canary 10 %, 10 min, tight alarm"] == slower
    assert steps["ECS linear 10 %, 6 min, tight alarm"][:2] == ((0, 0.1), (6, 0.2))
    argo: Steps = ((0, 0.1), (3, 0.25), (6, 0.5), (9, 0.75), (12, 1.0))
    assert steps["Argo steps 10/25/50/75, 3 min, > 5 %"] == argo


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


def test_every_gate_that_cannot_be_simulated_is_named_as_the_file_names_it() -> None:
    file = """
        service: prod/checkout
        revision: {task_definition: 'checkout:43'}
        plan: auto
        on_failure: hold
        approval: {when: [before_traffic, before_full]}
        traffic: {test_rules: ['arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener-rule/app/a/1/2/3']}
        gates:
          alarms: [checkout-5xx]
          probe: {url: 'https://test.example.com'}
          webhook: [{url: 'https://hooks.example.com/smoke', when: before_traffic}]
          metric: [{name: lag, metrics: {m: {namespace: App, metric: Lag, stat: Maximum}}, max: 5}]
          window: {allow: 'mon-fri 09:00-17:00'}
          compare: {slow: {over: 800ms}}
    """
    made, left = simulated(load_text(textwrap.dedent(file)))
    assert left == (
        "gates.alarms: taken as passing",
        "gates.metric: taken as passing",
        "gates.probe: taken as passing, and green as warmed up by it",
        "gates.webhook: taken as passing",
        "gates.window: taken as open",
        "approvals: taken as given at once",
        "on_failure is hold: nobody answers here, and a release that failed stays where it is",
    )
    assert made.gates == GatesSpec(compare=made.gates.compare)
    assert made.gates.compare.warm_up == 0
    alone = {"with_rivals": False, "with_advice": False}
    assert simulate(made, BUSY, runs=1, seed=1, defects=TWO, workers=1, **alone).rows


def test_counts_of_another_source_are_simulated_as_the_load_balancers(report: Simulation) -> None:
    counts = (("requests", "sum(r)"), ("errors", "sum(e)"))
    asked = replace(spec("canary"), metrics=MetricsSpec(source="prom", counts=counts))
    found = simulate(asked, BUSY, runs=12, seed=40, defects=TWO, workers=1)
    assert found.rows == report.rows
    assert "metrics.source: its counts are taken to come as late as CloudWatch's" in found.left_out


def test_where_nothing_fails_anyway_many_times_nothing_is_called_nothing() -> None:
    load = replace(BUSY, error_rate=0.0)
    found = simulate(
        spec("canary"),
        load,
        runs=2,
        seed=1,
        defects=(Defect.FIVE,),
        workers=1,
        with_rivals=False,
        with_advice=False,
    )
    assert (
        "2x, 5x, 20x, cold: no request fails anyway, and so many times nothing is nothing" in found.left_out
    )


@pytest.mark.parametrize("rate", [1e-6, 1e6])
@pytest.mark.parametrize("errors", [0.0, 0.999])
def test_rates_at_the_ends_of_what_may_be_said_are_simulated(rate: float, errors: float) -> None:
    load = Demand(requests_per_second=rate, error_rate=errors)
    found = simulate(spec(), load, runs=1, seed=1, defects=TWO, workers=1, with_advice=False)
    assert all(row.harm_mean >= 0 for row in found.rows)


@pytest.mark.night
@pytest.mark.parametrize("rate", [1e-6, 0.01, 1e6])
@pytest.mark.parametrize("errors", [0.0, 0.999])
def test_every_defect_is_simulated_at_rates_at_the_ends(rate: float, errors: float) -> None:
    load = Demand(requests_per_second=rate, error_rate=errors)
    found = simulate(spec(), load, runs=1, seed=1, defects=tuple(Defect), workers=1, with_advice=False)
    assert all(row.harm_mean >= 0 for row in found.rows)


def test_the_picture_is_well_formed_and_has_a_point_for_each_policy(report: Simulation) -> None:
    root = ElementTree.fromstring(svg(report))
    circles = [one for one in root.iter() if one.tag.endswith("circle")]
    assert len(circles) == 2 * len(report.policies)
    assert "nothing can do less" in svg(report)
