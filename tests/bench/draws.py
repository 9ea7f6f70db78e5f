"""Minutes of traffic drawn from a seed: counts that are independent, that come in bursts, or that share an outage."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random

from orchestrator.core.domain.ids import Tenths
from orchestrator.core.gates.scene import Counts, Interval
from orchestrator.core.statistics.sequential_test import Sample

EXACT_UNTIL = 10.0  # a Poisson mean up to which products of uniforms are drawn
SCHEDULE = (0.05,) * 15 + (0.10,) * 15 + (0.25,) * 15 + (0.50,) * 15
HISTORY = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """How a service fails. ``phi``: variance of a minute's errors over their mean; 1: independent."""

    rps: float
    rate: float
    ratio: float = 1.0  # green's rate as a multiple of blue's
    phi: float = 1.0
    outage: tuple[int, int, float] | None = None  # of both colours: from and to minute, and the rate in it

    def rate_at(self, minute: int) -> float:
        """Blue's rate in a minute."""
        if self.outage is not None and self.outage[0] <= minute < self.outage[1]:
            return self.outage[2]
        return self.rate


def poisson(mean: float, chance: Random) -> int:
    """A Poisson count, exact: by W. Hörmann's transformed rejection (PTRS, 1993) where the mean is large."""
    if mean <= 0:
        return 0
    if mean < EXACT_UNTIL:
        limit, product, count = math.exp(-mean), chance.random(), 0
        while product > limit:
            product *= chance.random()
            count += 1
        return count
    root, log_mean = math.sqrt(mean), math.log(mean)
    b = 0.931 + 2.53 * root
    a = -0.059 + 0.02483 * b
    inverse_alpha, v_r = 1.1239 + 1.1328 / (b - 3.4), 0.9277 - 3.6224 / (b - 2)
    while True:
        u, v = chance.random() - 0.5, chance.random()
        us = 0.5 - abs(u)
        count = math.floor((2 * a / us + b) * u + mean + 0.43) if us > 0 else -1
        if us >= 0.07 and v <= v_r:
            return count
        if count < 0 or (us < 0.013 and v > us):
            continue
        height = math.log(v * inverse_alpha / (a / (us * us) + b))
        if height <= count * log_mean - mean - math.lgamma(count + 1):
            return count


def errors(mean: float, phi: float, chance: Random) -> int:
    """A minute's errors with variance phi times their mean (negative binomial, as a gamma mixture of Poissons)."""
    if phi <= 1 or mean <= 0:
        return poisson(mean, chance)
    return poisson(chance.gammavariate(mean / (phi - 1), phi - 1), chance)


def minutes(case: Case, weights: Sequence[float], chance: Random) -> Iterator[Sample]:
    """One rollout's minutes at these weights of green."""
    for minute, weight in enumerate(weights):
        green = poisson(60 * case.rps * weight, chance)
        blue = poisson(60 * case.rps * (1 - weight), chance)
        rate = case.rate_at(minute)
        yield Sample(
            green_requests=green,
            blue_requests=blue,
            green_events=min(green, errors(green * min(1.0, rate * case.ratio), case.phi, chance)),
            blue_events=min(blue, errors(blue * rate, case.phi, chance)),
        )


def history(case: Case, chance: Random) -> list[tuple[int, int]]:
    """Blue's last hour before the rollout, as (errors, requests) a minute."""
    calm = replace(case, outage=None, ratio=1.0)
    return [(one.blue_events, one.blue_requests) for one in minutes(calm, (0.0,) * (HISTORY + 1), chance)]


START = datetime(2026, 3, 2, 9, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lasting:
    """A service without errors whose answers take their time, in seconds, and how its load balancer counts them.

    ``is_counted_when_routed``: a request counts in the minute in which it is routed and its answer in the one in which
    it comes; otherwise both count when the answer comes. AWS does not say which.
    """

    rps: float
    green_seconds: float
    blue_seconds: float
    is_counted_when_routed: bool


def lasting_minutes(case: Lasting, weights: Sequence[float], chance: Random) -> Iterator[Interval]:
    """One rollout's minutes at these weights of green, each as CloudWatch shows it."""
    in_flight = {
        True: poisson(case.rps * weights[0] * case.green_seconds, chance),
        False: poisson(case.rps * (1 - weights[0]) * case.blue_seconds, chance),
    }
    for minute, weight in enumerate(weights):
        counts: dict[bool, Counts] = {}
        for is_green, share, seconds in (
            (True, weight, case.green_seconds),
            (False, 1 - weight, case.blue_seconds),
        ):
            late = poisson(case.rps * share * seconds, chance)
            answered_here = poisson(case.rps * share * (60 - seconds), chance)
            answers = in_flight[is_green] + answered_here
            requests = answered_here + late if case.is_counted_when_routed else answers
            in_flight[is_green] = late
            counts[is_green] = Counts(requests=requests, answers_2xx=answers)
        yield Interval(
            start=START + timedelta(minutes=minute),
            green=counts[True],
            blue=counts[False],
            weight=Tenths(round(1000 * weight)),
        )


def lasting_history(case: Lasting, chance: Random) -> list[Counts]:
    """Blue's last hour before the rollout."""
    return [one.blue for one in lasting_minutes(case, (0.0,) * (HISTORY + 1), chance) if one.blue]
