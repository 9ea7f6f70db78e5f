"""What others do with the same traffic: weights by the clock, and fixed thresholds on green's own metrics.

The schedules are the products' own (AWS CodeDeploy's predefined configurations, Amazon ECS's canary and linear
deployments, Argo Rollouts' analysis between steps); the thresholds are ordinary settings of users, not defaults of
the products. Alarms are evaluated once a minute, and a deployment reacts to one within half a minute.
"""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from orchestrator.simulate.defects import SLOW_BASE, Defect
from orchestrator.simulate.teal import HISTORY, HORIZON, Outcome
from orchestrator.simulate.traffic import START, WRITE_TAKES, Demand, Period, Traffic

MINUTE = timedelta(minutes=1)
REACTION = timedelta(seconds=30)
WATCH = timedelta(minutes=10)  # at full weight, and at least until the twentieth minute, as Teal's own
WATCH_UNTIL = timedelta(minutes=20)
ERRORS_LEAST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """Green fails where so many of the newest periods are over a share of errors (or, if tight, of slow requests)."""

    over: float
    least: int
    of: int
    is_tight: bool = False
    in_a_row: Literal["newest", "ever"] = "newest"  # ever: that many failed measurements since the start

    def fails(self, periods: list[Period], base: float) -> bool:
        """True if the visible periods with green's requests speak against it."""
        limit = max(self.over, 3 * base) if self.is_tight else self.over
        seen = [self._is_over(period, limit) for period in periods if period.green.requests]
        counted = seen[-self.of :] if self.in_a_row == "newest" else seen
        return sum(counted) >= self.least

    def _is_over(self, period: Period, limit: float) -> bool:
        green = period.green
        errors = green.errors >= ERRORS_LEAST and green.errors / green.requests > limit
        slow = self.is_tight and green.slow >= ERRORS_LEAST and green.slow / green.requests > 2 * SLOW_BASE
        return errors or slow


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """A deployment by the clock. ``steps``: (minute, weight), the last one full."""

    name: str
    steps: tuple[tuple[float, float], ...]
    threshold: Threshold


ORDINARY = Threshold(over=0.05, least=2, of=3)
TIGHT = Threshold(over=0.01, least=2, of=2, is_tight=True)
ARGO = Threshold(over=0.05, least=2, of=2, in_a_row="ever")


def _linear(share: float, minutes: float) -> tuple[tuple[float, float], ...]:
    count = round(1 / share)
    return tuple((n * minutes, round((n + 1) * share, 3)) for n in range(count))


RIVALS = (
    Rival(name="CodeDeploy AllAtOnce", steps=((0, 1.0),), threshold=ORDINARY),
    Rival(name="CodeDeploy Canary10Percent5Minutes", steps=((0, 0.1), (5, 1.0)), threshold=ORDINARY),
    Rival(name="the same, tight alarm", steps=((0, 0.1), (5, 1.0)), threshold=TIGHT),
    Rival(name="CodeDeploy Linear10PercentEvery1Minute, tight alarm", steps=_linear(0.1, 1), threshold=TIGHT),
    Rival(name="ECS canary 10 %, 10 min, tight alarm", steps=((0, 0.1), (10, 1.0)), threshold=TIGHT),
    Rival(name="ECS linear 10 %, 6 min, tight alarm", steps=_linear(0.1, 6), threshold=TIGHT),
    Rival(
        name="Argo steps 10/25/50/75, 3 min, > 5 %",
        steps=((0, 0.1), (3, 0.25), (6, 0.5), (9, 0.75), (12, 1.0)),
        threshold=ARGO,
    ),
)


def deploy(rival: Rival, load: Demand, defect: Defect, *, seed: int, horizon: timedelta = HORIZON) -> Outcome:
    """Simulate one deployment until its watch is over or an alarm took it back."""
    chance = random.Random(seed + 1)
    traffic = Traffic(load, defect, period=MINUTE, seed=seed)
    traffic.advance(START + HISTORY * MINUTE + MINUTE * chance.random())
    begun = traffic.now
    looks = MINUTE * chance.random()
    waiting = [(begun + minute * MINUTE, weight) for minute, weight in rival.steps]
    full_at = waiting[-1][0]
    ends = max(full_at + WATCH, begun + WATCH_UNTIL)
    look = begun + looks
    while traffic.now < ends:
        while waiting and waiting[0][0] <= traffic.now:
            traffic.write(waiting.pop(0)[1])
        if traffic.now >= look:
            look += MINUTE
            seen = [p for p in traffic.read(traffic.now, begun - 2 * MINUTE) if p.start >= begun - MINUTE]
            if rival.threshold.fails(seen, load.error_rate):
                return _taken_back(traffic, begun, full_at, REACTION * chance.random())
        traffic.advance(min(look, ends, *(at for at, _ in waiting[:1])))
    traffic.advance(begun + max(horizon, ends - begun))
    return Outcome(
        harm=traffic.harm,
        is_rolled_back=False,
        before_full=False,
        full_after=full_at - begun,
        back_after=None,
        lasted=ends - begun,
    )


def _taken_back(traffic: Traffic, begun: datetime, full_at: datetime, reaction: timedelta) -> Outcome:
    traffic.advance(traffic.now + reaction)
    at = traffic.now
    traffic.write(0.0)
    traffic.advance(at + WRITE_TAKES)
    return Outcome(
        harm=traffic.harm,
        is_rolled_back=True,
        before_full=at < full_at,
        full_after=full_at - begun if at >= full_at else None,
        back_after=at - traffic.harmed_since if traffic.harmed_since else None,
        lasted=at - begun,
    )
