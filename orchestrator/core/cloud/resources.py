"""The parts of what can be observed. What could not be read is ``Unread`` with its reason, never a default.

Names of fields and states are AWS's own (ECS DescribeServices, ELBv2 DescribeTargetHealth, …).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from orchestrator.core.domain.ids import (
    Json,
    ListenerArn,
    LoadBalancerArn,
    RuleArn,
    TargetGroupArn,
    TaskDefinitionArn,
)
from orchestrator.core.domain.text import rule_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """It could not be read, and why; a gate that needs it says HOLD."""

    why: str
    is_refused: bool = (
        False  # AWS understood the question and refuses it: asking again unchanged will not help
    )
    is_denied: bool = False  # AWS does not know whoever asks, or lets them look no more


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """It was looked for and AWS said that it does not exist; ``reason`` in AWS's own word, where it gives one."""

    reason: str = field(default="", compare=False)  # ECS: MISSING, or INACTIVE of a service that was deleted


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSeen:
    """A listener rule (or a listener's default rule) as read."""

    arn: RuleArn
    listener: ListenerArn
    load_balancer: LoadBalancerArn
    is_default: bool
    priority: str
    conditions: Json
    actions: Json
    transforms: str = ""  # canonical JSON; empty: it has none

    @property
    def name(self) -> str:
        """The rule as the console shows it."""
        return rule_name(is_default=self.is_default, priority=self.priority, load_balancer=self.load_balancer)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentSeen:
    """One entry of a service's ``deployments[]``."""

    id: str
    status: str  # PRIMARY | ACTIVE | INACTIVE
    task_definition: TaskDefinitionArn
    rollout_state: str  # IN_PROGRESS | COMPLETED | FAILED
    reason: str
    desired: int
    running: int
    pending: int
    failed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionSeen:
    """An ACTIVE revision of a task definition's family, registered since the rollout began."""

    arn: TaskDefinitionArn
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionSeen:
    """Whether a service can be given a revision, and what registers it again. Source: ECS DescribeTaskDefinition."""

    arn: TaskDefinitionArn
    status: str  # ACTIVE | INACTIVE | DELETE_IN_PROGRESS
    template: Json  # RegisterTaskDefinition's parameters; its tags without Teal's


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSeen:
    """A container's image as ECS resolved it for a service's newest revision."""

    container: str
    image: str
    digest: str  # ``sha256:…``; empty while no task has started


@dataclass(frozen=True, slots=True, kw_only=True)
class StopSeen:
    """A task that stopped lately."""

    task: str
    task_definition: TaskDefinitionArn
    at: datetime
    code: str  # ECS stopCode: TaskFailedToStart, EssentialContainerExited, ServiceSchedulerInitiated, …
    reason: str

    @property
    def why(self) -> str:
        """Why it stopped in ECS's own words, or its code where there are none."""
        return self.reason or self.code


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectionSeen:
    """How many of a service's tasks ECS must not stop, and until when at the latest. Source: ECS GetTaskProtection."""

    count: int = 0
    until: datetime | None = None  # None: none is protected


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSeen:
    """An ECS service as read."""

    name: str
    arn: str
    cluster: str  # ARN
    status: str  # ACTIVE | DRAINING | INACTIVE
    task_definition: TaskDefinitionArn
    desired: int
    running: int
    pending: int
    deployments: tuple[DeploymentSeen, ...]
    deployment_configuration: Json
    tags: Mapping[str, str]
    stops: tuple[StopSeen, ...] = ()  # newest first; only where asked for
    last_event: str = ""  # ECS's newest service event, in its own words

    @property
    def primary(self) -> DeploymentSeen | None:
        """The deployment ECS is working towards."""
        return next((d for d in self.deployments if d.status == "PRIMARY"), None)


