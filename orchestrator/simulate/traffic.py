"""A service's requests, drawn from a seed: Poisson counts with noise that both colours share, and their metrics' delay.

Each run is a timeline of spans in which nothing changes; in each, both colours' requests, errors and slow ones are
drawn, and fall into whole metric periods whose datapoints become visible one to two periods after their end, in order.
"""

import math
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from orchestrator.simulate.defects import (
    CLUMP,
    COLD_FOR,
    LEAK_AFTER,
    OUTAGE_LASTS,
    SLOW_BASE,
    SLOW_RAMP,
    Defect,
    Rates,
    rates,
)

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
RATE_MIN, RATE_MAX = 1e-6, 1_000_000.0  # requests a second
ERRORS_USUAL = 0.001  # share of requests that fail anyway, where only their rate is said
NOISE = 0.2  # sigma of a period's log-normal noise on the rate, shared by both colours
WRITE_TAKES = timedelta(seconds=3)  # until a written weight is everywhere
OUTAGE_WITHIN = timedelta(minutes=20)  # of green's first traffic
FINEST = timedelta(seconds=5)  # spans while rates grow
NORMAL_FROM = 30.0  # a Poisson mean from which its normal approximation is drawn


@dataclass(slots=True)
class Tally:
    """One colour's counts in one period."""

    requests: int = 0
    errors: int = 0
    slow: int = 0


