"""What Application Auto Scaling and CloudWatch refuse, and whom everybody does."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from tests.verify.check import MEMORY, Check
from tests.verify.place import Answer, Needs, Place


def _scaling(p: Place, operation: str, service: str, **params: object) -> Answer:
    key = {"ServiceNamespace": "ecs", "ResourceId": f"service/{p.cluster}/{service}"}
    key["ScalableDimension"] = "ecs:service:DesiredCount"
    return p.call("application-autoscaling", operation, {**key, **params})


def _past(p: Place) -> object:
    _scaling(p, "RegisterScalableTarget", p.service, MinCapacity=0, MaxCapacity=1)
    try:
        return _scaling(
            p,
            "PutScheduledAction",
            p.service,
            ScheduledActionName=p.name,
            Schedule="at(2020-01-01T00:00:00)",
            ScalableTargetAction={"MinCapacity": 0},
        )
    finally:
        _scaling(p, "DeregisterScalableTarget", p.service)


def _query(**query: object) -> Callable[[Place], object]:
    def attempt(p: Place) -> object:
        end = datetime.now(UTC).replace(second=0, microsecond=0)
        window = {"StartTime": end - timedelta(minutes=10), "EndTime": end}
        return p.call("cloudwatch", "GetMetricData", {"MetricDataQueries": [{"Id": "m1", **query}], **window})

    return attempt


def _stat(stat: str, period: int = 60) -> dict[str, object]:
    metric = {"Namespace": "AWS/ApplicationELB", "MetricName": "RequestCount", "Dimensions": []}
    return {"MetricStat": {"Metric": metric, "Period": period, "Stat": stat}}


def _stranger(service: str, operation: str) -> Callable[[Place], object]:
    def attempt(p: Place) -> object:
        if p.stranger is None:
            raise Needs("it needs requests that are signed")
        return p.stranger(service, operation, {})

    return attempt


_REGISTER = "Application Auto Scaling API Reference, RegisterScalableTarget"
_DATA = "Amazon CloudWatch API Reference, GetMetricData"

OTHERS = (
    Check(
        name="a least capacity above the greatest",
        code="ValidationException",
        source=_REGISTER,
        attempt=lambda p: _scaling(p, "RegisterScalableTarget", p.service, MinCapacity=9, MaxCapacity=2),
    ),
    Check(
        name="scaling a service that is not there",
        code="ValidationException",
        source=_REGISTER,
        attempt=lambda p: _scaling(p, "RegisterScalableTarget", "none", MinCapacity=0, MaxCapacity=2),
    ),
    Check(
        name="a scalable target that is not there",
        code="ObjectNotFoundException",
        source="Application Auto Scaling API Reference, DeregisterScalableTarget",
        attempt=lambda p: _scaling(p, "DeregisterScalableTarget", "none"),
    ),
    Check(name="a scheduled action in the past", code="ValidationException", source=MEMORY, attempt=_past),
    Check(
        name="deleting an alarm that is not there",
        code="ResourceNotFound",
        source="Amazon CloudWatch API Reference, DeleteAlarms",
        attempt=lambda p: p.call("cloudwatch", "DeleteAlarms", {"AlarmNames": [f"{p.name}-none"]}),
    ),
    Check(
        name="a composite alarm of nothing",
        code="ValidationError",
        source="Amazon CloudWatch API Reference, PutCompositeAlarm",
        attempt=lambda p: p.call(
            "cloudwatch",
            "PutCompositeAlarm",
            {"AlarmName": p.name, "AlarmRule": f"ALARM({p.name}-none)"},
        ),
    ),
    Check(
        name="an expression over what is not there",
        code="ValidationError",
        source=_DATA,
        attempt=_query(Expression="m2/m3"),
    ),
    Check(
        name="a statistic that there is none of",
        code="ValidationError",
        source="CloudWatch statistics definitions",
        attempt=_query(**_stat("tm101")),
    ),
    Check(
        name="a period of 45 seconds",
        code="ValidationError",
        source=_DATA,
        attempt=_query(**_stat("Sum", 45)),
    ),
    Check(
        name="a role that trusts somebody else",
        code="AccessDenied",
        source="AWS STS API Reference, AssumeRole",
        attempt=lambda p: p.call(
            "sts",
            "AssumeRole",
            {"RoleArn": f"arn:aws:iam::123456789012:role/{p.name}-none", "RoleSessionName": p.name},
        ),
    ),
    Check(
        name="credentials that nobody gave, at ECS",
        code="UnrecognizedClientException",
        source=MEMORY,
        attempt=_stranger("ecs", "ListClusters"),
    ),
    Check(
        name="credentials that nobody gave, at Elastic Load Balancing",
        code="InvalidClientTokenId",
        source=MEMORY,
        attempt=_stranger("elbv2", "DescribeLoadBalancers"),
    ),
)
