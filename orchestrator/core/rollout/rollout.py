"""The row as a value: everything Teal knows of one rollout, as it is kept between two ticks."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from orchestrator.core.cloud.effects import Effect
from orchestrator.core.domain.commands import Actor, Outcome
from orchestrator.core.domain.events import Event, Record
from orchestrator.core.domain.ids import (
    RolloutId,
    Tenths,
)
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import Plan
from orchestrator.core.domain.verdict import Judged
from orchestrator.core.rollout.colours import Blue, Colours, Green, Revisions, Stops
from orchestrator.core.rollout.handover import BlueScaling, End, Handover, Retirement, WayOut
from orchestrator.core.rollout.progress import Checks, Evidence, Loss, Progress
from orchestrator.core.rollout.rule_state import Listeners, Pair, RuleState
from orchestrator.core.rollout.spec import Spec


class HoldKind(StrEnum):
    """Why a rollout does not advance."""

    PAUSED = "paused"
    GATE = "gate"
    APPROVAL = "approval"
    CAPACITY = "capacity"
    DRIFT = "drift"
    SCALING = "scaling"
    AWS = "aws"  # something could not be read or written
    BLUE = "blue"  # blue does not take the revision it was given
    FAILED = "failed"  # a gate failed, and the file says to hold
    WINDOW = "window"  # it is outside its hours
    PROTECTED = "protected"  # ECS must not stop tasks that have asked for it
    STORE = "store"  # the store was put back to an earlier time, and AWS shows more than the row knows


UNLIMITED = frozenset(
    {HoldKind.PAUSED, HoldKind.APPROVAL, HoldKind.WINDOW, HoldKind.PROTECTED, HoldKind.STORE}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """One reason not to advance, since when, and what would clear it (shown to people as it is)."""

    kind: HoldKind
    reason: str
    clears_when: str
    since: datetime

    @property
    def is_limited(self) -> bool:
        """True where the clock of ``limits.hold`` runs: neither people, the calendar nor blue's own tasks decide."""
        return self.kind not in UNLIMITED


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An effect that was asked for: when last, and how often, so that it is not repeated in every tick."""

    key: str
    at: datetime
    times: int
    since: datetime | None = None  # it was first asked for
    refusals: int = 0  # so often did AWS refuse it, or nobody know what became of it


@dataclass(frozen=True, kw_only=True)
class Pause:
    """Whether somebody has stopped the advance, and for how long."""

    paused_by: Actor | None = None
    pause_reason: str = ""
    paused_for: timedelta = timedelta(0)  # time that people paused in this phase: no limit counts it


@dataclass(frozen=True, slots=True, kw_only=True)
class Paged:
    """What people were paged for, and when the last time."""

    about: str  # which of the reasons to page; the words change while it lasts
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """Why it does not advance, for how long by now, and what the next move waits for."""

    holds: tuple[Hold, ...] = ()
    held: timedelta = timedelta(0)
    waiting_for: str = ""  # what the next move waits for, in words for people
    failed: str = ""  # a gate failed and the file says to hold
    paged: tuple[Paged, ...] = ()  # what people were paged for in this standstill


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """A call that was decided in the tick at this moment, and whose outcome is not known."""

    key: str  # the effect's
    at: datetime
    until: datetime  # AWS refuses it from then on, since it was signed too long ago


@dataclass(frozen=True, kw_only=True)
class Ticks:
    """What the ticks before have asked for, and when they looked."""

    asked: tuple[Asked, ...] = ()
    unanswered: tuple[Unanswered, ...] = ()
    created_last: datetime | None = None  # something was last asked for that must not appear after the end
    ticked_at: datetime | None = None
    observed_at: datetime | None = None  # the last tick that could see everything
    # The store was put back to an earlier time then, and AWS was not seen to agree with the row since.
    went_back_at: datetime | None = None
    green_gone_since: datetime | None = None  # green, which was there, was seen gone in every look since


@dataclass(frozen=True, slots=True, kw_only=True)
class Lasted:
    """How long a phase took that came to its end, without the time that people paused it."""

    phase: Phase
    time: timedelta


@dataclass(frozen=True, kw_only=True)
class Rollout:
    """One move of one service from one revision to another: what it is, and parts that come with its phases.

    A tick gives it new values some twenty times (`changes.changed`), which is why neither it nor its parts have slots:
    a dictionary is copied in one go.
    """

    id: RolloutId
    spec: Spec
    author: Actor
    created_at: datetime
    phase: Phase = Phase.PENDING
    phase_since: datetime | None = None
    colours: Colours | None = None  # None: blue was not read yet
    revisions: Revisions = Revisions()
    pairs: tuple[Pair, ...] = ()
    rules: tuple[RuleState, ...] = ()
    # Not users' way: at green from before its first traffic until it leaves. ``verified`` ALL: at green; None: base.
    test_rules: tuple[RuleState, ...] = ()
    listeners: Listeners = Listeners()
    checks: Checks = Checks()
    progress: Progress = Progress()
    evidence: Evidence = Evidence()
    answers: tuple[Judged, ...] = ()
    stops: Stops = Stops()
    blue_loss: Loss | None = None
    blue_scaling: BlueScaling = BlueScaling()
    pause: Pause = Pause()
    waiting: Waiting = Waiting()
    handover: Handover = Handover()
    retirement: Retirement | None = None  # what was done about blue, where green is to stay
    way_out: WayOut = WayOut()
    end: End | None = None
    ticks: Ticks = Ticks()
    lasted: tuple[Lasted, ...] = ()  # the phases that are over, each as it was the last time
    lasted_before: tuple[Lasted, ...] = ()  # each phase in the service's last rollout that went through it

    @property
    def plan(self) -> Plan:
        """The plan, as far as it is known: `auto` plans one step after the other."""
        plan = self.spec.plan
        return plan if plan.auto is None else replace(plan, steps=self.progress.steps)

    @property
    def blue(self) -> Blue | None:
        """Blue as first read; None before it was."""
        return self.colours.blue if self.colours else None

    @property
    def green(self) -> Green | None:
        """Green as it is known; None before blue was read."""
        return self.colours.green if self.colours else None

    @property
    def known(self) -> Colours:
        """Both colours, which every phase but the first has."""
        assert self.colours is not None, f"nothing was read of blue in {self.phase}"
        return self.colours

    @property
    def green_weight(self) -> Tenths:
        """The largest verified weight of green on any rule."""
        return max((r.verified or Tenths(0) for r in self.rules), default=Tenths(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One tick's judgement: the next row, what to do, what to tell, what to keep, and when to look again."""

    rollout: Rollout
    wake_at: datetime | None  # None: never again
    effects: tuple[Effect, ...] = ()
    events: tuple[Event, ...] = ()
    records: tuple[Record, ...] = ()
    outcomes: tuple[Outcome, ...] = field(default=())
