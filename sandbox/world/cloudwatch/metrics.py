"""What load balancers report to CloudWatch: kept in fifths of a minute, visible some time later.

Source: "CloudWatch metrics for your Application Load Balancer" (names, dimension sets, "reported only if nonzero").

Late and revised datapoints: what a target group did in a minute can be read after a time of its own, within the
jitter of the settings, so that one colour's minute may be there before the other's. And for a share of the minutes
one zone of the load balancer reports later still: the datapoint is read short first and is revised then. Both are
the same for every metric of the group, so that rates stay right, and depend on nothing but the seed.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple
from zlib import crc32

from sandbox.world.cloudwatch.cell import Cell
from sandbox.world.kernel.errors import Json, not_here
from sandbox.world.kernel.kernel import EPOCH, Kernel

NAMESPACE = "AWS/ApplicationELB"
SLOTS = 5  # of a whole number of milliseconds for minutes of 1, 5, 10 and 60 seconds

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
        "HTTPCode_ELB_3XX_Count",
        "HTTPCode_ELB_4XX_Count",
        "HTTPCode_ELB_5XX_Count",
        "HTTPCode_ELB_500_Count",
        "HTTPCode_ELB_502_Count",
        "HTTPCode_ELB_503_Count",
        "HTTPCode_ELB_504_Count",
    }
)


Wanted = tuple[str | None, str | None, str | None]
"""Load balancer, target group and zone; None: not among the dimensions."""


class Series(NamedTuple):
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
        self._settled: dict[
            tuple[str, Wanted, int, int], Cell | None
        ] = {}  # what no sample comes to any more

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
        cell.add(value, count)

    def horizon(self) -> datetime:
        """Until when what happened can be read, but for what is late or revised."""
        delay = self._kernel.minute * self._kernel.settings.metric_delay_minutes
        return self._kernel.floor(self._kernel.now - delay, self._slot)

    def read(
        self,
        metric: str,
        wanted: Wanted,
        start: datetime,
        period: timedelta,
    ) -> Cell | None:
        """The samples of [start, start + period) as far as they can be read yet; None if there are none.

        `wanted` names load balancer, target group and zone; None: not among the dimensions.
        """
        first, last = (start - EPOCH) // self._slot, (start + period - EPOCH) // self._slot
        certain = self._seen_for_certain()
        if last > certain:
            return self._merged(metric, wanted, range(first, min(last, self._perhaps_seen())), certain)
        key = (metric, wanted, first, last)
        if key not in self._settled:
            self._settled[key] = self._merged(metric, wanted, range(first, last), certain)
        return self._settled[key]

    def _merged(self, metric: str, wanted: Wanted, numbers: range, certain: int) -> Cell | None:
        merged: Cell | None = None
        for series, slots in self._matching(metric, wanted):
            for number in numbers:
                cell = slots.get(number)
                if cell and (number < certain or self._is_seen(series, number)):
                    merged = merged or Cell()
                    merged.merge(cell)
        return merged

    def happened(self, metric: str, balancer: str, group: str, lately: timedelta) -> float:
        """How often something happened lately, as AWS itself knows it before anybody can read it."""
        last = (self._kernel.now - EPOCH) // self._slot
        first = last - lately // self._slot
        return float(
            sum(
                cell.count
                for series, slots in self._matching(metric, (balancer, group, None))
                for number, cell in slots.items()
                if first <= number < last
            )
        )

    def _seen_for_certain(self) -> int:
        """The number of the first slot that may still be late."""
        settings = self._kernel.settings
        longest = settings.metric_delay_minutes + settings.metric_jitter_minutes
        if settings.metric_revised_share:
            longest += settings.metric_revision_minutes
        return (self._kernel.now - self._kernel.minute * longest - EPOCH) // self._slot

    def _perhaps_seen(self) -> int:
        """The number of the first slot that nobody can read yet."""
        settings = self._kernel.settings
        shortest = max(0.0, settings.metric_delay_minutes - settings.metric_jitter_minutes)
        return (self._kernel.now - self._kernel.minute * shortest - EPOCH) // self._slot

    def _is_seen(self, series: "Series", number: int) -> bool:
        """Whether a slot of a series can be read now."""
        settings, kernel = self._kernel.settings, self._kernel
        minute = number // SLOTS
        luck = self._chance(f"late {series.balancer} {series.group} {minute}")
        delay = settings.metric_delay_minutes + settings.metric_jitter_minutes * (2 * luck - 1)
        revised = self._chance(f"revised {series.balancer} {series.zone} {minute}")
        if series.zone and revised < settings.metric_revised_share:
            delay += settings.metric_revision_minutes
        return EPOCH + (number + 1) * self._slot + kernel.minute * delay <= kernel.now

    def _chance(self, what: str) -> float:
        """A number in [0, 1) that depends on the seed and on `what` alone."""
        return crc32(f"{self._kernel.seed} {what}".encode()) / 2**32

    def prune(self) -> None:
        """Forget what is older than the retention; now and then, for it looks at everything."""
        kept = self._kernel.minute * self._kernel.settings.metric_retention_minutes
        if self._kernel.now - self._pruned < kept / 4:
            return
        self._pruned = self._kernel.now
        self._settled.clear()
        oldest = (self._kernel.now - kept - EPOCH) // self._slot
        for all_series in self._series.values():
            for series, slots in list(all_series.items()):
                for number in [n for n in slots if n < oldest]:
                    del slots[number]
                if not slots:
                    del all_series[series]

    def _matching(self, metric: str, wanted: Wanted) -> Iterator[tuple[Series, dict[int, Cell]]]:
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
                    yield series, slots
            elif zone in (None, series.zone):
                yield series, slots


def dimensions(
    namespace: str, metric: str, given: list[Json]
) -> tuple[str | None, str | None, str | None] | None:
    """Load balancer, target group and zone; None: AWS has no series with these dimensions, so it is empty.

    Raises AwsRefusal for metrics that AWS would have and the World has not.
    """
    if namespace != NAMESPACE:
        raise not_here(f"namespace {namespace}")
    if metric not in TARGET_METRICS and metric not in BALANCER_METRICS:
        raise not_here(f"metric {metric}")
    named = {entry["Name"]: entry["Value"] for entry in given}
    if not named.keys() <= {"LoadBalancer", "TargetGroup", "AvailabilityZone"} or "LoadBalancer" not in named:
        return None
    if metric in BALANCER_METRICS and "TargetGroup" in named:
        return None
    return named["LoadBalancer"], named.get("TargetGroup"), named.get("AvailabilityZone")
