"""Alarms on metric math and percentiles, composite alarms, suppression, mute rules and history."""

import json
from datetime import timedelta

import pytest

from sandbox.world.cloudwatch.composite import children, holds, parse
from sandbox.world.kernel.errors import AwsRefusal
from tests.sandbox.world.places import Shop, Wire, calm, seconds, shop
from tests.sandbox.world.test_metric_math import stat
from tests.sandbox.world.test_metrics import answer, minute, names

TOPIC = "arn:aws:sns:eu-west-1:123456789012:pager"


def put(s: Shop, name: str, **more: Wire) -> None:
    """An alarm on more than 5 errors of the group in one minute."""
    balancer, group = names(s)
    given = {
        "AlarmName": name,
        "Namespace": "AWS/ApplicationELB",
        "MetricName": "HTTPCode_Target_5XX_Count",
        "Dimensions": [
            {"Name": "LoadBalancer", "Value": balancer},
            {"Name": "TargetGroup", "Value": group},
        ],
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 5.0,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
    } | more
    kept = {key: value for key, value in given.items() if value is not None}
    s.world.call("cloudwatch", "PutMetricAlarm", kept)


ONE_METRIC = ("Namespace", "MetricName", "Dimensions", "Statistic", "Period")


def put_math(s: Shop, name: str, expression: str, **more: Wire) -> None:
    metrics = [
        stat(s, "r", "RequestCount", ReturnData=False),
        stat(s, "e", "HTTPCode_Target_5XX_Count", ReturnData=False),
        {"Id": "rate", "Expression": expression, "ReturnData": True},
    ]
    put(s, name, **(dict.fromkeys(ONE_METRIC) | {"Metrics": metrics} | more))


def composite(s: Shop, name: str, rule: str, **more: Wire) -> None:
    s.world.call("cloudwatch", "PutCompositeAlarm", {"AlarmName": name, "AlarmRule": rule, **more})


def described(s: Shop, **asked: Wire) -> Wire:
    return s.world.call(
        "cloudwatch", "DescribeAlarms", {"AlarmTypes": ["MetricAlarm", "CompositeAlarm"], **asked}
    )


def state(s: Shop, name: str) -> str:
    found = described(s, AlarmNames=[name])
    return str([*found["MetricAlarms"], *found["CompositeAlarms"]][0]["StateValue"])


def force(s: Shop, name: str, value: str) -> None:
    s.world.call(
        "cloudwatch", "SetAlarmState", {"AlarmName": name, "StateValue": value, "StateReason": "test"}
    )


def test_an_alarm_on_metric_math_judges_a_rate() -> None:
    s = shop()
    put_math(s, "rate", "IF(FILL(r, 0) > 0, FILL(e, 0) / r * 100, 0)", Threshold=20.0)
    seen = []
    for bad in (0, 1, 5, 0, 0, 0, 0):
        minute(s)
        answer(s, 10 - bad)
        answer(s, bad, status=500)
        seen.append(state(s, "rate"))
    assert "ALARM" in seen
    assert seen[-1] == "OK"


def test_an_alarm_on_math_that_gives_several_series_shows_an_evaluation_error() -> None:
    s = shop()
    put_math(s, "both", "METRICS() * 2")
    minute(s)
    found = described(s, AlarmNames=["both"])["MetricAlarms"][0]
    assert (found["EvaluationState"], found["StateValue"]) == ("EVALUATION_ERROR", "INSUFFICIENT_DATA")


@pytest.mark.parametrize(
    ("trouble", "evaluation"), [("partial", "PARTIAL_DATA"), ("failed", "EVALUATION_FAILURE")]
)
def test_an_alarm_says_when_it_could_not_be_evaluated_whole(trouble: Wire, evaluation: str) -> None:
    s = shop()
    put(s, "errors")
    minute(s)
    s.world.metrics.disturb(trouble, until=s.world.now + seconds(90))
    minute(s)
    assert described(s, AlarmNames=["errors"])["MetricAlarms"][0]["EvaluationState"] == evaluation
    minute(s)
    assert "EvaluationState" not in described(s, AlarmNames=["errors"])["MetricAlarms"][0]


