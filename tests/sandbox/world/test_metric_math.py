"""Metric math as GetMetricData answers it."""

from datetime import datetime, timedelta

import pytest

from sandbox.world.kernel.errors import AwsRefusal
from tests.sandbox.world.places import START, Shop, Wire, calm, seconds, shop
from tests.sandbox.world.test_metrics import answer, minute, names

GONE = object()


def stat(s: Shop, name: str, metric: str, *, period: int = 60, statistic: str = "Sum", **more: Wire) -> Wire:
    balancer, group = names(s)
    dimensions = [{"Name": "LoadBalancer", "Value": balancer}, {"Name": "TargetGroup", "Value": group}]
    shown = {"Namespace": "AWS/ApplicationELB", "MetricName": metric, "Dimensions": dimensions}
    return {"Id": name, "MetricStat": {"Metric": shown, "Period": period, "Stat": statistic}, **more}


@pytest.fixture(name="s", scope="module")
def _s() -> Shop:
    """Five minutes: 10, no, 20, 30 and 40 requests; 1, no, no, 3 and 4 of them failed."""
    s = shop()
    minute(s)
    for good, bad in ((9, 1), (0, 0), (20, 0), (27, 3), (36, 4)):
        if good:
            answer(s, good)
        if bad:
            answer(s, bad, status=500)
        minute(s)
    s.world.advance(seconds(600))
    return s


def window(s: Shop) -> tuple[datetime, datetime]:
    """The five minutes."""
    first = s.world.kernel.floor(s.world.now, seconds(60)) - timedelta(minutes=15)
    return first, first + timedelta(minutes=5)


def ask(s: Shop, *queries: Wire, **more: Wire) -> Wire:
    start, end = window(s)
    asked = {"MetricDataQueries": list(queries), "StartTime": start, "EndTime": end}
    return s.world.call("cloudwatch", "GetMetricData", {"ScanBy": "TimestampAscending"} | asked | more)


def math(s: Shop, expression: str) -> Wire:
    r = stat(s, "r", "RequestCount", ReturnData=False)
    e = stat(s, "e", "HTTPCode_Target_5XX_Count", ReturnData=False)
    return ask(s, r, e, {"Id": "x", "Expression": expression})["MetricDataResults"][0]


def values(s: Shop, expression: str) -> dict[int, float]:
    """Values by the number of their minute."""
    found = math(s, expression)
    start, _ = window(s)
    return {
        int((at - start) / seconds(60)): round(value, 6)
        for at, value in zip(found["Timestamps"], found["Values"], strict=True)
    }


