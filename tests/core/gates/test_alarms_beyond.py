"""Gate ``alarms`` beyond a single metric: metric math, composite alarms, what happened between looks, muted actions."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.core.cloud.resources import AlarmSeen, MetricQuery, Series, Unread
from orchestrator.core.domain.verdict import Answer, Verdict
from orchestrator.core.gates.alarm_scope import Sight, everyone, queries, seeing
from orchestrator.core.gates.alarms import AlarmSpec, AlarmsSpec, judge
from orchestrator.core.gates.gate import NoData
from orchestrator.core.gates.scene import Colour
from tests.builders import NOON, good_alarm
from tests.core.gates.scenes import scene, series
from tests.core.stages import GREEN_GROUP, GREEN_NAME, MINUTE

FAIL, HOLD, PASS, NOT = Verdict.FAIL, Verdict.HOLD, Verdict.PASS, Verdict.NOT_APPLICABLE
BALANCER = ("LoadBalancer", "app/public/50dc6c495c0c9188")
BLUE_GROUP_NAME = "targetgroup/checkout/73e2d6bc24d8a067"
GREEN_GROUP_NAME = GREEN_GROUP.rpartition(":")[2]
ON_BALANCER = good_alarm(name="lb", dimensions=(BALANCER,))
ON_BLUE = good_alarm(name="blue-p99", metric="TargetResponseTime", stat="p99", threshold=1.0)
OVER, UNDER = 2.0, 0.5


def composite(rule: str, *parts: AlarmSeen, **changes: Any) -> AlarmSeen:  # noqa: ANN401
    made = AlarmSeen(
        name="all",
        kind="composite",
        state="OK",
        state_since=NOON - timedelta(hours=3),
        reason="",
        rule=rule,
        parts=parts,
        period=max((part.period for part in parts), default=timedelta(0)),
    )
    return replace(made, **changes)


def asked(alarm: AlarmSeen, *, begun: AlarmSeen | None = None, **changes: Any) -> Answer:  # noqa: ANN401
    spec = AlarmsSpec(alarms=(AlarmSpec(name=alarm.name, no_data=changes.pop("no_data", None)),))
    start = begun or replace(alarm, state="OK", evaluation="", fired_at=None)
    return judge(spec, scene(**{"alarms": {alarm.name: alarm}, "alarms_at_start": (start,), **changes}))


def green(**values: float | Unread) -> dict[str, Series | Unread]:
    """Green's series of alarms, by their names with _ for -, at this value all the time."""
    return {
        f"alarm {name.replace('_', '-')}": value
        if isinstance(value, Unread)
        else series(dict.fromkeys(range(1, 10), value))
        for name, value in values.items()
    }


# between two looks (case 37 of aws.md) -----------------------------------------------------------------------------


def test_case_37_a_short_alarm_between_two_looks_counts_as_having_fired() -> None:
    answer = asked(replace(ON_BALANCER, fired_at=NOON - MINUTE), alarms_from=NOON - 10 * MINUTE)
    assert answer.verdict is FAIL
    assert answer.reason == "lb went to ALARM at 11:59:00Z and is OK again"


@pytest.mark.parametrize("state", ["OK", "INSUFFICIENT_DATA"])
def test_case_37_silence_that_counts_as_good_does_not_hide_a_short_alarm(state: str) -> None:
    short = replace(ON_BALANCER, state=state, fired_at=NOON - MINUTE)
    assert asked(short, no_data=NoData.PASS).verdict is FAIL


def test_case_37_what_an_alarm_did_before_a_person_let_it_go_on_is_not_counted() -> None:
    assert asked(replace(ON_BALANCER, fired_at=NOON - MINUTE), alarms_from=NOON).verdict is PASS


def test_case_37_a_change_whose_history_cannot_be_read_is_unknown() -> None:
    answer = asked(replace(ON_BALANCER, history_unread="not allowed"))
    assert answer.verdict is HOLD
    assert "whether it fired meanwhile could not be read: not allowed" in answer.reason


def test_on_the_way_home_only_the_present_state_counts() -> None:
    assert asked(replace(ON_BALANCER, fired_at=NOON - MINUTE), judged=Colour.BLUE).verdict is PASS


def test_on_the_way_home_an_alarm_as_silent_as_before_the_rollout_has_nothing_to_say() -> None:
    silent = replace(ON_BLUE, state="INSUFFICIENT_DATA")
    assert asked(silent, begun=silent, judged=Colour.BLUE).verdict is NOT
    assert asked(silent, judged=Colour.BLUE).verdict is HOLD


def test_a_short_alarm_of_blues_own_says_nothing_of_green() -> None:
    assert asked(replace(ON_BLUE, fired_at=NOON - MINUTE), metrics=green(blue_p99=UNDER)).verdict is PASS


