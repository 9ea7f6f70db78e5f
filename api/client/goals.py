"""What a program may wait for: a step, an approval that is asked for, the end. The terminal's `wait` uses the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class Step(Protocol):
    """A step's weight."""

    @property
    def weight_percent(self) -> float:
        """Green's share."""
        ...


class Rule(Protocol):
    """A rule's weight as it was read back."""

    @property
    def green_percent(self) -> float | None:
        """Green's share; None: green is not in its action."""
        ...


class Hold(Protocol):
    """A reason not to advance."""

    @property
    def kind(self) -> str:
        """Which one."""
        ...


class Moving(Protocol):
    """What a goal looks at: a client's `Rollout`, or the engine's own view."""

    @property
    def id(self) -> str:
        """The rollout's id."""
        ...

    @property
    def phase(self) -> str:
        """Its phase."""
        ...

    @property
    def is_active(self) -> bool:
        """False once it has ended."""
        ...

    @property
    def step(self) -> int:
        """The current step, from 1."""
        ...

    @property
    def steps(self) -> Sequence[Step]:
        """The plan."""
        ...

    @property
    def rules(self) -> Sequence[Rule]:
        """The rules that carry its traffic."""
        ...

    @property
    def holds(self) -> Sequence[Hold]:
        """Why it does not advance."""
        ...

    @property
    def reason(self) -> str:
        """Why it ended, or is being rolled back."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What is waited for. ``step`` 0: the end, or an approval."""

    words: str
    step: int = 0

    def is_reached(self, rollout: Moving) -> bool:
        """True once it has come."""
        match self.words:
            case "done":
                return not rollout.is_active
            case "approval":
                return any(hold.kind == "approval" for hold in rollout.holds)
            case _:
                return has_reached(rollout, self.step)

    def is_lost(self, rollout: Moving) -> bool:
        """True once it cannot come any more: the rollout has ended, or is on its way back."""
        if self.words == "done" or self.is_reached(rollout):
            return False
        return not rollout.is_active or rollout.phase == "rolling_back"

    def is_beyond(self, rollout: Moving) -> bool:
        """True for a step that the plan does not have."""
        return bool(rollout.steps) and self.step > len(rollout.steps)


def goal_of(text: str) -> Goal:
    """``step:2``, ``approval`` or ``done``. Raises ValueError that says what to write."""
    word, _, number = text.partition(":")
    if word in ("done", "approval") and not number:
        return Goal(words=word)
    if word == "step" and number.isdecimal() and int(number) > 0:
        return Goal(words=f"step:{int(number)}", step=int(number))
    raise ValueError(f"`{text}` cannot be waited for: write step:2, approval or done")


def has_reached(rollout: Moving, step: int) -> bool:
    """True once the weight of this step (from 1) was read back on every rule, or a later one is the current."""
    if rollout.phase in ("settling", "retiring", "succeeded"):
        return True
    if rollout.phase not in ("shifting", "watching") or rollout.step < step:
        return False
    weight = rollout.steps[step - 1].weight_percent
    return rollout.step > step or (
        bool(rollout.rules) and all(rule.green_percent == weight for rule in rollout.rules)
    )