TABLE: list[tuple[str, dict[int, float]]] = [
    ("r", {0: 10, 2: 20, 3: 30, 4: 40}),
    ("e/r", {0: 0.1, 3: 0.1, 4: 0.1}),  # only where both have a value
    ("r + 2 * 3 - 1", {0: 15, 2: 25, 3: 35, 4: 45}),
    ("(r + 2) * -1", {0: -12, 2: -22, 3: -32, 4: -42}),
    ("2 ^ 3 ^ 0 * r", {0: 20, 2: 40, 3: 60, 4: 80}),
    ("FILL(e, 0)", {0: 1, 1: 0, 2: 0, 3: 3, 4: 4}),
    ("FILL(e, REPEAT)", {0: 1, 1: 1, 2: 1, 3: 3, 4: 4}),
    ("FILL(e, LINEAR)", {0: 1, 1: 1.666667, 2: 2.333333, 3: 3, 4: 4}),
    ("FILL(e, -1)", {0: 1, 1: -1, 2: -1, 3: 3, 4: 4}),
    ("IF(FILL(r,0) > 0, FILL(e,0)/FILL(r,1)*100, 0)", {0: 10, 1: 0, 2: 0, 3: 10, 4: 10}),
    ("IF(r > 25, r)", {3: 30, 4: 40}),
    ("IF(r > 25, 1, 0)", {0: 0, 2: 0, 3: 1, 4: 1}),
    ("r >= 20 AND r < 40", {0: 0, 2: 1, 3: 1, 4: 0}),
    ("r == 10 || r != 30 && r <= 20", {0: 1, 2: 1, 3: 0, 4: 0}),
    ("SUM([r, e])", {0: 11, 2: 20, 3: 33, 4: 44}),  # of those that have a value
    ("SUM(METRICS())", {0: 11, 2: 20, 3: 33, 4: 44}),
    ('MAX(METRICS("e"))', {0: 1, 3: 3, 4: 4}),
    ("AVG([r, e])", {0: 5.5, 2: 20, 3: 16.5, 4: 22}),
    ("MIN([r, e])", {0: 1, 2: 20, 3: 3, 4: 4}),
    ("STDDEV([r, e])", {0: 4.5, 2: 0, 3: 13.5, 4: 18}),
    ("DATAPOINT_COUNT([r, e])", {0: 2, 2: 1, 3: 2, 4: 2}),
    ("r - MIN(r)", {0: 0, 2: 10, 3: 20, 4: 30}),
    ("r / SUM(r)", {0: 0.1, 2: 0.2, 3: 0.3, 4: 0.4}),
    ("r * DATAPOINT_COUNT(e)", {0: 30, 2: 60, 3: 90, 4: 120}),
    ("TIME_SERIES(AVG(r))", {0: 25, 1: 25, 2: 25, 3: 25, 4: 25}),
    ("r / PERIOD(r)", {0: 0.166667, 2: 0.333333, 3: 0.5, 4: 0.666667}),
    ("DIFF(r)", {2: 10, 3: 10, 4: 10}),
    ("RATE(r)", {2: 0.083333, 3: 0.166667, 4: 0.166667}),
    ("RUNNING_SUM(e)", {0: 1, 3: 4, 4: 8}),
    ("ABS(0 - r)", {0: 10, 2: 20, 3: 30, 4: 40}),
    ("CEIL(r / 3)", {0: 4, 2: 7, 3: 10, 4: 14}),
    ("FLOOR(r / 3)", {0: 3, 2: 6, 3: 10, 4: 13}),
]


@pytest.mark.parametrize(("expression", "expected"), TABLE)
def test_an_expression_comes_to(s: Shop, expression: str, expected: dict[int, float]) -> None:
    assert values(s, expression) == expected


def test_what_is_no_number_is_dropped_and_said(s: Shop) -> None:
    found = math(s, "r / FILL(e, 0)")
    assert found["Values"] == [10, 10, 10]
    assert found["Messages"][0]["Code"] == "ArithmeticError"
    assert found["StatusCode"] == "Complete"


def test_a_series_without_any_datapoint_is_not_filled(s: Shop) -> None:
    none = stat(s, "n", "TargetConnectionErrorCount", ReturnData=False)
    found = ask(s, none, {"Id": "x", "Expression": "FILL(n, 0)"})["MetricDataResults"]
    assert found[0]["Values"] == []


def test_a_fill_fills_what_is_only_late() -> None:
    s = shop()
    minute(s)
    answer(s, 5)
    minute(s)
    answer(s, 7)
    s.world.advance(seconds(80))
    window = {"StartTime": s.world.now - seconds(300), "EndTime": s.world.now}
    r = stat(s, "r", "RequestCount", ReturnData=False)
    found = s.world.call(
        "cloudwatch",
        "GetMetricData",
        {"MetricDataQueries": [r, {"Id": "x", "Expression": "FILL(r, 0)"}], **window},
    )["MetricDataResults"][0]
    assert found["Values"][:3] == [0, 0, 5]  # the seven are only late


def test_an_array_gives_one_result_for_each_of_its_series(s: Shop) -> None:
    r = stat(s, "r", "RequestCount", ReturnData=False)
    e = stat(s, "e", "HTTPCode_Target_5XX_Count", ReturnData=False)
    found = ask(s, r, e, {"Id": "x", "Expression": "METRICS() / 2", "Label": "half"})["MetricDataResults"]
    assert [result["Id"] for result in found] == ["x", "x"]
    assert [result["Label"] for result in found] == ["half RequestCount", "half HTTPCode_Target_5XX_Count"]


