"""What load balancers report to CloudWatch: kept in fifths of a minute, visible some time later.

Source: "CloudWatch metrics for your Application Load Balancer" (names, dimension sets, "reported only if nonzero").
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import exp, log

from orchestrator.sandbox.world.kernel import EPOCH, Kernel

NAMESPACE = "AWS/ApplicationELB"
SLOTS = 5  # of a whole number of milliseconds for minutes of 1, 5, 10 and 60 seconds
_STEP = log(1.01)  # a histogram class is 1 % wide

GAUGES = frozenset({"HealthyHostCount", "UnHealthyHostCount"})
TARGET_METRICS = frozenset(
    {
        "RequestCount",
        "HTTPCode_Target_2XX_Count",
        "HTTPCode_Target_3XX_Count",
        "HTTPCode_Target_4XX_Count",
        "HTTPCode_Target_5XX_Count",
        "TargetConnectionErrorCount",
        "TargetResponseTime",
        *GAUGES,
    }
)
BALANCER_METRICS = frozenset(
    {
        "HTTPCode_ELB_4XX_Count",
        "HTTPCode_ELB_5XX_Count",
        "HTTPCode_ELB_500_Count",
        "HTTPCode_ELB_502_Count",
        "HTTPCode_ELB_503_Count",
        "HTTPCode_ELB_504_Count",
    }
)


@dataclass(slots=True)
class Cell:
    """The samples of one series in one slot, or of several merged."""

    count: int = 0
    total: float = 0.0
    low: float = float("inf")
    high: float = float("-inf")
    classes: dict[int, int] = field(default_factory=dict)  # only for times

    def add(self, value: float, count: int, *, with_class: bool) -> None:
        """Add `count` samples of a value."""
        self.count += count
        self.total += value * count
        self.low = min(self.low, value)
        self.high = max(self.high, value)
        if with_class:
            key = round(log(max(value, 1e-6)) / _STEP)
            self.classes[key] = self.classes.get(key, 0) + count

    def merge(self, other: "Cell") -> None:
        """Add the samples of another cell."""
        self.count += other.count
        self.total += other.total
        self.low = min(self.low, other.low)
        self.high = max(self.high, other.high)
        for key, count in other.classes.items():
            self.classes[key] = self.classes.get(key, 0) + count

    def percentile(self, percent: float) -> float:
        """The value that `percent` of the samples do not exceed, to within a class; exact at the ends."""
        if not self.classes:
            return self.low if percent < 50 else self.high
        left = percent / 100 * self.count
        for key in sorted(self.classes):
            left -= self.classes[key]
            if left <= 1e-9:
                return min(max(exp(key * _STEP), self.low), self.high)
        return self.high


@dataclass(frozen=True, slots=True)
class Series:
    """Who a series is about: load balancer, target group or "", zone or "". Names are dimension values."""

    balancer: str
    group: str
    zone: str


class Metrics:
    """Every series of the account."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._slot = kernel.minute / SLOTS
        self._series: dict[str, dict[Series, dict[int, Cell]]] = {}
        self._pruned = kernel.now

    def add(
        self, metric: str, balancer: str, group: str, zone: str, *, value: float = 1.0, count: int = 1
    ) -> None:
        """Report samples now. A count of none is not reported, as AWS does not report zero."""
        if count <= 0:
            return
        slots = self._series.setdefault(metric, {}).setdefault(Series(balancer, group, zone), {})
        number = (self._kernel.now - EPOCH) // self._slot
        cell = slots.get(number)
        if cell is None:
            cell = slots[number] = Cell()
        cell.add(value, count, with_class=metric == "TargetResponseTime")

    def horizon(self) -> datetime:
        """Until when everything that happened can be read."""
        delay = self._kernel.minute * self._kernel.settings.metric_delay_minutes
        return self._kernel.floor(self._kernel.now - delay, self._slot)

    def read(
        self,
        metric: str,
        wanted: tuple[str | None, str | None, str | None],
        start: datetime,
        period: timedelta,
    ) -> Cell | None:
        """The samples of [start, start + period) as far as they can be read yet; None if there are none.

        `wanted` names load balancer, target group and zone; None: not among the dimensions.
        """
        end = min(start + period, self.horizon())
        first, last = (start - EPOCH) // self._slot, (end - EPOCH) // self._slot
        merged: Cell | None = None
        for slots in self._matching(metric, wanted):
            for number in range(first, last):
                cell = slots.get(number)
                if cell:
                    merged = merged or Cell()
                    merged.merge(cell)
        return merged

    def prune(self) -> None:
        """Forget what is older than the retention; now and then, for it looks at everything."""
        kept = self._kernel.minute * self._kernel.settings.metric_retention_minutes
        if self._kernel.now - self._pruned < kept / 4:
            return
        self._pruned = self._kernel.now
        oldest = (self._kernel.now - kept - EPOCH) // self._slot
        for all_series in self._series.values():
            for series, slots in list(all_series.items()):
                for number in [n for n in slots if n < oldest]:
                    del slots[number]
                if not slots:
                    del all_series[series]

    def _matching(
        self, metric: str, wanted: tuple[str | None, str | None, str | None]
    ) -> Iterator[dict[int, Cell]]:
        balancer, group, zone = wanted
        if metric in GAUGES and (balancer is None or group is None):
            return
        for series, slots in self._series.get(metric, {}).items():
            if balancer not in (None, series.balancer) or group not in (None, series.group):
                continue
            if (
                metric in GAUGES
            ):  # the load balancer reports them with and without zone, and they do not add up
                if series.zone == (zone or ""):
                    yield slots
            elif zone in (None, series.zone):
                yield slots
