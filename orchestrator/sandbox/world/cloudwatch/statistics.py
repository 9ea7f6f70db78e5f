"""Statistics by their CloudWatch names, and dimension sets by ALB's."""

import re

from orchestrator.sandbox.world.cloudwatch.metrics import BALANCER_METRICS, NAMESPACE, TARGET_METRICS, Cell
from orchestrator.sandbox.world.errors import AwsRefusal, Json, not_here

_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,10})?|100)")
SIMPLE = ("Sum", "Average", "Minimum", "Maximum", "SampleCount")


def check(statistic: str) -> None:
    """Raises AwsRefusal for a statistic that the World cannot compute."""
    if statistic not in SIMPLE and not _PERCENTILE.fullmatch(statistic):
        raise not_here(f"statistic {statistic}")


def value(cell: Cell, statistic: str) -> float:
    """A statistic of the samples."""
    match statistic:
        case "Sum":
            return cell.total
        case "Average":
            return cell.total / cell.count
        case "Minimum":
            return cell.low
        case "Maximum":
            return cell.high
        case "SampleCount":
            return float(cell.count)
    return cell.percentile(float(statistic[1:]))


def dimensions(
    namespace: str, metric: str, given: list[Json]
) -> tuple[str | None, str | None, str | None] | None:
    """Load balancer, target group and zone; None: AWS has no series with these dimensions, so it is empty.

    Raises AwsRefusal for metrics that AWS would have and the World has not.
    """
    if namespace != NAMESPACE:
        if namespace.startswith("AWS/"):
            raise not_here(f"namespace {namespace}")
        return None
    if metric not in TARGET_METRICS and metric not in BALANCER_METRICS:
        raise not_here(f"metric {metric}")
    named = {entry["Name"]: entry["Value"] for entry in given}
    if not named.keys() <= {"LoadBalancer", "TargetGroup", "AvailabilityZone"} or "LoadBalancer" not in named:
        return None
    if metric in BALANCER_METRICS and "TargetGroup" in named:
        return None
    return named["LoadBalancer"], named.get("TargetGroup"), named.get("AvailabilityZone")


def check_period(period: int, minute_seconds: float) -> None:
    """Periods are those CloudWatch knows, and a whole number of this World's minutes."""
    if period not in (1, 5, 10, 20, 30) and (period <= 0 or period % 60):
        raise AwsRefusal("ValidationError", f"Period {period} is not 1, 5, 10, 20, 30 or a multiple of 60")
    if period % minute_seconds:
        raise AwsRefusal(
            "ValidationError",
            f"Period {period} is not a multiple of this sandbox's minute, {minute_seconds:g} s",
        )