def test_expressions_may_build_on_each_other_in_any_order(s: Shop) -> None:
    e1 = {"Id": "e1", "Expression": "e2 * 2", "ReturnData": True}
    e2 = {"Id": "e2", "Expression": "m1 + 1", "ReturnData": False}
    found = ask(s, e1, e2, stat(s, "m1", "RequestCount", ReturnData=False))["MetricDataResults"]
    assert [result["Values"] for result in found] == [[22, 42, 62, 82]]


REFUSED = [
    ("r +", "unexpected end of the expression"),
    ("r + * 2", "unexpected '\\*' at position 4"),
    ("r r", "unexpected 'r' at position 2"),
    ("(r", "unexpected end"),
    ("r $ 2", "unexpected '\\$' at position 2"),
    ("m9 / r", "Undefined variable m9"),
    ("FOO(r)", "Unknown function FOO"),
    ("SUM(r, e)", "takes 1 arguments"),
    ("SUM(5) + r", "not a scalar"),
    ("FILL(r)", "FILL takes a time series"),
    ("FILL(r, 'x')", "FILL knows REPEAT and LINEAR"),
    ("TIME_SERIES(r)", "takes a scalar"),
    ("REPEAT + r", "REPEAT stands where"),
    ("METRICS(r)", "METRICS takes nothing"),
    ("[r, 5]", "An array holds time series"),
    ("x + 1", "refers to itself"),
    ("(" * 60 + "r" + ")" * 60, "nested too deeply"),
    ("r" + "+r" * 2000, "1 to 2048 characters"),
    (" ", "1 to 2048 characters"),
]


@pytest.mark.parametrize(("expression", "text"), REFUSED)
def test_a_bad_expression_is_a_validation_error_that_names_the_query(
    s: Shop, expression: str, text: str
) -> None:
    with pytest.raises(AwsRefusal, match=text) as caught:
        math(s, expression)
    assert caught.value.code == "ValidationError"
    assert caught.value.message.startswith("Error in expression 'x': ")


@pytest.mark.parametrize(
    "expression",
    [
        "SEARCH('{AWS/ApplicationELB,LoadBalancer}', 'Sum', 60)",
        "SELECT AVG(x) FROM y",
        "ANOMALY_DETECTION_BAND(r)",
        "LOG(r)",
        "SUM(r)",
    ],
)
def test_what_the_world_has_not_is_refused_by_name(s: Shop, expression: str) -> None:
    with pytest.raises(AwsRefusal, match="not in this sandbox"):
        math(s, expression)


def test_metrics_of_different_periods_in_one_expression_are_not_here(s: Shop) -> None:
    five = stat(s, "f", "RequestCount", period=300, ReturnData=False)
    with pytest.raises(AwsRefusal, match="different periods"):
        ask(s, five, stat(s, "r", "RequestCount", ReturnData=False), {"Id": "x", "Expression": "r / f"})


def bad(s: Shop, what: str) -> tuple[list[Wire], str]:
    good = stat(s, "m1", "RequestCount")
    return {
        "twice": ([good, good], "not unique"),
        "upper": ([good | {"Id": "M1"}], "parameter MetricDataQuery.Id is invalid"),
        "digit": ([good | {"Id": "1m"}], "parameter MetricDataQuery.Id is invalid"),
        "both": ([good | {"Expression": "m1"}], "and not both"),
        "neither": ([{"Id": "m1"}], "and not both"),
        "silent": ([good | {"ReturnData": False}], "ReturnData"),
        "many": ([good | {"Id": f"m{n}"} for n in range(501)], "1 to 500"),
        "label": ([good | {"Label": "${PROP('Stat')}"}], "dynamic label"),
    }[what]


@pytest.mark.parametrize("what", ["twice", "upper", "digit", "both", "neither", "silent", "many", "label"])
def test_queries_must_be_in_order(s: Shop, what: str) -> None:
    queries, text = bad(s, what)
    with pytest.raises(AwsRefusal, match=text):
        ask(s, *queries)