# muted actions -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("state", "verdict"), [("OK", PASS), ("ALARM", FAIL)])
def test_an_alarm_whose_actions_do_not_run_counts_and_it_is_said(state: str, verdict: Verdict) -> None:
    muted = replace(ON_BALANCER, state=state, muted="its actions are switched off")
    answer = asked(muted)
    assert answer.verdict is verdict
    assert "(its actions are switched off; its state counts)" in answer.reason


# changed meanwhile -------------------------------------------------------------------------------------------------


def test_a_threshold_moved_during_the_rollout_is_not_judged_by() -> None:
    lenient = replace(ON_BLUE, threshold=100.0)
    assert asked(lenient, begun=ON_BLUE, metrics=green(blue_p99=OVER)).verdict is FAIL


# metric math -------------------------------------------------------------------------------------------------------


def math(expression: str, *inputs: MetricQuery, **changes: Any) -> AlarmSeen:  # noqa: ANN401
    query = MetricQuery(id="e1", period=MINUTE, expression=expression, inputs=inputs)
    return replace(
        ON_BLUE, name="share", kind="math", metric="", stat="", dimensions=(), query=query, **changes
    )


def metric(id_: str, name: str, *dimensions: tuple[str, str]) -> MetricQuery:
    return MetricQuery(
        id=id_, namespace="AWS/ApplicationELB", metric=name, dimensions=dimensions, stat="Sum", period=MINUTE
    )


SHARE = math(
    "e / r * 100",
    metric("e", "HTTPCode_Target_5XX_Count", BALANCER, ("TargetGroup", BLUE_GROUP_NAME)),
    metric("r", "RequestCount", BALANCER, ("TargetGroup", BLUE_GROUP_NAME)),
)


def test_metric_math_on_blues_names_is_asked_with_greens() -> None:
    made, blue = queries(SHARE, scene().names)
    blues = {dict(one.dimensions).get("TargetGroup") for one in blue.inputs if not one.expression}
    assert (blue.id, blues) == ("blue alarm share", {BLUE_GROUP_NAME})
    assert (made.id, made.expression, made.period) == ("alarm share", "e / r * 100", MINUTE)
    groups = {dict(one.dimensions).get("TargetGroup") for one in made.inputs if not one.expression}
    assert groups == {GREEN_GROUP_NAME}
    # Green without an error has no datapoint of errors at all: that is zero beside its requests.
    assert [one.id for one in made.inputs] == ["e_raw", "e_requests", "e_none", "e", "r"]


@pytest.mark.parametrize(("value", "verdict"), [(UNDER, PASS), (OVER, FAIL)])
def test_metric_math_on_blues_names_is_judged_by_greens_series(value: float, verdict: Verdict) -> None:
    assert seeing(SHARE, scene().names).sight is Sight.GREENS_NAMES
    assert asked(SHARE, metrics=green(share=value)).verdict is verdict


def test_metric_math_that_names_nothing_of_blues_speaks_by_its_state() -> None:
    both = math("e", metric("e", "HTTPCode_ELB_5XX_Count", BALANCER))
    assert seeing(both, scene().names).sight is Sight.BOTH
    assert asked(replace(both, state="ALARM")).verdict is FAIL


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            f"SELECT SUM(x) FROM y WHERE TargetGroup = '{BLUE_GROUP_NAME}'",
            f"SELECT SUM(x) FROM y WHERE TargetGroup = '{GREEN_GROUP_NAME}'",
        ),
        (
            "SUM(SEARCH('{AWS/ECS,ServiceName} ServiceName=\"checkout\"', 'Sum'))",
            f"SUM(SEARCH('{{AWS/ECS,ServiceName}} ServiceName=\"{GREEN_NAME}\"', 'Sum'))",
        ),
    ],
)
def test_names_in_the_text_of_a_search_become_greens(text: str, expected: str) -> None:
    made, blue = queries(math(text), scene().names)
    assert (made.expression, blue.expression) == (expected, text)


def test_another_service_of_a_like_name_is_left_alone_in_a_search() -> None:
    alarm = math("SUM(SEARCH('ServiceName=\"checkout-admin\"', 'Sum'))")
    assert seeing(alarm, scene().names).sight is Sight.BOTH


def test_a_refused_query_of_an_alarm_holds_with_its_reason() -> None:
    answer = asked(SHARE, metrics=green(share=Unread(why="CloudWatch refuses it", is_refused=True)))
    assert answer.verdict is HOLD
    assert "CloudWatch refuses it" in answer.reason


# what an alarm cannot see ------------------------------------------------------------------------------------------


def test_a_band_learnt_from_blues_past_says_nothing_of_green() -> None:
    band = replace(ON_BLUE, is_anomaly=True, comparison="GreaterThanUpperThreshold")
    answer = asked(band)
    assert answer.verdict is NOT
    assert "it is an anomaly detection alarm, and green has no past to learn from" in answer.reason
    assert queries(band, scene().names) == ()


