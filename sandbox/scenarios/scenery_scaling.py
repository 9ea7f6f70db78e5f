"""What scales a furnished service, built through the World's own calls as a team would build it."""

from collections.abc import Callable

from sandbox.scenarios.scenery import Scenery
from sandbox.world.kernel.errors import AwsRefusal, Json
from sandbox.world.world import World

KINDS = ("requests", "cpu", "queue", "steps", "forecast", "evening")
QUEUE = "Backlog"  # a metric of the team's own, in the namespace Shop


def scale_by(world: World, scenery: Scenery, *kinds: str, target: float = 50.0) -> None:
    """Let these act on the service's scalable target; see KINDS.

    ``requests`` a target for each task, by target group; ``cpu`` by service; ``queue`` by metric math on a metric of
    the team's own; ``steps`` for an alarm on the target group; ``forecast`` predictive; ``evening`` a schedule.
    """
    for kind in kinds:
        _BUILDERS[kind](world, scenery, target)


def _requests(world: World, scenery: Scenery, target: float) -> None:
    label = "/".join(_names(scenery).values())
    named = {"PredefinedMetricType": "ALBRequestCountPerTarget", "ResourceLabel": label}
    _track(world, scenery, "requests", {"TargetValue": target, "PredefinedMetricSpecification": named})


def _cpu(world: World, scenery: Scenery, target: float) -> None:
    named = {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}
    cooldowns = {"ScaleOutCooldown": int(world.minute.total_seconds()), "ScaleInCooldown": 300}
    _track(
        world, scenery, "cpu", {"TargetValue": target, "PredefinedMetricSpecification": named, **cooldowns}
    )


def _queue(world: World, scenery: Scenery, target: float) -> None:
    """The backlog of a queue that is called like the service, over the service's own healthy hosts."""
    named = _names(scenery)
    hosts = [{"Name": name, "Value": value} for name, value in named.items()]
    backlog = [{"Name": "QueueName", "Value": scenery.service}, {"Name": "Service", "Value": scenery.service}]
    queries: list[Json] = [
        {"Id": "backlog", "MetricStat": _stat("Shop", QUEUE, "Average", backlog), "ReturnData": False},
        {
            "Id": "hosts",
            "MetricStat": _stat("AWS/ApplicationELB", "HealthyHostCount", "Maximum", hosts),
            "ReturnData": False,
        },
        {"Id": "share", "Expression": "backlog / hosts", "Label": "a task's share"},
    ]
    _track(
        world,
        scenery,
        "queue",
        {"TargetValue": target, "CustomizedMetricSpecification": {"Metrics": queries}},
    )


def _steps(world: World, scenery: Scenery, target: float) -> None:
    step = {"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 2}
    configuration = {
        "AdjustmentType": "ChangeInCapacity",
        "StepAdjustments": [step],
        "Cooldown": int(world.minute.total_seconds()),
        "MetricAggregationType": "Average",
    }
    put = {"PolicyType": "StepScaling", "StepScalingPolicyConfiguration": configuration}
    arn = _call(world, scenery, "PutScalingPolicy", PolicyName="steps", **put)["PolicyARN"]
    world.call(
        "cloudwatch",
        "PutMetricAlarm",
        {
            "AlarmName": f"{scenery.service}-busy",
            "AlarmDescription": "more requests than these tasks should have",
            "Namespace": "AWS/ApplicationELB",
            "MetricName": "RequestCount",
            "Dimensions": [{"Name": name, "Value": value} for name, value in _names(scenery).items()],
            "Statistic": "Sum",
            "Period": int(world.minute.total_seconds()),
            "EvaluationPeriods": 2,
            "Threshold": 1000 * target,
            "ComparisonOperator": "GreaterThanThreshold",
            "AlarmActions": [arn, f"arn:aws:sns:{world.region}:{world.account}:oncall"],
        },
    )


def _forecast(world: World, scenery: Scenery, target: float) -> None:
    pair = {"PredefinedMetricType": "ALBRequestCount", "ResourceLabel": "/".join(_names(scenery).values())}
    specification = {"TargetValue": target, "PredefinedMetricPairSpecification": pair}
    configuration = {"MetricSpecifications": [specification], "Mode": "ForecastAndScale"}
    put = {"PolicyType": "PredictiveScaling", "PredictiveScalingPolicyConfiguration": configuration}
    _call(world, scenery, "PutScalingPolicy", PolicyName="forecast", **put)


def _evening(world: World, scenery: Scenery, _: float) -> None:
    target = _call(world, scenery, "DescribeScalableTargets")["ScalableTargets"]
    mine = next(each for each in target if each["ResourceId"].endswith(f"/{scenery.service}"))
    bounds = {"MinCapacity": mine["MinCapacity"], "MaxCapacity": mine["MaxCapacity"]}
    put: Json = {
        "Schedule": "cron(0 20 * * ? *)",
        "Timezone": "Europe/Berlin",
        "ScalableTargetAction": bounds,
    }
    _call(world, scenery, "PutScheduledAction", ScheduledActionName="evening", **put)


_BUILDERS: dict[str, Callable[[World, Scenery, float], None]] = {
    "requests": _requests,
    "cpu": _cpu,
    "queue": _queue,
    "steps": _steps,
    "forecast": _forecast,
    "evening": _evening,
}


def _track(world: World, scenery: Scenery, name: str, configuration: Json) -> None:
    put = {"PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration": configuration}
    _call(world, scenery, "PutScalingPolicy", PolicyName=name, **put)


def _stat(namespace: str, metric: str, stat: str, dimensions: list[Json]) -> Json:
    return {"Metric": {"Namespace": namespace, "MetricName": metric, "Dimensions": dimensions}, "Stat": stat}


def _names(scenery: Scenery) -> dict[str, str]:
    return {
        "LoadBalancer": scenery.load_balancer.split(":loadbalancer/", 1)[1],
        "TargetGroup": scenery.target_group.rsplit(":", 1)[1],
    }


def _call(world: World, scenery: Scenery, operation: str, **params: object) -> Json:
    key = {"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount"}
    if operation != "DescribeScalableTargets":
        key["ResourceId"] = f"service/{scenery.cluster}/{scenery.service}"
    while True:
        try:
            return world.call("application-autoscaling", operation, {**key, **params})
        except AwsRefusal as refusal:
            if refusal.code != "ConcurrentUpdateException":
                raise
            world.advance(world.settings.scaling_write)  # until the write before this one is done
