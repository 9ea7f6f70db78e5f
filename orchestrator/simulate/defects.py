"""What can be wrong with a release, or around it, as rates over time and weight."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Defect(StrEnum):
    """The defects that a plan is tried on."""

    NONE = "none"
    TWICE = "2x"
    FIVE = "5x"
    TWENTY = "20x"
    TOTAL = "total"  # green fails every request
    SLOW = "slow"  # green's share of slow requests grows from one to three times blue's over ten minutes
    HIGH_LOAD = "highload"  # a fifth of green's requests fail once it has half of the traffic
    LEAK = "leak"  # a fifth of green's requests fail from twelve minutes on
    SHARED = "shared"  # green exhausts what both colours share: both fail while green has ten percent or more
    OUTAGE = "outage"  # both colours fail for five minutes, and green has nothing to do with it
    COLD = "cold"  # green fails ten times as often in its first two minutes, and is good from then on
    RETRIED = "retried"  # a fifth of green's requests fail, each is tried twice more out of the load balancer's sight
    CLUMPED = "clumped"  # a good green whose errors, like blue's, come in clumps of three


MEANINGS = {
    Defect.NONE: "a good release",
    Defect.TWICE: "green fails twice as often as blue",
    Defect.FIVE: "green fails five times as often as blue",
    Defect.TWENTY: "green fails twenty times as often as blue",
    Defect.TOTAL: "green fails every request",
    Defect.SLOW: "green's share of slow requests grows to three times blue's over ten minutes",
    Defect.HIGH_LOAD: "a fifth of green's requests fail once it has half of the traffic",
    Defect.LEAK: "a fifth of green's requests fail from twelve minutes on",
    Defect.SHARED: "green exhausts what both share: both colours fail",
    Defect.OUTAGE: "both fail for five minutes, and green has nothing to do with it",
    Defect.COLD: "green fails ten times as often for two minutes, and is good from then on",
    Defect.RETRIED: "a fifth of green's requests fail, and a proxy behind the load balancer tries each twice more",
    Defect.CLUMPED: "a good green, whose errors come in threes as blue's do",
}
"""What each is, as `teal simulate --defect help` prints it."""

GOOD = frozenset({Defect.NONE, Defect.OUTAGE, Defect.CLUMPED})
"""Where taking green back is a false abort."""

FAILING = 0.2
LEAK_AFTER = timedelta(minutes=12)
HIGH_LOAD_FROM = 0.5
SHARED_FROM = 0.1
OUTAGE_FAILING = 0.3
OUTAGE_LASTS = timedelta(minutes=5)
COLD_FOR = timedelta(minutes=2)
COLD_TIMES = 10
SLOW_BASE = 0.05
SLOW_RAMP = timedelta(minutes=10)
CLUMP = 3
TRIES = 3  # in all, each as likely to fail
_TIMES = {Defect.TWICE: 2.0, Defect.FIVE: 5.0, Defect.TWENTY: 20.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Shares of requests at one moment: what fails anyway, and what fails or is slow because of green."""

    base: float
    green_excess: float = 0.0
    blue_excess: float = 0.0
    slow_excess: float = 0.0


def rates(
    defect: Defect, *, base: float, weight: float, since_traffic: timedelta | None, in_outage: bool
) -> Rates:
    """The rates at a moment. ``since_traffic``: since green's first request; None: it had none."""
    if defect is Defect.OUTAGE and in_outage:
        return Rates(base=OUTAGE_FAILING)
    if since_traffic is None or weight <= 0:
        return Rates(base=base)
    if defect is Defect.SLOW:
        return Rates(base=base, slow_excess=2 * SLOW_BASE * min(1.0, since_traffic / SLOW_RAMP))
    if defect is Defect.RETRIED:
        seen = FAILING**TRIES
        return Rates(base=base, green_excess=seen, slow_excess=FAILING - seen)
    blue = FAILING if defect is Defect.SHARED and weight >= SHARED_FROM else 0.0
    return Rates(base=base, green_excess=_of_green(defect, base, weight, since_traffic), blue_excess=blue)


def _of_green(defect: Defect, base: float, weight: float, since_traffic: timedelta) -> float:
    """The share of green's requests that fail because of green."""
    match defect:
        case Defect.TWICE | Defect.FIVE | Defect.TWENTY:
            return min(1.0, base * _TIMES[defect]) - base
        case Defect.TOTAL:
            return 1.0 - base
        case Defect.COLD:
            return min(1.0, base * COLD_TIMES) - base if since_traffic < COLD_FOR else 0.0
        case Defect.HIGH_LOAD:
            return FAILING if weight >= HIGH_LOAD_FROM else 0.0
        case Defect.LEAK:
            return FAILING if since_traffic >= LEAK_AFTER else 0.0
        case Defect.SHARED:
            return FAILING if weight >= SHARED_FROM else 0.0
        case _:
            return 0.0
