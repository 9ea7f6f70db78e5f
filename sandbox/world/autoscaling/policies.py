"""Scaling policies: what Application Auto Scaling accepts, the alarms it makes by itself, and how many tasks they want.

Sources: PutScalingPolicy; "Target tracking scaling policies for Application Auto Scaling"; "Step scaling policies for
Application Auto Scaling". How many datapoints the alarms of a target tracking policy need is not documented: three for
more tasks and fifteen for fewer, as they are seen to be.
"""

import math
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sandbox.world.elb.state import Balancing
from sandbox.world.kernel.errors import AwsRefusal, Json

CONFIGURATIONS = {
    "StepScaling": "StepScalingPolicyConfiguration",
    "TargetTrackingScaling": "TargetTrackingScalingPolicyConfiguration",
    "PredictiveScaling": "PredictiveScalingPolicyConfiguration",
}
PER_TARGET = "ALBRequestCountPerTarget"
OF_ECS = {
    "ECSServiceAverageCPUUtilization": "CPUUtilization",
    "ECSServiceAverageCPUUtilizationHighResolution": "CPUUtilization",
    "ECSServiceAverageMemoryUtilization": "MemoryUtilization",
    "ECSServiceAverageMemoryUtilizationHighResolution": "MemoryUtilization",
}
DATAPOINTS_HIGH, DATAPOINTS_LOW = 3, 15
LOW_SHARE = 0.9  # of the target value: below it there are too many tasks
COOLDOWN_MINUTES = 5  # of a policy that names none: 300 seconds
_LABEL = re.compile(r"(app/[^/]+/[^/]+)/(targetgroup/[^/]+/[^/]+)")


@dataclass(slots=True, kw_only=True)
class Policy:
    """A scaling policy of one scalable target."""

    arn: str
    name: str
    kind: str
    resource: str
    configuration: Json
    created: datetime
    alarms: list[str] = field(default_factory=list)  # made by Application Auto Scaling itself
    acted: dict[str, datetime] = field(default_factory=dict)  # "in" and "out": when last

    def cooldown(self, way: str, minute: timedelta) -> timedelta:
        """How long nothing more happens in a direction after something did."""
        name = {"in": "ScaleInCooldown", "out": "ScaleOutCooldown"}[way]
        given = self.configuration.get("Cooldown" if self.kind == "StepScaling" else name)
        return COOLDOWN_MINUTES * minute if given is None else timedelta(seconds=given)


def check(params: Json, balancing: Balancing) -> Json:
    """The configuration of a policy. Raises AwsRefusal."""
    kind = params.get("PolicyType", "StepScaling")
    member = CONFIGURATIONS.get(kind)
    given = [name for name in CONFIGURATIONS.values() if name in params]
    if member is None or given != [member]:
        raise wrong(f"A policy of type {kind} needs {member or 'a known type'} and no other configuration")
    configuration: Json = params[member]
    if kind == "StepScaling":
        _check_step(configuration)
    elif kind == "TargetTrackingScaling":
        _check_tracking(configuration, balancing)
    else:
        for specification in configuration["MetricSpecifications"]:
            for each in specification.values():
                _check_label(each, balancing)
    return configuration


def _check_step(configuration: Json) -> None:
    if configuration.get("AdjustmentType") not in (
        "ChangeInCapacity",
        "PercentChangeInCapacity",
        "ExactCapacity",
    ):
        raise wrong("AdjustmentType must be specified")
    if not configuration.get("StepAdjustments"):
        raise wrong("There must be at least one step adjustment specified")


def _check_tracking(configuration: Json, balancing: Balancing) -> None:
    named = [
        m for m in ("PredefinedMetricSpecification", "CustomizedMetricSpecification") if m in configuration
    ]
    if len(named) != 1:
        raise wrong(
            "Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification is needed"
        )
    _check_label(configuration[named[0]], balancing)


def _check_label(specification: object, balancing: Balancing) -> None:
    """A label names a load balancer and a target group that hangs on it."""
    if not isinstance(specification, dict) or "PredefinedMetricType" not in specification:
        return
    kind, label = specification["PredefinedMetricType"], specification.get("ResourceLabel")
    if kind not in (
        PER_TARGET,
        "ALBRequestCount",
        *OF_ECS,
        "ECSServiceCPUUtilization",
        "ECSServiceMemoryUtilization",
    ):
        raise wrong(f"{kind} is no metric of an ECS service")
    if not kind.startswith("ALB"):
        return
    found = _LABEL.fullmatch(label or "")
    if found is None:
        raise wrong(f"{kind} needs a ResourceLabel of a load balancer and a target group, not {label}")
    group = next((g for g in balancing.groups.values() if g.suffix == found[2]), None)
    hangs_on = balancing.load_balancers.get(group.load_balancer) if group and group.load_balancer else None
    if hangs_on is None or hangs_on.suffix != found[1]:
        raise wrong(f"ResourceLabel {label} does not name a target group of this load balancer")


