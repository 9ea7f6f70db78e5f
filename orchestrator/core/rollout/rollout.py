"""The row as a value: everything Teal knows of one rollout, as it is kept between two ticks."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from orchestrator.core.cloud.effects import Effect
from orchestrator.core.cloud.resources import AlarmSeen, ImageSeen, ProtectionSeen, ScalesSeen, ScalingSeen
from orchestrator.core.cloud.survey import NewRevision
from orchestrator.core.domain import tags
from orchestrator.core.domain.commands import Actor, Outcome
from orchestrator.core.domain.events import Event, Record
from orchestrator.core.domain.ids import (
    Json,
    ListenerArn,
    RolloutId,
    TargetGroupArn,
    TaskDefinitionArn,
    Tenths,
)
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import Plan, Step
from orchestrator.core.domain.verdict import Judged
from orchestrator.core.gates.gathered import Probed, Question
from orchestrator.core.gates.scene import Counts, Interval
from orchestrator.core.rollout.rule_state import Listing, Pair, RuleState
from orchestrator.core.rollout.spec import Spec
from orchestrator.core.rollout.swap_progress import Retirement
from orchestrator.core.statistics.comparison import Stream


@dataclass(frozen=True, slots=True, kw_only=True)
class Blue:
    """The service of record as first read."""

    cluster: str  # ARN
    name: str
    arn: str
    former: TaskDefinitionArn
    former_template: str = ""  # canonical JSON: what registers it again, should somebody deregister it
    desired: int
    deployment_configuration: Json
    template: Json
    scaling: ScalingSeen | None
    alarms: tuple[AlarmSeen, ...] = ()
    scales: ScalesSeen | None = None  # what acts on its scalable target; None: nothing does
    zones: int = 1  # of its load balancers, where green has fewer tasks than it
    tags: tuple[tuple[str, str], ...] = ()  # Teal's own, where an earlier swap made it the service of record
    stops_in: timedelta = timedelta(seconds=30)  # the longest that a task may take to stop

    @property
    def is_own(self) -> bool:
        """True if Teal made it: the green of an earlier rollout, which stayed."""
        return dict(self.tags).get(tags.MANAGED) == "true"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """A revision that this rollout registers, and what became of it."""

    revision: NewRevision
    arn: TaskDefinitionArn | None = None  # known once ECS has registered it
    is_cleared: bool = False  # what of it must not stay was seen to be gone
    is_former: bool = False  # blue's former revision, which somebody has deregistered


@dataclass(frozen=True, slots=True, kw_only=True)
class Green:
    """The guest: its names, on disk before anything is made."""

    name: str
    task_definition: TaskDefinitionArn  # empty until Teal has registered it
    desired: int
    token: str
    vcpu: float = 0.0  # of one task; 0: it is not known
    blues: TaskDefinitionArn | None = None  # what blue is to take over; None: what green runs
    is_grown: bool = True  # it may have all its tasks; before, it has one
    arn: str = ""  # as first seen
    started_in: timedelta | None = None  # from its making until it was first ready
    is_asked: bool = False  # CreateService may have been sent
    is_leaving: bool = False  # scaling to zero may have been sent: there is no way back to it
    is_gone: bool = False
    alarms: tuple[str, ...] = ()  # names of the alarms that will drive its step-scaling policies
    is_scaling_asked: bool = False  # a target of its own may have been registered
    is_scaling_given: bool = False  # its target, policies, schedules and alarms were all seen
    is_scaling_gone: bool = False  # and seen to be gone again

    @property
    def for_blue(self) -> TaskDefinitionArn:
        """The revision that blue takes over: green's, or the one like it that does not know its colour."""
        return self.blues or self.task_definition


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What Teal has made of blue's scalable target, and what it shall be again."""

    base: ScalingSeen  # at the end: as first read, but for what blue's own schedules have set since
    floor: int = 0  # tasks that blue is not to go below; 0: its own bounds do
    written: tuple[ScalingSeen, ...] = ()  # everything that Teal has asked for: found again, it is its own
    verified: ScalingSeen | None = None  # as Teal wrote it and last read it back; None: not yet
    is_foreign: bool = False  # at the last look it was as somebody else had left it


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One UpdateService on blue, recorded before it is sent."""

    number: int
    task_definition: TaskDefinitionArn
    desired: int
    desired_before: int
    at: datetime
    before: str  # id of blue's PRIMARY deployment before it
    is_forced: bool = (
        False  # of the revision that blue runs already: another deployment alone shows that it was taken
    )
    deployment: str = ""  # of one that is forced: the deployment that ECS made of it
    is_taken: bool = False  # ECS was seen working on it
    is_failed: bool = False  # ECS put another revision in its place, or gave up
    is_retried: bool = False  # a person asked for another attempt


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
        return self.kind not in (HoldKind.PAUSED, HoldKind.APPROVAL, HoldKind.WINDOW, HoldKind.PROTECTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One person's approval of one step (-1: of the first traffic)."""

    by: Actor
    step: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An effect that was asked for: when last, and how often, so that it is not repeated in every tick."""

    key: str
    at: datetime
    times: int
    since: datetime | None = None  # it was first asked for
    refusals: int = 0  # so often did AWS refuse it, or nobody know what became of it


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """Why a rollout is being rolled back, or how it ended."""

    reason: str
    by: Actor
    at: datetime
    traffic_on_blue_at: datetime | None = None  # 100 % blue was read back on every rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """One move of one service from one revision to another."""

    id: RolloutId
    spec: Spec
    author: Actor
    created_at: datetime
    phase: Phase = Phase.PENDING
    phase_since: datetime | None = None
    blue: Blue | None = None
    green: Green | None = None
    registrations: tuple[Registration, ...] = ()
    images: tuple[ImageSeen, ...] = ()  # green's, as ECS resolved them, where the file names images
    pairs: tuple[Pair, ...] = ()
    rules: tuple[RuleState, ...] = ()
    # Not users' way: at green from before its first traffic until it leaves. ``verified`` ALL: at green; None: base.
    test_rules: tuple[RuleState, ...] = ()
    listings: tuple[Listing, ...] = ()
    lost_listeners: tuple[ListenerArn, ...] = ()  # that were there and are not any more
    listed_at: datetime | None = None  # the listeners were last read whole
    probed: Probed | None = None  # what Teal's own requests to green have shown
    questions: tuple[Question, ...] = ()  # to webhooks, of this step and earlier ones
    questions_put: int = 0  # so far, each with a number of its own
    steps: tuple[Step, ...] = ()  # as far as the plan `auto` has planned
    step: int = 0  # index into the plan; in settling, into the way home
    is_homeward: bool = False  # settling: traffic has begun to come home
    bake: Bake = Bake()
    ready_since: datetime | None = None  # the colour that is to take traffic was ready in every look since
    spells: tuple[Spell, ...] = ()  # of weights, oldest first, the newest few
    intervals: tuple[Interval, ...] = ()  # taken since traffic moved, oldest first, the newest few
    judged_from: datetime | None = (
        None  # earlier intervals are not held against a colour (a person let it go on)
    )
    history: tuple[Counts, ...] | None = (
        None  # blue's last hour before green's traffic, oldest first; None: unread
    )
    comparison: tuple[Stream, ...] = ()  # frozen before green's first traffic; empty: nothing is compared
    warm_up_left: int = 0  # whole intervals of green's first traffic that are still not to be compared
    reading: tuple[Interval, ...] = ()  # read once, not yet final
    read_at: datetime | None = None  # when `reading` was read
    intervention: Intervention | None = None
    passed: tuple[int, ...] = ()  # steps that were left with every gate's PASS, oldest first
    blindness: Blindness | None = None
    blue_loss: Loss | None = None
    outages_passed: int = 0  # interventions that acquitted green
    approvals: tuple[Approval, ...] = ()
    is_leaping: bool = (
        False  # a person promoted to the last step; it is gone to once nothing speaks against it
    )
    waived_step: int | None = None  # a person waived the time and the evidence HOLDs of this step
    paused_by: Actor | None = None
    pause_reason: str = ""
    paused_for: timedelta = timedelta(0)  # time that people paused in this phase: no limit counts it
    failed: str = ""  # a gate failed and the file says to hold
    unused_since: datetime | None = None  # tasks of green are in zones that its load balancer does not use
    stops_told: tuple[str, ...] = ()  # tasks whose end is in the log, by the last part of their ARNs
    stops_count_from: datetime | None = None  # blue was steady at last, or a person resumed after a failure
    answers: tuple[Judged, ...] = ()
    holds: tuple[Hold, ...] = ()
    held: timedelta = timedelta(0)
    waiting_for: str = ""  # what the next move waits for, in words for people
    waited_for_approval: timedelta = timedelta(0)
    attempts: tuple[Attempt, ...] = ()
    retirement: Retirement | None = None  # what was done about blue, where green is to stay
    in_use: tuple[TargetGroupArn, ...] = ()  # target groups that AWS did not delete, since a rule uses them
    left: tuple[TargetGroupArn, ...] = ()  # those of them that a rule was seen to use: they stay
    protection: ProtectionSeen | None = None  # of blue's tasks, as last read
    protection_read_at: datetime | None = None
    protected_for: timedelta = timedelta(0)  # so long protected tasks kept blue from taking the revision over
    is_scaling_touched: bool = False
    holding: Holding | None = None  # None: as first read
    scaling_seen_at: datetime | None = None  # blue's scalable target was last looked at, with green's
    is_configuration_touched: bool = False  # blue's deployment configuration was changed for the way back
    on_blue_since: datetime | None = None  # all traffic on blue, for restoring its scaling
    is_way_clear: bool = False  # the last write, each rule's base, may be made
    unpinned_at: datetime | None = None  # green was seen out of every rule: no cookie leads to it any more
    end: End | None = None
    is_paged: bool = False
    asked: tuple[Asked, ...] = ()
    created_last: datetime | None = (
        None  # the last time something was asked for that must not appear after the end
    )
    ticked_at: datetime | None = None
    observed_at: datetime | None = None  # the last tick that could see everything

    @property
    def plan(self) -> Plan:
        """The plan, as far as it is known: `auto` plans one step after the other."""
        plan = self.spec.plan
        return plan if plan.auto is None else replace(plan, steps=self.steps)

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
