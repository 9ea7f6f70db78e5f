"""What an expression is made of: numbers, time series and arrays of time series."""

import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from math import inf, nan

from sandbox.world.cloudwatch.mathematics.syntax import BadExpression


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Values by their time; a period without a value is left out."""

    points: dict[datetime, float]
    label: str = ""
    period: int = 60  # seconds
    trouble: frozenset[str] = field(default_factory=frozenset)  # of the metrics that it was made from

    def of(self, points: dict[datetime, float]) -> "Series":
        """The same with other values."""
        return Series(points=points, label=self.label, period=self.period, trouble=self.trouble)


Array = tuple[Series, ...]
Value = float | Series | Array


def divide(left: float, right: float) -> float:
    """A quotient as CloudWatch has it: what has no value becomes NaN or infinite, and is dropped in the end."""
    if right == 0:
        return nan if left == 0 else inf if left > 0 else -inf
    return left / right


def power(left: float, right: float) -> float:
    """A power; NaN where there is none."""
    try:
        raised = left**right
    except (OverflowError, ZeroDivisionError):
        return inf
    return raised if isinstance(raised, float) else nan


OPERATORS: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": divide,
    "^": power,
    "==": lambda a, b: float(a == b),
    "!=": lambda a, b: float(a != b),
    "<": lambda a, b: float(a < b),
    ">": lambda a, b: float(a > b),
    "<=": lambda a, b: float(a <= b),
    ">=": lambda a, b: float(a >= b),
    "AND": lambda a, b: float(bool(a) and bool(b)),
    "OR": lambda a, b: float(bool(a) or bool(b)),
}


def each(value: Value, change: Callable[[float], float]) -> Value:
    """Every number in a value, changed."""
    if isinstance(value, float):
        return change(value)
    if isinstance(value, Series):
        return value.of({at: change(number) for at, number in value.points.items()})
    return tuple(series.of({at: change(n) for at, n in series.points.items()}) for series in value)


def combine(left: Value, right: Value, change: Callable[[float, float], float]) -> Value:
    """Two values, number by number; two series meet only where both have a value. Raises BadExpression."""
    if isinstance(right, float):
        return each(left, lambda number: change(number, right))
    if isinstance(left, float):
        return each(right, lambda number: change(left, number))
    if isinstance(left, Series) and isinstance(right, Series):
        return _meet(left, right, change)
    lefts, rights = as_array(left), as_array(right)
    if isinstance(left, Series):
        return tuple(_meet(left, series, change) for series in rights)
    if isinstance(right, Series):
        return tuple(_meet(series, right, change) for series in lefts)
    if len(lefts) != len(rights):
        raise BadExpression(f"Arrays of {len(lefts)} and {len(rights)} time series do not go together")
    return tuple(_meet(a, b, change) for a, b in zip(lefts, rights, strict=True))


def _meet(left: Series, right: Series, change: Callable[[float, float], float]) -> Series:
    shared = left.points.keys() & right.points.keys()
    return Series(
        points={at: change(left.points[at], right.points[at]) for at in sorted(shared)},
        label=left.label,
        period=max(left.period, right.period),
        trouble=left.trouble | right.trouble,
    )


def as_array(value: Value) -> Array:
    """A series or an array as an array. Raises BadExpression for a number."""
    if isinstance(value, float):
        raise BadExpression("A scalar stands where a time series is wanted")
    return (value,) if isinstance(value, Series) else value


def across(series: Array, change: Callable[[list[float]], float]) -> Series:
    """One series out of several: at each time of what those hold that have a value then."""
    times = sorted({at for one in series for at in one.points})
    return Series(
        points={at: change([one.points[at] for one in series if at in one.points]) for at in times},
        period=max((one.period for one in series), default=60),
        trouble=frozenset(name for one in series for name in one.trouble),
    )
