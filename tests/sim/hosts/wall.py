"""A machine's clock on the wall, which people and time services set: forwards and backwards, at once."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.support.virtual import VirtualLoop


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockStep:
    """The machine's clock is set so many seconds ahead (or back), so many after the start."""

    at: float
    seconds: float


class Wall:
    """What the machine's clock says; `start` is the true time at the loop's beginning."""

    def __init__(self, loop: VirtualLoop, start: datetime, steps: tuple[ClockStep, ...]) -> None:
        self._loop, self._start, self._steps = loop, start, steps

    def error(self) -> timedelta:
        """How far it has been from the truth at most, so far."""
        in_turn = sorted(self._steps, key=lambda step: step.at)
        past = [step for step in in_turn if step.at <= self._loop.seconds]
        sums = (sum(step.seconds for step in past[: number + 1]) for number in range(len(past)))
        return timedelta(seconds=max(map(abs, sums), default=0.0))

    def now(self) -> datetime:
        """The present moment, as far as this machine knows."""
        off = sum(step.seconds for step in self._steps if step.at <= self._loop.seconds)
        return self._start + timedelta(seconds=self._loop.seconds + off)
