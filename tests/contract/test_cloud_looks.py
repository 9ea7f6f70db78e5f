"""What every ``ports.cloud.Cloud`` promises of a look, on every AWS that the suite knows (``cloud.py``)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.core.cloud.resources import (
    Absent,
    AlarmSeen,
    GroupSeen,
    MetricQuery,
    ScalingSeen,
    ServiceSeen,
    TargetsSeen,
    Unread,
)
from orchestrator.core.domain.ids import RuleArn, TargetGroupArn
from orchestrator.core.tick.needs import MetricsNeed, RuleNeed
from sandbox.world import Fault
from sandbox.world.kernel.faults import Kind
from tests.contract.acts import SetStage
from tests.contract.cloud import Stage


def test_a_look_sees_a_steady_service_and_its_targets(stage: Stage) -> None:
    group = TargetGroupArn(stage.scenery.target_group)
    seen = stage.observe(blue="checkout", targets=(group,))
    assert isinstance(seen.blue, ServiceSeen)
    assert seen.blue.primary is not None
    assert seen.blue.primary.rollout_state == "COMPLETED"
    assert "steady state" in seen.blue.last_event
    assert seen.targets == {group: TargetsSeen(healthy=3)}


def test_a_look_sees_services_scaling_and_alarms(stage: Stage) -> None:
    seen = stage.observe(
        blue="checkout", green="guest", scaling="checkout", alarms=("checkout-5xx", "nowhere")
    )
    assert isinstance(seen.blue, ServiceSeen)
    assert seen.blue.status == "ACTIVE"
    assert seen.blue.tags == {"team": "shop"}
    assert seen.green == Absent()
    assert isinstance(seen.scaling, ScalingSeen)
    alarm = seen.alarms["checkout-5xx"]
    assert isinstance(alarm, AlarmSeen)
    assert (alarm.kind, alarm.stat, alarm.period, alarm.missing) == (
        "metric",
        "Sum",
        timedelta(minutes=1),
        "notBreaching",
    )
    assert seen.alarms["nowhere"] == Absent()


def test_a_look_at_what_is_not_there_says_so(stage: Stage) -> None:
    rule = RuleArn(stage.scenery.rules[0][:-16] + "0" * 16)
    group = TargetGroupArn(stage.scenery.target_group[:-16] + "0" * 16)
    kept = stage.rule()
    needs = [RuleNeed(arn=arn, listener=kept.listener, is_default=False) for arn in (rule, kept.arn)]
    seen = stage.observe(
        rules=tuple(needs), groups=("checkout-blue", "nowhere"), targets=(group,), scaling="nowhere"
    )
    assert seen.rules == {rule: Absent(), kept.arn: kept}
    assert seen.groups["nowhere"] == Absent()
    assert isinstance(seen.groups["checkout-blue"], GroupSeen)
    assert seen.targets == {group: Absent()}
    assert seen.scaling == Absent()


def test_a_default_rule_is_read_by_its_arn(staged: SetStage) -> None:
    stage = staged(rules=0, default_rule=True)
    seen = stage.rule()
    assert (seen.is_default, seen.priority, seen.conditions) == (True, "default", "[]")
    assert seen.listener == stage.scenery.listeners[0]
    assert seen.load_balancer == stage.scenery.load_balancer


@pytest.mark.world
@pytest.mark.parametrize("kind", ["timeout", "throttle", "unavailable", "denied", "expired"])
def test_what_cannot_be_read_is_unread_and_the_rest_is_read(stage: Stage, kind: Kind) -> None:
    stage.world.faults.add(Fault(operation="DescribeTargetHealth", kind=kind))
    group = TargetGroupArn(stage.scenery.target_group)
    seen = stage.observe(blue="checkout", targets=(group,))
    assert isinstance(seen.targets[group], Unread)
    assert isinstance(seen.blue, ServiceSeen)


@pytest.mark.world
def test_an_outage_makes_everything_unread_and_raises_nothing(stage: Stage) -> None:
    stage.world.faults.outage()
    group = TargetGroupArn(stage.scenery.target_group)
    seen = stage.observe(
        blue="checkout",
        targets=(group,),
        groups=("g",),
        alarms=("a",),
        scaling="checkout",
        stops=("checkout",),
    )
    for read in (seen.blue, seen.targets[group], seen.groups["g"], seen.alarms["a"], seen.scaling):
        assert isinstance(read, Unread)


@pytest.mark.world
def test_series_hold_whole_periods_oldest_first(stage: Stage) -> None:
    scenery, start = stage.scenery, stage.world.now.replace(second=0, microsecond=0) + timedelta(minutes=1)
    stage.world.advance(start)
    for _ in range(3):
        stage.world.traffic.count_answer(
            load_balancer=scenery.load_balancer,
            group=scenery.target_group,
            status=200,
            seconds=0.1,
        )
        stage.world.advance(timedelta(minutes=1))
    stage.world.advance(timedelta(minutes=5))
    dimensions = (
        ("LoadBalancer", scenery.load_balancer.partition(":loadbalancer/")[2]),
        ("TargetGroup", scenery.target_group.rpartition(":")[2]),
    )
    query = MetricQuery(
        id="Blue requests",
        namespace="AWS/ApplicationELB",
        metric="RequestCount",
        dimensions=dimensions,
        stat="Sum",
        period=timedelta(minutes=1),
    )
    none = replace(query, id="none", metric="HTTPCode_Target_5XX_Count")
    need = MetricsNeed(queries=(query, none), start=start, end=start + timedelta(minutes=2))
    seen = stage.observe(metrics=need)
    assert seen.metrics == {"Blue requests": ((start, 1.0), (start + timedelta(minutes=1), 1.0)), "none": ()}


def test_why_tasks_stopped_is_seen(stage: Stage) -> None:
    broken = stage.register({"TEAL_DEMO_CRASH_AFTER": "0"})
    stage.call("ecs", "UpdateService", cluster="prod", service="checkout", taskDefinition=broken)
    stage.advance(timedelta(seconds=30))
    blue = stage.observe(blue="checkout", stops=("checkout",)).blue
    assert isinstance(blue, ServiceSeen)
    assert blue.stops
    assert {stop.task_definition for stop in blue.stops} == {broken}
    assert all(
        stop.code == "EssentialContainerExited" and "exit code 1" in stop.reason for stop in blue.stops
    )
    assert [stop.at for stop in blue.stops] == sorted((stop.at for stop in blue.stops), reverse=True)
