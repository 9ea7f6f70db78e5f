"""The samples of one series in one stretch of time, with their distribution.

Values are kept to three significant digits, rounded up: a count of values above or up to a bound of three digits or
fewer is exact, a percentile or a trimmed mean is at most 1 % too high, and a cell stays small however many samples
it holds (900 classes for every power of ten). Sum, average, minimum and maximum are exact.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from math import ceil, floor, log10

_DIGITS = 1000  # a class is exponent * _DIGITS + digits, with digits from 100 to 999
_ZERO = -1_000_000
_ONE = -2 * _DIGITS + 100
_NOISE = 1e-6  # 0.1 / 0.001 is a little off a whole number


@dataclass(slots=True)
class Cell:
    """The samples of one series in one slot, or of several merged."""

    count: int = 0
    total: float = 0.0
    low: float = float("inf")
    high: float = float("-inf")
    classes: dict[int, int] = field(default_factory=dict)
    has_negative: bool = False  # then it has no distribution, as on AWS

    def add(self, value: float, count: int) -> None:
        """Add `count` samples of a value."""
        self.count += count
        self.total += value * count
        self.low = min(self.low, value)
        self.high = max(self.high, value)
        if value < 0:
            self.has_negative = True
            return
        key = class_of(value)
        self.classes[key] = self.classes.get(key, 0) + count

    def merge(self, other: "Cell") -> None:
        """Add the samples of another cell."""
        self.count += other.count
        self.total += other.total
        self.low = min(self.low, other.low)
        self.high = max(self.high, other.high)
        self.has_negative |= other.has_negative
        for key, count in other.classes.items():
            self.classes[key] = self.classes.get(key, 0) + count

    def values(self) -> list[tuple[float, int]]:
        """The distribution, smallest value first: (value, how many samples)."""
        return [(value_of(key), self.classes[key]) for key in sorted(self.classes)]

    def percentile(self, percent: float) -> float:
        """The value that `percent` of the samples do not exceed: the nearest rank, not interpolated."""
        left = self.rank(percent)
        for value, count in self.values():
            left -= count
            if left <= 0:
                return min(max(value, self.low), self.high)
        return self.high

    def rank(self, percent: float) -> int:
        """How many of the samples, from the smallest, are within a percentile; one at least."""
        return min(self.count, max(1, ceil(percent / 100 * self.count - 1e-9)))


def class_of(value: float) -> int:
    """The class of a value that is not negative."""
    if value == 1.0:  # what most counts are made of
        return _ONE
    if value == 0:
        return _ZERO
    exponent = floor(log10(value)) - 2
    digits = ceil(value / 10.0**exponent - _NOISE)
    if digits >= _DIGITS:
        exponent, digits = exponent + 1, _DIGITS // 10
    return exponent * _DIGITS + digits


@lru_cache(maxsize=16_384)
def value_of(key: int) -> float:
    """The value that a class stands for: the largest of it."""
    if key == _ZERO:
        return 0.0
    exponent, digits = divmod(key, _DIGITS)
    return float(f"{digits}e{exponent}")
