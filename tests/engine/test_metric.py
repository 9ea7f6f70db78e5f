"""The gate `metric` in whole rollouts: seen to FAIL, to HOLD and to PASS."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from orchestrator.core.domain.errors import Unfit
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.gates.alarms import AlarmsSpec
from orchestrator.core.gates.compare import CompareSpec
from orchestrator.core.gates.gate import NoData
from orchestrator.core.gates.guard import GuardSpec
from orchestrator.core.gates.metric import MetricInput, MetricSpec
from orchestrator.core.gates.registry import GatesSpec
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.rollout.spec import LimitThen
from sandbox.world.kernel.settings import WorldSettings
from tests.support.rehearsal import MINUTE, Rehearsal

GROUP = (("LoadBalancer", "{load_balancer}"), ("TargetGroup", "{target_group}"))
REQUESTS = MetricInput(id="r", metric="RequestCount", stat="Sum", dimensions=GROUP)
ERRORS = MetricInput(id="e", metric="HTTPCode_Target_5XX_Count", stat="Sum", dimensions=GROUP)
LATENCY = MetricInput(id="l", metric="TargetResponseTime", stat="p90", dimensions=GROUP)
SHARE = MetricSpec(name="error share", query="e / r * 100", inputs=(REQUESTS, ERRORS), maximum=5.0)
SLOW = MetricSpec(name="p90", inputs=(LATENCY,), maximum=0.2)
COUNT = MetricSpec(name="errors", inputs=(ERRORS,), maximum=3.0)
BLUES = tuple((key, value.replace("{", "{blue.")) for key, value in GROUP)
TWICE = MetricSpec(
    name="twice blue",
    query="IF(FILL(b, 0) > 0, g / b, 0)",
    inputs=(replace(LATENCY, id="g"), replace(LATENCY, id="b", dimensions=BLUES)),
    maximum=2.0,
)


@pytest.fixture(params=["kind", "tricky"])
def stage(request: pytest.FixtureRequest) -> Iterator[Rehearsal]:
    """A service in a World without surprises, and in one with all of AWS's traps (late and revised datapoints)."""
    settings = WorldSettings.kind() if request.param == "kind" else WorldSettings()
    with Rehearsal(settings=settings) as made:
        yield made


def gates(*metrics: MetricSpec) -> GatesSpec:
    return GatesSpec(
        guard=GuardSpec(on=False), compare=CompareSpec(on=False), alarms=AlarmsSpec(), metrics=metrics
    )


def rolled_out(
    stage: Rehearsal, *metrics: MetricSpec, revision: dict[str, str] | None = None
) -> tuple[RolloutId, Rollout]:
    rollout = stage.start(stage.spec(stage.revision(revision), gates=gates(*metrics)))
    return rollout, stage.until(rollout)


@pytest.mark.long
@pytest.mark.parametrize(
    ("metric", "revision", "words"),
    [
        pytest.param(SHARE, {"TEAL_DEMO_ERROR_RATE": "0.4"}, "metric: error share is ", id="metric math"),
        pytest.param(COUNT, {"TEAL_DEMO_ERROR_RATE": "0.4"}, "metric: errors is ", id="a count"),
        pytest.param(SLOW, {"TEAL_DEMO_LATENCY": "300"}, "metric: p90 is ", id="a percentile"),
        pytest.param(TWICE, {"TEAL_DEMO_LATENCY": "300"}, "metric: twice blue is ", id="green against blue"),
    ],
)
def test_a_green_out_of_bounds_is_taken_back(
    stage: Rehearsal, metric: MetricSpec, revision: dict[str, str], words: str
) -> None:
    rollout, row = rolled_out(stage, metric, revision=revision)
    assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert row.end is not None
    assert row.end.reason.startswith(words), row.end.reason
    assert "over its max of" in row.end.reason


@pytest.mark.parametrize("metric", [SHARE, COUNT, SLOW, TWICE], ids=lambda one: one.name)
def test_a_good_green_passes_also_where_it_has_no_error_at_all(stage: Rehearsal, metric: MetricSpec) -> None:
    rollout, row = rolled_out(stage, metric)
    assert row.phase is Phase.SUCCEEDED, stage.story(rollout)
    told = [dict(seen.event.facts) for seen in stage.events(rollout, EventKind.GATE_ANSWERED)]
    assert {"hold", "pass"} <= {fact["verdict"] for fact in told if fact["gate"] == "metric"}


def test_a_query_that_cloudwatch_refuses_is_refused_at_the_start(stage: Rehearsal) -> None:
    broken = replace(SHARE, name="broken", query="e / / r")
    with pytest.raises(Unfit) as caught:
        stage.start(stage.spec(stage.revision(), gates=gates(SHARE, broken)))
    assert caught.value.findings[0].startswith("gates.metric[2].query: broken: CloudWatch refuses it:")


def test_a_metric_that_nobody_publishes_holds_until_the_limit_and_then_rolls_back(stage: Rehearsal) -> None:
    silent = MetricSpec(
        name="depth", inputs=(replace(ERRORS, namespace="Shop", metric="Depth"),), maximum=1.0
    )
    rollout, row = rolled_out(stage, silent)
    assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert row.end is not None
    assert "metric: depth has no data" in row.end.reason


def test_silence_passes_where_the_file_says_so(stage: Rehearsal) -> None:
    depth = replace(ERRORS, namespace="Shop", metric="Depth")
    silent = MetricSpec(name="depth", inputs=(depth,), maximum=1.0, no_data=NoData.PASS)
    rollout, row = rolled_out(stage, silent)
    assert row.phase is Phase.SUCCEEDED, stage.story(rollout)


def test_case_76_a_cloudwatch_that_is_down_holds_and_calls_people(stage: Rehearsal) -> None:
    spec = stage.spec(stage.revision(), gates=gates(SHARE))
    spec = replace(spec, limits=replace(spec.limits, hold=6 * MINUTE, then=LimitThen.HOLD))
    rollout = stage.start(spec)
    stage.until(rollout, Phase.SHIFTING)
    stage.world.metrics.disturb("failed")
    stage.let_run(12 * MINUTE)
    row = stage.row(rollout)
    assert row.phase is Phase.SHIFTING
    assert row.green_weight == 100
    assert row.waiting.paged, stage.story(rollout)
    stage.world.metrics.settle()
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
