"""What the server answers, as values. Made by docs/generate.py from the calls in api/http: change those."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of the plan. Weights are percent of the traffic that blue and green share."""

    number: int
    weight_percent: float
    bake_seconds: float
    approval: bool
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule: green's weight as read back and as wanted; None: green is not in its action."""

    arn: str
    green_percent: float | None
    wanted_percent: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """A gate's newest answer."""

    gate: str
    verdict: str
    reason: str
    clears_when: str
    numbers: dict[str, float]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A reason not to advance."""

    kind: str
    reason: str
    clears_when: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """One rollout, whole."""

    id: str
    service: str
    phase: str
    phase_since: datetime | None
    is_active: bool
    plan: str
    step: int
    steps: tuple[Step, ...]
    green_percent: float
    rules: tuple[Rule, ...]
    blue: str
    green: str
    former: str
    revision: str
    waiting_for: str
    bake_left_seconds: float | None
    gates: tuple[Gate, ...]
    holds: tuple[Hold, ...]
    paused_by: str
    accepts: tuple[str, ...]
    author: str
    labels: dict[str, str]
    reason: str
    by: str
    traffic_on_blue_at: datetime | None
    created_at: datetime
    ended_at: datetime | None
    wake_at: datetime | None
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command and what became of it. Steps count from 1; step 0 is the time before the first traffic."""

    key: str
    kind: str
    by: str
    source: str
    at: datetime
    reason: str
    step: int | None
    full: bool
    to_percent: float | None
    state: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Commanded:
    """The answer to a command: the rollout as it was when the command was accepted, and the command's state."""

    rollout: Rollout
    command: Command


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One fact of the audit log: in words for people, and as named facts for programs."""

    number: int
    kind: str
    at: datetime
    message: str
    facts: dict[str, str | int | float | bool | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPage:
    """Events in order. ``next``: what to ask ``after`` for the events that follow."""

    events: tuple[Event, ...]
    next: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that preflight found: what, why it matters, what to do."""

    severity: Severity
    code: str
    what: str
    why: str = ""
    next_step: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStep:
    """One step as it will be: the earliest times, without the time people take to approve."""

    number: int
    weight_percent: float
    bake_seconds: float
    lasts_seconds: float
    ends_seconds: float
    approval: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Preflight:
    """What is known before anything is touched. ``is_fit``: no finding refuses the rollout."""

    service: str
    task_definition: str
    account: str
    region: str
    is_fit: bool
    findings: tuple[Finding, ...]
    plan: tuple[PlannedStep, ...]
    rules: tuple[str, ...]
    target_groups: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutPage:
    """Rollouts, newest first. ``next``: the cursor of the page after it; empty at the end."""

    rollouts: tuple[Rollout, ...]
    next: str