def test_a_percentile_of_too_few_samples_may_be_told_to_change_nothing() -> None:
    s = shop()
    slow = {
        "MetricName": "TargetResponseTime",
        "Statistic": None,
        "ExtendedStatistic": "p99",
        "Threshold": 0.5,
    }
    put(s, "careful", EvaluateLowSampleCountPercentile="ignore", **slow)
    put(s, "eager", **slow)
    minute(s)
    answer(s, 20, time=2.0)  # p99 wants a thousand
    seen = []
    for _ in range(4):
        minute(s)
        seen.append((state(s, "careful"), state(s, "eager")))
    assert ("OK", "ALARM") in seen
    assert all(careful == "OK" for careful, _ in seen)


def test_an_alarm_of_high_resolution_fires_within_seconds() -> None:
    s = shop(calm(custom_metric_delay=seconds(1)))
    put(
        s,
        "fast",
        Namespace="shop",
        MetricName="Failed",
        Dimensions=None,
        Period=10,
        TreatMissingData="ignore",
    )
    minute(s)
    datum = {"MetricName": "Failed", "Value": 9.0, "StorageResolution": 1}
    s.world.call("cloudwatch", "PutMetricData", {"Namespace": "shop", "MetricData": [datum]})
    s.world.advance(seconds(25))
    assert state(s, "fast") == "ALARM"


MATH_REFUSED = [
    ({"Metrics": []}, "at most 10 metrics"),
    ({"Metrics": [{"Id": "e1", "Expression": "TIME_SERIES(1)"}]}, "at least one metric"),
    ({"Period": 60}, "Metrics cannot be specified with Period"),
    ({"ComparisonOperator": "GreaterThanUpperThreshold"}, "GreaterThanUpperThreshold"),
]


@pytest.mark.parametrize(("more", "text"), MATH_REFUSED)
def test_alarms_on_math_have_rules(more: Wire, text: str) -> None:
    s = shop()
    with pytest.raises(AwsRefusal, match=text):
        put_math(s, "x", "e / r", **more)


def test_exactly_one_query_of_an_alarm_returns_data() -> None:
    s = shop()
    metrics = [stat(s, "r", "RequestCount"), {"Id": "x", "Expression": "r * 2"}]
    with pytest.raises(AwsRefusal, match="Exactly one element"):
        put_math(s, "x", "r", Metrics=metrics)
    with pytest.raises(AwsRefusal, match="Undefined variable m7"):
        put_math(s, "x", "m7 / r")


RULES = [
    ("ALARM(a)", True),
    ('ALARM("a") AND OK(b)', True),
    ("alarm(a) and not ok(b)", False),
    ("OK(a) OR ALARM(a) AND ALARM(b)", False),
    ("(OK(a) OR ALARM(a)) AND INSUFFICIENT_DATA(c)", True),
    ("NOT (ALARM(b) OR FALSE)", True),
    ("TRUE", True),
    ("ALARM(arn:aws:cloudwatch:eu-west-1:123456789012:alarm:a)", True),
    ("ALARM(gone) OR OK(gone) OR INSUFFICIENT_DATA(gone)", False),
]


@pytest.mark.parametrize(("text", "value"), RULES)
def test_a_rule_of_alarms_holds(text: str, value: bool) -> None:
    states = {"a": "ALARM", "b": "OK", "c": "INSUFFICIENT_DATA"}
    assert holds(parse(text), lambda name: states.get(name, "")) is value


@pytest.mark.parametrize(
    "text", ["", "ALARM()", "a AND b", "ALARM(a) OK(b)", "(ALARM(a)", "NOT", "ALARM(a) AND"]
)
def test_a_rule_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(AwsRefusal, match="AlarmRule is invalid"):
        parse(text)


def test_the_children_of_a_rule_are_its_alarms() -> None:
    assert children(parse("ALARM(a) AND (OK(b) OR NOT ALARM(a))")) == {"a", "b"}


