"""Where datapoints come from, for queries and for alarms alike, and what may be wrong with them for a while."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Literal

from sandbox.world.cloudwatch import statistics
from sandbox.world.cloudwatch.cell import Cell
from sandbox.world.cloudwatch.custom import CustomMetrics
from sandbox.world.cloudwatch.metrics import Metrics, dimensions
from sandbox.world.cloudwatch.periods import check_period
from sandbox.world.kernel.errors import AwsRefusal, Json
from sandbox.world.kernel.kernel import Kernel
from sandbox.world.kernel.operation import only

TroubleKind = Literal["partial", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one MetricStat gave: its datapoints by their time, and how whole they are."""

    points: dict[datetime, float]
    samples: dict[datetime, int]
    trouble: TroubleKind | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trouble:
    metric: str  # a name, or a pattern of names
    kind: TroubleKind
    until: datetime | None


class Sources:
    """The datapoints of every metric of the account.

    `disturb` scripts misfortune: answers that are partial (StatusCode PartialData, the newest half is missing) or
    that fail (InternalError); alarms on such metrics show PARTIAL_DATA and EVALUATION_FAILURE.
    """

    def __init__(self, kernel: Kernel, balancers: Metrics, custom: CustomMetrics) -> None:
        self._kernel = kernel
        self._balancers = balancers
        self._custom = custom
        self._troubles: list[_Trouble] = []

    def disturb(self, kind: TroubleKind, *, metric: str = "*", until: datetime | None = None) -> None:
        """From now until then, or until `settle`, metrics of this name (or pattern) answer badly."""
        self._troubles.append(_Trouble(metric=metric, kind=kind, until=until))

    def settle(self) -> None:
        """End every such misfortune."""
        self._troubles.clear()

    def check(self, stat: Json) -> None:
        """Raises AwsRefusal for a MetricStat that CloudWatch refuses or the World cannot answer."""
        only(stat, ("Metric", "Period", "Stat", "Unit"), "MetricStat")
        metric = stat["Metric"]
        lacking = [name for name in ("Namespace", "MetricName") if name not in metric]
        if lacking:
            raise AwsRefusal(
                "ValidationError", f"The parameter {' and '.join(lacking)} of a Metric is required."
            )
        is_custom = not _is_balancers(metric["Namespace"], metric["MetricName"])
        statistics.check(stat["Stat"])
        check_period(stat["Period"], self._kernel.minute.total_seconds(), is_custom=is_custom)
        if not is_custom:
            dimensions(metric["Namespace"], metric["MetricName"], metric.get("Dimensions", []))

    def read(self, stat: Json, start: datetime, end: datetime) -> Reading:
        """The datapoints of the periods that begin in [start, end); `start` is a multiple of the period."""
        points: dict[datetime, float] = {}
        samples: dict[datetime, int] = {}
        step = timedelta(seconds=stat["Period"])
        at = start
        while at < min(end, self._kernel.now):
            cell = self._cell(stat, at, step)
            value = statistics.value(cell, stat["Stat"]) if cell else None
            if cell and value is not None:
                points[at], samples[at] = value, cell.count
            at += step
        trouble = self._trouble(stat["Metric"]["MetricName"])
        if trouble == "failed":
            points.clear()
        elif trouble == "partial":
            for each in sorted(points)[len(points) // 2 :]:
                del points[each]
        return Reading(points=points, samples=samples, trouble=trouble)

    def horizon(self, stat: Json) -> datetime:
        """Until when what this metric reports can be read."""
        if _is_balancers(stat["Metric"]["Namespace"], stat["Metric"]["MetricName"]):
            return self._balancers.horizon()
        return self._kernel.now - self._kernel.settings.custom_metric_delay

    def _cell(self, stat: Json, at: datetime, step: timedelta) -> Cell | None:
        metric = stat["Metric"]
        namespace, name, given = metric["Namespace"], metric["MetricName"], metric.get("Dimensions", [])
        if not _is_balancers(namespace, name):
            return self._custom.read(namespace, name, given, at, step)
        wanted = dimensions(namespace, name, given)
        if wanted is None or not _unit_fits(name, stat.get("Unit")):
            return None
        return self._balancers.read(name, wanted, at, step)

    def _trouble(self, name: str) -> TroubleKind | None:
        found = {
            each.kind
            for each in self._troubles
            if fnmatchcase(name, each.metric) and (each.until is None or self._kernel.now < each.until)
        }
        return "failed" if "failed" in found else "partial" if found else None


# What AWS puts as single values, kept as those of applications are; metrics by their namespace.
_PUT_BY_AWS = {
    "AWS/Usage": ("ResourceCount",),
    "AWS/ECS": ("CPUUtilization", "MemoryUtilization"),
    "AWS/ApplicationELB": ("RequestCountPerTarget",),
}


def _is_balancers(namespace: str, metric: str) -> bool:
    """True for what load balancers report as requests come, and for what this World has not."""
    return namespace.startswith("AWS/") and metric not in _PUT_BY_AWS.get(namespace, ())


def _unit_fits(metric: str, unit: str | None) -> bool:
    """A wrong unit finds nothing, without an error."""
    return unit in (None, "Seconds" if metric == "TargetResponseTime" else "Count")
