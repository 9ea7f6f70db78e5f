"""Gate ``metric``: a number within bounds, judged by whole and final periods at this weight."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.core.cloud.resources import Unread
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.verdict import Answer, Verdict
from orchestrator.core.gates.gate import NoData
from orchestrator.core.gates.metric import (
    Applies,
    MetricInput,
    MetricSpec,
    asks_of_green,
    judge,
    out_of_bounds,
    query,
    series_of,
    window,
)
from orchestrator.core.gates.scene import Colour, Names
from tests.builders import LOAD_BALANCER, NOON
from tests.core.gates.scenes import counts, minute, scene, series
from tests.core.stages import GREEN_GROUP, GREEN_NAME, MINUTE

FAIL, HOLD, PASS, NOT = Verdict.FAIL, Verdict.HOLD, Verdict.PASS, Verdict.NOT_APPLICABLE
LATENCY = MetricInput(
    id="p99",
    metric="TargetResponseTime",
    stat="p99",
    dimensions=(("LoadBalancer", "{load_balancer}"), ("TargetGroup", "{target_group}")),
)
DEPTH = MetricInput(id="depth", metric="Depth", stat="Maximum", namespace="Shop")
SPEC = MetricSpec(name="p99 latency", inputs=(LATENCY,), maximum=1.0)
OVER, UNDER = 1.34, 0.5


def asked(
    values: Mapping[int, float] | Unread | None,
    spec: MetricSpec = SPEC,
    **changes: Any,  # noqa: ANN401 - the fields of Scene
) -> Answer:
    """The answer where the series holds these values, by how many periods ago theirs began."""
    period = spec.period or MINUTE
    found = series(values, period=period) if isinstance(values, Mapping) else values
    metrics = {} if found is None else {series_of(spec): found}
    return judge((spec,), scene(**{"metrics": metrics, **changes}))


# final periods -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "verdict", "words"),
    [
        pytest.param(
            {4: UNDER, 3: OVER},
            FAIL,
            "p99 latency is 1.34 in the period from 11:57:00Z, over its max of 1",
            id="over",
        ),
        pytest.param({4: UNDER, 3: UNDER}, PASS, "p99 latency is 0.5 (max 1)", id="within"),
        pytest.param({4: UNDER}, HOLD, "no data in the period from 11:57:00Z", id="the newest is silent"),
        pytest.param({}, HOLD, "no data", id="silent"),
        pytest.param({3: 1.0}, PASS, "p99 latency is 1 (max 1)", id="at the bound"),
        pytest.param({4: OVER, 3: UNDER}, FAIL, "11:56:00Z", id="a bad period before a good one counts"),
        pytest.param({3: float("nan")}, HOLD, "no data", id="no number"),
    ],
)
def test_the_newest_final_periods_decide(values: dict[int, float], verdict: Verdict, words: str) -> None:
    answer = asked(values)
    assert answer.verdict is verdict
    assert words in answer.reason


def test_a_period_out_of_bounds_that_is_not_final_holds_and_does_not_convict() -> None:
    answer = asked({3: UNDER, 2: OVER})
    assert answer.verdict is HOLD
    assert "that period is not final yet" in answer.reason
    assert asked({3: UNDER, 2: OVER}, now=NOON + MINUTE).verdict is FAIL


def test_a_load_balancers_period_is_final_with_its_own_counts() -> None:
    taken = (minute(counts(100), ago=2),)
    assert asked({3: UNDER, 2: OVER}, intervals=taken).verdict is FAIL
    custom = MetricSpec(name="depth", inputs=(DEPTH,), maximum=1.0)
    assert asked({3: UNDER, 2: OVER}, custom, intervals=taken).verdict is HOLD


def test_a_lag_of_its_own_decides_where_it_is_given() -> None:
    quick = replace(SPEC, lag=timedelta(seconds=1))
    assert asked({2: UNDER, 1: OVER}, quick, now=NOON + timedelta(seconds=1)).verdict is FAIL


@pytest.mark.parametrize("since", [None, NOON - timedelta(seconds=180), NOON - timedelta(seconds=20)])
def test_without_a_whole_final_period_at_this_weight_it_holds(since: Any) -> None:  # noqa: ANN401
    answer = asked(dict.fromkeys(range(1, 12), OVER), serves_since=since)
    assert answer.verdict is HOLD


def test_periods_of_a_former_weight_are_not_held_against_green() -> None:
    since = NOON - timedelta(seconds=250)  # the first whole period began at 11:56
    assert asked({5: OVER, 4: UNDER, 3: UNDER}, serves_since=since).verdict is PASS


def test_a_short_period_of_its_own_is_judged_by_itself() -> None:
    quick = MetricSpec(
        name="depth",
        inputs=(DEPTH,),
        maximum=1.0,
        period=timedelta(seconds=10),
        lag=timedelta(seconds=10),
    )
    assert asked({2: UNDER}, quick).verdict is PASS
    assert asked({2: OVER}, quick).verdict is FAIL


@pytest.mark.parametrize(
    ("periods", "values", "verdict"),
    [
        (2, {4: OVER, 3: OVER}, FAIL),
        (2, {4: UNDER, 3: OVER}, HOLD),
        (2, {5: OVER, 4: UNDER, 3: OVER}, HOLD),
        (2, {5: OVER, 4: OVER, 3: UNDER}, FAIL),
        (2, {5: OVER, 3: OVER}, HOLD),  # a gap ends a run
        (3, {5: OVER, 4: OVER, 3: OVER}, FAIL),
    ],
)
def test_so_many_periods_in_a_row_are_a_failure(
    periods: int, values: dict[int, float], verdict: Verdict
) -> None:
    answer = asked(values, replace(SPEC, periods=periods))
    assert answer.verdict is verdict
    if verdict is HOLD:
        assert f"{periods} such periods in a row are a failure" in answer.reason


@pytest.mark.parametrize(
    ("least", "most", "value", "verdict", "words"),
    [
        (0.9, None, 0.5, FAIL, "under its min of 0.9"),
        (0.9, None, 0.9, PASS, "(min 0.9)"),
        (0.1, 1.0, 0.5, PASS, "(min 0.1, max 1)"),
        (0.1, 1.0, 0.05, FAIL, "under its min of 0.1"),
        (0.1, 1.0, 1.05, FAIL, "over its max of 1"),
    ],
)
def test_it_has_a_floor_a_ceiling_or_both(
    least: float, most: float | None, value: float, verdict: Verdict, words: str
) -> None:
    answer = asked({3: value}, replace(SPEC, minimum=least, maximum=most))
    assert answer.verdict is verdict
    assert words in answer.reason


# what is not known -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("no_data", "verdict"), [(NoData.HOLD, HOLD), (NoData.PASS, PASS), (NoData.FAIL, FAIL)]
)
def test_silence_means_what_the_file_says(no_data: NoData, verdict: Verdict) -> None:
    assert asked({4: UNDER}, replace(SPEC, no_data=no_data)).verdict is verdict


@pytest.mark.parametrize("no_data", list(NoData))
def test_a_series_that_could_not_be_read_holds_whatever_silence_means(no_data: NoData) -> None:
    """Case 76 of aws.md: CloudWatch itself is down."""
    assert asked(Unread(why="throttled"), replace(SPEC, no_data=no_data)).verdict is HOLD
    assert asked(None, replace(SPEC, no_data=no_data)).verdict is HOLD


def test_a_query_that_cloudwatch_refuses_holds_and_says_that_waiting_will_not_help() -> None:
    answer = asked(Unread(why="CloudWatch refuses it: Error in expression", is_refused=True))
    assert answer.verdict is HOLD
    assert "CloudWatch refuses it: Error in expression" in answer.reason
    assert "corrects gates.metric" in answer.clears_when


# where the rollout stands ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("applies", "is_watch", "verdict"),
    [
        (Applies.ALWAYS, False, FAIL),
        (Applies.ALWAYS, True, FAIL),
        (Applies.STEPS, False, FAIL),
        (Applies.STEPS, True, NOT),
        (Applies.WATCH, False, NOT),
        (Applies.WATCH, True, FAIL),
    ],
)
def test_it_is_asked_where_the_file_says(applies: Applies, is_watch: bool, verdict: Verdict) -> None:
    phase = Phase.WATCHING if is_watch else Phase.SHIFTING
    assert asked({3: OVER}, replace(SPEC, applies=applies), phase=phase).verdict is verdict


def test_a_colour_without_traffic_is_not_judged() -> None:
    assert asked({3: OVER}, weight=0).verdict is NOT


def test_a_query_that_asks_for_blue_too_is_not_asked_while_blue_has_no_traffic() -> None:
    other = MetricInput(
        id="b", metric="Depth", stat="Sum", dimensions=(("TargetGroup", "{blue.target_group}"),)
    )
    ratio = replace(SPEC, query="p99 / b", inputs=(LATENCY, other))
    assert asked({3: OVER}, ratio).verdict is FAIL
    assert asked({}, ratio, weight=1000).verdict is NOT
    assert asked({3: OVER}, weight=1000).verdict is FAIL


def test_the_least_of_several_decides_and_is_named() -> None:
    second = replace(SPEC, name="depth")
    metrics = {series_of(SPEC): series({3: UNDER}), series_of(second): series({3: OVER})}
    assert judge((SPEC, second), scene(metrics=metrics)).reason.startswith("depth is 1.34")
    good = judge((SPEC, second), scene(metrics=dict.fromkeys(metrics, series({3: UNDER}))))
    assert good.reason == "p99 latency is 0.5 (max 1); depth is 0.5 (max 1)"
    assert dict(good.numbers) == {"p99 latency": 0.5, "depth": 0.5}


# what is asked -----------------------------------------------------------------------------------------------------

NAMES = replace(scene().names, balancers=(LOAD_BALANCER,))


def made(spec: MetricSpec, judged: Colour = Colour.GREEN, names: Names = NAMES) -> Any:  # noqa: ANN401
    return query(spec, names, judged, period=MINUTE)


def test_a_single_metric_is_asked_for_with_greens_names() -> None:
    found = made(SPEC)
    assert (found.id, found.metric, found.stat, found.expression) == (
        "metric p99 latency",
        "TargetResponseTime",
        "p99",
        "",
    )
    assert found.dimensions == (
        ("LoadBalancer", "app/public/50dc6c495c0c9188"),
        ("TargetGroup", GREEN_GROUP.rpartition(":")[2]),
    )


@pytest.mark.parametrize(
    ("text", "judged", "expected"),
    [
        ("{service}", Colour.GREEN, GREEN_NAME),
        ("{service}", Colour.BLUE, "checkout"),
        ("{blue.service}/{green.service}", Colour.GREEN, f"checkout/{GREEN_NAME}"),
        ("{cluster}", Colour.GREEN, "prod"),
        ("{blue.target_group}", Colour.GREEN, "targetgroup/checkout/73e2d6bc24d8a067"),
        ("{target_group.2}", Colour.GREEN, "{target_group.2}"),
        ("{AWS/ECS,ClusterName}", Colour.GREEN, "{AWS/ECS,ClusterName}"),
    ],
)
def test_variables_stand_for_names_and_other_braces_for_themselves(
    text: str, judged: Colour, expected: str
) -> None:
    found = made(MetricSpec(name="x", query=f"SEARCH('{text}', 'Sum')", maximum=1.0), judged)
    assert found.expression == f"SEARCH('{expected}', 'Sum')"


def test_counts_that_are_absent_when_zero_are_read_as_zero_beside_requests() -> None:
    errors = replace(LATENCY, id="e", metric="HTTPCode_Target_5XX_Count", stat="Sum")
    alone = made(MetricSpec(name="x", inputs=(errors,), maximum=1.0))
    assert alone.id == "metric x"
    assert alone.expression == "SUM([e_raw, e_none])"
    assert [one.id for one in alone.inputs] == ["e_raw", "e_requests", "e_none"]
    share = made(MetricSpec(name="x", query="e * 2", inputs=(errors,), maximum=1.0))
    assert share.expression == "e * 2"
    assert share.inputs[-1].expression == "SUM([e_raw, e_none])"


def test_the_window_holds_what_a_verdict_can_need_and_nothing_of_a_former_weight() -> None:
    long_ago, lag = NOON - timedelta(hours=2), 2 * MINUTE
    assert window(SPEC, long_ago, NOON, period=MINUTE, lag=lag) == NOON - 6 * MINUTE
    three = replace(SPEC, periods=3)
    assert window(three, long_ago, NOON, period=MINUTE, lag=lag) == NOON - 8 * MINUTE
    lately = NOON - timedelta(seconds=100)
    assert window(SPEC, lately, NOON, period=MINUTE, lag=lag) == NOON - MINUTE


@pytest.mark.parametrize(
    ("spec", "answer"),
    [
        (SPEC, True),
        (MetricSpec(name="x", inputs=(DEPTH,)), False),
        (MetricSpec(name="x", query="SELECT SUM(a) FROM b WHERE s = '{service}'"), True),
        (MetricSpec(name="x", query="SELECT SUM(a) FROM b WHERE s = '{blue.service}'"), False),
        (MetricSpec(name="x", query="SELECT SUM(a) FROM b WHERE s = '{load_balancer}'"), False),
    ],
)
def test_it_is_known_whether_a_query_can_tell_green_from_blue(spec: MetricSpec, answer: bool) -> None:
    assert asks_of_green(spec) is answer


def test_the_newest_value_out_of_bounds_is_known() -> None:
    assert out_of_bounds(SPEC, series({4: UNDER, 3: OVER})) == OVER
    assert out_of_bounds(SPEC, series({4: OVER, 3: UNDER})) is None
    assert out_of_bounds(SPEC, ()) is None
