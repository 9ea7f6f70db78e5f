"""What a plan can see, before it begins: the smallest regression it finds, and the most harm a total failure does.

No plan finds every regression: evidence needs errors, and errors need traffic and time. Source of the arithmetic:
the expected log-likelihood ratio of one interval (Kullback-Leibler divergence of the share of errors on green), summed
over a plan's weights and set against the evidence that fails a rollout.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.core.analysis import auto_plan
from orchestrator.core.domain.plan import ALL, Plan, Step
from orchestrator.core.gates.compare import CompareSpec
from orchestrator.core.gates.gathered import StreamName
from orchestrator.core.rollout.spec import Spec

MIXTURE = 2.0  # nats that not knowing the ratio and the start costs
RATIO_MAX = 1000.0
DELAY = 2.1  # periods from a failure's start to its taking back, at best: half a period, the metric's delay, the write
SHARE_OF_ALL = 0.99  # a weight from which nothing is left to compare with


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """A service's traffic: requests in one metric period, and the share of them that fails anyway."""

    requests: float
    error_rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A service's traffic as its load balancers' metrics have it, and of when."""

    load: Load
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Foresight:
    """What a plan can see with this traffic. ``ratio`` None: an error regression may reach 100 % unnoticed."""

    load: Load
    ratio: float | None  # green's error rate over blue's from which on it is found before full weight
    total_harm: float  # requests that fail if green fails all of them
    full_after: timedelta  # earliest, since green's first traffic
    ends_after: timedelta  # earliest end of the watch


def foresee(spec: Spec, load: Load, *, phi: float = 1.0) -> Foresight:
    """What a plan can see with this much traffic."""
    period = spec.metrics.period
    steps = _steps(spec.plan, load, period)
    lasts = [_lasts(spec, step, number) for number, step in enumerate(steps)]
    full = next((n for n, step in enumerate(steps) if step.is_watch or step.weight == ALL), len(steps))
    before = [(step, time) for step, time in zip(steps[:full], lasts[:full], strict=True)]
    first = steps[0].weight / ALL
    return Foresight(
        load=load,
        ratio=_smallest(spec, before, load, phi) if spec.gates.compare.on else None,
        total_harm=first * load.requests * DELAY,
        full_after=sum(lasts[:full], timedelta(0)),
        ends_after=sum(lasts, timedelta(0)),
    )


def words_of(found: Foresight, period: timedelta) -> str:
    """What a plan can see, for people."""
    rate = found.load.requests / period.total_seconds()
    shown = f"{rate:,.0f}" if rate >= 10 else f"{rate:.2g}"
    at = f"at {shown} requests/s and {found.load.error_rate * 100:.2g} % errors"
    if found.ratio is None:
        seen = "too little traffic: an error regression may reach 100 % unnoticed"
    else:
        times = f"{found.ratio:.1f} times blue's"
        seen = f"errors {times} are found before green has everything; smaller regressions may pass"
    return f"{at}, {seen}; a green that fails everything costs about {found.total_harm:,.0f} requests"


def _steps(plan: Plan, load: Load, period: timedelta) -> Sequence[Step]:
    if plan.auto is None:
        return plan.steps
    errors = load.requests * load.error_rate
    if auto_plan.is_low_traffic(plan.auto, load.requests, errors):
        low = [Step(weight=weight, bake=periods * period) for weight, periods in auto_plan.LOW_TRAFFIC]
        return (*low, *auto_plan.typical(plan.auto, period)[-2:])
    return auto_plan.typical(plan.auto, period, first=auto_plan.first_weight(plan.auto, load.requests))


def _lasts(spec: Spec, step: Step, number: int) -> timedelta:
    """How long a step lasts at least: its bake, or until a whole period at its weight can be read."""
    period = spec.metrics.period
    warm_up = spec.gates.compare.warm_up if spec.gates.compare.on and number == 0 and step.weight < ALL else 0
    return max(step.bake, period * (2.5 + warm_up))


def _smallest(spec: Spec, steps: list[tuple[Step, timedelta]], load: Load, phi: float) -> float | None:
    """The smallest ratio whose evidence reaches what fails a rollout; None: not even a thousand times does."""
    wanted = spec.gates.compare.threshold + MIXTURE
    low, high = 1.0, RATIO_MAX
    if _nats(spec, steps, load, high, phi) < wanted:
        return None
    while high / low > 1.005:
        middle = math.sqrt(low * high)
        if _nats(spec, steps, load, middle, phi) < wanted:
            low = middle
        else:
            high = middle
    return high


def _nats(spec: Spec, steps: list[tuple[Step, timedelta]], load: Load, ratio: float, phi: float) -> float:
    """Expected evidence, in nats, that a regression of this ratio yields before full weight."""
    period, compare = spec.metrics.period, spec.gates.compare
    total, skipped = 0.0, float(compare.warm_up)
    for step, lasts in steps:
        measured = max(
            0.0, lasts / period - 1.5
        )  # whole periods at this weight whose datapoints come in time
        used = max(0.0, measured - skipped)
        skipped = max(0.0, skipped - measured)
        share = step.weight / ALL
        if share < SHARE_OF_ALL:
            total += used * _nats_a_period(compare, load, share, ratio)
    return total / phi


def _nats_a_period(compare: CompareSpec, load: Load, share: float, ratio: float) -> float:
    stream = compare.stream(StreamName.ERRORS)
    margin = stream.margin if stream else 1.0
    if ratio <= margin:
        return 0.0
    errors = load.requests * load.error_rate
    events = errors * (1 - share) + min(load.requests * share, errors * share * ratio)
    actual = ratio * share / (1 + share * (ratio - 1))
    null = margin * share / (1 + share * (margin - 1))
    return events * (actual * math.log(actual / null) + (1 - actual) * math.log((1 - actual) / (1 - null)))
