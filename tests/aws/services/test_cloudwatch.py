"""Expressions in one call with other series, refusals that hurt nobody else, and what alarms went through."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from orchestrator.aws.client.errors import refused
from orchestrator.aws.client.transport import Answer
from orchestrator.aws.services import cloudwatch
from orchestrator.core.cloud.resources import Absent, AlarmSeen, MetricQuery, Series, Unread
from orchestrator.core.rollout.needs import MetricsNeed
from tests.aws.clock import run_in_no_time
from tests.aws.script import Reply, Script, caller

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(seconds=60)
DIMENSIONS = (("LoadBalancer", "app/lb/b"), ("TargetGroup", "targetgroup/blue/1"))
REFUSAL = refused(
    "cloudwatch", "GetMetricData", code="ValidationError", message="Error in expression", status=400
)


def stat(name: str, **changes: Any) -> MetricQuery:  # noqa: ANN401 - the fields of MetricQuery
    fields: dict[str, Any] = {
        "id": name,
        "namespace": "AWS/ApplicationELB",
        "metric": "RequestCount",
        "dimensions": DIMENSIONS,
        "stat": "Sum",
        "period": MINUTE,
    }
    return MetricQuery(**{**fields, **changes})


def expression(name: str, text: str, *inputs: MetricQuery) -> MetricQuery:
    return MetricQuery(id=name, period=MINUTE, expression=text, inputs=inputs)


def read(
    queries: tuple[MetricQuery, ...], replies: list[Reply]
) -> tuple[dict[str, Series | Unread], list[Answer]]:
    script = Script({"GetMetricData": replies})
    need = MetricsNeed(queries=queries, start=NOON, end=NOON + 3 * MINUTE)
    return run_in_no_time(cloudwatch.metrics(caller(script), need)), script.asked("GetMetricData")


def answer(asked: Answer) -> Answer:
    """Every query's series that is to be returned, with one datapoint."""
    shown = [query["Id"] for query in asked["MetricDataQueries"] if query["ReturnData"]]
    results = [{"Id": one, "Label": one, "Timestamps": [NOON], "Values": [1.0]} for one in shown]
    return {"MetricDataResults": [{**one, "StatusCode": "Complete"} for one in results]}


def refusing(*texts: str) -> Reply:
    def reply(asked: Answer) -> Answer:
        written = [query.get("Expression", "") for query in asked["MetricDataQueries"]]
        if any(text in one for one in written for text in texts):
            raise REFUSAL
        return answer(asked)

    return reply


def test_expressions_share_a_call_and_each_keeps_its_own_names() -> None:
    two = [expression(name, "m1 / m2 * 100", stat("m1"), stat("m2")) for name in ("one", "two")]
    found, calls = read((*two, stat("requests")), [answer])
    assert {name: series for name, series in found.items() if series != ((NOON, 1.0),)} == {}
    assert list(found) == ["one", "two", "requests"]
    (asked,) = calls
    written = {query["Id"]: query for query in asked["MetricDataQueries"]}
    assert written["q0"]["Expression"] == "q0_0 / q0_1 * 100"
    assert written["q1"]["Expression"] == "q1_0 / q1_1 * 100"
    assert [name for name, query in written.items() if query["ReturnData"]] == ["q0", "q1", "q2"]
    assert "MetricStat" in written["q1_1"]


@pytest.mark.parametrize(
    "text", ["SUM(METRICS())", "SUM(SEARCH('{AWS/ECS} x', 'Sum'))", "SELECT SUM(x) FROM y"]
)
def test_an_expression_that_looks_around_itself_has_a_call_of_its_own(text: str) -> None:
    found, calls = read((stat("a"), expression("b", text, stat("m1")), stat("c")), [answer])
    assert set(found) == {"a", "b", "c"}
    assert sorted(len(asked["MetricDataQueries"]) for asked in calls) == [2, 2]
    alone = next(asked for asked in calls if "Expression" in asked["MetricDataQueries"][1])
    assert [query["Id"] for query in alone["MetricDataQueries"]] == ["m1", "q0"]
    assert alone["MetricDataQueries"][1]["Expression"] == text


def test_a_call_holds_five_hundred_queries_with_those_they_are_made_of() -> None:
    many = tuple(expression(f"e{n}", "a + b", stat("a"), stat("b")) for n in range(200))
    found, calls = read(many, [answer])
    assert len(found) == 200
    assert [len(asked["MetricDataQueries"]) for asked in calls] == [498, 102]


