"""The functions of metric math. Source: "Metric math syntax and functions"."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from math import ceil, fabs, floor, fsum, inf, nan
from statistics import pstdev

from sandbox.world.cloudwatch.mathematics.syntax import BadExpression
from sandbox.world.cloudwatch.mathematics.values import Series, Value, across, as_array, each
from sandbox.world.kernel.errors import not_here

AGGREGATES: dict[str, Callable[[list[float]], float]] = {
    "SUM": fsum,
    "AVG": lambda values: fsum(values) / len(values),
    "MIN": min,
    "MAX": max,
    "STDDEV": pstdev,
    "DATAPOINT_COUNT": lambda values: float(len(values)),
}
_ELEMENTWISE: dict[str, Callable[[float], float]] = {
    "ABS": fabs,
    "CEIL": lambda number: float(ceil(number)) if -inf < number < inf else number,
    "FLOOR": lambda number: float(floor(number)) if -inf < number < inf else number,
}
# Known to CloudWatch and not to this World; any other name is an error there too.
ELSEWHERE = frozenset(
    (
        "ANOMALY_DETECTION_BAND",
        "DAY",
        "DATE",
        "DB_PERF_INSIGHTS",
        "DIFF_TIME",
        "EPOCH",
        "FIRST",
        "HOUR",
        "INSIGHT_RULE_METRIC",
        "LAMBDA",
        "LAST",
        "LOG",
        "LOG10",
        "METRIC_COUNT",
        "MINUTE",
        "MONTH",
        "REMOVE_EMPTY",
        "SEARCH",
        "SERVICE_QUOTA",
        "SLICE",
        "SORT",
        "TIME_SERIES_OF",
        "YEAR",
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The times an expression is asked for: the periods that begin in [start, end), as far as they have begun."""

    start: datetime
    end: datetime
    period: int

    def times(self, period: int) -> list[datetime]:
        """The beginnings of the periods of this length."""
        step = timedelta(seconds=period)
        count = max(0, -((self.start - self.end) // step))
        return [self.start + number * step for number in range(count)]


def call(name: str, arguments: tuple[Value | str, ...], window: Window) -> Value:
    """The value of a function. Raises BadExpression, or AwsRefusal for what is not in this World."""
    if name in ELSEWHERE:
        raise not_here(f"the function {name} of metric math")
    if name in AGGREGATES:
        return _aggregate(name, _values(name, arguments, 1, 1)[0])
    if name in _ELEMENTWISE:
        return each(_values(name, arguments, 1, 1)[0], _ELEMENTWISE[name])
    match name:
        case "FILL":
            return _fill(arguments, window)
        case "IF":
            return _if(_values(name, arguments, 2, 3))
        case "RATE" | "DIFF":
            return _on_series(_values(name, arguments, 1, 1)[0], lambda s: _difference(s, name == "RATE"))
        case "RUNNING_SUM":
            return _on_series(_values(name, arguments, 1, 1)[0], _running_sum)
        case "PERIOD":
            return float(_one_series(name, _values(name, arguments, 1, 1)[0]).period)
        case "TIME_SERIES":
            return _time_series(_values(name, arguments, 1, 1)[0], window)
    raise BadExpression(f"Unknown function {name}")


def _values(name: str, arguments: tuple[Value | str, ...], least: int, most: int) -> tuple[Value, ...]:
    values = tuple(argument for argument in arguments if not isinstance(argument, str))
    if len(values) != len(arguments) or not least <= len(values) <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        raise BadExpression(
            f"The function {name} takes {wanted} arguments, all of them numbers or time series"
        )
    return values


def _aggregate(name: str, value: Value) -> Value:
    """A number for one series; for an array a series, at each time of what those hold that have a value then."""
    if isinstance(value, float):
        raise BadExpression(f"The function {name} takes a time series or an array of them, not a scalar")
    if isinstance(value, Series):
        values = list(value.points.values())
        if not values:
            return 0.0 if name == "DATAPOINT_COUNT" else nan
        return AGGREGATES[name](values)
    return across(value, AGGREGATES[name])


def _on_series(value: Value, change: Callable[[Series], Series]) -> Value:
    changed = tuple(change(series) for series in as_array(value))
    return changed[0] if isinstance(value, Series) else changed


def _one_series(name: str, value: Value) -> Series:
    if not isinstance(value, Series):
        raise BadExpression(f"The function {name} takes one time series")
    return value


def _difference(series: Series, is_rate: bool) -> Series:
    times = sorted(series.points)
    points: dict[datetime, float] = {}
    for former, at in pairwise(times):
        change = series.points[at] - series.points[former]
        points[at] = change / (at - former).total_seconds() if is_rate else change
    return series.of(points)


def _running_sum(series: Series) -> Series:
    points: dict[datetime, float] = {}
    total = 0.0
    for at in sorted(series.points):
        total += series.points[at]
        points[at] = total
    return series.of(points)


def _time_series(value: Value, window: Window) -> Series:
    if not isinstance(value, float):
        raise BadExpression("The function TIME_SERIES takes a scalar")
    return Series(points=dict.fromkeys(window.times(window.period), value), period=window.period)


def _fill(arguments: tuple[Value | str, ...], window: Window) -> Value:
    """FILL, up to this moment: a datapoint that is only late is filled as well, which is the trap of it.

    A series without any datapoint in the window stays empty: what CloudWatch does then must not be relied on.
    """
    value, filler = arguments if len(arguments) == 2 else ("", "")
    if isinstance(value, str):
        raise BadExpression("The function FILL takes a time series, and a number, REPEAT or LINEAR")
    if isinstance(filler, str) and filler not in ("REPEAT", "LINEAR"):
        raise BadExpression(f"FILL knows REPEAT and LINEAR, not {filler}")
    if not isinstance(filler, float | str):
        raise BadExpression("The function FILL fills with a number, REPEAT or LINEAR")
    return _on_series(value, lambda series: _filled(series, filler, window) if series.points else series)


def _filled(series: Series, filler: float | str, window: Window) -> Series:
    points: dict[datetime, float] = {}
    known = sorted(series.points)
    for at in window.times(series.period):
        if at in series.points:
            points[at] = series.points[at]
        elif isinstance(filler, float):
            points[at] = filler
        else:
            before = [each for each in known if each < at]
            after = [each for each in known if each > at]
            if filler == "REPEAT" and before:
                points[at] = series.points[before[-1]]
            elif filler == "LINEAR" and before and after:
                points[at] = _between(series, before[-1], at, after[0])
    return series.of(points)


def _between(series: Series, before: datetime, at: datetime, after: datetime) -> float:
    share = (at - before) / (after - before)
    return series.points[before] + share * (series.points[after] - series.points[before])


def _if(values: tuple[Value, ...]) -> Value:
    """IF: where the condition has no value, or the chosen side has none, there is no datapoint."""
    condition, chosen, *rest = values
    otherwise: Value | None = rest[0] if rest else None
    if isinstance(condition, float):
        if not condition and otherwise is None:
            return nan
        return chosen if condition or otherwise is None else otherwise
    if not isinstance(condition, Series) or isinstance(chosen, tuple) or isinstance(otherwise, tuple):
        raise BadExpression("The function IF takes time series and scalars, no arrays")
    points: dict[datetime, float] = {}
    for at, truth in condition.points.items():
        side = chosen if truth else otherwise
        number = side.points.get(at) if isinstance(side, Series) else side
        if number is not None:
            points[at] = number
    sides = [side for side in (condition, chosen, otherwise) if isinstance(side, Series)]
    return Series(
        points=points,
        label=condition.label,
        period=max(side.period for side in sides),
        trouble=frozenset(name for side in sides for name in side.trouble),
    )
