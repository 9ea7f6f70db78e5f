"""Preflight: how long each step takes, by its bake and by what has to be measured."""

from dataclasses import replace
from datetime import timedelta

from orchestrator.core.domain.ids import Tenths
from orchestrator.core.domain.plan import NAMED_PLANS, Plan, Step
from orchestrator.core.gates.alarms import AlarmSpec, AlarmsSpec
from orchestrator.core.gates.compare import CompareSpec
from orchestrator.core.gates.registry import GatesSpec
from orchestrator.core.rollout.spec import MetricsSpec
from orchestrator.preflight import expected, plan_table
from tests.builders import good_alarm, good_spec
from tests.preflight.test_findings import HEALTH_ONLY, found


def test_a_step_lasts_as_long_as_its_bake_or_a_measured_interval() -> None:
    short = Plan(
        name="custom",
        steps=(
            Step(weight=Tenths(100), bake=timedelta(0)),
            Step(weight=Tenths(1000), bake=timedelta(minutes=10)),
        ),
    )
    uncompared = GatesSpec(compare=CompareSpec(on=False))
    assert expected(good_spec(plan=short, gates=uncompared)) == (timedelta(minutes=3), timedelta(minutes=10))


def test_the_first_step_lasts_longer_by_greens_warm_up_where_something_is_compared() -> None:
    assert expected(good_spec(plan=NAMED_PLANS["canary"])) == (timedelta(minutes=6), timedelta(minutes=30))


def test_auto_is_shown_by_the_steps_of_a_good_release() -> None:
    rows = plan_table(good_spec(plan=NAMED_PLANS["auto"]))
    assert [row.weight for row in rows] == [20, 500, 990, 1000]
    assert [row.ends // timedelta(minutes=1) for row in rows] == [6, 9, 19, 22]


def test_a_step_without_measuring_gates_lasts_its_bake() -> None:
    assert expected(good_spec(gates=HEALTH_ONLY)) == (timedelta(minutes=5), timedelta(minutes=30))


def test_a_slow_alarm_lengthens_each_step_unless_it_is_not_counted() -> None:
    spec = good_spec(gates=replace(HEALTH_ONLY, alarms=AlarmsSpec(alarms=(AlarmSpec(name="checkout-5xx"),))))
    slow = good_alarm(period=timedelta(minutes=5))
    assert expected(spec, (slow,))[0] == timedelta(minutes=7)
    assert expected(spec, (replace(slow, state="ALARM"),))[0] == timedelta(minutes=5)


def test_the_plan_table_adds_up() -> None:
    metrics = MetricsSpec(period=timedelta(seconds=5), lag=timedelta(seconds=10))
    rows = plan_table(good_spec(plan=NAMED_PLANS["linear"], metrics=metrics))
    assert [row.number for row in rows] == list(range(1, 11))
    assert [row.ends for row in rows] == [timedelta(minutes=5 * n) for n in range(1, 11)]


def test_a_step_whose_bake_is_too_short_to_measure_says_so() -> None:
    instant = Plan(name="custom", steps=(Step(weight=Tenths(1000), bake=timedelta(seconds=30)),))
    steps = [finding.what for finding in found(good_spec(plan=instant)) if finding.code == "step"]
    assert steps == [
        "the watch: 100 % for at least 3 min (its bake is 30 s, a measured interval takes longer)"
    ]
