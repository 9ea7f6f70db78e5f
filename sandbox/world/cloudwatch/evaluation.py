"""How a metric alarm is judged: M of N datapoints of its evaluation range, and what stands in for missing ones.

Sources: "Using Amazon CloudWatch alarms" (evaluation), "Configuring how CloudWatch alarms treat missing data",
"Percentile-based CloudWatch alarms and low data samples".
"""

import json
import operator
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sandbox.world.cloudwatch import statistics
from sandbox.world.cloudwatch.alarm import State, queries_of
from sandbox.world.cloudwatch.mathematics.formulas import Formulas
from sandbox.world.cloudwatch.sources import Sources
from sandbox.world.kernel.errors import AwsRefusal, Json
from sandbox.world.kernel.kernel import Kernel

COMPARE: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
_SAID = {
    "GreaterThanOrEqualToThreshold": "greater than or equal to",
    "GreaterThanThreshold": "greater than",
    "LessThanThreshold": "less than",
    "LessThanOrEqualToThreshold": "less than or equal to",
}
_FILLED = {"breaching": "Breaching", "notBreaching": "NonBreaching"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Datapoint:
    """One period of the range: when it began, its value (None: missing) and how many samples it was made from."""

    at: datetime
    value: float | None
    samples: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What an evaluation came to."""

    state: State
    why: str
    why_data: str
    evaluation: str = ""  # EvaluationState


def judge(points: list[float | None], settings: Json, state: State) -> State:
    """The state after looking at the datapoints of the evaluation range, oldest first, None where missing.

    The newest N real datapoints of the range decide; only if there are fewer, the treatment fills the rest.
    """
    periods: int = settings["EvaluationPeriods"]
    needed: int = settings.get("DatapointsToAlarm", periods)
    treatment = settings["TreatMissingData"]
    real = [value for value in points if value is not None][-periods:]
    lacking = periods - len(real)
    breaching = sum(COMPARE[settings["ComparisonOperator"]](value, settings["Threshold"]) for value in real)
    if treatment == "breaching":
        breaching += lacking
    elif treatment == "missing":
        if not real:
            return "INSUFFICIENT_DATA"
        needed = min(needed, len(real))
    elif treatment == "ignore" and breaching < needed <= breaching + lacking:
        return state
    return "ALARM" if breaching >= needed else "OK"


class Evaluations:
    """Judges metric alarms by what can be read now."""

    def __init__(self, kernel: Kernel, sources: Sources) -> None:
        self._kernel = kernel
        self._sources = sources

    def formulas(self, settings: Json) -> Formulas:
        """What an alarm watches, checked. Raises AwsRefusal."""
        return Formulas(self._kernel, self._sources, queries_of(settings))

    def judge(self, settings: Json, state: State) -> Judgement | None:
        """The judgement; None where the evaluation failed and the state stays as it is, without a reason."""
        try:
            points, status, horizon = self._points(settings)
        except AwsRefusal as refusal:
            return Judgement(state=state, why=refusal.message, why_data="", evaluation="EVALUATION_ERROR")
        if status == "InternalError":
            return None
        newest = [point for point in points if point.value is not None][-settings["EvaluationPeriods"] :]
        if _lacks_samples(settings, newest):
            return Judgement(state=state, why="", why_data="")
        after = judge([point.value for point in points], settings, state)
        return Judgement(
            state=after,
            why=_why(settings, newest, after),
            why_data=_data(settings, newest, horizon),
            evaluation="PARTIAL_DATA" if status == "PartialData" else "",
        )

    def newest(self, settings: Json) -> float | None:
        """The value of the newest datapoint that can be read; None: there is none."""
        try:
            points, _, _ = self._points(settings)
        except AwsRefusal:
            return None
        return next((point.value for point in reversed(points) if point.value is not None), None)

    def _points(self, settings: Json) -> tuple[list[Datapoint], str, datetime]:
        """The datapoints of the evaluation range, oldest first, their status, and until when was read."""
        queries = queries_of(settings)
        watched = next(query for query in queries if query.get("ReturnData", True))
        formulas = self.formulas(settings)
        step = timedelta(seconds=formulas.period(watched["Id"]))
        stats = [query["MetricStat"] for query in queries if "MetricStat" in query]
        end = self._kernel.floor(min(self._sources.horizon(stat) for stat in stats), step)
        length = settings["EvaluationPeriods"] + self._kernel.settings.alarm_range_extra
        start = end - length * step
        outcome = formulas.outcome(watched["Id"], start, end)
        if len(outcome.series) != 1:
            raise AwsRefusal("ValidationError", "The expression of an alarm must return a single time series")
        values = outcome.series[0].points
        samples = self._samples(watched, start, end)
        times = [start + number * step for number in range(length)]
        points = [Datapoint(at=at, value=values.get(at), samples=samples.get(at, 0)) for at in times]
        return points, outcome.status, end

    def _samples(self, watched: Json, start: datetime, end: datetime) -> dict[datetime, int]:
        if "MetricStat" not in watched:
            return {}
        return self._sources.read(watched["MetricStat"], start, end).samples


def _lacks_samples(settings: Json, newest: list[Datapoint]) -> bool:
    """Whether the alarm is told to change nothing while a percentile rests on too few samples, and one does."""
    statistic = settings.get("ExtendedStatistic", "")
    if settings.get("EvaluateLowSampleCountPercentile") != "ignore" or not statistic.startswith("p"):
        return False
    wanted = statistics.parsed(statistic).samples_wanted
    return any(point.samples < wanted - 1e-6 for point in newest)


def _why(settings: Json, newest: list[Datapoint], state: State) -> str:
    """The reason in CloudWatch's words."""
    periods = settings["EvaluationPeriods"]
    lacking = periods - len(newest)
    if state == "INSUFFICIENT_DATA":
        return f"Insufficient Data: {lacking} datapoint{'s were' if lacking > 1 else ' was'} unknown."
    if not newest:
        treated = _FILLED.get(settings["TreatMissingData"], "Missing")
        return (
            f"Threshold Crossed: no datapoints were received for {periods} period{'s' if periods > 1 else ''} and"
            f" {lacking} missing datapoint{'s were' if lacking > 1 else ' was'} treated as [{treated}]."
        )
    compare = COMPARE[settings["ComparisonOperator"]]
    said = _SAID[settings["ComparisonOperator"]]
    breaching = [p for p in newest if p.value is not None and compare(p.value, settings["Threshold"])]
    shown = breaching if state == "ALARM" and breaching else newest
    values = ", ".join(f"{p.value} ({p.at:%d/%m/%y %H:%M:%S})" for p in reversed(shown))
    verb = "was" if len(shown) == 1 else "were"
    way = "" if state == "ALARM" else "not "
    needed = int(settings.get("DatapointsToAlarm") or periods)
    return (
        f"Threshold Crossed: {len(shown)} out of the last {periods} datapoints [{values}] {verb} {way}{said} the"
        f" threshold ({float(settings['Threshold'])}) (minimum {needed} datapoint{'s' if needed > 1 else ''} for"
        f" {'OK -> ALARM' if state == 'ALARM' else 'ALARM -> OK'} transition)."
    )


def _data(settings: Json, newest: list[Datapoint], horizon: datetime) -> str:
    """StateReasonData."""
    told: Json = {"version": "1.0", "queryDate": _iso(horizon)}
    if newest:
        told["startDate"] = _iso(newest[0].at)
    for name, member in (
        ("Statistic", "statistic"),
        ("ExtendedStatistic", "statistic"),
        ("Period", "period"),
    ):
        if name in settings:
            told[member] = settings[name]
    told |= {"recentDatapoints": [point.value for point in newest], "threshold": float(settings["Threshold"])}
    told["evaluatedDatapoints"] = [
        {"timestamp": _iso(point.at), "value": point.value} for point in reversed(newest)
    ]
    return json.dumps(told)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "+0000")
