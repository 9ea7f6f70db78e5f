"""Ways to call green bad, each as the minute (from 1) in which it first does: the shipped evidence, and what others do.

The thresholds stand for common settings of users, not for defaults of the products they are named after.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from orchestrator.core.gates.compare import EVENTS_LEAST, CompareSpec, StreamSpec
from orchestrator.core.gates.gathered import StreamName
from orchestrator.core.gates.scene import Counts, Interval
from orchestrator.core.statistics import comparison
from orchestrator.core.statistics.sequential_test import PROMOTE_GRID, Onset, Sample, Sums

ERRORS_ALONE = CompareSpec(streams=(StreamSpec(name=StreamName.ERRORS),))
CONFIDENT = 1.959963984540054  # two-sided 95 %
FIRST_LOOK = 10  # minutes of data before the rank test is looked at


def evidence(samples: Sequence[Sample], *, phi: float) -> int | None:
    """`compare` with its defaults: enough evidence, and at least five errors of green."""
    process = Onset(margin=ERRORS_ALONE.streams[0].margin, phi=phi)
    for minute, sample in enumerate(samples, 1):
        process = process.add(sample)
        if process.green_events >= EVENTS_LEAST and process.log_e >= ERRORS_ALONE.threshold:
            return minute
    return None


def comparison_of(history: Sequence[Counts], intervals: Sequence[Interval]) -> int | None:
    """The whole of `compare` with its defaults, its warm-up and each of its streams, from intervals as they are read.

    As in a rollout, the minute in which a weight changes is not compared.
    """
    spec = CompareSpec()
    streams = comparison.freeze(spec, history)
    warm_up_left, weight = spec.warm_up, None
    for minute, interval in enumerate(intervals, 1):
        is_change, weight = interval.weight != weight, interval.weight
        if is_change:
            continue
        if warm_up_left:
            streams, warm_up_left = comparison.warm_up(streams, interval), warm_up_left - 1
            continue
        streams = comparison.use(streams, interval, at=interval.start)
        if any(stream.failed_at for stream in streams):
            return minute
    return None


def promotion(samples: Sequence[Sample], *, phi: float) -> int | None:
    """When green is called "not twice as bad", without the floors that also have to be met."""
    process = Sums(margin=ERRORS_ALONE.not_worse_than, phi=phi, grid=PROMOTE_GRID)
    for minute, sample in enumerate(samples, 1):
        process = process.add(sample)
        if process.log_e >= ERRORS_ALONE.proof:
            return minute
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """Green's own error rate over a limit, so often."""

    over: float
    times: int
    in_a_row: bool = False

    def minute(self, samples: Sequence[Sample]) -> int | None:
        """When it fires."""
        count = 0
        for minute, sample in enumerate(samples, 1):
            is_over = _rate(sample.green_events, sample.green_requests) > self.over
            count = count + 1 if is_over else (0 if self.in_a_row else count)
            if count >= self.times:
                return minute
        return None


ALARM = Threshold(over=0.05, times=2, in_a_row=True)
ARGO_LIKE = Threshold(over=0.05, times=4)
FLAGGER_LIKE = Threshold(over=0.01, times=5)


def mann_whitney(samples: Sequence[Sample]) -> int | None:
    """The rank test at 95 % over the minutes' rates so far, looked at every minute from the tenth on."""
    green = [_rate(one.green_events, one.green_requests) for one in samples]
    blue = [_rate(one.blue_events, one.blue_requests) for one in samples]
    looks = range(FIRST_LOOK, len(samples) + 1)
    return next((minute for minute in looks if _z(green[:minute], blue[:minute]) > CONFIDENT), None)


def _z(mine: Sequence[float], others: Sequence[float]) -> float:
    """How far mine lie above the others, in standard deviations: the normal approximation, corrected for ties.

    Source: H. B. Mann, D. R. Whitney, 1947; continuity corrected.
    """
    n, m = len(mine), len(others)
    ranked = sorted([(value, True) for value in mine] + [(value, False) for value in others])
    rank_sum, ties, before = 0.0, 0.0, 0
    for size, of_mine in _runs(ranked):
        rank_sum += of_mine * (before + (size + 1) / 2)
        ties += size**3 - size
        before += size
    total = n + m
    variance = n * m / 12 * (total + 1 - ties / (total * (total - 1)))
    if variance <= 0:
        return 0.0
    above = rank_sum - n * (n + 1) / 2 - n * m / 2
    return (above - math.copysign(0.5, above)) / math.sqrt(variance) if above else 0.0


def _runs(ranked: Sequence[tuple[float, bool]]) -> Iterator[tuple[int, int]]:
    """Sizes of the groups of equal values, and how many in each are mine."""
    for _, group in groupby(ranked, key=lambda one: one[0]):
        members = [is_mine for _, is_mine in group]
        yield len(members), sum(members)


def _rate(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
