"""CloudWatch: a service's traffic of the last hour, what is used of a quota, and the alarms that watch a service.

Source: Amazon CloudWatch API Reference.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from orchestrator.aws.client.call import Caller
from orchestrator.aws.client.transport import Answer
from orchestrator.aws.preflight.service_quotas import Applied
from orchestrator.aws.services import cloudwatch
from orchestrator.aws.services.cloudwatch_alarms import metric_alarm
from orchestrator.core.analysis.detectable_regression import Load
from orchestrator.core.cloud.resources import Absent, AlarmSeen, MetricQuery, Series, Unread
from orchestrator.core.domain.errors import Unreachable
from orchestrator.core.domain.ids import LoadBalancerArn, TargetGroupArn, metric_dimension
from orchestrator.core.gates.scene import floor_to
from orchestrator.core.preflight.environment import LOOKED_BACK, load_window
from orchestrator.core.rollout.needs import MetricsNeed

USAGE_PERIOD = timedelta(minutes=5)
COUNTS = ("RequestCount", "HTTPCode_Target_5XX_Count", "TargetConnectionErrorCount")


async def load(
    call: Caller,
    groups: Iterable[tuple[LoadBalancerArn, TargetGroupArn]],
    *,
    period: timedelta,
    now: datetime,
) -> Load | Absent:
    """The requests of one period, and the share that failed, over the last sixty; Absent: none. Raises Outside."""
    queries = tuple(
        MetricQuery(
            id=f"{name} {number}",
            period=period,
            namespace="AWS/ApplicationELB",
            metric=name,
            dimensions=(("LoadBalancer", metric_dimension(lb)), ("TargetGroup", metric_dimension(group))),
            stat="Sum",
        )
        for number, (lb, group) in enumerate(groups)
        for name in COUNTS
    )
    start, end = load_window(now, period)
    found = await _read(call, queries, start=start, end=end) if queries else {}
    totals = dict.fromkeys(COUNTS, 0.0)
    for name, series in found.items():
        totals[name.partition(" ")[0]] += sum(value for _, value in series)
    requests = totals["RequestCount"]
    if not requests:
        return Absent()
    errors = min(requests, totals["HTTPCode_Target_5XX_Count"] + totals["TargetConnectionErrorCount"])
    return Load(requests=requests / LOOKED_BACK, error_rate=errors / requests)


async def used(call: Caller, quotas: Iterable[Applied], *, now: datetime) -> dict[str, float]:
    """What is used of the quotas that AWS counts, by their names. Raises Outside."""
    queries = tuple(
        MetricQuery(
            id=quota.name,
            period=USAGE_PERIOD,
            namespace=quota.namespace,
            metric=quota.metric,
            dimensions=tuple(sorted(quota.dimensions.items())),
            stat=quota.stat,
        )
        for quota in quotas
        if quota.metric
    )
    end = floor_to(now, USAGE_PERIOD)
    found = await _read(call, queries, start=end - 6 * USAGE_PERIOD, end=end) if queries else {}
    return {name: max(value for _, value in series) for name, series in found.items() if series}


async def watchers(
    call: Caller, groups: Collection[str], balancers: Collection[str], cluster: str, service: str
) -> tuple[AlarmSeen, ...]:
    """The alarms that watch a service: on its target groups, its load balancers, or the service itself; and composite
    alarms made of them, by name. Raises Outside.
    """
    values = {*map(metric_dimension, groups), *map(metric_dimension, balancers)}
    found: list[AlarmSeen] = []
    composite: list[str] = []
    asked: Answer = {"AlarmTypes": ["MetricAlarm", "CompositeAlarm"], "MaxRecords": 100}
    async for answer in cloudwatch.answers(call, "DescribeAlarms", asked):
        for alarm in answer.get("MetricAlarms", ()):
            seen = metric_alarm(alarm)
            if is_watching(seen, values, cluster, service) and not _is_scalings(seen):
                found.append(seen)
        composite += [alarm["AlarmName"] for alarm in answer.get("CompositeAlarms", ())]
    whole = await cloudwatch.alarms(call, composite) if composite else {}
    names = {alarm.name for alarm in found}
    found += [
        alarm
        for alarm in whole.values()
        if isinstance(alarm, AlarmSeen) and any(part.name in names for part in alarm.parts)
    ]
    return tuple(sorted(found, key=lambda alarm: alarm.name))


def is_watching(alarm: AlarmSeen, values: Collection[str], cluster: str, service: str) -> bool:
    """True if a metric alarm is on one of these load balancers or groups, or on the ECS service."""
    queries = (alarm.query, *alarm.query.inputs) if alarm.query else ()
    for dimensions in (alarm.dimensions, *(query.dimensions for query in queries)):
        named = dict(dimensions)
        balancing = {named.get("LoadBalancer"), named.get("TargetGroup")} & set(values)
        is_group_elsewhere = "TargetGroup" in named and named["TargetGroup"] not in values
        if balancing and not is_group_elsewhere:
            return True
        if named.get("ServiceName") == service and named.get("ClusterName", cluster) == cluster:
            return True
    return False


def _is_scalings(alarm: AlarmSeen) -> bool:
    """True for the alarms that Application Auto Scaling makes: they fire in daily life."""
    return alarm.name.startswith("TargetTracking-")


async def _read(
    call: Caller, queries: tuple[MetricQuery, ...], *, start: datetime, end: datetime
) -> dict[str, Series]:
    """Whole series only. Raises Unreachable if one could not be read."""
    found = await cloudwatch.metrics(call, MetricsNeed(queries=queries, start=start, end=end))
    whole: dict[str, Series] = {}
    for name, series in found.items():
        if isinstance(series, Unread):
            raise Unreachable(what=f"CloudWatch's {name}", why=series.why, next_step="try again")
        whole[name] = series
    return whole
