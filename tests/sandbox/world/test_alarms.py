"""Alarms start without data, judge M of N, and treat missing datapoints in four ways."""

import pytest

from sandbox.world.cloudwatch.evaluation import judge
from tests.sandbox.world.places import Shop, Wire, seconds, shop
from tests.sandbox.world.test_metrics import answer, minute

NO, LOW, HIGH = None, 0.0, 9.0


def settings(treatment: str, needed: int = 3, periods: int = 3) -> Wire:
    return {
        "EvaluationPeriods": periods,
        "DatapointsToAlarm": needed,
        "TreatMissingData": treatment,
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 5.0,
    }


# "Configuring how CloudWatch alarms treat missing data", its table for 3 out of 3.
# datapoints, then the state for missing, ignore (KEEP: as it was), breaching, notBreaching
TABLE = [
    ([LOW, NO, HIGH, NO, HIGH], ("OK", "OK", "OK", "OK")),
    ([LOW, NO, NO, NO, NO], ("OK", "OK", "OK", "OK")),
    ([NO, NO, NO, NO, NO], ("INSUFFICIENT_DATA", "KEEP", "ALARM", "OK")),
    ([LOW, HIGH, HIGH, NO, HIGH], ("ALARM", "ALARM", "ALARM", "ALARM")),
    ([NO, NO, HIGH, NO, NO], ("ALARM", "KEEP", "ALARM", "OK")),
]


@pytest.mark.parametrize(("points", "states"), TABLE)
@pytest.mark.parametrize("column", range(4))
def test_missing_datapoints_are_treated_as_documented(
    points: list[float | None], states: tuple[str, ...], column: int
) -> None:
    treatment = ("missing", "ignore", "breaching", "notBreaching")[column]
    for state in ("OK", "ALARM", "INSUFFICIENT_DATA"):
        expected = state if states[column] == "KEEP" else states[column]
        assert judge(points, settings(treatment), state) == expected


@pytest.mark.parametrize(
    ("points", "state"),
    [([LOW, HIGH, HIGH], "ALARM"), ([HIGH, LOW, HIGH], "ALARM"), ([LOW, LOW, HIGH], "OK")],
)
def test_m_of_n_datapoints_in_any_order_raise_the_alarm(points: list[float | None], state: str) -> None:
    assert judge(points, settings("missing", needed=2), "OK") == state


def shown(s: Shop) -> Wire:
    return s.world.call("cloudwatch", "DescribeAlarms", {"AlarmNames": ["checkout-5xx"]})["MetricAlarms"][0]


def test_a_new_alarm_has_no_data_and_is_judged_a_minute_later() -> None:
    s = shop()
    assert shown(s)["StateValue"] == "INSUFFICIENT_DATA"
    minute(s)
    assert shown(s)["StateValue"] == "OK"  # notBreaching


def test_an_alarm_fires_minutes_after_the_errors_and_ends_after_them() -> None:
    s = shop()
    minute(s)
    began = s.world.now
    for _ in range(3):
        answer(s, 20, status=500)
        minute(s)
    states = []
    for _ in range(10):
        states.append(shown(s)["StateValue"])
        minute(s)
    assert states[0] == "OK"
    assert "ALARM" in states
    assert states[-1] == "OK"
    assert shown(s)["StateTransitionedTimestamp"] > began


def test_describe_leaves_out_unknown_names_and_other_types_without_error() -> None:
    s = shop()
    ask = s.world.call
    assert ask("cloudwatch", "DescribeAlarms", {"AlarmNames": ["none"]})["MetricAlarms"] == []
    assert ask("cloudwatch", "DescribeAlarms", {"AlarmTypes": ["CompositeAlarm"]})["MetricAlarms"] == []
    assert len(ask("cloudwatch", "DescribeAlarms", {"AlarmNamePrefix": "check"})["MetricAlarms"]) == 1


def test_a_state_set_by_hand_lasts_until_the_next_evaluation() -> None:
    s = shop()
    state = {"AlarmName": "checkout-5xx", "StateValue": "ALARM", "StateReason": "by hand"}
    s.world.call("cloudwatch", "SetAlarmState", state)
    assert (shown(s)["StateValue"], shown(s)["StateReason"]) == ("ALARM", "by hand")
    s.world.advance(seconds(60))
    assert shown(s)["StateValue"] == "OK"


def test_writing_an_alarm_again_keeps_its_state() -> None:
    s = shop()
    minute(s)
    given = {
        k: v for k, v in shown(s).items() if not k.startswith("State") and k not in ("AlarmArn", CONFIGURED)
    }
    s.world.call("cloudwatch", "PutMetricAlarm", given | {"Threshold": 50.0})
    assert (shown(s)["StateValue"], shown(s)["Threshold"]) == ("OK", 50.0)
    s.world.call("cloudwatch", "DeleteAlarms", {"AlarmNames": ["checkout-5xx"]})
    assert s.world.call("cloudwatch", "DescribeAlarms", {})["MetricAlarms"] == []


CONFIGURED = "AlarmConfigurationUpdatedTimestamp"
