"""Preflight of gates: what each alarm can see of green this time, and whether the file's numbers are to be had."""

from dataclasses import replace
from typing import Any

import pytest

from orchestrator.core.cloud.resources import AlarmSeen, Series, Unread
from orchestrator.core.cloud.survey import Finding, Severity
from orchestrator.core.gates.alarms import AlarmSpec, AlarmsSpec
from orchestrator.core.gates.metric import MetricInput, MetricSpec
from orchestrator.core.gates.registry import GatesSpec
from orchestrator.core.rollout.spec import Spec
from orchestrator.preflight import errors, findings
from tests.builders import NOON, good_alarm, good_group, good_spec, good_survey
from tests.core.gates.scenes import series

ON_BALANCER = good_alarm(name="lb", dimensions=(("LoadBalancer", "app/public/50dc6c495c0c9188"),))
ON_BLUE = good_alarm(name="blue-5xx")
DEPTH = MetricInput(
    id="m", metric="Depth", stat="Maximum", namespace="Shop", dimensions=(("S", "{service}"),)
)


def composite(rule: str, *parts: AlarmSeen) -> AlarmSeen:
    return replace(ON_BLUE, name="all", kind="composite", rule=rule, parts=parts, dimensions=())


def of_alarm(alarm: AlarmSeen) -> list[Finding]:
    found = findings(good_spec(), good_survey(alarms=(alarm,)), now=NOON)
    return [finding for finding in found if finding.code.startswith("alarm-")]


@pytest.mark.parametrize(
    ("alarm", "severity", "words"),
    [
        pytest.param(ON_BALANCER, Severity.NOTE, "alarm lb sees both colours: its state counts", id="both"),
        pytest.param(
            ON_BLUE,
            Severity.NOTE,
            "alarm blue-5xx is judged with green's names in its query",
            id="green's names",
        ),
        pytest.param(
            replace(ON_BLUE, is_anomaly=True),
            Severity.WARNING,
            "alarm blue-5xx does not cover green",
            id="blind",
        ),
        pytest.param(
            composite("ALARM(lb)", ON_BALANCER), Severity.NOTE, "alarm all sees both colours", id="of both"
        ),
        pytest.param(
            composite("ALARM('blue-5xx')", ON_BLUE),
            Severity.NOTE,
            "alarm all is blind to green: it is judged by its rule, with green's names in blue-5xx",
            id="of blue's alone",
        ),
        pytest.param(
            composite("ALARM(gone)"),
            Severity.WARNING,
            "alarm all does not cover green",
            id="a part is gone",
        ),
    ],
)
def test_it_is_told_what_each_alarm_can_see_of_green(
    alarm: AlarmSeen, severity: Severity, words: str
) -> None:
    (finding,) = of_alarm(alarm)
    assert finding.severity is severity
    assert words in finding.what
    assert finding.why


def test_an_alarm_whose_actions_do_not_run_is_told() -> None:
    told = of_alarm(replace(ON_BALANCER, muted="its actions are suppressed by night"))
    assert "alarm lb: its actions are suppressed by night" in told[-1].what


def test_an_unknown_alarm_is_told_with_its_place_in_the_file() -> None:
    gates = GatesSpec(alarms=AlarmsSpec(alarms=(AlarmSpec(name="lb"), AlarmSpec(name="lb2"))))
    found = findings(good_spec(gates=gates), good_survey(missing_alarms=("lb2",)), now=NOON)
    assert errors(found)[0].what == "gates.alarms[2]: alarm lb2 does not exist in eu-west-1"


def spec_of(one: MetricSpec) -> Spec:
    return good_spec(gates=GatesSpec(metrics=(one,)))


def of_metric(one: MetricSpec, found: Series | Unread, **survey: Any) -> list[Finding]:  # noqa: ANN401
    made = findings(spec_of(one), good_survey(metrics=((one.name, found),), **survey), now=NOON)
    return [finding for finding in made if finding.code.startswith("metric")]


ONE = MetricSpec(name="depth", inputs=(DEPTH,), maximum=1000.0)


@pytest.mark.parametrize(
    ("found", "severity", "words"),
    [
        (series({2: 5.0, 1: 12.5}), Severity.NOTE, "depth is 12.5 on blue"),
        (
            Unread(why="CloudWatch refuses it: Error in expression", is_refused=True),
            Severity.ERROR,
            "gates.metric[1]: depth: CloudWatch refuses it: Error in expression",
        ),
        (Unread(why="throttled"), Severity.WARNING, "gates.metric[1]: depth could not be read: throttled"),
        ((), Severity.WARNING, "depth has no data of blue in its last sixty periods"),
        (series({1: 1400.0}), Severity.WARNING, "depth is 1400 on blue, out of its bounds"),
    ],
)
def test_what_a_query_says_of_blue_is_told_before_anything_is_touched(
    found: Series | Unread, severity: Severity, words: str
) -> None:
    (finding,) = of_metric(ONE, found)
    assert finding.severity is severity
    assert words in finding.what


def test_a_refused_expression_is_told_at_its_query() -> None:
    bad = replace(ONE, query="m +", inputs=(DEPTH,))
    (finding,) = of_metric(bad, Unread(why="no", is_refused=True))
    assert finding.what.startswith("gates.metric[1].query: ")


def test_a_query_that_cannot_tell_green_from_blue_is_told() -> None:
    shared = replace(ONE, inputs=(replace(DEPTH, dimensions=()),))
    assert [finding.code for finding in of_metric(shared, series({1: 1.0}))] == [
        "metric-not-greens",
        "metric",
    ]


def test_case_67_a_number_of_http_answers_is_refused_where_the_service_speaks_grpc() -> None:
    errors_ = MetricInput(
        id="e",
        metric="HTTPCode_Target_5XX_Count",
        stat="Sum",
        dimensions=(("TargetGroup", "{target_group}"),),
    )
    one = replace(ONE, inputs=(errors_,))
    told = of_metric(one, series({1: 1.0}), groups=(good_group(protocol_version="GRPC"),))
    assert told[0].code == "metric-blind-to-grpc"
    assert told[0].severity is Severity.ERROR