def test_a_composite_alarm_follows_its_children_at_once() -> None:
    s = shop()
    put(s, "a")
    put(s, "b")
    composite(s, "both", "ALARM(a) AND ALARM(b)")
    composite(s, "top", 'ALARM("both") OR ALARM(b)')
    assert state(s, "both") == "INSUFFICIENT_DATA"
    minute(s)
    assert (state(s, "both"), state(s, "top")) == ("OK", "OK")
    force(s, "a", "ALARM")
    force(s, "b", "ALARM")
    s.world.advance(seconds(1))
    assert (state(s, "both"), state(s, "top")) == ("ALARM", "ALARM")


def test_a_composite_set_by_hand_stays_so_until_a_child_changes() -> None:
    s = shop()
    put(s, "a")
    composite(s, "c", "ALARM(a)")
    minute(s)
    force(s, "c", "ALARM")
    minute(s)
    assert state(s, "c") == "ALARM"
    force(s, "a", "ALARM")
    minute(s)
    assert state(s, "c") == "OK"  # the child is OK again


def test_composites_in_a_circle_are_not_judged() -> None:
    s = shop()
    composite(s, "a", "TRUE")
    composite(s, "b", "ALARM(a)")
    composite(s, "a", "OK(b)")
    minute(s)
    assert (state(s, "a"), state(s, "b")) == ("INSUFFICIENT_DATA", "INSUFFICIENT_DATA")


def test_a_child_cannot_be_deleted_and_of_composites_only_one_at_a_time() -> None:
    s = shop()
    put(s, "a")
    composite(s, "c1", "ALARM(a)")
    composite(s, "c2", "FALSE")
    for alarms, text in ((["a"], "depending on it"), (["c1", "c2"], "Only one composite")):
        with pytest.raises(AwsRefusal, match=text):
            s.world.call("cloudwatch", "DeleteAlarms", {"AlarmNames": alarms})
    s.world.call("cloudwatch", "DeleteAlarms", {"AlarmNames": ["a", "c1"]})
    assert [each["AlarmName"] for each in described(s)["CompositeAlarms"]] == ["c2"]


def test_a_composite_names_alarms_that_exist() -> None:
    s = shop()
    with pytest.raises(AwsRefusal, match=r"alarms \[none\] in the alarm rule do not exist"):
        composite(s, "c", "ALARM(none)")
    periods = {"ActionsSuppressorWaitPeriod": 1, "ActionsSuppressorExtensionPeriod": 1}
    with pytest.raises(AwsRefusal, match="suppressor alarm none does not exist"):
        composite(s, "c", "TRUE", ActionsSuppressor="none", **periods)
    with pytest.raises(AwsRefusal, match="ActionsSuppressorWaitPeriod"):
        composite(s, "c", "TRUE", ActionsSuppressor="checkout-5xx")


def actions(s: Shop, name: str) -> list[str]:
    asked = {"AlarmName": name, "HistoryItemType": "Action", "ScanBy": "TimestampAscending"}
    items = s.world.call("cloudwatch", "DescribeAlarmHistory", asked)["AlarmHistoryItems"]
    return [item["HistorySummary"].split()[0] for item in items]


def test_a_suppressor_holds_back_actions_and_not_the_state() -> None:
    s = shop()
    put(s, "a")
    put(s, "maintenance")
    periods = {"ActionsSuppressorWaitPeriod": 30, "ActionsSuppressorExtensionPeriod": 30}
    composite(s, "c", "ALARM(a)", ActionsSuppressor="maintenance", AlarmActions=[TOPIC], **periods)
    minute(s)
    s.world.advance(seconds(20))

    def suppressed() -> str:
        return str(described(s, AlarmNames=["c"])["CompositeAlarms"][0].get("ActionsSuppressedBy", ""))

    force(s, "maintenance", "ALARM")
    force(s, "a", "ALARM")
    assert (state(s, "c"), suppressed()) == ("ALARM", "Alarm")
    assert actions(s, "c") == ["Suppressed"]
    force(s, "maintenance", "OK")
    assert suppressed() == "ExtensionPeriod"
    s.world.advance(seconds(31))
    assert suppressed() == ""


