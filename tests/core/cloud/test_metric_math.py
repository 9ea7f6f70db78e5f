"""Metric math as text: names are changed without touching what is quoted, and absent counts become zero."""

from datetime import timedelta

import pytest

from orchestrator.core.cloud.metric_math import (
    ids,
    is_absent_when_zero,
    looks_around,
    renamed,
    zero_where_requests,
)
from orchestrator.core.cloud.resources import MetricQuery

MINUTE = timedelta(seconds=60)


def count(name: str, metric: str = "HTTPCode_Target_5XX_Count", stat: str = "Sum") -> MetricQuery:
    return MetricQuery(id=name, period=MINUTE, namespace="AWS/ApplicationELB", metric=metric, stat=stat)


def math(text: str, *inputs: MetricQuery) -> MetricQuery:
    return MetricQuery(id="x", period=MINUTE, expression=text, inputs=inputs)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("m1/m2*100", ("m1", "m2")),
        ("IF(FILL(r,0)>0, FILL(e,0)/r*100, 0)", ("r", "e")),
        ("FILL(m1, REPEAT) AND m1 > 3", ("m1",)),
        ("SUM(METRICS('errors'))", ()),
        ("errRate_2 + 1e3", ("errRate_2",)),
    ],
)
def test_an_expression_names_its_metrics(text: str, named: tuple[str, ...]) -> None:
    assert ids(text) == named


def test_names_are_changed_whole_and_quoted_texts_are_left_alone() -> None:
    text = "m1 / m10 + SUM(METRICS('m1')) + m1"
    assert renamed(text, {"m1": "q0_0"}) == "q0_0 / m10 + SUM(METRICS('m1')) + q0_0"


@pytest.mark.parametrize(
    ("text", "answer"),
    [("SUM(METRICS())", True), ("search('x','Sum')", True), ("SELECT 1", True), ("m1 + 'SEARCH'", False)],
)
def test_what_looks_at_other_series_of_the_call_is_known(text: str, answer: bool) -> None:
    assert looks_around(text) is answer


def test_absent_counts_are_read_as_zero_beside_requests() -> None:
    made = zero_where_requests(math("e / r * 100", count("e"), count("r", "RequestCount")))
    assert made.expression == "e / r * 100"
    found = {one.id: one for one in made.inputs}
    assert found["e_raw"].metric == "HTTPCode_Target_5XX_Count"
    assert found["e_requests"].metric == "RequestCount"
    assert (found["e_none"].expression, found["e"].expression) == ("e_requests * 0", "SUM([e_raw, e_none])")
    assert found["r"] == count("r", "RequestCount")


def test_names_that_the_file_uses_already_are_not_taken() -> None:
    made = zero_where_requests(math("e + e_raw", count("e"), count("e_raw", "RequestCount")))
    assert len({one.id for one in made.inputs}) == len(made.inputs) == 5


def test_what_counts_every_metric_of_a_call_is_left_as_it_is() -> None:
    query = math("SUM(METRICS())", count("e"))
    assert zero_where_requests(query) == query


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        (count("e"), True),
        (count("e", "TargetConnectionErrorCount"), True),
        (count("e", "RequestCount"), False),
        (count("e", "TargetResponseTime", "p99"), False),
        (count("e", stat="Average"), False),
        (MetricQuery(id="e", period=MINUTE, namespace="Shop", metric="Bad_Count", stat="Sum"), False),
    ],
)
def test_which_counts_are_absent_when_zero(query: MetricQuery, answer: bool) -> None:
    assert is_absent_when_zero(query) is answer