FIXED = ("Protocol", "ProtocolVersion", "Port", "VpcId", "TargetType", "IpAddressType")
"""What of a target group is fixed when it is made. Source: ELBv2 ModifyTargetGroup, which takes none of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSeen:
    """A target group as read, found by name or ARN."""

    arn: TargetGroupArn
    name: str
    load_balancers: tuple[LoadBalancerArn, ...]
    attributes: Mapping[str, str]
    tags: Mapping[str, str]
    settings: Json | None = None  # what no call can change once it is made (`FIXED`)


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetsSeen:
    """How the targets of one group are. Source: ELBv2 DescribeTargetHealth."""

    healthy: int = 0
    initial: int = 0
    unhealthy: int = 0
    draining: int = 0
    unused: int = 0
    unavailable: int = 0
    # Targets from which a zonal shift keeps requests away, whatever their health (``AdministrativeOverride``).
    shifted: int = 0
    reasons: tuple[str, ...] = ()  # distinct reasons of targets that are not healthy
    unused_zones: tuple[str, ...] = ()  # zones of targets that the load balancer does not use

    @property
    def registered(self) -> int:
        """Targets that are not on their way out."""
        return self.healthy + self.initial + self.unhealthy + self.unused + self.unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalingSeen:
    """A service's scalable target. Source: Application Auto Scaling DescribeScalableTargets."""

    min_capacity: int
    max_capacity: int
    scale_in_suspended: bool
    scale_out_suspended: bool
    scheduled_suspended: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySeen:
    """A scaling policy. Source: Application Auto Scaling DescribeScalingPolicies."""

    name: str
    kind: str  # PolicyType: TargetTrackingScaling | StepScaling | PredictiveScaling
    configuration: Json
    arn: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleSeen:
    """A scheduled action. Source: Application Auto Scaling DescribeScheduledActions."""

    name: str
    schedule: str  # at(…), cron(…) or rate(…)
    zone: str = ""  # Timezone; empty: UTC
    start: datetime | None = None
    end: datetime | None = None
    min_capacity: int | None = None  # None: it leaves this one alone
    max_capacity: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverSeen:
    """An alarm of the user's own that makes step-scaling policies act."""

    name: str
    settings: Json  # PutMetricAlarm's parameters, without its name, actions and tags
    # (OKActions | AlarmActions | InsufficientDataActions, the policies by ARN): whatever else it does is left out.
    actions: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalesSeen:
    """Everything that scales a service: its target, what acts on it, and the target's tags."""

    target: ScalingSeen | None = None
    policies: tuple[PolicySeen, ...] = ()
    schedules: tuple[ScheduleSeen, ...] = ()
    drivers: tuple[DriverSeen, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()

    @property
    def is_driven(self) -> bool:
        """True if anything acts on the target."""
        return bool(self.policies or self.schedules)


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricQuery:
    """One series to read: a metric's statistic, or an expression over `inputs`, which it names by their ids.

    Source: CloudWatch GetMetricData, ``MetricStat`` and ``Expression``. Where it has a `source` the expression is that
    one's own, and a value at an interval's end speaks of the interval; ``stat`` ``Sum`` says that it is a count.
    """

    id: str
    period: timedelta
    namespace: str = ""
    metric: str = ""
    dimensions: tuple[tuple[str, str], ...] = ()
    stat: str = ""
    expression: str = ""
    inputs: tuple["MetricQuery", ...] = ()
    account: str = ""  # of a linked account; empty: the one that is asked
    source: str = ""  # a metric source of the settings, asked `expression`; empty: CloudWatch


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmSeen:
    """An alarm as read. ``kind``: ``metric``, ``math`` (on an expression), ``composite`` or ``log``."""

    name: str
    kind: str
    state: str  # OK | ALARM | INSUFFICIENT_DATA
    state_since: datetime | None
    reason: str
    evaluation: str = ""  # EvaluationState: PARTIAL_DATA | EVALUATION_ERROR | EVALUATION_FAILURE, or empty
    namespace: str = ""
    metric: str = ""
    dimensions: tuple[tuple[str, str], ...] = ()
    stat: str = ""
    period: timedelta = timedelta(0)  # of a composite alarm: the longest of its parts
    threshold: float = 0.0
    comparison: str = ""  # AWS's ComparisonOperator
    evaluation_periods: int = 1
    datapoints_to_alarm: int = 1
    missing: str = "missing"  # TreatMissingData
    query: MetricQuery | None = None  # math: what it judges
    is_anomaly: bool = False  # its threshold is a band that CloudWatch learns from the metric's past
    rule: str = ""  # composite: AlarmRule
    parts: tuple["AlarmSeen", ...] = ()  # composite: the alarms that its rule names, as far as they exist
    muted: str = ""  # why its actions do not run, in words; empty: they do. Its state counts all the same
    fired_at: datetime | None = (
        None  # it went to ALARM and back: when last, since the moment that was asked for
    )
    history_unread: str = ""  # why that is not known


Series = tuple[tuple[datetime, float], ...]  # (start of the interval, value), oldest first


ServiceLook = ServiceSeen | Absent | Unread | None


TargetsLook = TargetsSeen | Absent | Unread | None
