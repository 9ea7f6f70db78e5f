"""GetMetricData."""

from datetime import datetime, timedelta

from orchestrator.sandbox.world.cloudwatch import statistics
from orchestrator.sandbox.world.cloudwatch.metrics import Metrics
from orchestrator.sandbox.world.errors import AwsRefusal, Json, not_here
from orchestrator.sandbox.world.kernel import Kernel
from orchestrator.sandbox.world.operation import Operation, only, operation


class Queries:
    """Reads metrics as a caller does."""

    def __init__(self, kernel: Kernel, metrics: Metrics) -> None:
        self._kernel = kernel
        self._metrics = metrics

    def operations(self) -> dict[str, Operation]:
        """The operations by their AWS names."""
        return {"GetMetricData": operation(self.get, "MetricDataQueries", "StartTime", "EndTime", "ScanBy")}

    def get(self, params: Json) -> Json:
        """GetMetricData: newest first unless asked; periods without a datapoint are left out."""
        queries = params["MetricDataQueries"]
        start, end = params["StartTime"], params["EndTime"]
        if not 1 <= len(queries) <= 500:
            raise AwsRefusal("ValidationError", "MetricDataQueries must be 1 to 500")
        if start >= end:
            raise AwsRefusal(
                "ValidationError", "The parameter StartTime must be less than the parameter EndTime."
            )
        if len({query["Id"] for query in queries}) != len(queries):
            raise AwsRefusal(
                "ValidationError", "The values for parameter id in MetricDataQueries are not unique."
            )
        oldest_first = params.get("ScanBy") == "TimestampAscending"
        results = [self._one(query, start, end, oldest_first=oldest_first) for query in queries]
        shown = [r for r, query in zip(results, queries, strict=True) if query.get("ReturnData", True)]
        return {"MetricDataResults": shown, "Messages": []}

    def _one(self, query: Json, start: datetime, end: datetime, *, oldest_first: bool) -> Json:
        if "Expression" in query:
            raise not_here(f"metric math ({query['Expression']})")
        only(query, ("Id", "MetricStat", "Label", "ReturnData"), "MetricDataQuery")
        if not (query["Id"][:1].islower() and query["Id"].replace("_", "a").isalnum()):
            raise AwsRefusal(
                "ValidationError", f"The value {query['Id']} for parameter MetricDataQuery.Id is invalid"
            )
        stat = query["MetricStat"]
        metric, period = stat["Metric"], stat["Period"]
        statistics.check(stat["Stat"])
        statistics.check_period(period, self._kernel.minute.total_seconds())
        wanted = statistics.dimensions(
            metric["Namespace"], metric["MetricName"], metric.get("Dimensions", [])
        )
        points: list[tuple[datetime, float]] = []
        if wanted is not None and _unit_fits(metric["MetricName"], stat.get("Unit")):
            step = timedelta(seconds=period)
            at = self._kernel.floor(start, step)
            while at < end and at < self._metrics.horizon():
                cell = self._metrics.read(metric["MetricName"], wanted, at, step)
                if cell:
                    points.append((at, statistics.value(cell, stat["Stat"])))
                at += step
        if not oldest_first:
            points.reverse()
        return {
            "Id": query["Id"],
            "Label": query.get("Label", metric["MetricName"]),
            "Timestamps": [at for at, _ in points],
            "Values": [value for _, value in points],
            "StatusCode": "Complete",
        }


def _unit_fits(metric: str, unit: str | None) -> bool:
    """A wrong unit finds nothing, without an error."""
    return unit in (None, "Seconds" if metric == "TargetResponseTime" else "Count")
