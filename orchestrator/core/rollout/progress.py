"""How far a rollout has come: its step, its bake, what was measured, and what made it wait or step back."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from orchestrator.core.domain.commands import Actor
from orchestrator.core.domain.ids import (
    Tenths,
)
from orchestrator.core.domain.plan import Step
from orchestrator.core.gates.gathered import Probed, Question
from orchestrator.core.gates.scene import Counts, Interval
from orchestrator.core.statistics.comparison import Stream


@dataclass(frozen=True, slots=True, kw_only=True)
class Bake:
    """How long the current weight has been held under observation."""

    since: datetime | None = None  # the weight was read back on every rule
    done: timedelta = timedelta(0)  # time observed since then; being unable to look does not count


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """A time in which every rule had one weight of green, from its reading back to the last time it was still there."""

    weight: Tenths
    since: datetime
    until: datetime | None = None  # None: it is still there


class Loss(StrEnum):
    """What somebody did to blue, so that it cannot take all traffic back at once."""

    EMPTY = "empty"  # it wants no task any more
    DELETED = "deleted"


class Trial(StrEnum):
    """How much of green an intervention takes away, one after the other."""

    FORMER_WEIGHT = "former_weight"
    NO_TRAFFIC = "no_traffic"
    NO_TASKS = "no_tasks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intervention:
    """Green's growth taken back, to find out whether it is what hurts blue."""

    begun_at: datetime
    former: Tenths  # green's weight before it grew
    trial: Trial
    tasks_gone_at: datetime | None = None
    is_acquitted: bool = False  # blue stayed bad without green: its end is waited for

    @property
    def stops_tasks(self) -> bool:
        """True while green is to run no task at all."""
        return self.trial is Trial.NO_TASKS and not self.is_acquitted


@dataclass(frozen=True, slots=True, kw_only=True)
class Blindness:
    """Evidence could not be read since then."""

    since: datetime
    is_acted_on: bool = False  # people were called, and green went back
    has_no_traffic: bool = False  # no weight had passed yet: green is at 0 until evidence can be read


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One person's approval of one step (-1: of the first traffic)."""

    by: Actor
    step: int
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Checks:
    """What Teal's own requests to green have shown, and what webhooks were asked."""

    probed: Probed | None = None
    questions: tuple[Question, ...] = ()  # to webhooks, of this step and earlier ones
    questions_put: int = 0  # so far, each with a number of its own


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Where in its plan a rollout is, and what people have said of its steps."""

    steps: tuple[Step, ...] = ()  # as far as the plan `auto` has planned
    step: int = 0  # index into the plan; in settling, into RETURN_STEPS
    bake: Bake = Bake()
    ready_since: datetime | None = None  # the colour that is to take traffic was ready in every look since
    passed: tuple[int, ...] = ()  # steps that were left with every gate's PASS, oldest first
    approvals: tuple[Approval, ...] = ()
    waited_for_approval: timedelta = timedelta(0)
    waived_step: int | None = None  # a person waived the time and the evidence HOLDs of this step
    # A person promoted to the last step; it is gone to once nothing speaks against it.
    is_leaping: bool = False


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What was measured since traffic moved, what it is compared with, and what is being found out."""

    spells: tuple[Spell, ...] = ()  # of weights, oldest first, the newest few
    intervals: tuple[Interval, ...] = ()  # oldest first, the newest few
    # Earlier intervals are not held against a colour: a person let it go on.
    judged_from: datetime | None = None
    # Blue's last hour before green's traffic, oldest first; None: unread.
    history: tuple[Counts, ...] | None = None
    comparison: tuple[Stream, ...] = ()  # frozen before green's first traffic; empty: nothing is compared
    warm_up_left: int = 0  # whole intervals of green's first traffic that are still not to be compared
    reading: tuple[Interval, ...] = ()  # read once, not yet final
    read_at: datetime | None = None  # when `reading` was read
    intervention: Intervention | None = None
    outages_passed: int = 0  # interventions that acquitted green
    blindness: Blindness | None = None
