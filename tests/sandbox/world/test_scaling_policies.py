"""Policies act on metrics, schedules on the clock, and both respect bounds and suspensions."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.sandbox.world.places import Shop, Wire, calm, shop
from tests.support.virtual_traffic import VirtualTraffic

KEY = {
    "ServiceNamespace": "ecs",
    "ResourceId": "service/prod/checkout",
    "ScalableDimension": "ecs:service:DesiredCount",
}
MINUTE = timedelta(minutes=1)


def call(s: Shop, operation: str, **params: object) -> Wire:
    return s.world.call("application-autoscaling", operation, KEY | params)


def track(s: Shop, kind: str, target: float, *, name: str = "track", **more: object) -> Wire:
    named: dict[str, object] = {"PredefinedMetricType": kind}
    if kind.startswith("ALB"):
        balancer, group = s.scenery.load_balancer, s.scenery.target_group
        named["ResourceLabel"] = f"{balancer.split(':loadbalancer/')[1]}/{group.rsplit(':', 1)[1]}"
    configuration = {"TargetValue": target, "PredefinedMetricSpecification": named, **more}
    put = {"TargetTrackingScalingPolicyConfiguration": configuration}
    return call(s, "PutScalingPolicy", PolicyName=name, PolicyType="TargetTrackingScaling", **put)


def schedule(s: Shop, text: str, **more: object) -> None:
    call(s, "PutScheduledAction", ScheduledActionName="evening", Schedule=text, **more)


def busy(requests_per_second: float) -> Shop:
    s = shop(calm())
    s.world.behaviour.requests_per_task = 10
    VirtualTraffic(s.world, s.scenery.listeners[0], requests_per_second)
    return s


def alarms(s: Shop) -> list[str]:
    found = s.world.call("cloudwatch", "DescribeAlarms", {"AlarmNamePrefix": "TargetTracking-"})
    return [each["AlarmName"] for each in found["MetricAlarms"]]


def test_a_target_tracking_policy_adds_tasks_until_the_metric_is_at_its_target() -> None:
    s = busy(24)  # of 3 tasks each at 80 % of its CPU
    track(s, "ECSServiceAverageCPUUtilization", 50.0, ScaleOutCooldown=60)
    s.world.advance(20 * MINUTE)
    assert s.service()["desiredCount"] == 5


def test_requests_per_target_are_tracked_by_the_label_of_a_target_group() -> None:
    s = busy(12)
    track(s, "ALBRequestCountPerTarget", 120.0, ScaleOutCooldown=60)
    s.world.advance(20 * MINUTE)
    assert s.service()["desiredCount"] == 6


def test_too_little_load_takes_tasks_away_unless_that_is_suspended() -> None:
    s = busy(1)
    call(s, "RegisterScalableTarget", SuspendedState={"DynamicScalingInSuspended": True})
    track(s, "ECSServiceAverageCPUUtilization", 50.0)
    s.world.advance(30 * MINUTE)
    assert s.service()["desiredCount"] == 3
    call(s, "RegisterScalableTarget", SuspendedState={"DynamicScalingInSuspended": False})
    assert s.service()["desiredCount"] == 2, "a policy that is in breach acts at once on resume"


def test_the_alarms_of_a_target_tracking_policy_come_and_go_with_it() -> None:
    s = shop()
    answer = track(s, "ECSServiceAverageCPUUtilization", 50.0)
    assert sorted(each["AlarmName"] for each in answer["Alarms"]) == alarms(s)
    assert [name.partition("checkout-")[2][:9] for name in alarms(s)] == ["AlarmHigh", "AlarmLow-"]
    track(s, "ECSServiceAverageCPUUtilization", 60.0, DisableScaleIn=True)
    assert len(alarms(s)) == 1
    call(s, "DeregisterScalableTarget")
    assert alarms(s) == []


def test_a_step_policy_acts_for_the_alarm_that_names_it() -> None:
    s = busy(24)
    steps = [
        {"MetricIntervalLowerBound": 0.0, "MetricIntervalUpperBound": 500.0, "ScalingAdjustment": 1},
        {"MetricIntervalLowerBound": 500.0, "ScalingAdjustment": 4},
    ]
    configuration = {"AdjustmentType": "ChangeInCapacity", "StepAdjustments": steps, "Cooldown": 3600}
    put = {"PolicyType": "StepScaling", "StepScalingPolicyConfiguration": configuration}
    arn = call(s, "PutScalingPolicy", PolicyName="steps", **put)["PolicyARN"]
    named = {
        "LoadBalancer": s.scenery.load_balancer.split(":loadbalancer/")[1],
        "TargetGroup": s.scenery.target_group.rsplit(":", 1)[1],
    }
    s.world.call(
        "cloudwatch",
        "PutMetricAlarm",
        {
            "AlarmName": "busy",
            "Namespace": "AWS/ApplicationELB",
            "MetricName": "RequestCount",
            "Dimensions": [{"Name": name, "Value": value} for name, value in named.items()],
            "Statistic": "Sum",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 1000,
            "ComparisonOperator": "GreaterThanThreshold",
            "AlarmActions": [arn],
        },
    )
    shown = s.world.call("application-autoscaling", "DescribeScalingPolicies", {"ServiceNamespace": "ecs"})
    assert [each["AlarmName"] for each in shown["ScalingPolicies"][0]["Alarms"]] == ["busy"]
    s.world.advance(10 * MINUTE)
    assert s.service()["desiredCount"] == 4, "1,440 a minute are less than 500 above the threshold"


def test_a_recurring_action_sets_the_bounds_at_its_hour_in_its_zone() -> None:
    s = shop()  # it is noon in UTC
    bounds = {"MinCapacity": 6, "MaxCapacity": 12}
    schedule(s, "cron(15 13 * * ? *)", Timezone="Europe/Berlin", ScalableTargetAction=bounds)
    s.world.advance(datetime(2026, 1, 1, 12, 14, 50, tzinfo=UTC))
    assert s.service()["desiredCount"] == 3
    s.world.advance(datetime(2026, 1, 1, 12, 15, 10, tzinfo=UTC))
    assert s.service()["desiredCount"] == 6


def test_a_suspended_schedule_does_nothing() -> None:
    s = shop()
    call(s, "RegisterScalableTarget", SuspendedState={"ScheduledScalingSuspended": True})
    schedule(s, "rate(5 minutes)", ScalableTargetAction={"MinCapacity": 6})
    s.world.advance(15 * MINUTE)
    assert s.service()["desiredCount"] == 3


def test_a_one_time_action_acts_once_at_its_moment() -> None:
    s = shop()
    schedule(s, "at(2026-01-01T12:10:30)", ScalableTargetAction={"MinCapacity": 2, "MaxCapacity": 2})
    s.world.advance(datetime(2026, 1, 1, 12, 10, 31, tzinfo=UTC))
    assert s.service()["desiredCount"] == 2


def test_leaving_the_times_out_on_an_update_deletes_them() -> None:
    s = shop()
    bounds = {"MinCapacity": 1, "MaxCapacity": 9}
    end = s.world.now + timedelta(days=1)
    schedule(s, "cron(0 8 ? * MON-FRI *)", EndTime=end, ScalableTargetAction=bounds)
    schedule(s, "cron(0 9 ? * MON-FRI *)")
    shown = call(s, "DescribeScheduledActions")["ScheduledActions"][0]
    assert "EndTime" not in shown
    assert shown["ScalableTargetAction"] == bounds


def test_a_target_outlives_its_service_and_acts_on_the_next_one_of_that_name() -> None:
    s = shop()
    params = s.green_params(s.group("blue"))
    s.update(desiredCount=0)
    s.world.advance(MINUTE)
    s.world.call("ecs", "DeleteService", {"cluster": "prod", "service": "checkout"})
    s.world.advance(MINUTE)
    assert [t["ResourceId"] for t in call_targets(s)] == [KEY["ResourceId"]]
    s.world.call("ecs", "CreateService", params | {"serviceName": "checkout", "desiredCount": 1})
    assert s.world.autoscaling.scale_out("checkout", 9)
    assert s.service()["desiredCount"] == 9


def call_targets(s: Shop) -> list[Wire]:
    asked = {"ServiceNamespace": "ecs"}
    return list(s.world.call("application-autoscaling", "DescribeScalableTargets", asked)["ScalableTargets"])


def test_tags_of_a_target_are_listed_by_its_arn() -> None:
    s = shop()
    call(s, "RegisterScalableTarget", Tags={"team": "shop"})
    arn = call_targets(s)[0]["ScalableTargetARN"]
    answer = s.world.call("application-autoscaling", "ListTagsForResource", {"ResourceARN": arn})
    assert answer == {"Tags": {"team": "shop"}}


@pytest.mark.parametrize("count", [11, 21])
def test_policies_are_shown_ten_a_page(count: int) -> None:
    s = shop()
    for number in range(count):
        track(s, "ECSServiceAverageCPUUtilization", 50.0, name=f"p{number}")
    asked: dict[str, object] = {"ServiceNamespace": "ecs"}
    sizes = []
    while True:
        answer = s.world.call("application-autoscaling", "DescribeScalingPolicies", asked)
        sizes.append(len(answer["ScalingPolicies"]))
        if "NextToken" not in answer:
            break
        asked["NextToken"] = answer["NextToken"]
    assert sizes == [10] * (count // 10) + [count % 10]
