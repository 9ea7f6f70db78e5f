"""What a rollout's view is made of; `orchestrator.engine.views.rollout` makes it. Imports none of the core."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StepView:
    """One step of the plan. Weights are percent of the traffic that blue and green share."""

    number: int
    weight_percent: float
    bake_seconds: float
    approval: bool
    state: str  # done | current | ahead


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleView:
    """One rule: green's weight as read back and as wanted; None: green is not in its action."""

    arn: str
    green_percent: float | None
    wanted_percent: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GateView:
    """A gate's newest answer."""

    gate: str
    verdict: str
    reason: str
    clears_when: str
    numbers: dict[str, float]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldView:
    """A reason not to advance."""

    kind: str
    reason: str
    clears_when: str
    since: datetime
    commands: tuple[str, ...] = ()  # of a person, that would end it


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutView:
    """One rollout, whole."""

    id: str
    service: str
    phase: str
    phase_since: datetime | None
    is_active: bool
    plan: str
    step: int  # from 1; the step whose weight is wanted or held
    steps: tuple[StepView, ...]
    green_percent: float
    measured_percent: float | None = (
        None  # green's share of the requests of the last whole period at this weight
    )
    share_differs: str = ""  # why that is not the written weight; empty where chance explains it
    rules: tuple[RuleView, ...]
    blue: str  # blue's service
    green: str  # green's service; empty until it is named
    former: str  # the task definition that blue ran when the rollout began
    revision: str  # the one it shall run
    sees: str  # the smallest regression that the plan can see with blue's traffic; empty until it is known
    waiting_for: str
    bake_left_seconds: float | None
    limit_seconds: float | None = None  # how long what is awaited may take, before Teal acts or pages people
    last_time_seconds: float | None = (
        None  # the phase's length in the service's last rollout that went through it
    )
    gates: tuple[GateView, ...]
    holds: tuple[HoldView, ...]
    paused_by: str
    accepts: tuple[str, ...]
    author: str
    labels: dict[str, str]  # what the author said of it, such as its commit
    reason: str  # why it ended or is being rolled back
    by: str
    traffic_on_blue_at: datetime | None
    created_at: datetime
    ended_at: datetime | None
    wake_at: datetime | None
    version: int
