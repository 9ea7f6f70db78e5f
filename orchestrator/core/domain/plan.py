"""Plans: ordered steps, each a weight held for at least its bake, rising strictly and ending at 100 %."""

from dataclasses import dataclass, replace
from datetime import timedelta

from orchestrator.core.domain.ids import Tenths

INSTANT = "instant"
MINUTE = timedelta(minutes=1)  # the metric period of AWS, for which the named plans are made
ALL = Tenths(1000)
NONE = Tenths(0)
RETURN_STEPS = (
    Tenths(900),
    Tenths(500),
    NONE,
)  # green's, as traffic returns to blue: blue takes 10, 50, 100 %


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One weight of green and the least time it is held. The last step's bake is the watch."""

    weight: Tenths
    bake: timedelta
    approval: bool = False
    is_watch: bool = False  # `auto`: blue keeps a control group, and a last step of 100 % follows


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoSpec:
    """Parameters of the plan ``auto``; times are in metric periods, requests are in one period."""

    first_requests: int = 60  # of green at the first weight
    first_min: Tenths = Tenths(5)
    first_max: Tenths = Tenths(20)
    start_before: float = 0.5  # a weight below 50 % is written this share of a period before one ends
    requests: int = 60  # of green seen at a weight before it is left
    factor: int = 25  # the next weight is at most so many times the present one
    budget: float = 0.3  # harm that a step may do at worst, in periods of the whole traffic
    bake_max: int = 4  # then a step is left, three times as large at least
    hesitate_at: float = 3.0  # evidence against green, to 1, at which a step is held on
    hesitate_max: int = 6  # periods more
    hold_back: int = 60  # requests a period that stay on blue as control group during the watch
    hold_back_min: Tenths = Tenths(10)
    hold_back_max: Tenths = Tenths(100)
    watch: int = 10
    watch_until: int = 20  # since traffic began


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A plan by its name (``custom`` when the file spells its steps out).

    ``auto``: its steps are planned one after the other, as traffic and evidence come.
    """

    name: str
    steps: tuple[Step, ...]
    auto: AutoSpec | None = None


def percent(weight: Tenths) -> str:
    """A weight as people write it: ``10 %``, ``0.5 %``."""
    return f"{weight / 10:g} %"


def _step(weight: int, minutes: int) -> Step:
    return Step(weight=Tenths(weight), bake=timedelta(minutes=minutes))


AUTO_PLANS = {
    "auto": AutoSpec(),
    "fast": AutoSpec(first_requests=200, first_min=Tenths(10), requests=100, factor=50),
    "careful": AutoSpec(
        first_min=Tenths(2), start_before=0.25, requests=18, factor=5, budget=0.03, bake_max=5
    ),
}
NAMED_PLANS = {
    **{name: Plan(name=name, steps=(), auto=auto) for name, auto in AUTO_PLANS.items()},
    "canary": Plan(name="canary", steps=(_step(100, 5), _step(1000, 30))),
    "linear": Plan(name="linear", steps=tuple(_step(100 * i, 5) for i in range(1, 11))),
    INSTANT: Plan(name=INSTANT, steps=(_step(1000, 15),)),
}


def named_plan(name: str, period: timedelta) -> Plan:
    """A plan by its name, for a metric period. Raises KeyError for a name that is none.

    The watch of `instant` is fifteen minutes, and as many periods where a period is shorter than a minute, as in the
    sandbox: it lasts for what can be measured in it.
    """
    plan = NAMED_PLANS[name]
    if name != INSTANT or period >= MINUTE:
        return plan
    return replace(plan, steps=tuple(replace(step, bake=step.bake / MINUTE * period) for step in plan.steps))
