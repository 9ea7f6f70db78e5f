"""Metrics that applications put themselves, by the minute or, with high resolution, by the second."""

from datetime import datetime, timedelta
from math import isnan

from sandbox.world.cloudwatch.cell import Cell
from sandbox.world.kernel.errors import AwsRefusal, Json, not_here
from sandbox.world.kernel.kernel import Kernel
from sandbox.world.kernel.operation import Operation, only, operation

_SECOND = timedelta(seconds=1)
_OLDEST, _NEWEST = timedelta(days=14), timedelta(hours=2)  # what PutMetricData accepts
_Key = tuple[str, str, frozenset[tuple[str, str]]]


class CustomMetrics:
    """PutMetricData and its series; a series is its namespace, its name and its exact set of dimensions."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._series: dict[
            _Key, list[tuple[datetime, datetime, float, int]]
        ] = {}  # (of, readable, value, count)

    def operations(self) -> dict[str, Operation]:
        """The operations by their AWS names."""
        return {"PutMetricData": operation(self.put, "Namespace", "MetricData")}

    def put(self, params: Json) -> Json:
        """PutMetricData: single values, or values with their counts; statistic sets are not here."""
        namespace: str = params["Namespace"]
        if namespace.startswith("AWS/"):
            raise AwsRefusal("InvalidParameterValue", "The value AWS/ for parameter Namespace is invalid.")
        for datum in params.get("MetricData", []):
            self._take(namespace, datum)
        return {}

    def note(self, namespace: str, datum: Json) -> None:
        """Take what AWS itself puts, into a namespace of its own."""
        self._take(namespace, datum)

    def read(
        self, namespace: str, metric: str, dimensions: list[Json], start: datetime, period: timedelta
    ) -> Cell | None:
        """The samples of [start, start + period) that can be read now; None if there are none."""
        cell: Cell | None = None
        for of, readable, value, count in self._series.get(_key(namespace, metric, dimensions), ()):
            if start <= of < start + period and readable <= self._kernel.now:
                cell = cell or Cell()
                cell.add(value, count)
        return cell

    def prune(self) -> None:
        """Forget what is older than the retention."""
        kept = self._kernel.minute * self._kernel.settings.metric_retention_minutes
        for key, samples in list(self._series.items()):
            self._series[key] = [sample for sample in samples if sample[0] >= self._kernel.now - kept]
            if not self._series[key]:
                del self._series[key]

    def _take(self, namespace: str, datum: Json) -> None:
        only(
            datum,
            (
                "MetricName",
                "Dimensions",
                "Timestamp",
                "Value",
                "Values",
                "Counts",
                "Unit",
                "StorageResolution",
            ),
            "MetricDatum",
        )
        now = self._kernel.now
        at: datetime = datum.get("Timestamp", now)
        if not now - _OLDEST <= at <= now + _NEWEST:
            raise AwsRefusal(
                "InvalidParameterValue",
                "The parameter MetricData.member.1.Timestamp must be within the last two weeks or the next two hours.",
            )
        resolution = datum.get("StorageResolution", 60)
        if resolution not in (1, 60):
            raise AwsRefusal("InvalidParameterValue", "The parameter StorageResolution must be 1 or 60.")
        values: list[float] = datum.get("Values", [datum["Value"]] if "Value" in datum else [])
        counts: list[float] = datum.get("Counts", [1.0] * len(values))
        if not values or len(values) != len(counts):
            raise AwsRefusal(
                "InvalidParameterCombination", "A datum has a Value, or Values with as many Counts, or none."
            )
        if any(isnan(value) or count != int(count) for value, count in zip(values, counts, strict=True)):
            raise not_here("a value that is no number, or a count that is not whole, in PutMetricData")
        of = self._kernel.floor(at, _SECOND if resolution == 1 else self._kernel.minute)
        readable = now + self._kernel.settings.custom_metric_delay
        series = self._series.setdefault(
            _key(namespace, datum["MetricName"], datum.get("Dimensions", [])), []
        )
        series.extend((of, readable, value, int(count)) for value, count in zip(values, counts, strict=True))


def _key(namespace: str, metric: str, dimensions: list[Json]) -> _Key:
    return namespace, metric, frozenset((entry["Name"], entry["Value"]) for entry in dimensions)
