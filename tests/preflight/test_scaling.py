"""Preflight on scaling: what green gets of blue's, what it does not get and why, and the calls that takes."""

from datetime import timedelta
from typing import Any

import pytest

from orchestrator.core.cloud.forward_action import canonical
from orchestrator.core.cloud.resources import DriverSeen, PolicySeen, ScalesSeen, ScheduleSeen
from orchestrator.core.cloud.survey import Severity, Survey
from orchestrator.core.domain.ids import metric_dimension
from orchestrator.core.preflight.permissions import permits_of
from orchestrator.preflight import findings
from tests.builders import BLUE_GROUP, NOON, good_spec, good_survey

TRACKING, STEP, PREDICTIVE = "TargetTrackingScaling", "StepScaling", "PredictiveScaling"
ANY_TARGET = f"arn:aws:application-autoscaling:eu-west-1:123456789012:scalable-target/{'0' * 32}"
EVENING = ScheduleSeen(name="evening", schedule="cron(0 20 * * ? *)", min_capacity=4)


def policy(name: str = "cpu", kind: str = TRACKING, **configuration: object) -> PolicySeen:
    return PolicySeen(name=name, kind=kind, configuration=canonical(configuration), arn=f"arn:policy/{name}")


def queried(expression: str) -> dict[str, Any]:
    return {"CustomizedMetricSpecification": {"Metrics": [{"Id": "q", "Expression": expression}]}}


def driver(**settings: object) -> DriverSeen:
    return DriverSeen(
        name="busy", settings=canonical(settings), actions=(("AlarmActions", ("arn:policy/steps",)),)
    )


def scaled(*policies: PolicySeen, **changes: Any) -> Survey:  # noqa: ANN401 - the fields of ScalesSeen
    target = good_survey().scaling
    return good_survey(scales=ScalesSeen(target=target, policies=policies, **changes))


def findings_of(survey: Survey) -> dict[str, tuple[Severity, str]]:
    return {f.code: (f.severity, f.what) for f in findings(good_spec(), survey, now=NOON)}


def test_what_green_gets_is_said() -> None:
    found = findings_of(scaled(policy(), schedules=(EVENING,)))
    assert found["green-scales"] == (
        Severity.NOTE,
        "green scales as checkout does: policy cpu, scheduled action evening",
    )


def test_where_schedules_act_the_raised_minimum_is_said() -> None:
    assert "minimum-will-be-raised" in findings_of(scaled(schedules=(EVENING,)))
    assert "minimum-will-be-raised" not in findings_of(scaled(policy()))


def test_a_service_without_a_target_has_nothing_to_give() -> None:
    assert not [code for code in findings_of(good_survey(scaling=None)) if "scal" in code]


def test_a_target_that_nothing_acts_on_is_not_worth_a_word() -> None:
    assert "green-scales" not in findings_of(scaled())


@pytest.mark.parametrize(
    ("survey", "words"),
    [
        pytest.param(
            scaled(policy(**queried("SUM(SEARCH('{AWS/ECS,ServiceName} ServiceName=\"checkout\"', 'Sum'))"))),
            "the text of a query names checkout: SUM(SEARCH(",
            id="a search",
        ),
        pytest.param(
            scaled(policy(**queried(f"SELECT SUM(x) FROM y WHERE g = '{metric_dimension(BLUE_GROUP)}'"))),
            f"the text of a query names {metric_dimension(BLUE_GROUP)}",
            id="SQL",
        ),
        pytest.param(scaled(policy("steps", STEP)), "no metric alarm makes it act", id="no alarm"),
        pytest.param(
            scaled(policy("steps", STEP), drivers=(driver(ThresholdMetricId="band"),)),
            "the threshold of its alarm busy comes from anomaly detection",
            id="an anomaly",
        ),
        pytest.param(
            scaled(
                policy("steps", STEP),
                drivers=(driver(Metrics=[{"Id": "q", "Expression": "SELECT SUM(x) WHERE s = 'checkout'"}]),),
            ),
            "of its alarm busy, the text of a query names checkout",
            id="an alarm's query",
        ),
    ],
)
def test_a_policy_that_cannot_be_rewritten_is_left_out_with_its_reason(survey: Survey, words: str) -> None:
    found = findings_of(survey)
    assert found["policy-left-out"][0] is Severity.WARNING
    assert words in found["policy-left-out"][1]
    assert "green-scales" not in found


