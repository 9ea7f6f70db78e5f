"""What gates judge: one colour that takes traffic, at one weight, with everything seen of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache

from orchestrator.core.cloud.resources import Absent, AlarmSeen, Series, ServiceLook, TargetsLook, Unread
from orchestrator.core.domain.calendar import Freeze
from orchestrator.core.domain.ids import LoadBalancerArn, TargetGroupArn, TaskDefinitionArn, Tenths
from orchestrator.core.domain.phases import Phase
from orchestrator.core.gates.gathered import Probed, Question, Standing


class Colour(StrEnum):
    """Blue is the service of record, green the guest."""

    BLUE = "blue"
    GREEN = "green"

    @property
    def other(self) -> "Colour":
        """The other colour."""
        return Colour.GREEN if self is Colour.BLUE else Colour.BLUE


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """One colour's requests in one interval. None of them is a guess: absent requests make the whole absent.

    Source: CloudWatch metrics for your Application Load Balancer, dimensions LoadBalancer and TargetGroup.
    """

    requests: int
    answers_2xx: int = 0
    answers_3xx: int = 0
    answers_4xx: int = 0
    answers_5xx: int = 0
    connection_errors: int = 0
    timed: int = 0  # answers whose time was measured, where slow requests are compared
    slow: int = 0  # those of them that took longer than the file's threshold

    @property
    def remainder(self) -> int:
        """Requests less answers: below zero where answers to an earlier interval's requests are in this one."""
        return self.requests - self.answers_2xx - self.answers_3xx - self.answers_4xx - self.answers_5xx

    @property
    def unanswered(self) -> int:
        """Requests that reached the group and that no target answered, as far as this interval alone can tell."""
        return max(0, self.remainder)

    @classmethod
    def total(cls, parts: Iterable["Counts"]) -> "Counts":
        """Several counts in sum."""
        return _total(tuple(parts))

    @property
    def errors(self) -> int:
        """Requests that failed by the colour's doing; one request may cause several connection errors."""
        return min(self.requests, self.answers_5xx + self.connection_errors)

    @property
    def error_rate(self) -> float:
        """Errors as a share of requests; 0 where there were none."""
        return self.errors / self.requests if self.requests else 0.0


@lru_cache(maxsize=1024)  # a rollout's history is summed in every tick
def _total(parts: tuple[Counts, ...]) -> Counts:
    names = [field.name for field in fields(Counts)]
    return Counts(**{name: sum(getattr(part, name) for part in parts) for name in names})


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """One whole metric period."""

    start: datetime
    blue: Counts | None  # None: CloudWatch holds no requests for it
    green: Counts | None
    weight: Tenths | None = None  # green's on every rule, all through it; None: a weight changed within it
    # Where a weight changed: how many times worse blue may be with its new share than its counts show, since most of
    # its requests in this period came before an outage that began with the change.
    dilution: float = 1.0

    def of(self, colour: Colour) -> Counts | None:
        """The counts of one colour."""
        return self.blue if colour is Colour.BLUE else self.green


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """The names by which metrics know the colours."""

    cluster: str
    blue_service: str
    green_service: str
    groups: tuple[tuple[TargetGroupArn, TargetGroupArn], ...]  # (blue's, green's)
    balancers: tuple[LoadBalancerArn, ...] = ()  # of the groups, in the same order


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Everything a gate may judge by."""

    now: datetime
    phase: Phase
    period: timedelta
    lag: timedelta
    poll: timedelta
    judged: Colour
    weight: Tenths  # the judged colour's share, as last read back
    serves_since: datetime | None  # this weight was read back on every rule
    stops_count_from: datetime  # tasks that stopped earlier are not held against the colour
    revision: TaskDefinitionArn  # what the judged colour shall run
    service: ServiceLook
    targets: tuple[TargetsLook, ...]
    intervals: tuple[Interval, ...]  # taken at this weight, oldest first
    reading: tuple[Interval, ...]  # read, and not final yet
    names: Names
    alarms_at_start: tuple[AlarmSeen, ...]
    alarms: Mapping[str, AlarmSeen | Absent | Unread]
    metrics: Mapping[str, Series | Unread]
    clump: float = 1.0  # how many errors come at once, by blue's last hour: so many times as few say anything
    earlier: tuple[
        Interval, ...
    ] = ()  # of former weights of this colour, no weight changing in them, oldest first
    alarms_from: datetime | None = None  # what alarms went through earlier is not held against the colour
    usual: Counts | None = (
        None  # blue's last hour before green's traffic, in sum; None: not known, or no requests
    )
    freezes: tuple[Freeze, ...] = ()  # of the operators' calendar, for this service
    other: ServiceLook = (
        None  # the other colour's service, with its stopped tasks; None: they were not looked at
    )
    others: tuple[TargetsLook, ...] = ()  # of the other colour
    override: str = ""  # why neither window nor freeze binds this rollout; empty: they do
    standings: tuple[Standing, ...] = ()  # of the streams that are compared
    probed: Probed | None = None
    questions: tuple[
        tuple[int, Question | None], ...
    ] = ()  # of the webhooks that are asked here, by their index

    @property
    def look_gap(self) -> timedelta:
        """The least time between two looks that count as two (`MetricsSpec.look_gap`)."""
        return self.period / 6


def ceil_to(moment: datetime, period: timedelta) -> datetime:
    """The first boundary of a period at or after a moment; CloudWatch's periods begin at multiples since 1970."""
    return floor_to(moment - timedelta(microseconds=1), period) + period


def floor_to(moment: datetime, period: timedelta) -> datetime:
    """The last boundary of a period at or before a moment."""
    epoch = datetime(1970, 1, 1, tzinfo=moment.tzinfo)
    return moment - (moment - epoch) % period


def first_whole(serves_since: datetime, period: timedelta) -> datetime:
    """The start of the first interval that says something of a weight, given when it was read back.

    A weight takes some seconds to reach the whole load balancer, so a boundary closer than a sixth of a period is
    passed over.
    """
    return ceil_to(serves_since + period / 6, period)