def test_disabled_actions_are_not_taken_and_the_state_changes_all_the_same() -> None:
    s = shop()
    put(s, "a", AlarmActions=[TOPIC], ActionsEnabled=False)
    force(s, "a", "ALARM")
    assert (state(s, "a"), actions(s, "a")) == ("ALARM", [])
    s.world.call("cloudwatch", "EnableAlarmActions", {"AlarmNames": ["a"]})
    force(s, "a", "OK")
    force(s, "a", "ALARM")
    assert actions(s, "a") == ["Successfully"]


def mute(s: Shop, expression: str, duration: str = "PT1H", **more: Wire) -> None:
    schedule = {"Expression": expression, "Duration": duration, **more}
    rule = {"Name": "night", "Rule": {"Schedule": schedule}, "MuteTargets": {"AlarmNames": ["a"]}}
    s.world.call("cloudwatch", "PutAlarmMuteRule", rule)


def muted(s: Shop) -> str:
    return str(s.world.call("cloudwatch", "GetAlarmMuteRule", {"AlarmMuteRuleName": "night"})["Status"])


def test_a_mute_rule_holds_back_actions_while_its_window_is_open() -> None:
    s = shop()  # the World begins at noon, on a Thursday
    put(s, "a", AlarmActions=[TOPIC])
    mute(s, "at(2026-01-01T13:00)")
    assert muted(s) == "SCHEDULED"
    s.world.advance(seconds(3700))
    assert muted(s) == "ACTIVE"
    force(s, "a", "ALARM")
    assert (state(s, "a"), actions(s, "a")) == ("ALARM", ["Muted"])
    s.world.advance(seconds(3700))
    assert muted(s) == "EXPIRED"
    found = s.world.call("cloudwatch", "ListAlarmMuteRules", {"AlarmName": "a", "Statuses": ["EXPIRED"]})
    assert [each["MuteType"] for each in found["AlarmMuteRuleSummaries"]] == ["ONE_TIME"]


@pytest.mark.parametrize(
    ("expression", "duration", "zone", "status"),
    [
        ("cron(0 12 * * *)", "PT30M", "UTC", "ACTIVE"),
        ("cron(30 11 * * THU)", "PT1H", "UTC", "ACTIVE"),
        ("cron(0 13 * * *)", "PT30M", "Europe/Berlin", "ACTIVE"),
        ("cron(0 13 * * *)", "PT30M", "UTC", "SCHEDULED"),
        ("cron(0 12 * * FRI)", "PT30M", "UTC", "SCHEDULED"),
        ("cron(0 12 * * FRI)", "P7D", "UTC", "ACTIVE"),
        ("cron(0 0-23 1 JAN *)", "PT10M", "UTC", "ACTIVE"),
        ("cron(0 12 1 2,3 *)", "PT10M", "UTC", "SCHEDULED"),
    ],
)
def test_a_recurring_mute_rule_is_active_in_its_windows(
    expression: str, duration: str, zone: str, status: str
) -> None:
    s = shop()
    mute(s, expression, duration, Timezone=zone)
    assert muted(s) == status


@pytest.mark.parametrize(
    ("expression", "more", "text"),
    [
        ("tonight", {}, "neither at"),
        ("at(tonight)", {}, "is not at"),
        ("cron(0 25 * * *)", {}, "no field"),
        ("cron(* * *)", {}, "five fields"),
        ("at(2026-01-01T13:00)", {"Timezone": "Moon"}, "Timezone Moon"),
        ("at(2026-01-01T13:00)", {"Duration": "PT0M"}, "Duration PT0M"),
        ("at(2026-01-01T13:00)", {"Duration": "P16D"}, "Duration P16D"),
    ],
)
def test_a_bad_mute_rule_is_refused(expression: str, more: Wire, text: str) -> None:
    s = shop()
    with pytest.raises(AwsRefusal, match=text):
        mute(s, expression, **({"duration": more.pop("Duration")} if "Duration" in more else {}), **more)


