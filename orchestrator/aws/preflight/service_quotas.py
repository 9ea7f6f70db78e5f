"""Service Quotas: the account's own limits, and which metric counts what is used of them.

Quotas are found by their names, which people see too. Source: Service Quotas API Reference, ListServiceQuotas.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.aws.client.call import Caller

FARGATE_VCPU = "Fargate On-Demand vCPU resource count"
FARGATE_SPOT_VCPU = "Fargate Spot vCPU resource count"
SERVICES_PER_CLUSTER = "Services per cluster"
TASKS_PER_SERVICE = "Tasks per service"
WANTED = {
    "fargate": (FARGATE_VCPU, FARGATE_SPOT_VCPU),
    "ecs": (SERVICES_PER_CLUSTER, TASKS_PER_SERVICE),
}
"""Service code → the quotas of it that a rollout may meet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """A quota as it applies to the account; without a usage metric AWS does not count it."""

    name: str
    limit: float
    namespace: str = ""
    metric: str = ""
    stat: str = ""
    dimensions: Mapping[str, str] = field(default_factory=dict)


async def applied(call: Caller, code: str) -> dict[str, Applied]:
    """The wanted quotas of one service, by name. Raises Outside."""
    found = await call.pages(
        "service-quotas",
        "ListServiceQuotas",
        {"ServiceCode": code, "MaxResults": 100},
        items="Quotas",
        token="NextToken",
    )
    quotas: dict[str, Applied] = {}
    for quota in found:
        name = quota.get("QuotaName", "")
        if name in WANTED[code] and "Value" in quota:
            used = quota.get("UsageMetric") or {}
            quotas[name] = Applied(
                name=name,
                limit=quota["Value"],
                namespace=used.get("MetricNamespace", ""),
                metric=used.get("MetricName", ""),
                stat=used.get("MetricStatisticRecommendation") or "Maximum",
                dimensions=used.get("MetricDimensions") or {},
            )
    return quotas
