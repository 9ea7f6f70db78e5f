"""A failing scenario made as small as it gets: what is not needed for the same promise to break is left out.

Delta debugging: of each list of troubles first one half, then the other, then ever smaller parts are tried without;
of everything else its plainest value. Chance belongs to each thing by itself, so that leaving one out moves others
little.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from orchestrator.core.domain.ids import Tenths
from orchestrator.core.domain.plan import Plan, Step
from tests.sim.scenario import PLAINEST, Scenario

PLAYS_MOST = 200
_SCENARIO: TypeAdapter[Scenario] = TypeAdapter(Scenario)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shrunk:
    """The smallest scenario that was found, and after how many plays."""

    scenario: Scenario
    plays: int


def shrink(scenario: Scenario, breaks: Callable[[Scenario], bool], *, plays_most: int = PLAYS_MOST) -> Shrunk:
    """The scenario without all that it breaks without. `breaks`: plays one, and says whether it still does."""
    plays, is_smaller = 0, True
    while is_smaller:
        is_smaller = False
        for make in _ways(scenario):
            candidate = make(scenario)
            if candidate is None or candidate == scenario:
                continue
            if plays >= plays_most:
                return Shrunk(scenario=scenario, plays=plays)
            plays += 1
            if breaks(candidate):
                scenario, is_smaller = candidate, True
    return Shrunk(scenario=scenario, plays=plays)


Way = Callable[[Scenario], Scenario | None]


def _ways(scenario: Scenario) -> Iterator[Way]:
    """Everything that can be left out of a scenario, the largest parts first."""
    lists = [one.name for one in fields(Scenario) if isinstance(getattr(scenario, one.name), tuple)]
    for name in sorted(lists, key=lambda one: -len(getattr(scenario, one))):
        size = len(getattr(scenario, name))
        while size:
            for start in range(len(getattr(scenario, name)) - size, -1, -size):
                yield _without(name, start, size)
            size //= 2
    for name, plain in PLAINEST.items():
        yield _plainly(name, plain)
    yield _with_short_plan


def _without(name: str, start: int, size: int) -> Way:
    def make(scenario: Scenario) -> Scenario | None:
        now = getattr(scenario, name)
        if start >= len(now):
            return None  # others of this list were left out meanwhile
        return _with(scenario, **{name: (*now[:start], *now[start + size :])})

    return make


def _plainly(name: str, plain: object) -> Way:
    def make(scenario: Scenario) -> Scenario | None:
        if name == "test_rule" and "probe" in scenario.gates:
            return None  # a probe goes through the test rule
        return _with(scenario, **{name: plain})

    return make


def _with_short_plan(scenario: Scenario) -> Scenario:
    """One small step, and everything."""
    steps = scenario.plan.steps
    bake = steps[-1].bake if steps else timedelta(seconds=20)
    short = (Step(weight=Tenths(100), bake=bake), Step(weight=Tenths(1000), bake=bake))
    return replace(scenario, plan=Plan(name="custom", steps=short))


def _with(scenario: Scenario, **changes: Any) -> Scenario:  # noqa: ANN401 - the fields of Scenario
    changed = replace(scenario, **changes)
    return changed if changed.scalable else replace(changed, scaled_by=())


# files ---------------------------------------------------------------------------------------------------------------


def write(scenario: Scenario, path: Path) -> None:
    """Keep a scenario as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_SCENARIO.dump_json(scenario, indent=1) + b"\n")


def read(path: Path) -> Scenario:
    """The scenario of a file."""
    return _SCENARIO.validate_json(path.read_bytes())


def told(scenario: Scenario) -> str:
    """What a scenario has beyond the plainest, one line a field."""
    lines = []
    for one in fields(Scenario):
        value = getattr(scenario, one.name)
        if value not in ((), None, PLAINEST.get(one.name, ())):
            lines.append(f"  {one.name} = {value!r}")
    return "\n".join(lines)
