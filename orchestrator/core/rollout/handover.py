"""What becomes of blue: it takes the revision over, or is retired; its scaling meanwhile; and the end."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.core.cloud.resources import ProtectionSeen, ScalingSeen
from orchestrator.core.domain.commands import Actor
from orchestrator.core.domain.ids import (
    Json,
    TargetGroupArn,
    TaskDefinitionArn,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What Teal has made of blue's scalable target, and what it shall be again."""

    base: ScalingSeen  # at the end: as first read, but for what schedules have set since, or people have accepted
    floor: int = 0  # tasks that blue is not to go below; 0: its own bounds do
    written: tuple[
        ScalingSeen, ...
    ] = ()  # what Teal asked for and may still land: found again, it is its own
    written_at: tuple[datetime, ...] = ()  # when, each; fewer in a row of an earlier version
    verified: ScalingSeen | None = None  # as last read, once Teal has written; None: not yet
    is_foreign: bool = False  # somebody else has changed it, and nobody has said yet that it is well so
    theirs: ScalingSeen | None = None  # at the end instead of the base: what others have set; None: nothing
    back: ScalingSeen | None = None  # as it was seen once it had been given back


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
    doubted_since: datetime | None = None  # in every look since, blue was seen not to be on it any more
    is_taken: bool = False  # ECS was seen working on it
    is_failed: bool = False  # ECS put another revision in its place, or gave up
    is_retried: bool = False  # a person asked for another attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """Why a rollout is being rolled back, or how it ended."""

    reason: str
    by: Actor
    at: datetime
    traffic_on_blue_at: datetime | None = None  # 100 % blue was read back on every rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Retirement:
    """Each part is recorded before the call that it is about, so that a rollback knows what may have been done."""

    token: str  # for making blue anew, should it be deleted and then wanted back
    desired: int  # tasks that a rollback gives blue back
    is_swapping: bool = False  # final lists may have been written
    swapped_at: datetime | None = None  # every rule was seen with its final list
    is_configured: bool = False  # green was seen with the deployment configuration that blue had
    drained_from: datetime | None = None  # blue's tasks may have been stopped
    is_empty: bool = False  # blue was seen wanting no task
    is_scaling_gone: bool = False  # blue's scalable target may have been taken away
    is_tagged: bool = False  # a blue that Teal did not make may have got the tag that lets it be deleted
    is_deleting: bool = False  # DeleteService may have been sent
    is_gone: bool = False  # blue's service was seen gone
    is_clearing: bool = False  # one of blue's target groups may have been deleted: there is no way back
    cleared: tuple[TargetGroupArn, ...] = ()  # of blue's target groups: seen gone, or not Teal's to delete
    asked_at: datetime | None = None  # blue was last asked to stop its tasks, or to go
    returning_from: datetime | None = None  # a rollback asked for blue's tasks again
    count: int | None = (
        None  # blue's desired count when its tasks were stopped, whoever set it; None: not known
    )


@dataclass(frozen=True, kw_only=True)
class Handover:
    """How blue takes the revision over, while green serves."""

    attempts: tuple[Attempt, ...] = ()
    is_homeward: bool = False  # traffic has begun to return to blue
    protection: ProtectionSeen | None = None  # of blue's tasks, as last read
    protection_read_at: datetime | None = None
    protected_for: timedelta = timedelta(0)  # so long protected tasks kept blue from taking the revision over
    is_configuration_touched: bool = False  # blue's deployment configuration was changed for the way back
    theirs_configuration: Json | None = None  # as others had left it when it was; None: as first read


@dataclass(frozen=True, kw_only=True)
class BlueScaling:
    """What was done to blue's scalable target."""

    is_scaling_touched: bool = False
    holding: Holding | None = None  # None: as first read
    scaling_seen_at: datetime | None = None  # it was last looked at, with green's


@dataclass(frozen=True, kw_only=True)
class WayOut:
    """How far what Teal made and changed is gone and restored."""

    on_blue_since: datetime | None = None  # all traffic on blue, for restoring its scaling
    is_way_clear: bool = False  # the last write, each rule's base, may be made
    unpinned_at: datetime | None = None  # green was seen out of every rule: no cookie leads to it any more
    detached_since: datetime | None = (
        None  # of green's groups that had traffic, one was seen in no rule any more
    )
    stopping_since: datetime | None = None  # the last of green's tasks were asked to stop
    blue_absent_since: datetime | None = None  # blue's service was not there in every look since
    in_use: tuple[TargetGroupArn, ...] = ()  # target groups that AWS did not delete, since a rule uses them
    comparing_since: datetime | None = (
        None  # the end waits for what it cannot read, to say whether it is as it was
    )
    left: tuple[TargetGroupArn, ...] = ()  # those of them that a rule was seen to use: they stay
