"""AWS calls of a rollout in six steps, phase by phase, beside the fewest that can do the job (``fewest``)."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import Tenths
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import Plan, Step
from tests.bench.account import LONGEST, MINUTE, Account
from tests.bench.fewest import LOOKS_PER_PERIOD, Calls, fewest
from tests.bench.lines import line, ratio

SEED = 1
RULES = (1, 3, 10)
PLAN = Plan(
    name="custom",
    steps=tuple(Step(weight=Tenths(weight), bake=5 * MINUTE) for weight in (10, 50, 100, 250, 500, 1000)),
)


def measure() -> Iterator[str]:
    """Calls in all and by phase, with each number of rules."""
    for rules in RULES:
        made = total(calls_of(rules))
        least = total(fewest(PLAN, rules=rules, period=MINUTE))
        promised = total(fewest(PLAN, rules=rules, period=MINUTE, looks=LOOKS_PER_PERIOD))
        name = f"calls_six_steps_{rules}_rules"
        yield line(name, made, digits=0)
        yield line(f"baseline_{name}_fewest", least, digits=0)
        yield line(f"baseline_{name}_fewest_with_health_four_times_a_period", promised, digits=0)
        yield ratio(name, made, least, to="fewest")
        yield ratio(name, made, promised, to="fewest_with_health_four_times_a_period")
    yield from table()


def table() -> Iterator[str]:
    """For each number of rules: phase, Teal's calls, the fewest, and what Teal's are."""
    for rules in RULES:
        made, least = calls_of(rules), fewest(PLAN, rules=rules, period=MINUTE)
        yield f"# six steps, {rules} rules: phase, calls, fewest, by operation"
        for phase in made:
            by = ", ".join(f"{name} {count}" for name, count in made[phase].most_common())
            yield f"# {phase:<12} {made[phase].total():>5} {least[phase].total():>5}  {by}"


def total(calls: Calls) -> int:
    """Of all phases."""
    return sum(counted.total() for counted in calls.values())


@cache
def calls_of(rules: int) -> Calls:
    """What a good rollout of a service with so many rules calls in each phase, its preflight at the start included.

    A call belongs to the phase that the row was in when it was made: to one that has just ended if it is of the look
    that ended it.
    """
    with Account(SEED, rules=rules) as account:
        revision, before = account.revision(), len(account.world.log)
        rollout = account.start(replace(account.canary(revision), plan=PLAN))
        row = account.until(rollout, within=LONGEST)
        assert row.phase is Phase.SUCCEEDED, account.story(rollout)
        moves = [seen.event for seen in account.events(rollout, EventKind.PHASE_CHANGED)]
        phases = [Phase.PENDING, *(Phase(str(dict(move.facts)["end"])) for move in moves)]
        made: dict[Phase, Counter[str]] = {phase: Counter() for phase in phases}
        ends = [move.at for move in moves]
        for call in account.world.log[before:]:
            made[phases[bisect_right(ends, call.at)]][call.operation] += 1
        return made