@dataclass(slots=True)
class Period:
    """Both colours' counts in one metric period, and when its datapoints can be read."""

    start: datetime
    visible_at: datetime
    blue: Tally = field(default_factory=Tally)
    green: Tally = field(default_factory=Tally)


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What a service has: requests a second, and the share of them that fails anyway."""

    requests_per_second: float
    error_rate: float


class Traffic:
    """One run's traffic. `now` is how far it went; `green_share` what the load balancer does at that moment.

    It is drawn in spans in which nothing changes: whole periods, cut where a weight or a defect's rates change. When
    anybody looks makes no difference to what is drawn.
    """

    def __init__(self, load: Demand, defect: Defect, *, period: timedelta, seed: int) -> None:
        self.load, self.defect, self.period = load, defect, period
        self._chance = random.Random(seed)
        self.now = START
        self.green_share = 0.0
        self._drawn = START  # how far it was drawn
        self._harm = 0
        self._harmed_since: datetime | None = None
        self._periods: list[Period] = []
        self._written: list[tuple[datetime, float]] = []
        self._first_traffic: datetime | None = None
        self._noise = 1.0
        self._outage_at = START
        self._changes: list[datetime] = []  # of the rates, those still to come

    @property
    def first_traffic(self) -> datetime | None:
        """When green had its first request."""
        return self._first_traffic

    @property
    def harm(self) -> int:
        """Requests that failed or were slow because of green, until now."""
        self._draw(self.now)
        return self._harm

    @property
    def harmed_since(self) -> datetime | None:
        """When the first of them came."""
        self._draw(self.now)
        return self._harmed_since

    @property
    def periods(self) -> list[Period]:
        """Every period until now, the last of them perhaps not whole."""
        self._draw(self.now)
        return self._periods

    def write(self, share: float) -> None:
        """Give green another share; the load balancer follows some seconds later."""
        self._written.append((self.now + WRITE_TAKES, share))

    def advance(self, to: datetime) -> None:
        """Let time pass until a moment."""
        while (end := self._next_change()) <= to:
            self._draw(end)
            while self._written and self._written[0][0] <= end:
                self._set(self._written.pop(0)[1], end)
            while self._changes and self._changes[0] <= end:
                self._changes.pop(0)
        self.now = max(self.now, to)

    def _next_change(self) -> datetime:
        """When the present span ends: with its period, or where a weight or the rates change."""
        end = self._drawn + self.period - (self._drawn - START) % self.period
        ends = (end, *(at for at, _ in self._written[:1]), *self._changes[:1])
        return max(min(ends), self._drawn)

    def _set(self, share: float, at: datetime) -> None:
        self.green_share = share
        if share > 0 and self._first_traffic is None:
            self._first_traffic = at
            outage = at + OUTAGE_WITHIN * self._chance.random()
            self._changes = _changes(self.defect, at, outage)
            self._outage_at = outage

    def _period(self) -> Period:
        if not self._periods or self._drawn >= self._periods[-1].start + self.period:
            start = self._periods[-1].start + self.period if self._periods else self._drawn
            visible = start + 2 * self.period + self.period * self._chance.random()
            if self._periods:
                visible = max(visible, self._periods[-1].visible_at)
            self._periods.append(Period(start=start, visible_at=visible))
            self._noise = math.exp(self._chance.gauss(0.0, NOISE) - NOISE**2 / 2)
        return self._periods[-1]

    def _draw(self, end: datetime) -> None:
        """Draw one span, in which nothing changes."""
        if end <= self._drawn:
            return
        seconds = (end - self._drawn).total_seconds()
        begun = self._first_traffic
        found = rates(
            self.defect,
            base=self.load.error_rate,
            weight=self.green_share,
            since_traffic=None if begun is None else self._drawn - begun,
            in_outage=begun is not None and self._outage_at <= self._drawn < self._outage_at + OUTAGE_LASTS,
        )
        period = self._period()
        mean = self.load.requests_per_second * seconds * self._noise
        harm = 0
        if self.green_share < 1:
            harm += self._count(period.blue, mean * (1 - self.green_share), found, found.blue_excess, 0.0)
        if self.green_share > 0:
            harm += self._count(
                period.green, mean * self.green_share, found, found.green_excess, found.slow_excess
            )
        if harm and self._harmed_since is None:
            first = 1 - self._chance.random() ** (
                1 / harm
            )  # the first of so many, evenly spread over the span
            self._harmed_since = self._drawn + (end - self._drawn) * first
        self._harm += harm
        self._drawn = end

    def _count(self, tally: Tally, mean: float, found: Rates, excess: float, slow_excess: float) -> int:
        requests = self.poisson(mean)
        clump = CLUMP if self.defect is Defect.CLUMPED else 1
        errors = clump * self.poisson(requests * found.base / clump)
        harmed = min(requests, self.poisson(requests * excess)) if excess > 0 else 0
        if excess >= 1 - found.base:
            harmed = max(0, requests - min(errors, requests))
        slow = self.poisson(requests * SLOW_BASE)
        harmed_slow = self.poisson(requests * slow_excess) if slow_excess > 0 else 0
        tally.requests += requests
        tally.errors += min(requests, errors + harmed)
        tally.slow += min(requests, slow + harmed_slow)
        return harmed + harmed_slow

    def poisson(self, mean: float) -> int:
        """A Poisson count; from a mean of thirty on by its normal approximation."""
        if mean <= 0:
            return 0
        if mean >= NORMAL_FROM:
            return max(0, round(self._chance.gauss(mean, math.sqrt(mean))))
        limit, product, count = math.exp(-mean), self._chance.random(), 0
        while product > limit:
            product *= self._chance.random()
            count += 1
        return count

    def visible_at(self, start: datetime) -> datetime:
        """From when on the datapoints of the period that began then can be read."""
        return self._periods[(start - START) // self.period].visible_at

    def read(self, at: datetime, since: datetime = START) -> list[Period]:
        """The periods from a moment on whose datapoints are visible at another, oldest first."""
        first = max(0, (since - START) // self.period)
        return [period for period in self._periods[first:] if period.visible_at <= at]


def _changes(defect: Defect, begun: datetime, outage: datetime) -> list[datetime]:
    """When a defect's rates change, given green's first traffic and the outage's start; in order."""
    match defect:
        case Defect.LEAK:
            return [begun + LEAK_AFTER]
        case Defect.COLD:
            return [begun + COLD_FOR]
        case Defect.OUTAGE:
            return [outage, outage + OUTAGE_LASTS]
        case Defect.SLOW:
            return [begun + n * FINEST for n in range(1, SLOW_RAMP // FINEST + 1)]
        case _:
            return []