def test_a_short_alarm_between_two_looks_shows_in_the_timestamp_and_the_history() -> None:
    s = shop()
    put(s, "a")
    minute(s)
    before = described(s, AlarmNames=["a"])["MetricAlarms"][0]
    s.world.advance(seconds(10))
    force(s, "a", "ALARM")
    s.world.advance(seconds(10))
    force(s, "a", "OK")
    after = described(s, AlarmNames=["a"])["MetricAlarms"][0]
    assert (before["StateValue"], after["StateValue"]) == ("OK", "OK")
    assert after["StateTransitionedTimestamp"] - before["StateTransitionedTimestamp"] == seconds(20)
    asked = {"AlarmName": "a", "HistoryItemType": "StateUpdate"}
    items = s.world.call("cloudwatch", "DescribeAlarmHistory", asked)["AlarmHistoryItems"]
    assert [item["HistorySummary"] for item in items][:2] == [
        "Alarm updated from ALARM to OK",
        "Alarm updated from OK to ALARM",
    ]
    assert json.loads(items[0]["HistoryData"])["oldState"]["stateValue"] == "ALARM"
    since = asked | {"StartDate": s.world.now - timedelta(seconds=5)}
    assert len(s.world.call("cloudwatch", "DescribeAlarmHistory", since)["AlarmHistoryItems"]) == 1


def test_a_reason_is_told_in_cloudwatchs_words() -> None:
    s = shop()
    put(s, "a")
    minute(s)
    answer(s, 20, status=500)
    for _ in range(4):
        minute(s)
        if state(s, "a") == "ALARM":
            break
    found = described(s, AlarmNames=["a"])["MetricAlarms"][0]
    assert found["StateReason"].startswith("Threshold Crossed: 1 out of the last 1 datapoints [20.0 (")
    assert "was greater than the threshold (5.0)" in found["StateReason"]
    assert json.loads(found["StateReasonData"])["recentDatapoints"] == [20.0]


def test_alarms_are_found_by_kind_prefix_state_action_and_family() -> None:
    s = shop(alarms=False)
    put(s, "a-one", AlarmActions=[TOPIC])
    put(s, "a-two")
    composite(s, "c", "ALARM(a-one)")
    force(s, "a-two", "ALARM")

    def found(**asked: Wire) -> list[str]:
        shown = s.world.call("cloudwatch", "DescribeAlarms", asked)
        return [each["AlarmName"] for each in (*shown["MetricAlarms"], *shown["CompositeAlarms"])]

    assert found() == ["a-one", "a-two"]  # composite ones are left out in silence
    assert found(AlarmTypes=["CompositeAlarm"]) == ["c"]
    assert found(AlarmNamePrefix="a-t") == found(StateValue="ALARM") == ["a-two"]
    assert found(ActionPrefix="arn:aws:sns") == found(ChildrenOfAlarmName="c") == ["a-one"]
    assert found(ParentsOfAlarmName="a-one") == ["c"]
    assert found(AlarmNames=["a-one", "none", "c"]) == ["a-one"]
    for wrong in (
        {"AlarmNames": ["x"], "AlarmNamePrefix": "y"},
        {"ChildrenOfAlarmName": "c", "StateValue": "OK"},
    ):
        with pytest.raises(AwsRefusal, match="cannot be specified"):
            found(**wrong)


def test_pages_of_alarms_go_through_both_kinds() -> None:
    s = shop(alarms=False)
    for number in range(5):
        put(s, f"m{number}")
    composite(s, "a-first", "FALSE")
    seen: list[str] = []
    more: Wire = {}
    while True:
        page = described(s, MaxRecords=2, **more)
        seen += [each["AlarmName"] for each in (*page["MetricAlarms"], *page["CompositeAlarms"])]
        if "NextToken" not in page:
            break
        more = {"NextToken": page["NextToken"]}
    assert sorted(seen) == ["a-first", "m0", "m1", "m2", "m3", "m4"]
