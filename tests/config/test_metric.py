"""The `metric` gate in a rollout file: what it means, what it may not say, and the same written back."""

from datetime import timedelta

import pytest

from orchestrator.config import dump, load_text
from orchestrator.core.domain.errors import Invalid
from orchestrator.core.gates.gate import NoData
from orchestrator.core.gates.metric import Applies, MetricInput, MetricSpec

HEAD = "service: prod/checkout\nrevision: {task_definition: checkout:43}\n"
R = "r: {metric: RequestCount, stat: Sum}"
FULL = """gates:
  metric:
    - name: error share
      query: "IF(FILL(r, 0) > 0, e / r * 100, 0)"
      metrics:
        r: {metric: RequestCount, stat: Sum}
        e: {metric: HTTPCode_Target_5XX_Count, stat: Sum, dimensions: {TargetGroup: "{blue.target_group}"}}
      min: 0
      max: 1.5
      periods: 2
      period: 10s
      lag: 20s
      no_data: pass
      applies: steps
    - {name: depth, metrics: {d: {namespace: Shop, metric: Depth, stat: p99.9}}, max: 1000}
    - {name: cpu, metrics: {c: {namespace: AWS/ECS, metric: CPUUtilization, stat: Average}}, max: 90}
    - {name: all, query: "SELECT SUM(Failed) FROM Shop WHERE Service = '{service}'", max: 3}
"""
OWN = (("LoadBalancer", "{load_balancer}"), ("TargetGroup", "{target_group}"))


def test_a_file_says_what_is_asked_and_the_rest_has_defaults() -> None:
    share, depth, cpu, everything = load_text(HEAD + FULL).gates.metrics
    assert share == MetricSpec(
        name="error share",
        query="IF(FILL(r, 0) > 0, e / r * 100, 0)",
        inputs=(
            MetricInput(id="r", metric="RequestCount", stat="Sum", dimensions=OWN),
            MetricInput(
                id="e",
                metric="HTTPCode_Target_5XX_Count",
                stat="Sum",
                dimensions=(("TargetGroup", "{blue.target_group}"),),
            ),
        ),
        minimum=0.0,
        maximum=1.5,
        periods=2,
        period=timedelta(seconds=10),
        lag=timedelta(seconds=20),
        no_data=NoData.PASS,
        applies=Applies.STEPS,
    )
    assert depth.inputs == (MetricInput(id="d", metric="Depth", stat="p99.9", namespace="Shop"),)
    assert (depth.query, depth.periods, depth.period, depth.no_data, depth.applies) == (
        "",
        1,
        None,
        NoData.HOLD,
        Applies.ALWAYS,
    )
    assert cpu.inputs[0].dimensions == (("ClusterName", "{cluster}"), ("ServiceName", "{service}"))
    assert everything.inputs == ()


def test_it_is_written_back_as_it_was_meant() -> None:
    spec = load_text(HEAD + FULL)
    assert load_text(dump(spec)) == spec


def mistakes_in(text: str) -> list[str]:
    with pytest.raises(Invalid) as caught:
        load_text(f"{HEAD}gates:\n  metric:\n    - {text}\n", "f")
    return [mistake.at("f").removeprefix("f:") for mistake in caught.value.mistakes]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{name: x, metrics: {" + R + "}}", "5: gates.metric[1] has no bounds: write min, max or both"),
        ("{name: x, metrics: {" + R + "}, min: 2, max: 1}", "5: gates.metric[1]: a min over its max"),
        ("{name: x, max: 1}", "does not say what is judged: write query, metrics or both"),
        ("{name: x, query: r + q, metrics: {" + R + "}, max: 1}", "the query names q, which is not there"),
        (
            "{name: x, query: rr + r, metrics: {" + R + ", req: {metric: RequestCount, stat: Sum}}, max: 1}",
            "the query does not name req: remove it, or use it",
        ),
        (
            "{name: x, metrics: {" + R + ", q: {metric: RequestCount, stat: Sum}}, max: 1}",
            "write query: …, or a single one of metrics",
        ),
        ("{name: x, metrics: {R1: {metric: RequestCount, stat: Sum}}, max: 1}", '"R1" cannot be an id'),
        (
            "{name: x, metrics: {r: {metric: RequestCount}}, max: 1}",
            "gates.metric[1].metrics.r.stat is missing",
        ),
        (
            "{name: x, metrics: {r: {metric: RequestCount, stat: sum}}, max: 1}",
            '"sum" is no statistic of CloudWatch: write Sum',
        ),
        (
            "{name: x, query: 'SELECT {target_grup}', max: 1}",
            '"{target_grup}" stands for nothing: did you mean',
        ),
        (
            "{name: x, query: 'SELECT {green.zone}', max: 1}",
            '"{green.zone}" stands for nothing: write one of',
        ),
        ("{name: x, metrics: {" + R + "}, max: high}", 'gates.metric[1].max: "high" is no number'),
        ("{name: x, metrics: {" + R + "}, max: 1, periods: 0}", "write 1 to 10"),
        ("{name: x, metrics: {" + R + "}, max: 1, applies: never}", "write always, steps or watch"),
        ("{name: x, metrics: {" + R + "}, max: 1, period: 7s}", '"7s" is no period of CloudWatch'),
        ("{name: x, metrics: {" + R + "}, max: 1, no_data: good}", "write hold, pass or fail"),
        ("{metrics: {" + R + "}, max: 1}", "gates.metric[1].name is missing"),
        ("{name: x, metrics: {" + R + "}, maxx: 1}", "did you mean max?"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_to_write_instead(text: str, expected: str) -> None:
    lines = mistakes_in(text)
    assert any(expected in line for line in lines), lines
    assert all(line.startswith("5:") for line in lines), lines


def test_two_metrics_of_one_name_are_refused() -> None:
    one = "{name: x, metrics: {" + R + "}, max: 1}"
    assert mistakes_in(f"{one}\n    - {one}") == [
        '6: gates.metric[2]: a second metric named "x": name it apart'
    ]