def tracking_alarms(
    policy: Policy, cluster: str, service: str, *, ids: tuple[str, str], minute: timedelta
) -> list[Json]:
    """The alarms that Application Auto Scaling makes for a target tracking policy, as PutMetricAlarm takes them."""
    configuration = policy.configuration
    target = configuration["TargetValue"]
    watched = _watched(configuration, cluster, service, int(minute.total_seconds()))
    ends = [("AlarmHigh", ids[0], "GreaterThanThreshold", target, DATAPOINTS_HIGH)]
    if not configuration.get("DisableScaleIn"):
        ends.append(("AlarmLow", ids[1], "LessThanThreshold", target * LOW_SHARE, DATAPOINTS_LOW))
    return [
        {
            "AlarmName": f"TargetTracking-{policy.resource}-{name}-{unique}",
            "AlarmDescription": f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {policy.arn}.",
            "AlarmActions": [policy.arn],
            "EvaluationPeriods": periods,
            "Threshold": threshold,
            "ComparisonOperator": comparison,
            **watched,
        }
        for name, unique, comparison, threshold, periods in ends
    ]


def _watched(configuration: Json, cluster: str, service: str, period: int) -> Json:
    predefined = configuration.get("PredefinedMetricSpecification")
    if predefined is None:
        return _customized(configuration["CustomizedMetricSpecification"], period)
    kind = predefined["PredefinedMetricType"]
    if kind == PER_TARGET:
        found = _LABEL.fullmatch(predefined["ResourceLabel"])
        assert found is not None  # checked when it was put
        named = {"LoadBalancer": found[1], "TargetGroup": found[2]}
        metric = {
            "Namespace": "AWS/ApplicationELB",
            "MetricName": "RequestCountPerTarget",
            "Statistic": "Sum",
        }
    else:
        named = {"ClusterName": cluster, "ServiceName": service}
        metric = {"Namespace": "AWS/ECS", "MetricName": OF_ECS[kind], "Statistic": "Average"}
    return {**metric, "Period": period, "Dimensions": [{"Name": n, "Value": v} for n, v in named.items()]}


def _customized(specification: Json, period: int) -> Json:
    if "Metrics" not in specification:
        kept = ("Namespace", "MetricName", "Dimensions", "Statistic", "Unit")
        return {name: specification[name] for name in kept if name in specification} | {"Period": period}
    queries = []
    for query in specification["Metrics"]:
        stat = {"MetricStat": {**query["MetricStat"], "Period": period}} if "MetricStat" in query else {}
        queries.append({**query, **stat})
    return {"Metrics": queries}


def wanted(policy: Policy, *, desired: int, value: float, threshold: float) -> int | None:
    """How many tasks a policy wants, given its metric's newest value; None: it asks for no change."""
    configuration = policy.configuration
    if policy.kind == "TargetTrackingScaling":
        return math.ceil(desired * value / float(configuration["TargetValue"]) - 1e-9)
    if policy.kind != "StepScaling":
        return None
    over = value - threshold
    for step in configuration["StepAdjustments"]:
        low = step.get("MetricIntervalLowerBound", -math.inf)
        high = step.get("MetricIntervalUpperBound", math.inf)
        if low <= over < high or (over < 0 and low < over <= high):
            return _adjusted(configuration, int(step["ScalingAdjustment"]), desired)
    return None


def _adjusted(configuration: Json, adjustment: int, desired: int) -> int:
    match configuration["AdjustmentType"]:
        case "ExactCapacity":
            return adjustment
        case "PercentChangeInCapacity":
            least = int(configuration.get("MinAdjustmentMagnitude", 1))
            change = max(least, abs(desired * adjustment) // 100)
            return desired + (change if adjustment > 0 else -change)
        case _:
            return desired + adjustment


def wrong(why: str) -> AwsRefusal:
    """A ValidationException."""
    return AwsRefusal("ValidationException", why)
