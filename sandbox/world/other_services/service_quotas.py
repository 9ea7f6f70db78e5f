"""Service Quotas, Elastic Load Balancing's account limits, and what the account uses of the ones that AWS counts.

The limits are those that this World holds callers to, and AWS's defaults for the others.
"""

from sandbox.world.cloudwatch.custom import CustomMetrics
from sandbox.world.ecs.resources import Task
from sandbox.world.ecs.state import Containers
from sandbox.world.elb.actions import GROUPS_PER_ACTION, GROUPS_PER_BALANCER
from sandbox.world.kernel.errors import AwsRefusal, Json
from sandbox.world.kernel.operation import Operation, operation, page

FARGATE_VCPU = "Fargate On-Demand vCPU resource count"
USAGE = {"Service": "Fargate", "Type": "Resource", "Resource": "vCPU", "Class": "Standard/OnDemand"}


class Quotas:
    """`values` are the quotas by their names, `limits` those of Elastic Load Balancing by theirs; both may be set."""

    def __init__(self, containers: Containers, metrics: CustomMetrics) -> None:
        self._all = containers
        self._metrics = metrics
        self.values: dict[str, dict[str, float]] = {
            "ecs": {"Services per cluster": 5000, "Tasks per service": 5000},
            "fargate": {FARGATE_VCPU: 4000, "Fargate Spot vCPU resource count": 4000},
        }
        self.limits: dict[str, int] = {
            "rules-per-application-load-balancer": 100,
            "target-groups": 3000,
            "target-groups-per-action-on-application-load-balancer": GROUPS_PER_ACTION,
            "target-groups-per-application-load-balancer": GROUPS_PER_BALANCER,
            "targets-per-application-load-balancer": 1000,
        }

    def operations(self) -> dict[str, Operation]:
        """Service Quotas' operations by their AWS names."""
        return {"ListServiceQuotas": operation(self.list, "ServiceCode", "MaxResults", "NextToken")}

    def limit_operations(self) -> dict[str, Operation]:
        """Elastic Load Balancing's operation by its AWS name."""
        return {"DescribeAccountLimits": operation(self.describe_limits, "Marker", "PageSize")}

    def list(self, params: Json) -> Json:
        """ListServiceQuotas of one service."""
        code = params["ServiceCode"]
        if code not in self.values:
            raise AwsRefusal("NoSuchResourceException", f"There is no service {code} here.")
        found = [self._quota(code, name, value) for name, value in self.values[code].items()]
        shown, token = page(
            found,
            params.get("NextToken"),
            params.get("MaxResults", 100),
            code="InvalidPaginationTokenException",
        )
        return {"Quotas": shown} | ({"NextToken": token} if token else {})

    def describe_limits(self, params: Json) -> Json:
        """DescribeAccountLimits."""
        found = [{"Name": name, "Max": str(value)} for name, value in self.limits.items()]
        shown, marker = page(found, params.get("Marker"), params.get("PageSize", 400), code="ValidationError")
        return {"Limits": shown} | ({"NextMarker": marker} if marker else {})

    def count(self) -> None:
        """Put what is used into CloudWatch, as AWS does every minute."""
        used = sum(_vcpu(task) for service in self._all.services.values() for task in service.tasks.values())
        datum: Json = {
            "MetricName": "ResourceCount",
            "Dimensions": [{"Name": name, "Value": value} for name, value in USAGE.items()],
            "Value": used,
        }
        self._metrics.note("AWS/Usage", datum)

    def _quota(self, code: str, name: str, value: float) -> Json:
        quota: Json = {"ServiceCode": code, "QuotaName": name, "Value": float(value), "Adjustable": True}
        if name == FARGATE_VCPU:
            quota["UsageMetric"] = {
                "MetricNamespace": "AWS/Usage",
                "MetricName": "ResourceCount",
                "MetricDimensions": USAGE,
                "MetricStatisticRecommendation": "Maximum",
            }
        return quota


def _vcpu(task: Task) -> float:
    """What a task takes of Fargate's quota; one on another capacity nothing."""
    return int(task.definition.body.get("cpu", 0)) / 1024 if task.launch_type == "FARGATE" else 0.0
