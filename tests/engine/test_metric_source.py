"""Rollouts whose counts come from another source than CloudWatch, by names that the file puts into its expressions."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, timedelta

from orchestrator.core.cloud.resources import Series, Unread
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.phases import Phase
from orchestrator.core.gates.compare import CompareSpec
from orchestrator.core.gates.guard import GuardSpec
from orchestrator.core.gates.metric import MetricSpec
from orchestrator.core.gates.registry import GatesSpec
from orchestrator.core.rollout.spec import MetricsSpec, Spec
from orchestrator.core.tick.needs import MetricsNeed
from orchestrator.engine.tick import Ticker
from orchestrator.engine.worker import Worker
from tests.support.rehearsal import MINUTE, Rehearsal

SOURCE = "main"
METRICS = MetricsSpec(
    period=MINUTE,
    lag=2 * MINUTE,
    source=SOURCE,
    counts=(
        ("requests", "RequestCount of {target_group} by {service} over {period}"),
        ("errors", "HTTPCode_Target_5XX_Count of {target_group} by {revision}"),
    ),
)


class WorldSource:
    """A metric source that knows of the World's traffic what its load balancer knows."""

    def __init__(self, stage: "Counted") -> None:
        self._stage = stage
        self.asked: set[str] = set()
        self.is_silent = False

    async def series(self, need: MetricsNeed) -> Mapping[str, Series | Unread]:
        if self.is_silent:
            return {query.id: Unread(why="metric source main: no answer") for query in need.queries}
        return {query.id: self._series(query.expression, need) for query in need.queries}

    def _series(self, expression: str, need: MetricsNeed) -> Series:
        self.asked.add(expression)
        metric, _, group = expression.split(" ")[:3]
        balancer = self._stage.scenery.load_balancer.partition("loadbalancer/")[2]
        names = {"LoadBalancer": balancer, "TargetGroup": group}
        stat = {
            "Metric": {
                "Namespace": "AWS/ApplicationELB",
                "MetricName": metric,
                "Dimensions": [{"Name": name, "Value": value} for name, value in names.items()],
            },
            "Period": int(MINUTE / timedelta(seconds=1)),
            "Stat": "Sum",
        }
        asked = {
            "MetricDataQueries": [{"Id": "a", "MetricStat": stat}],
            "StartTime": need.start,
            "EndTime": need.end,
        }
        (found,) = self._stage.world.call("cloudwatch", "GetMetricData", asked)["MetricDataResults"]
        points = zip(found["Timestamps"], found["Values"], strict=True)
        return tuple(sorted((at.astimezone(UTC), float(value)) for at, value in points))


class Counted(Rehearsal):
    """A rehearsal with a metric source."""

    has_source = True

    def spec(self, revision: str, **changes: object) -> Spec:
        return super().spec(revision, **{"metrics": METRICS, **changes})

    def _new_worker(self) -> Worker:
        self.source = getattr(self, "source", WorldSource(self))
        sources = {SOURCE: self.source} if self.has_source else {}
        return Worker(Ticker(self.store, self.cloud, self.clock, sources=sources), owner="rehearsal")


def test_a_good_green_succeeds_by_the_counts_of_a_source() -> None:
    with Counted() as stage:
        rollout = stage.start(stage.spec(stage.revision()))
        row = stage.until(rollout)
        assert row.phase is Phase.SUCCEEDED, stage.story(rollout)
        taken = stage.events(rollout, EventKind.INTERVAL_TAKEN)
        assert any(dict(seen.event.facts)["green_requests"] for seen in taken)
        asked = sorted(stage.source.asked)
        assert any(f"by {stage.scenery.service} over 10s" in one for one in asked), asked
        assert any(one.endswith(f"by {stage.scenery.service}:2") for one in asked), asked
        assert not any("{" in one for one in asked), asked


def test_a_bad_green_fails_by_the_counts_of_a_source() -> None:
    with Counted() as stage:
        rollout = stage.start(stage.spec(stage.revision({"TEAL_DEMO_ERROR_RATE": "0.4"})))
        row = stage.until(rollout)
        assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
        assert row.end is not None
        assert row.end.reason.startswith(("guard", "compare")), row.end.reason


def test_a_source_that_is_silent_holds_the_rollout() -> None:
    with Counted() as stage:
        rollout = stage.start(stage.spec(stage.revision()))
        stage.until(rollout, Phase.SHIFTING)
        stage.source.is_silent = True
        stage.let_run(12 * MINUTE)
        row = stage.row(rollout)
        assert row.phase is Phase.SHIFTING
        assert any("metric source main: no answer" in hold.reason for hold in row.waiting.holds), (
            row.waiting.holds
        )


def test_a_number_of_the_team_s_own_is_asked_of_a_source() -> None:
    many = MetricSpec(
        name="errors",
        source=SOURCE,
        query="HTTPCode_Target_5XX_Count of {target_group}",
        maximum=3,
        periods=1,
    )
    with Counted() as stage:
        gates = GatesSpec(guard=GuardSpec(on=False), compare=CompareSpec(on=False), metrics=(many,))
        bad = stage.revision({"TEAL_DEMO_ERROR_RATE": "0.4"})
        rollout = stage.start(stage.spec(bad, gates=gates, metrics=replace(METRICS, source="", counts=())))
        row = stage.until(rollout)
        assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
        assert row.end is not None
        assert row.end.reason.startswith("metric: errors is "), row.end.reason


def test_a_source_that_the_settings_do_not_have_is_refused_before_anything_is_touched() -> None:
    with Counted() as stage:
        stage.has_source = False
        before = sum(call.operation.startswith("Create") for call in stage.world.log)
        rollout = stage.start(stage.spec(stage.revision()))
        row = stage.until(rollout)
        assert row.end is not None
        assert f"metric source {SOURCE} is not among the server's settings" in row.end.reason
        assert sum(call.operation.startswith("Create") for call in stage.world.log) == before
