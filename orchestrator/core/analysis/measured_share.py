"""What share of the requests green got, beside its written weight, and why they differ, unless by chance."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.core.analysis import intervals
from orchestrator.core.domain.ids import Tenths
from orchestrator.core.domain.plan import ALL, percent
from orchestrator.core.gates.scene import Interval
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.rollout.rule_lists import life

DEVIATIONS = 4.0  # standard ones: one share in 16,000 lies further off by chance
LEAST = 5  # requests off: fewer are never told
KNOWN_FROM = 3  # periods at a weight from which their own spread is known


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredShare:
    """Requests of the whole periods at the present weight. ``why`` is empty where chance explains the difference."""

    green_percent: float  # of the requests of the last period
    green_requests: int
    requests: int
    weight: Tenths
    why: str = ""

    @property
    def words(self) -> str:
        """The difference in a sentence; empty where chance explains it."""
        blue, written = self.requests - self.green_requests, percent(Tenths(ALL - self.weight))
        got = f"blue got {blue} of {self.requests} requests, {100 * blue / self.requests:.1f} %"
        return f"{self.why}: {got}, where its weight says {written}" if self.why else ""


COOKIES = "cookies keep users where they were"
CONNECTIONS = (
    "no cookie keeps users, but connections that live on (keep-alive, WebSockets) or zones of few targets may"
)


def measured(row: Rollout) -> MeasuredShare | None:
    """What was measured at the present weight; None: no whole period with requests was yet.

    Chance explains what lies within four standard deviations, by the spread of green's share from period to period
    where that is more than independent requests would show.
    """
    known = [one for one in intervals.at_weight(row) if one.weight is not None and _requests(one)]
    if not known or known[-1].weight is None:
        return None
    newest, weight, share = known[-1], known[-1].weight, known[-1].weight / ALL
    green, requests = sum(_green(one) for one in known), sum(_requests(one) for one in known)
    off = abs(green - requests * share)
    spread = math.sqrt(_dispersion(known) * requests * share * (1 - share))
    is_chance = off <= max(LEAST, DEVIATIONS * spread)
    why = "" if is_chance else COOKIES if life(row) else CONNECTIONS
    percent_now = 100 * _green(newest) / _requests(newest)
    return MeasuredShare(
        green_percent=percent_now, green_requests=green, requests=requests, weight=weight, why=why
    )


def _dispersion(known: Sequence[Interval]) -> float:
    """How much more green's share varies from period to period than independent requests would, about its own mean.

    A load balancer sends each request where chance says: until it is known they are taken for independent.
    """
    if len(known) < KNOWN_FROM:
        return 1.0
    total = sum(_requests(one) for one in known)
    share = sum(_green(one) for one in known) / total
    if not 0 < share < 1:
        return 1.0
    squares = sum(
        (_green(one) - share * _requests(one)) ** 2 / (_requests(one) * share * (1 - share)) for one in known
    )
    return max(1.0, squares / (len(known) - 1))


def _green(interval: Interval) -> int:
    return interval.green.requests if interval.green else 0


def _requests(interval: Interval) -> int:
    return _green(interval) + (interval.blue.requests if interval.blue else 0)
