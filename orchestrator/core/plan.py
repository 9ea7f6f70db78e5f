"""Plans: ordered steps, each a weight held for at least its bake, rising strictly and ending at 100 %."""

from dataclasses import dataclass
from datetime import timedelta

from orchestrator.core.ids import Tenths

ALL = Tenths(1000)
NONE = Tenths(0)
HOME_STEPS = (Tenths(900), Tenths(500), NONE)  # green's weight on the way home: blue takes 10, 50, 100 %


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One weight of green and the least time it is held. The last step's bake is the watch."""

    weight: Tenths
    bake: timedelta
    approval: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A plan by its name (``custom`` when the file spells its steps out)."""

    name: str
    steps: tuple[Step, ...]

    def step_of(self, weight: Tenths) -> int | None:
        """Index of the step with exactly this weight."""
        return next((i for i, step in enumerate(self.steps) if step.weight == weight), None)


def percent(weight: Tenths) -> str:
    """A weight as people write it: ``10 %``, ``0.5 %``."""
    return f"{weight / 10:g} %"


def _step(weight: int, minutes: int) -> Step:
    return Step(weight=Tenths(weight), bake=timedelta(minutes=minutes))


NAMED_PLANS = {
    "canary": Plan(name="canary", steps=(_step(100, 5), _step(1000, 30))),
    "linear": Plan(name="linear", steps=tuple(_step(100 * i, 5) for i in range(1, 11))),
    "instant": Plan(name="instant", steps=(_step(1000, 15),)),
}
