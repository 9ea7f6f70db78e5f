"""Statistics by their CloudWatch names.

Source: "CloudWatch statistics definitions". In every form with bounds the lower one is exclusive and the upper one
inclusive. Percentiles are nearest ranks: CloudWatch interpolates within its own classes in an unpublished way, so
that a test must not rest on a percentile's last percent.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from sandbox.world.cloudwatch.cell import Cell
from sandbox.world.kernel.errors import AwsRefusal, not_here

_SIMPLE_OF: dict[str, Callable[[Cell], float]] = {
    "Sum": lambda cell: cell.total,
    "Average": lambda cell: cell.total / cell.count,
    "Minimum": lambda cell: cell.low,
    "Maximum": lambda cell: cell.high,
    "SampleCount": lambda cell: float(cell.count),
}
SIMPLE = tuple(_SIMPLE_OF)
Kind = Literal["p", "TM", "TC", "TS", "WM", "PR"]

_NUMBER = r"\d+(?:\.\d{1,10})?"
_SHORT = re.compile(rf"(p|tm|tc|ts|wm)({_NUMBER})")
_LONG = re.compile(rf"(TM|TC|TS|WM|PR)\(({_NUMBER})?(%?):({_NUMBER})?(%?)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistic:
    """A statistic of a distribution: percentiles, trimmed and winsorized ones, and ranks."""

    kind: Kind
    low: float | None  # a value, or a percentage
    high: float | None
    is_percent: bool

    @property
    def samples_wanted(self) -> float:
        """How many samples a percentile needs to mean something: 10 beyond it. Zero for other statistics.

        Source: "Percentile-based CloudWatch alarms and low data samples".
        """
        if self.kind != "p" or self.high is None or self.high in (0, 100):
            return 0.0
        share = self.high / 100
        return 10 / (1 - share) if share >= 0.5 else 10 / share


def check(text: str) -> None:
    """Raises AwsRefusal for what is no statistic."""
    if text not in SIMPLE:
        parsed(text)


@lru_cache(maxsize=1024)
def parsed(text: str) -> Statistic:
    """A statistic other than the simple five. Raises AwsRefusal."""
    if text in ("IQM", "iqm"):
        return Statistic(kind="TM", low=25, high=75, is_percent=True)
    short, long = _SHORT.fullmatch(text), _LONG.fullmatch(text)
    if short and float(short[2]) <= 100:
        kind: Kind = "p" if short[1] == "p" else _kind(short[1].upper())
        return Statistic(kind=kind, low=None, high=float(short[2]), is_percent=True)
    if long and (long[2] or long[4]):
        return _long(text, long)
    raise _no_statistic(text)


def _long(text: str, found: "re.Match[str]") -> Statistic:
    kind, low, high = _kind(found[1]), *(None if found[n] is None else float(found[n]) for n in (2, 4))
    marks = [mark == "%" for mark, bound in ((found[3], low), (found[5], high)) if bound is not None]
    if len(set(marks)) > 1:
        raise not_here(f"statistic {text} (a percentage and a value in one)")
    too_large = marks[0] and any(bound is not None and bound > 100 for bound in (low, high))
    backwards = low is not None and high is not None and low >= high
    if too_large or backwards or (kind == "PR" and marks[0]):
        raise _no_statistic(text)
    return Statistic(kind=kind, low=low, high=high, is_percent=marks[0])


def _kind(name: str) -> Kind:
    kinds: dict[str, Kind] = {"TM": "TM", "TC": "TC", "TS": "TS", "WM": "WM", "PR": "PR"}
    return kinds[name]


def _no_statistic(text: str) -> AwsRefusal:
    return AwsRefusal("ValidationError", f"The value {text} for parameter Stat is not supported.")


def value(cell: Cell, text: str) -> float | None:
    """A statistic of the samples; None where there is none.

    That is a mean of samples within bounds that hold no sample, and anything but the simple five of negative values.
    """
    if text in _SIMPLE_OF:
        return _SIMPLE_OF[text](cell)
    if cell.has_negative:
        return None
    statistic = parsed(text)
    if statistic.kind == "p":
        assert statistic.high is not None  # its form has no lower bound
        return cell.percentile(statistic.high)
    if statistic.kind == "WM":
        return _winsorized(cell, statistic)
    return _trimmed(cell, statistic)


def _trimmed(cell: Cell, statistic: Statistic) -> float | None:
    """A statistic of the samples within the bounds alone."""
    kept = _within(cell, statistic)
    number = sum(count for _, count in kept)
    total = sum(each * count for each, count in kept)
    match statistic.kind:
        case "TC":
            return float(number)
        case "TS":
            return total
        case "PR":
            return 100.0 * number / cell.count
    return total / number if number else None


def _within(cell: Cell, statistic: Statistic) -> list[tuple[float, int]]:
    """The part of the distribution within the bounds."""
    low, high = statistic.low, statistic.high
    if not statistic.is_percent:
        return [
            (each, count)
            for each, count in cell.values()
            if (low is None or each > low) and (high is None or each <= high)
        ]
    first = cell.rank(low) if low else 0
    last = cell.rank(high) if high is not None else cell.count
    kept: list[tuple[float, int]] = []
    seen = 0
    for each, count in cell.values():
        inside = min(seen + count, last) - max(seen, first)
        if inside > 0:
            kept.append((each, inside))
        seen += count
    return kept


def _winsorized(cell: Cell, statistic: Statistic) -> float:
    """The mean of all samples, those outside the bounds counted as if they were at the bound."""
    low, high = statistic.low, statistic.high
    if statistic.is_percent:
        low = cell.percentile(low) if low else None
        high = cell.percentile(high) if high is not None else None
    total = 0.0
    for each, count in cell.values():
        clamped = each if high is None else min(each, high)
        total += count * (clamped if low is None else max(clamped, low))
    return total / cell.count
