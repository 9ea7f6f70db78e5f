"""Both colours, as they are known once blue was read: what each is, and what Teal made of green."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.core.cloud.resources import AlarmSeen, ImageSeen, ScalesSeen, ScalingSeen
from orchestrator.core.cloud.survey import NewRevision
from orchestrator.core.domain import tags
from orchestrator.core.domain.ids import (
    Json,
    TaskDefinitionArn,
)


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

    @property
    def known_scaling(self) -> ScalingSeen:
        """Its scalable target as first read, for what only a blue that has one comes to."""
        assert self.scaling is not None, f"{self.name} has no scaling of its own"
        return self.scaling


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """A revision that this rollout registers, and what became of it."""

    revision: NewRevision
    arn: TaskDefinitionArn | None = None  # known once ECS has registered it
    is_cleared: bool = False  # what of it must not stay was seen to be gone
    is_former: bool = False  # blue's former revision, which somebody has deregistered
    is_wanted: bool = False  # the one that blue is to take over, which somebody has deregistered


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
    target: ScalingSeen | None = None  # its scalable target as last seen, once Teal has given it one
    given: ScalingSeen | None = None  # what Teal last asked for of that target
    theirs: tuple[
        tuple[str, int], ...
    ] = ()  # its target's values that others set: they stay where green stays

    @property
    def for_blue(self) -> TaskDefinitionArn:
        """The revision that blue takes over: green's, or the one like it that does not know its colour."""
        return self.blues or self.task_definition


@dataclass(frozen=True, kw_only=True)
class Colours:
    """Both colours, known together from the moment blue was read."""

    blue: Blue
    green: Green


@dataclass(frozen=True, kw_only=True)
class Revisions:
    """Revisions that this rollout registers, and the images that green's resolved to."""

    registrations: tuple[Registration, ...] = ()
    active_seen_at: datetime | None = None  # what blue is to take over was last seen ACTIVE
    inactive_since: datetime | None = None  # in every look since it was not
    images: tuple[ImageSeen, ...] = ()  # green's, as ECS resolved them, where the file names images


@dataclass(frozen=True, kw_only=True)
class Stops:
    """What is known of tasks that stopped, or that are where no traffic reaches them."""

    unused_since: datetime | None = None  # tasks of green are in zones that its load balancer does not use
    stops_told: tuple[str, ...] = ()  # tasks whose end is in the log, by the last part of their ARNs
    stops_count_from: datetime | None = None  # blue was steady at last, or a person resumed after a failure
