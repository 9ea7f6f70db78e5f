"""What a report is made of; `orchestrator.engine.views.report` makes it. Steps count from 1, weights are percent."""

from dataclasses import dataclass
from datetime import datetime

from orchestrator.engine.views.rollout_values import RolloutView


@dataclass(frozen=True, slots=True, kw_only=True)
class StartPart:
    """Who started it, when, through which door, and what the revision runs."""

    at: datetime
    by: str
    source: str
    images: str  # container=image by comma, as the task definition names them; empty: not kept


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPart:
    """One step of the plan: when its weight was on every rule, and when it was passed; the last time each."""

    number: int
    weight_percent: float
    bake_seconds: float
    approval: bool
    started_at: datetime | None
    passed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightPart:
    """Green's share on one rule from a moment on, as it was read back; None: green is not in the rule."""

    at: datetime
    rule: str
    green_percent: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GatePart:
    """A gate's verdict from a moment on, and its reason."""

    at: datetime
    gate: str
    verdict: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandPart:
    """A person's command, through which door, and what became of it."""

    at: datetime
    by: str
    source: str
    command: str
    reason: str
    state: str  # applied | overtaken
    told: str
    step: int  # the step that was current; 0: before the first traffic


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldPart:
    """A reason not to advance: from when, until when (None: to the end, or still)."""

    since: datetime
    until: datetime | None
    kind: str
    reason: str
    clears_when: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MovePart:
    """A phase that it went to, and why."""

    at: datetime
    phase: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnPart:
    """The decision to put all traffic back on blue: why, by whom, and when that was read back."""

    at: datetime
    by: str
    source: str
    reason: str
    traffic_on_blue_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndPart:
    """How it ended."""

    at: datetime
    phase: str
    told: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainPart:
    """Whether the log is whole. Keep ``last`` elsewhere: it then shows also that nothing was made anew."""

    events: int
    is_whole: bool
    first_broken: int | None  # the number of the first event that does not follow from the one before
    missing: int  # events that the store has counted and that are not there any more
    last: str  # the last event's link, SHA-256, hexadecimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A rollout as auditors ask for it. ``approvals`` are the commands that gave one."""

    rollout: RolloutView
    start: StartPart
    moves: tuple[MovePart, ...]
    steps: tuple[StepPart, ...]
    weights: tuple[WeightPart, ...]
    gates: tuple[GatePart, ...]
    approvals: tuple[CommandPart, ...]
    commands: tuple[CommandPart, ...]
    holds: tuple[HoldPart, ...]
    drift: tuple[str, ...]  # what somebody else changed, in words
    turned_back: TurnPart | None
    end: EndPart | None
    chain: ChainPart