def test_a_band_on_the_load_balancer_speaks_by_its_state() -> None:
    assert asked(replace(ON_BALANCER, is_anomaly=True, state="ALARM")).verdict is FAIL


# composite alarms --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("alarm", "sight"),
    [
        (composite("ALARM(lb)", ON_BALANCER), Sight.BOTH),
        (composite("ALARM('blue-p99')", ON_BLUE), Sight.PARTS),
        (composite("ALARM('blue-p99') OR ALARM(lb)", ON_BLUE, ON_BALANCER), Sight.PARTS),
        (composite("ALARM(lb) AND ALARM(gone)", ON_BALANCER), Sight.BLIND),
        (composite("RED(lb)", ON_BALANCER), Sight.BLIND),
        (composite("ALARM('blue-p99')", replace(ON_BLUE, is_anomaly=True)), Sight.BLIND),
        (composite("ALARM(all2)", composite("ALARM('blue-p99')", ON_BLUE, name="all2")), Sight.PARTS),
    ],
)
def test_what_a_composite_alarm_sees_depends_on_its_parts(alarm: AlarmSeen, sight: Sight) -> None:
    assert seeing(alarm, scene().names).sight is sight


def test_a_composite_alarm_of_parts_that_see_both_speaks_by_its_state() -> None:
    made = composite("ALARM(lb)", ON_BALANCER)
    assert asked(made).verdict is PASS
    assert asked(replace(made, state="ALARM")).verdict is FAIL
    assert asked(replace(made, state="INSUFFICIENT_DATA")).verdict is HOLD


def test_a_composite_alarm_with_a_part_that_is_not_whole_is_unknown() -> None:
    broken = replace(ON_BALANCER, evaluation="PARTIAL_DATA")
    answer = asked(composite("ALARM(lb)", broken))
    assert answer.verdict is HOLD
    assert "lb is not evaluated in full: PARTIAL_DATA" in answer.reason


MIXED = composite("ALARM('blue-p99') AND NOT ALARM(lb)", ON_BLUE, ON_BALANCER)


@pytest.mark.parametrize(
    ("p99", "balancer", "verdict", "words"),
    [
        (UNDER, "OK", PASS, "all does not fire for green"),
        (OVER, "OK", FAIL, "all fires for green: blue-p99 with green's names is over its threshold"),
        (OVER, "ALARM", PASS, "does not fire"),
        (Unread(why="throttled"), "OK", HOLD, "all is not known for green"),
        (Unread(why="throttled"), "ALARM", PASS, "does not fire"),  # the unknown part does not matter
    ],
)
def test_a_composite_alarm_on_blues_names_is_judged_by_its_rule_with_greens(
    p99: float | Unread, balancer: str, verdict: Verdict, words: str
) -> None:
    seen = replace(MIXED, parts=(ON_BLUE, replace(ON_BALANCER, state=balancer)))
    answer = asked(seen, begun=MIXED, metrics=green(blue_p99=p99))
    assert answer.verdict is verdict
    assert words in answer.reason


def test_a_composite_alarm_that_fires_for_blue_too_holds() -> None:
    answer = asked(replace(MIXED, state="ALARM"), begun=MIXED, metrics=green(blue_p99=OVER))
    assert answer.verdict is HOLD
    assert "fires for blue too" in answer.reason


@pytest.mark.parametrize(
    ("missing", "rule", "verdict"),
    [
        ("missing", "INSUFFICIENT_DATA('blue-p99')", FAIL),
        ("missing", "ALARM('blue-p99')", PASS),
        ("notBreaching", "ALARM('blue-p99')", PASS),
        ("breaching", "ALARM('blue-p99')", FAIL),
        ("ignore", "ALARM('blue-p99')", HOLD),  # green's alarm never had a state that it could keep
    ],
)
def test_silence_of_a_part_means_what_the_part_says(missing: str, rule: str, verdict: Verdict) -> None:
    made = composite(rule, replace(ON_BLUE, missing=missing))
    assert asked(made, metrics={"alarm blue-p99": ()}).verdict is verdict


def test_a_part_that_vanishes_during_the_rollout_holds() -> None:
    answer = asked(replace(MIXED, parts=(ON_BALANCER,)), begun=MIXED)
    assert answer.verdict is HOLD
    assert "does not cover green any more: it is made of blue-p99" in answer.reason


def test_parts_are_asked_for_with_their_alarm() -> None:
    nested = composite("ALARM(all)", MIXED, name="top")
    assert list(everyone((nested,))) == ["top", "all", "blue-p99", "lb"]
    assert [one.id for one in queries(nested, scene().names)] == ["alarm blue-p99", "blue alarm blue-p99"]
