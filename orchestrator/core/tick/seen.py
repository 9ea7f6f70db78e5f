"""Everything one tick saw, handed to ``decide`` beside the row."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from orchestrator.core.cloud.probes_and_webhooks import HookSeen, ProbeSeen
from orchestrator.core.cloud.resources import (
    Absent,
    AlarmSeen,
    DefinitionSeen,
    GroupSeen,
    ImageSeen,
    ProtectionSeen,
    RevisionSeen,
    RuleSeen,
    ScalesSeen,
    ScalingSeen,
    Series,
    ServiceSeen,
    TargetsSeen,
    Unread,
)
from orchestrator.core.cloud.survey import Finding, Survey
from orchestrator.core.domain.calendar import Freeze
from orchestrator.core.domain.commands import Actor, Command
from orchestrator.core.domain.ids import ListenerArn, LoadBalancerArn, RuleArn, TargetGroupArn


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An effect asked for by the last tick did not succeed, and what AWS said."""

    key: str  # the effect's key
    why: str
    is_final: bool  # AWS understood and refused: repeating it unchanged will not help
    is_missing: bool = False  # something that the call names is not there, or not yet
    is_answer: bool = True  # AWS said so; False: no answer came, and the call may still be carried out


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """What became of the effects that the last tick asked for, as far as the engine that performed them knows it.

    An effect that is in neither may have been sent, and AWS may still take it.
    """

    failures: tuple[Failure, ...] = ()
    answered: frozenset[str] = (
        frozenset()
    )  # keys of those that AWS accepted or refused: they cannot land any more


@dataclass(frozen=True, slots=True, kw_only=True)
class Unrecorded:
    """All traffic was given to blue while the store could not be written: nothing tells of it but this."""

    at: datetime
    reason: str
    by: Actor
    rules: tuple[RuleArn, ...]  # that were written


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Everything one tick saw. A key that is absent was not asked for."""

    commands: tuple[Command, ...] = ()
    failures: tuple[Failure, ...] = ()
    answered: frozenset[str] = frozenset()  # as in `Results`
    unrecorded: Unrecorded | None = None  # what this engine did since the row was last committed
    freezes: tuple[Freeze, ...] = ()  # of the operators' calendar, for this service
    survey: Survey | Unread | None = None
    findings: tuple[Finding, ...] = ()
    rules: Mapping[RuleArn, RuleSeen | Absent | Unread] = field(default_factory=dict)
    # By listener: every rule, in the order in which a request meets them.
    listings: Mapping[ListenerArn, tuple[RuleSeen, ...] | Absent | Unread] = field(default_factory=dict)
    # By load balancer: every rule of every listener.
    balancers: Mapping[LoadBalancerArn, tuple[RuleSeen, ...] | Absent | Unread] = field(default_factory=dict)
    blue: ServiceSeen | Absent | Unread | None = None
    green: ServiceSeen | Absent | Unread | None = None
    protection: ProtectionSeen | Unread | None = None  # of blue's tasks
    groups: Mapping[str, GroupSeen | Absent | Unread] = field(default_factory=dict)  # by name
    targets: Mapping[TargetGroupArn, TargetsSeen | Absent | Unread] = field(default_factory=dict)
    scaling: ScalingSeen | Absent | Unread | None = None
    green_scaling: ScalingSeen | Absent | Unread | None = None
    green_scales: ScalesSeen | Unread | None = None
    # By family, oldest first.
    revisions: Mapping[str, tuple[RevisionSeen, ...] | Unread] = field(default_factory=dict)
    definition: DefinitionSeen | Absent | Unread | None = None
    images: tuple[ImageSeen, ...] | Unread | None = None  # of green
    alarms: Mapping[str, AlarmSeen | Absent | Unread] = field(default_factory=dict)
    metrics: Mapping[str, Series | Unread] = field(default_factory=dict)  # by query id
    probe: ProbeSeen | Unread | None = None
    hooks: Mapping[str, HookSeen] = field(default_factory=dict)  # by the question's key; none yet: absent