def test_a_refused_query_is_told_apart_and_costs_the_others_nothing() -> None:
    good = tuple(stat(f"good {n}") for n in range(20))
    bad = expression("bad", "BAD(m1", stat("m1"))
    found, _ = read((*good[:13], bad, *good[13:]), [refusing("BAD")])
    refusal = found.pop("bad")
    assert isinstance(refusal, Unread)
    assert refusal.is_refused
    assert "Error in expression" in refusal.why
    assert set(found.values()) == {((NOON, 1.0),)}


def test_looking_for_refused_queries_ends() -> None:
    found, calls = read(tuple(expression(f"e{n}", "BAD") for n in range(400)), [refusing("BAD")])
    assert len(calls) <= cloudwatch.REFUSED_CALLS_MAX + 1
    assert all(isinstance(series, Unread) for series in found.values())


def test_a_silent_cloudwatch_is_no_refusal() -> None:
    silence = refused("cloudwatch", "GetMetricData", code="InternalFailure", message="", status=500)
    found, calls = read((expression("a", "m", stat("m")), stat("b")), [silence])
    assert [(s.is_refused if isinstance(s, Unread) else None) for s in found.values()] == [False, False]
    assert len(calls) == 1


def test_several_series_where_one_is_needed_are_refused_with_the_way_out() -> None:
    one = {"Id": "q0", "Timestamps": [NOON], "Values": [1.0], "StatusCode": "Complete"}
    several = {"MetricDataResults": [{**one, "Label": "eu-west-1a"}, {**one, "Label": "eu-west-1b"}]}
    found, _ = read((expression("a", "SEARCH('x', 'Sum')"),), [several])
    refusal = found["a"]
    assert isinstance(refusal, Unread)
    assert refusal.is_refused
    assert "write SUM(…)" in refusal.why


def test_a_linked_accounts_metric_is_asked_for_there() -> None:
    _, calls = read((stat("a", account="210987654321"),), [answer])
    assert calls[0]["MetricDataQueries"][0]["AccountId"] == "210987654321"


# alarms ------------------------------------------------------------------------------------------------------------


def described(name: str, **changes: object) -> Answer:
    return {"AlarmName": name, "StateValue": "OK", "StateUpdatedTimestamp": NOON, **changes}


def metric_entry(name: str, *, returned: bool = False) -> Answer:
    metric = {"Namespace": "AWS/ApplicationELB", "MetricName": "RequestCount"}
    stat_ = {"Metric": metric, "Period": 60, "Stat": "Sum"}
    return {"Id": name, "MetricStat": stat_, "ReturnData": returned}


def look(
    names: tuple[str, ...], replies: dict[str, list[Reply]], *, since: datetime | None = None
) -> tuple[dict[str, AlarmSeen | Absent | Unread], Script]:
    script = Script(replies)
    return run_in_no_time(cloudwatch.alarms(caller(script), names, since=since)), script


def one_alarm(found: dict[str, AlarmSeen | Absent | Unread], name: str) -> AlarmSeen:
    alarm = found[name]
    assert isinstance(alarm, AlarmSeen)
    return alarm


def test_an_alarm_on_metric_math_knows_what_it_judges() -> None:
    entries = [
        metric_entry("m1"),
        metric_entry("m2"),
        {"Id": "e1", "Expression": "m1/m2", "ReturnData": False},
        {"Id": "e2", "Expression": "e1*100"},
    ]
    found, _ = look(("x",), {"DescribeAlarms": [{"MetricAlarms": [described("x", Metrics=entries)]}]})
    alarm = one_alarm(found, "x")
    assert (alarm.kind, alarm.period) == ("math", MINUTE)
    assert alarm.query is not None
    assert alarm.query.expression == "e1*100"
    assert [one.id for one in alarm.query.inputs] == ["m1", "m2", "e1"]


def test_an_alarm_on_a_learnt_band_is_told_apart() -> None:
    band = described(
        "x",
        Metrics=[
            metric_entry("m1", returned=True),
            {"Id": "ad1", "Expression": "ANOMALY_DETECTION_BAND(m1, 2)"},
        ],
        ThresholdMetricId="ad1",
    )
    found, _ = look(("x",), {"DescribeAlarms": [{"MetricAlarms": [band]}]})
    assert one_alarm(found, "x").is_anomaly


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ActionsEnabled": False}, "its actions are switched off"),
        ({"ActionsEnabled": True}, ""),
    ],
)
def test_an_alarm_says_whether_its_actions_run(changes: dict[str, object], words: str) -> None:
    found, _ = look(("x",), {"DescribeAlarms": [{"MetricAlarms": [described("x", **changes)]}]})
    assert one_alarm(found, "x").muted == words


