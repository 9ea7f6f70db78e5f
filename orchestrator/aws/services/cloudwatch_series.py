"""Series as CloudWatch is asked for them, and its answers. Source: CloudWatch API Reference, GetMetricData."""

from collections.abc import Mapping
from datetime import UTC
from typing import Any

from orchestrator.aws.client.transport import Answer
from orchestrator.core.cloud.metric_math import looks_around, renamed
from orchestrator.core.cloud.resources import MetricQuery, Series, Unread


class Result:
    """One query's answer, which may come on several pages; the last page's status is the one that counts."""

    __slots__ = ("labels", "points", "said", "status")

    def __init__(self) -> None:
        self.points: list[tuple[Any, float]] = []
        self.status = "missing from the answer"
        self.said = ""
        self.labels: set[str] = set()

    def add(self, entry: Mapping[str, Any]) -> None:
        """Take a part of the answer."""
        self.points.extend(zip(entry.get("Timestamps", ()), entry.get("Values", ()), strict=True))
        self.status = entry.get("StatusCode", "")
        self.said = self.said or ", ".join(message_text(message) for message in entry.get("Messages") or ())
        self.labels.add(entry.get("Label", ""))

    def series(self) -> Series | Unread:
        """The series, if it is whole and one."""
        if self.status != "Complete" or self.said:
            return Unread(
                why=f"CloudWatch's series is {self.status or 'without a status'} {self.said}".rstrip()
            )
        if len(self.labels) > 1:
            why = f"it gives {len(self.labels)} series where one is needed: write SUM(…), MAX(…) or AVG(…) around it"
            return Unread(why=why, is_refused=True)
        return tuple(sorted((at.astimezone(UTC), float(value)) for at, value in self.points))


def entries(name: str, query: MetricQuery, *, is_alone: bool) -> list[Answer]:
    """A query and those it is made of, each by a name that no other in the call has."""
    own = [one.id for one in query.inputs]
    if is_alone and looks_around(query.expression) and name not in own:
        called = {one: one for one in own}  # what looks around may look at the names
    else:
        called = {one: f"{name}_{number}" for number, one in enumerate(own)}
    inputs = [_entry(called[one.id], one, called, is_returned=False) for one in query.inputs]
    return [*inputs, _entry(name, query, called, is_returned=True)]


def _entry(name: str, query: MetricQuery, called: Mapping[str, str], *, is_returned: bool) -> Answer:
    entry: Answer = {"Id": name, "ReturnData": is_returned}
    if query.account:
        entry["AccountId"] = query.account
    period = int(query.period.total_seconds())
    if query.expression:
        return {**entry, "Expression": renamed(query.expression, called), "Period": period}
    stat = {
        "Metric": {
            "Namespace": query.namespace,
            "MetricName": query.metric,
            "Dimensions": [{"Name": key, "Value": value} for key, value in query.dimensions],
        },
        "Period": period,
        "Stat": query.stat,  # no Unit: a wrong one would return nothing
    }
    return {**entry, "MetricStat": stat}


def message_text(message: Mapping[str, Any]) -> str:
    """A message of an answer in one line."""
    return ": ".join(part for part in (message.get("Code"), message.get("Value")) if part)
