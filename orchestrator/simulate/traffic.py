"""A service's requests, drawn from a seed: Poisson counts with noise that both colours share, and their metrics' delay.

Each run is a timeline of spans between decisions; in each, both colours' requests, errors and slow ones are drawn, and
fall into whole metric periods whose datapoints become visible one to two periods after their end, in order.
"""

import math
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from orchestrator.simulate.defects import CLUMP, SLOW_BASE, Defect, Rates, rates

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
NOISE = 0.2  # sigma of a period's log-normal noise on the rate, shared by both colours
WRITE_TAKES = timedelta(seconds=3)  # until a written weight is everywhere
OUTAGE_WITHIN = timedelta(minutes=20)  # of green's first traffic
FINEST = timedelta(seconds=5)
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
    """One run's traffic. `now` is how far it was drawn; `green_share` what the load balancer does at that moment."""

    def __init__(self, load: Demand, defect: Defect, *, period: timedelta, seed: int) -> None:
        self.load, self.defect, self.period = load, defect, period
        self._chance = random.Random(seed)
        self.now = START
        self.green_share = 0.0
        self.harm = 0  # requests that failed or were slow because of green
        self.harmed_since: datetime | None = None  # the first of them
        self.periods: list[Period] = []
        self._written: list[tuple[datetime, float]] = []
        self._first_traffic: datetime | None = None
        self._noise = 1.0
        self._outage_at: datetime | None = None

    @property
    def first_traffic(self) -> datetime | None:
        """When green had its first request."""
        return self._first_traffic

    def write(self, share: float) -> None:
        """Give green another share; the load balancer follows some seconds later."""
        self._written.append((self.now + WRITE_TAKES, share))

    def advance(self, to: datetime) -> None:
        """Draw the traffic until a moment."""
        while self.now < to:
            end = min(to, self._period().start + self.period)
            if self._written:
                end = min(end, max(self._written[0][0], self.now))
            if end > self.now:
                self._draw(min(end, self.now + FINEST) if self._is_changing else end)
            while self._written and self._written[0][0] <= self.now:
                self._set(self._written.pop(0)[1])

    @property
    def _is_changing(self) -> bool:
        """True where rates change with time, so that spans have to be short."""
        return self._first_traffic is not None and self.defect in (
            Defect.SLOW,
            Defect.LEAK,
            Defect.COLD,
            Defect.OUTAGE,
        )

    def _set(self, share: float) -> None:
        self.green_share = share
        if share > 0 and self._first_traffic is None:
            self._first_traffic = self.now
            self._outage_at = self.now + OUTAGE_WITHIN * self._chance.random()

    def _period(self) -> Period:
        if not self.periods or self.now >= self.periods[-1].start + self.period:
            start = self.periods[-1].start + self.period if self.periods else self.now
            visible = start + 2 * self.period + self.period * self._chance.random()
            if self.periods:
                visible = max(visible, self.periods[-1].visible_at)
            self.periods.append(Period(start=start, visible_at=visible))
            self._noise = math.exp(self._chance.gauss(0.0, NOISE) - NOISE**2 / 2)
        return self.periods[-1]

    def _draw(self, end: datetime) -> None:
        seconds = (end - self.now).total_seconds()
        since = None if self._first_traffic is None else self.now - self._first_traffic
        found = rates(
            self.defect,
            base=self.load.error_rate,
            weight=self.green_share,
            since_traffic=since,
            in_outage=self._in_outage(),
        )
        mean = self.load.requests_per_second * seconds * self._noise
        period = self._period()
        if self.green_share < 1:
            harm = self._count(period.blue, mean * (1 - self.green_share), found, found.blue_excess, 0.0)
            self._harm(harm)
        if self.green_share > 0:
            harm = self._count(
                period.green, mean * self.green_share, found, found.green_excess, found.slow_excess
            )
            self._harm(harm)
        self.now = end

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

    def _harm(self, count: int) -> None:
        self.harm += count
        if count and self.harmed_since is None:
            self.harmed_since = self.now

    def _in_outage(self) -> bool:
        from_ = self._outage_at
        return from_ is not None and from_ <= self.now < from_ + timedelta(minutes=5)

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

    def read(self, at: datetime) -> list[Period]:
        """The periods whose datapoints are visible at a moment, oldest first."""
        return [period for period in self.periods if period.visible_at <= at]
