"""What was asked for: the rollout file as values. ``orchestrator.config`` makes it; nothing in it came from AWS."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from orchestrator.core.domain.plan import Plan
from orchestrator.core.gates.registry import GatesSpec


class OnFailure(StrEnum):
    """What a FAIL does until the watch has passed."""

    ROLLBACK = "rollback"
    HOLD = "hold"


class OnDrift(StrEnum):
    """What a foreign change of a rule does."""

    HOLD = "hold"
    ACCEPT = "accept"
    ROLLBACK = "rollback"


class Background(StrEnum):
    """What a task does besides answering requests: queues it reads, schedules it keeps."""

    NONE = "none"  # nothing: green may have all its tasks at once
    SAFE = "safe"  # work that a second revision may share: green begins with one task
    SUSPEND = "suspend"  # work that green leaves alone, since its tasks can tell that they are green


class Capacity(StrEnum):
    """How many tasks green has while it has only a share of the traffic."""

    FULL = "full"  # as many as blue, from the start
    STEPPED = "stepped"  # what its share needs, and more before its share grows


class Sticky(StrEnum):
    """What is done about users whom a cookie keeps on the colour that is to be left. A rollback always cuts."""

    WAIT = "wait"  # until none comes any more, for their cookies' life at the longest
    CUT = "cut"  # nobody is waited for: who is left moves when the colour's target group leaves the rule


class Ending(StrEnum):
    """What becomes of blue once the watch has passed."""

    SETTLE = "settle"  # it takes the new revision over, and traffic returns to blue
    KEEP = "keep"  # green stays in its place, and blue is kept at zero tasks
    DELETE = "delete"  # green stays in its place, and blue is deleted

    @property
    def is_swap(self) -> bool:
        """True where green stays, as the service of record."""
        return self is not Ending.SETTLE


class Discovery(StrEnum):
    """Whether green answers in blue's service discovery (Cloud Map), where nobody divides by weight."""

    STRIP = "strip"
    KEEP = "keep"


class LimitThen(StrEnum):
    """What happens when a hold has lasted as long as it may (until the watch has passed)."""

    ROLLBACK = "rollback"
    HOLD = "hold"


UNDOES = "undoes"  # the label that names the rollout which is undone; an INACTIVE revision is then registered again


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceName:
    """The service of record. As text, the name that people, lists and scopes know it by.

    ``prod/checkout`` with the server's own credentials, ``production:prod/checkout`` in another account: the same names
    in two accounts are two services.
    """

    cluster: str
    service: str
    account: str = ""  # an alias of the server's settings; empty: the server's own credentials

    def __str__(self) -> str:
        return f"{self.account}:{self.path}" if self.account else self.path

    @property
    def path(self) -> str:
        """``cluster/service``, as it is called within its account."""
        return f"{self.cluster}/{self.service}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsSpec:
    """The period of the load balancer's metrics, and how long a datapoint may take to be final."""

    period: timedelta = timedelta(seconds=60)
    lag: timedelta = timedelta(seconds=120)
    source: str = (
        ""  # a metric source of the server's settings; empty: the load balancer's metrics in CloudWatch
    )
    # What it is asked for, (count of `metric_sources.COUNTS`, expression with variables); empty without a source.
    counts: tuple[tuple[str, str], ...] = ()

    @property
    def poll(self) -> timedelta:
        """How often targets are looked at while traffic moves: a quarter of a period (15 s of AWS's 60 s)."""
        return self.period / 4

    @property
    def look_gap(self) -> timedelta:
        """The least time between two looks that count as two: a sixth of a period."""
        return self.period / 6


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalSpec:
    """Who may approve a step, how many must, and what happens if nobody does."""

    approvers: tuple[str, ...] = ()  # empty: anybody who may approve at all
    required: int = 1
    not_author: bool = False
    timeout: timedelta = timedelta(hours=2)
    on_timeout: LimitThen = LimitThen.ROLLBACK
    before_full: bool = False  # `auto`: whoever spells a plan out says it at the step
    before_traffic: bool = False  # green is ready, and somebody says that users may meet it


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long things may take before Teal acts by itself or pages people."""

    provision: timedelta = timedelta(minutes=15)
    hold: timedelta = timedelta(hours=2)
    then: LimitThen = LimitThen.ROLLBACK
    settle: timedelta = timedelta(hours=1)
    unseen: timedelta = timedelta(minutes=15)
    page_again: timedelta = timedelta(hours=1)  # of the same standstill; 0: never
    wait_for_blue: timedelta = timedelta(0)  # at the start, while somebody else deploys blue; 0: refused then


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainSpec:
    """How green's tasks go once it has no weight: connections that live on are cut when theirs goes."""

    after: timedelta = timedelta(0)  # at the earliest
    slices: int = 1  # so many parts, one after the other
    every: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifySpec:
    """Who is told besides those whom the server's settings name."""

    slack: str = ""  # a channel, ``#deploys`` or its id; empty: the settings' own


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """One rollout as asked for."""

    service: ServiceName
    task_definition: str  # ``family:revision`` or its ARN; empty: blue's own with `images`
    plan: Plan
    rules: tuple[
        str, ...
    ] = ()  # rule or listener ARNs; empty: every rule that forwards to blue's target groups
    test_rules: tuple[str, ...] = ()  # rule or listener ARNs that point at green before any user does
    region: str = ""
    gates: GatesSpec = GatesSpec()
    metrics: MetricsSpec = MetricsSpec()
    approval: ApprovalSpec = ApprovalSpec()
    limits: Limits = Limits()
    on_failure: OnFailure = OnFailure.ROLLBACK
    on_drift: OnDrift = OnDrift.HOLD
    # What the author says of it (its commit, its build), by name; Teal only shows it.
    labels: tuple[tuple[str, str], ...] = ()
    notify: NotifySpec = NotifySpec()
    images: tuple[tuple[str, str], ...] = ()  # (container, image), by container
    colour_variable: str = (
        ""  # an environment variable that says ``green`` to green's tasks; empty: none does
    )
    background: Background = Background.NONE
    capacity: Capacity = Capacity.FULL
    sticky: Sticky = Sticky.WAIT
    ending: Ending = Ending.SETTLE
    discovery: Discovery = Discovery.STRIP
    first_tasks: int = 0  # blue runs no task yet: green begins with so many; 0: blue serves already
    is_forced: bool = False  # also where blue runs the revision already: its tasks are replaced all the same
    drain: DrainSpec = DrainSpec()
    one_way: bool = False  # what green's start does cannot be undone: a failure holds and pages people
    override: str = ""  # why neither window nor freeze binds this rollout; empty: they do

    @property
    def account(self) -> str:
        """The alias of the account that the service is in; empty: the server's own credentials."""
        return self.service.account

    @property
    def revision(self) -> str:
        """What is to run, in words: a task definition, or the images that blue's own is to have."""
        return self.task_definition or ", ".join(f"{container}={image}" for container, image in self.images)
