"""GetMetricData: metrics and metric math, in pages."""

import re
from datetime import datetime, timedelta
from zlib import crc32

from sandbox.world.cloudwatch.mathematics.formulas import Formulas, Outcome
from sandbox.world.cloudwatch.sources import Sources
from sandbox.world.kernel.errors import AwsRefusal, Json, not_here
from sandbox.world.kernel.kernel import Kernel
from sandbox.world.kernel.operation import Operation, only, operation

QUERIES_MAX = 500
POINTS_MAX = 100_800
_ID = re.compile(r"[a-z][a-zA-Z0-9_]*")
_MEMBERS = ("Id", "MetricStat", "Expression", "Label", "ReturnData", "Period")


class Queries:
    """Reads metrics as a caller does."""

    def __init__(self, kernel: Kernel, sources: Sources) -> None:
        self._kernel = kernel
        self._sources = sources

    def operations(self) -> dict[str, Operation]:
        """The operations by their AWS names."""
        knows = ("MetricDataQueries", "StartTime", "EndTime", "ScanBy", "NextToken", "MaxDatapoints")
        return {"GetMetricData": operation(self.get, *knows)}

    def get(self, params: Json) -> Json:
        """GetMetricData: newest first unless asked; periods without a datapoint are left out."""
        queries: list[Json] = params["MetricDataQueries"]
        start, end = params["StartTime"], params["EndTime"]
        if not 1 <= len(queries) <= QUERIES_MAX:
            raise AwsRefusal("ValidationError", f"MetricDataQueries must be 1 to {QUERIES_MAX}")
        if start >= end:
            raise AwsRefusal(
                "ValidationError", "The parameter StartTime must be less than the parameter EndTime."
            )
        check_queries(queries)
        size = params.get("MaxDatapoints", POINTS_MAX)
        if not 1 <= size <= POINTS_MAX:
            raise AwsRefusal("ValidationError", f"MaxDatapoints must be 1 to {POINTS_MAX}")
        shown = [query for query in queries if query.get("ReturnData", True)]
        if not shown:
            raise AwsRefusal(
                "ValidationError", "At least one of the MetricDataQueries must have ReturnData true."
            )
        formulas = Formulas(self._kernel, self._sources, queries)
        results = [
            result
            for query in shown
            for result in self._results(
                formulas, query, start, end, oldest_first=params.get("ScanBy") == "TimestampAscending"
            )
        ]
        has_math = any("Expression" in query for query in queries)
        return _page(results, size, _seal(params), params.get("NextToken"), has_math=has_math)

    def _results(
        self, formulas: Formulas, query: Json, start: datetime, end: datetime, *, oldest_first: bool
    ) -> list[Json]:
        step = timedelta(seconds=formulas.period(query["Id"]))
        outcome = formulas.outcome(query["Id"], self._kernel.floor(start, step), end)
        return [_result(query, outcome, number, oldest_first) for number in range(len(outcome.series))]


def check_queries(queries: list[Json]) -> None:
    """The rules on ids and members. Raises AwsRefusal."""
    if len({query["Id"] for query in queries}) != len(queries):
        raise AwsRefusal(
            "ValidationError", "The values for parameter id in MetricDataQueries are not unique."
        )
    for query in queries:
        only(query, _MEMBERS, "MetricDataQuery")
        if not _ID.fullmatch(query["Id"]):
            raise AwsRefusal(
                "ValidationError", f"The value {query['Id']} for parameter MetricDataQuery.Id is invalid"
            )
        if ("MetricStat" in query) == ("Expression" in query):
            raise AwsRefusal(
                "ValidationError",
                "Either the parameter MetricStat or Expression must be specified, and not both: "
                f"MetricDataQuery {query['Id']}",
            )
        if "${" in query.get("Label", ""):
            raise not_here(f"a dynamic label ({query['Label']})")


def _result(query: Json, outcome: Outcome, number: int, oldest_first: bool) -> Json:
    series = outcome.series[number]
    own = query.get("Label") or query["Id"]
    label = f"{own} {series.label}".strip() if len(outcome.series) > 1 else own
    times = sorted(series.points, reverse=not oldest_first)
    result: Json = {
        "Id": query["Id"],
        "Label": query.get("Label", series.label) if "MetricStat" in query else label,
        "Timestamps": times,
        "Values": [series.points[at] for at in times],
        "StatusCode": outcome.status,
    }
    return result | ({"Messages": list(outcome.messages)} if outcome.messages else {})


def _seal(params: Json) -> str:
    """What a token must belong to: the same queries over the same time."""
    asked = {name: value for name, value in params.items() if name != "NextToken"}
    return f"{crc32(repr(sorted(asked.items())).encode()):08x}"


def _page(results: list[Json], size: int, seal: str, token: str | None, *, has_math: bool) -> Json:
    """One page: results in their order, cut where the page is full.

    A cut result is PartialData and goes on with the token. With metric math AWS gives none: the rest is lost.
    """
    offset = _offset(token, seal)
    shown: list[Json] = []
    room, passed = size, 0
    for result in results:
        values: list[float] = result["Values"]
        begin = max(0, offset - passed)
        passed += len(values)
        if begin >= len(values) and (values or offset):
            continue
        if not room and values:
            continue
        end = min(len(values), begin + room)
        room -= end - begin
        part = result | {"Timestamps": result["Timestamps"][begin:end], "Values": values[begin:end]}
        if end < len(values):
            part["StatusCode"] = "PartialData"
        shown.append(part)
    whole = sum(len(result["Values"]) for result in results)
    answer: Json = {"MetricDataResults": shown, "Messages": []}
    if offset + size < whole and not has_math:
        answer["NextToken"] = f"{seal}-{offset + size}"
    return answer


def _offset(token: str | None, seal: str) -> int:
    if not token:
        return 0
    given, _, offset = token.partition("-")
    if given != seal or not offset.isdecimal():
        raise AwsRefusal("InvalidNextToken", "The specified NextToken is invalid.")
    return int(offset)