def test_five_hundred_queries_are_answered_in_one_call(s: Shop) -> None:
    queries = [stat(s, f"m{number}", "RequestCount") for number in range(500)]
    found = ask(s, *queries)["MetricDataResults"]
    assert {tuple(result["Values"]) for result in found} == {(10, 20, 30, 40)}
    assert len(found) == 500


def test_pages_hold_so_many_datapoints_and_a_cut_result_is_partial_until_its_end(s: Shop) -> None:
    queries = [
        stat(s, "a", "RequestCount"),
        stat(s, "b", "HTTPCode_Target_5XX_Count"),
        stat(s, "c", "TargetConnectionErrorCount"),
    ]
    pages = []
    more: Wire = {"MaxDatapoints": 3}
    while True:
        page = ask(s, *queries, **more)
        pages.append([(each["Id"], each["Values"], each["StatusCode"]) for each in page["MetricDataResults"]])
        if "NextToken" not in page:
            break
        more["NextToken"] = page["NextToken"]
    assert pages == [
        [("a", [10, 20, 30], "PartialData"), ("c", [], "Complete")],
        [("a", [40], "Complete"), ("b", [1, 3], "PartialData")],
        [("b", [4], "Complete")],
    ]


def test_a_token_of_another_query_is_refused(s: Shop) -> None:
    page = ask(s, stat(s, "a", "RequestCount"), MaxDatapoints=2)
    with pytest.raises(AwsRefusal, match="NextToken is invalid"):
        ask(s, stat(s, "b", "RequestCount"), MaxDatapoints=2, NextToken=page["NextToken"])


def test_with_metric_math_there_is_no_token_for_the_rest(s: Shop) -> None:
    page = ask(
        s, stat(s, "r", "RequestCount", ReturnData=False), {"Id": "x", "Expression": "r"}, MaxDatapoints=2
    )
    assert "NextToken" not in page
    assert page["MetricDataResults"][0]["StatusCode"] == "PartialData"


def test_answers_are_partial_or_fail_on_request_and_what_is_made_of_them_too() -> None:
    s = shop()
    for _ in range(4):
        minute(s)
        answer(s, 10)
    s.world.advance(seconds(300))
    asked = [stat(s, "r", "RequestCount"), {"Id": "x", "Expression": "r * 2"}]
    window = {"StartTime": START, "EndTime": s.world.now}

    def look() -> list[tuple[int, str]]:
        found = s.world.call("cloudwatch", "GetMetricData", {"MetricDataQueries": asked, **window})
        return [(len(each["Values"]), each["StatusCode"]) for each in found["MetricDataResults"]]

    s.world.metrics.disturb("partial", metric="Request*", until=s.world.now + seconds(60))
    assert look() == [(2, "PartialData"), (2, "PartialData")]
    s.world.metrics.disturb("failed", metric="RequestCount")
    assert look() == [(0, "InternalError"), (0, "InternalError")]
    s.world.metrics.settle()
    assert look() == [(4, "Complete"), (4, "Complete")]


def test_custom_metrics_are_kept_by_the_second_where_they_are_of_high_resolution() -> None:
    s = shop(calm(custom_metric_delay=seconds(2)))
    minute(s)
    began = s.world.now
    for value in (1.0, 2.0, 3.0):
        datum = {"MetricName": "Errors", "Value": value, "StorageResolution": 1}
        s.world.call("cloudwatch", "PutMetricData", {"Namespace": "shop", "MetricData": [datum]})
        s.world.advance(seconds(5))

    def look(period: int) -> list[float]:
        metric = {"Namespace": "shop", "MetricName": "Errors"}
        query = {"Id": "m", "MetricStat": {"Metric": metric, "Period": period, "Stat": "Sum"}}
        window = {"StartTime": began, "EndTime": s.world.now + seconds(1)}
        found = s.world.call(
            "cloudwatch",
            "GetMetricData",
            {"MetricDataQueries": [query], "ScanBy": "TimestampAscending", **window},
        )
        return list(found["MetricDataResults"][0]["Values"])

    assert (look(5), look(10), look(60)) == ([1, 2, 3], [3, 3], [6])