@pytest.mark.parametrize(
    "expression",
    [
        pytest.param("checkout / hosts", id="an id that is called like the service"),
        pytest.param("SUM(SEARCH('{Shop,Queue} MetricName=\"Backlog\"', 'Sum'))", id="a search for others"),
    ],
)
def test_a_query_that_names_nothing_of_blues_in_its_text_is_given(expression: str) -> None:
    assert "policy-left-out" not in findings_of(scaled(policy(**queried(expression))))


def test_a_predictive_policy_only_forecasts_on_green() -> None:
    acting = policy("forecast", PREDICTIVE, Mode="ForecastAndScale")
    assert "policy forecast only forecasts on green" in findings_of(scaled(acting))["forecast-only"][1]
    assert "forecast-only" not in findings_of(scaled(policy("forecast", PREDICTIVE, Mode="ForecastOnly")))


@pytest.mark.parametrize(
    "over",
    [
        pytest.param(ScheduleSeen(name="sale", schedule="at(2026-03-02T11:59:00)"), id="in the past"),
        pytest.param(
            ScheduleSeen(name="sale", schedule="at(2026-03-02T12:30:00)", zone="Europe/Berlin"), id="its zone"
        ),
        pytest.param(ScheduleSeen(name="sale", schedule="at(2026-03-02T12:00:30)"), id="nearly past"),
        pytest.param(
            ScheduleSeen(name="sale", schedule="rate(1 day)", end=NOON - timedelta(hours=1)), id="ended"
        ),
    ],
)
def test_what_is_over_is_not_given(over: ScheduleSeen) -> None:
    found = findings_of(scaled(schedules=(over, EVENING)))
    assert found["schedule-over"][1] == "green does not get what is over: scheduled action sale"
    assert found["green-scales"][1].endswith("does: scheduled action evening")


def test_a_one_time_action_to_come_is_given() -> None:
    to_come = ScheduleSeen(name="sale", schedule="at(2026-03-02T20:00:00)")
    assert "sale" in findings_of(scaled(schedules=(to_come,)))["green-scales"][1]


def test_every_call_that_scaling_takes_is_asked_about() -> None:
    survey = scaled(policy(), policy("steps", STEP), drivers=(driver(),), schedules=(EVENING,))
    asked = {(permit.action, permit.resource) for permit in permits_of(good_spec(), survey)}
    alarms = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm"
    target = f"{alarms}:TargetTracking-service/prod/checkout-00000000-AlarmHigh-00000000"
    assert {
        ("application-autoscaling:RegisterScalableTarget", ANY_TARGET),
        ("application-autoscaling:DeregisterScalableTarget", ANY_TARGET),
        ("application-autoscaling:TagResource", ANY_TARGET),
        ("application-autoscaling:PutScalingPolicy", ANY_TARGET),
        ("application-autoscaling:PutScheduledAction", ANY_TARGET),
        ("cloudwatch:PutMetricAlarm", f"{alarms}:teal-checkout-00000000-alarm-0"),
        ("cloudwatch:TagResource", f"{alarms}:teal-checkout-00000000-alarm-0"),
        ("cloudwatch:DeleteAlarms", f"{alarms}:teal-checkout-00000000-alarm-0"),
        ("cloudwatch:PutMetricAlarm", target),
    } <= asked


def test_without_policies_only_the_target_is_asked_about() -> None:
    asked = {permit.action for permit in permits_of(good_spec(), scaled())}
    assert not {action for action in asked if action.startswith("cloudwatch:")}
    assert "application-autoscaling:PutScalingPolicy" not in asked