def by_name(**answers: Answer) -> Reply:
    """Describes the alarms that are asked for, composite ones by their rule."""

    def reply(asked: Answer) -> Answer:
        named = [answers[name] for name in asked["AlarmNames"] if name in answers]
        return {
            "MetricAlarms": [one for one in named if "AlarmRule" not in one],
            "CompositeAlarms": [one for one in named if "AlarmRule" in one],
        }

    return reply


def test_a_composite_alarm_has_the_alarms_it_is_made_of_and_theirs() -> None:
    replies = by_name(
        top=described("top", AlarmRule="ALARM(middle) OR ALARM(nowhere)", ActionsSuppressedBy="Alarm"),
        middle=described("middle", AlarmRule='ALARM("leaf") AND NOT ALARM(top)'),
        leaf=described("leaf", MetricName="M", Statistic="Sum", Period=300),
    )
    found, script = look(("top",), {"DescribeAlarms": [replies]})
    top = one_alarm(found, "top")
    assert [part.name for part in top.parts] == ["middle"]
    assert [part.name for part in top.parts[0].parts] == ["leaf"]
    assert top.period == timedelta(minutes=5)
    assert top.muted == "its actions are suppressed by Alarm"
    assert len(script.calls) == 3


def test_parts_that_are_asked_for_with_their_alarm_cost_no_call_of_their_own() -> None:
    replies = by_name(top=described("top", AlarmRule="ALARM(leaf)"), leaf=described("leaf"))
    found, script = look(("top", "leaf"), {"DescribeAlarms": [replies]})
    assert one_alarm(found, "top").parts == (one_alarm(found, "leaf"),)
    assert len(script.calls) == 1


def moved(at: datetime, old: str, new: str) -> Answer:
    data = {"version": "1.0", "oldState": {"stateValue": old}, "newState": {"stateValue": new}}
    return {"Timestamp": at, "HistoryItemType": "StateUpdate", "HistoryData": json.dumps(data)}


def changed(name: str, at: datetime, state: str = "OK") -> Answer:
    return described(name, StateValue=state, StateTransitionedTimestamp=at)


def test_an_alarm_that_fired_between_two_looks_says_when() -> None:
    items = [moved(NOON + 4 * MINUTE, "ALARM", "OK"), moved(NOON + 2 * MINUTE, "OK", "ALARM")]
    found, script = look(
        ("x",),
        {
            "DescribeAlarms": [{"MetricAlarms": [changed("x", NOON + 4 * MINUTE)]}],
            "DescribeAlarmHistory": [{"AlarmHistoryItems": items}],
        },
        since=NOON,
    )
    assert one_alarm(found, "x").fired_at == NOON + 2 * MINUTE
    asked = script.asked("DescribeAlarmHistory")[0]
    assert (asked["AlarmName"], asked["StartDate"]) == ("x", NOON)
    assert "CompositeAlarm" in asked["AlarmTypes"]


def test_an_alarm_that_only_lacked_data_between_two_looks_has_not_fired() -> None:
    items = [moved(NOON + MINUTE, "INSUFFICIENT_DATA", "OK")]
    found, _ = look(
        ("x",),
        {
            "DescribeAlarms": [{"MetricAlarms": [changed("x", NOON + MINUTE)]}],
            "DescribeAlarmHistory": [{"AlarmHistoryItems": items}],
        },
        since=NOON,
    )
    assert one_alarm(found, "x").fired_at is None


@pytest.mark.parametrize(
    "alarm", [changed("x", NOON), changed("x", NOON + MINUTE, "ALARM"), changed("x", NOON - MINUTE)]
)
def test_history_is_only_asked_for_where_it_can_tell_something(alarm: Answer) -> None:
    _, script = look(("x",), {"DescribeAlarms": [{"MetricAlarms": [alarm]}]}, since=NOON)
    assert [operation for operation, _ in script.calls] == ["DescribeAlarms"]


@pytest.mark.parametrize(
    "reply",
    [
        refused("cloudwatch", "DescribeAlarmHistory", code="AccessDenied", message="", status=403),
        {"AlarmHistoryItems": [{"Timestamp": NOON, "HistoryData": "nonsense"}]},
    ],
)
def test_a_history_that_cannot_be_read_is_unknown_and_the_alarm_is_known(reply: Reply) -> None:
    found, _ = look(
        ("x",),
        {
            "DescribeAlarms": [{"MetricAlarms": [changed("x", NOON + MINUTE)]}],
            "DescribeAlarmHistory": [reply],
        },
        since=NOON,
    )
    alarm = one_alarm(found, "x")
    assert alarm.state == "OK"
    assert alarm.history_unread
