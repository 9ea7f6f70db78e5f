"""What a run will make, about what it costs, how long it takes, and which permissions it needs: `--dry-run`."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.verify.beliefs.registry import BELIEFS
from orchestrator.verify.place import template
from orchestrator.verify.policy import in_words, policy_of
from orchestrator.verify.rollouts.parts import PARTS
from orchestrator.verify.run import BELIEF
from orchestrator.verify.run import PREFLIGHT as LOOK
from orchestrator.verify.wanted import Wanted

MAKING, REMOVING = 6.0, 5.0  # minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """One unit price in general, of a region and a month: what an account pays is to be checked."""

    what: str
    dollars: float
    unit: str


PRICED_ON, PRICED_FOR = "2026-01", "us-east-1"
VCPU_HOUR = Price(what="Fargate, Linux on x86, a vCPU", dollars=0.04048, unit="hour")
GB_HOUR = Price(what="Fargate, Linux on x86, a gigabyte", dollars=0.004445, unit="hour")
ALB_HOUR = Price(
    what="an application load balancer with one capacity unit", dollars=0.0225 + 0.008, unit="hour"
)
ADDRESS_HOUR = Price(what="a public IPv4 address", dollars=0.005, unit="hour")
ALARM_HOUR = Price(what="an alarm", dollars=0.10 / 730, unit="hour")
METRICS = Price(what="a thousand metrics asked for (GetMetricData)", dollars=0.01, unit="thousand")
PRICES = (VCPU_HOUR, GB_HOUR, ALB_HOUR, ADDRESS_HOUR, ALARM_HOUR, METRICS)


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """What a run would do; nothing was called."""

    id: str
    makes: tuple[str, ...]
    parts: tuple[str, ...]
    minutes: float
    dollars: float | None  # None: nothing is made whose price could be said
    priced_for: str
    priced_on: str
    prices: tuple[Price, ...]
    permissions: tuple[str, ...]  # what the policy allows, in words
    policy: dict[str, object]


def dry_run(wanted: Wanted, region: str) -> DryRun:
    """The plan of a run there."""
    minutes = _minutes(wanted)
    return DryRun(
        id=wanted.id,
        makes=tuple(_makes(wanted)),
        parts=tuple(_parts(wanted)),
        minutes=round(minutes, 1),
        dollars=round(_dollars(wanted, minutes / 60), 2) if wanted.is_throw_away else None,
        priced_for=PRICED_FOR,
        priced_on=PRICED_ON,
        prices=PRICES if wanted.is_throw_away else (),
        permissions=tuple(in_words(wanted)),
        policy=policy_of(wanted, region),
    )


def _makes(wanted: Wanted) -> Iterator[str]:
    name = wanted.name
    if not wanted.is_throw_away:
        yield f"a task definition {name}: a copy of the service's own whose tasks cannot start (the bad revision)"
        yield f"for each rollout, and by the rollout: a second service and target group beside {wanted.service}"
        return
    if wanted.listener:
        yield f"a rule of the listener that you named, for requests with the header {template.HEADER}: {wanted.id}"
    else:
        scheme = "internal" if wanted.is_private else "internet-facing"
        yield f"an {scheme} load balancer {name}, with a listener on port {wanted.port} and one rule"
    yield f"a target group, a cluster and a service {name} with {template.DESIRED} Fargate tasks of the smallest size"
    yield f"three revisions of a task definition {name}, which run {wanted.image}"
    yield f"an alarm {name}, which calls nobody"
    yield "for each rollout, and by the rollout: a second service and target group, removed at its end"
    yield "for some beliefs, and for a moment: a composite alarm, a scalable target, a service without tasks"


def _parts(wanted: Wanted) -> Iterator[str]:
    if wanted.wants(LOOK):
        yield f"{LOOK}: what speaks against a rollout"
    for part in PARTS:
        if wanted.wants(part.name, part.group):
            yield f"{part.name}: {part.says}"
    for belief in BELIEFS:
        if wanted.wants(belief.name, BELIEF):
            yield f"{belief.name}: {belief.believes}"


def _minutes(wanted: Wanted) -> float:
    rollouts = [part.minutes for part in PARTS if wanted.wants(part.name, part.group)]
    beliefs = [belief.minutes for belief in BELIEFS if wanted.wants(belief.name, BELIEF)]
    around = MAKING + REMOVING if wanted.is_throw_away else 1.0
    return around + (sum(rollouts) + 5 if rollouts else 0) + sum(beliefs)


def _dollars(wanted: Wanted, hours: float) -> float:
    tasks = 2 * template.DESIRED  # both colours, as long as a rollout lasts
    a_task = int(template.CPU) / 1024 * VCPU_HOUR.dollars + int(template.MEMORY) / 1024 * GB_HOUR.dollars
    public = 0 if wanted.is_private else tasks + (0 if wanted.listener else 2)
    balancer = 0 if wanted.listener else ALB_HOUR.dollars
    # Looks a minute of the watched metrics and of the engine, in thousands.
    asked = hours * 60 * (12 + 40) / 1000 * METRICS.dollars
    return hours * (tasks * a_task + public * ADDRESS_HOUR.dollars + balancer + ALARM_HOUR.dollars) + asked


def words_of(plan: DryRun) -> Iterator[str]:
    """The plan for people."""
    yield f"Run {plan.id} will make:"
    yield from (f"  - {one}" for one in plan.makes)
    yield "and try:"
    yield from (f"  - {one}" for one in plan.parts)
    yield "and remove everything that it made."
    yield ""
    if plan.dollars is None:
        yield f"It takes about {plan.minutes:.0f} minutes. It makes nothing of its own that costs: what may cost is"
        yield "what its rollouts add, a green of as many tasks as your service runs, for as long as each rollout lasts."
    else:
        yield f"It takes about {plan.minutes:.0f} minutes and costs about {plan.dollars:.2f} US dollars, by these"
        yield f"prices of {plan.priced_for} in {plan.priced_on}. They are general ones, which are to be checked; other"
        yield "regions differ, and taxes and your traffic come on top:"
        yield from (f"  {price.dollars:.6g} a {price.unit}: {price.what}" for price in plan.prices)
    yield ""
    yield "It needs these permissions, and no others:"
    yield from (f"  - {one}" for one in plan.permissions)
    yield json.dumps(plan.policy, indent=1)
