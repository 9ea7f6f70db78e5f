"""What a tick must see before ``decide`` can judge. Built from the row alone, so that readers can batch."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.core.cloud.probes_and_webhooks import HookNeed, ProbeNeed
from orchestrator.core.cloud.resources import MetricQuery
from orchestrator.core.domain.ids import ListenerArn, LoadBalancerArn, RuleArn, TargetGroupArn
from orchestrator.core.gates.metric import MetricSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyNeed:
    """What a survey starts from: blue's name, the revision, and what the file names."""

    cluster: str
    service: str
    task_definition: str
    rules: tuple[str, ...]
    alarms: tuple[str, ...]
    metrics: tuple[MetricSpec, ...] = ()  # asked once of blue's names, to see whether CloudWatch answers them
    period: timedelta = timedelta(seconds=60)  # of the rollout's metrics
    at: datetime | None = None  # the present moment; None: the metrics are not asked
    # (container, image): blue's own revision with these images is wanted.
    images: tuple[tuple[str, str], ...] = ()
    revives: bool = False  # a task definition that is INACTIVE is registered again
    colour_variable: str = ""  # green's containers get it, and blue's do not
    known: str = ""  # the ECS service that serves under this name, as the store knows; empty: it does not
    counts_zones: bool = False  # green has fewer tasks than blue, and one in each zone at least
    keeps_discovery: bool = False  # green answers in service discovery too


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleNeed:
    """A rule to read."""

    arn: RuleArn
    listener: str
    is_default: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionsNeed:
    """The ACTIVE revisions of a family that were registered after a known one."""

    family: str
    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsNeed:
    """Series to read over one window, whole periods long."""

    queries: tuple[MetricQuery, ...]
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """Everything one tick asks AWS for. Empty members cost no call."""

    survey: SurveyNeed | None = None
    rules: tuple[RuleNeed, ...] = ()
    listeners: tuple[ListenerArn, ...] = ()  # every rule of these, in the order in which a request meets them
    balancers: tuple[LoadBalancerArn, ...] = ()  # every rule of every listener of these
    cluster: str = ""
    blue: str = ""  # service name
    green: str = ""
    protection: str = ""  # service name: which of its tasks ECS must not stop
    stops: tuple[str, ...] = ()  # service names whose stopped tasks are wanted
    groups: tuple[str, ...] = ()  # target group names: existence, attributes, tags
    targets: tuple[TargetGroupArn, ...] = ()  # target health
    scaling: str = ""  # service name
    green_scaling: str = ""  # service name: its scalable target
    green_scales: str = ""  # service name: everything that scales it
    drivers: tuple[str, ...] = ()  # alarms of green's step-scaling policies, with `green_scales`
    revisions: tuple[RevisionsNeed, ...] = ()
    definition: str = ""  # ARN of a revision: whether a service can still be given it
    images: str = ""  # service name: its newest revision's images, as ECS resolved them
    alarms: tuple[str, ...] = ()
    alarms_since: datetime | None = (
        None  # alarms that were in ALARM since then, if only between two looks, say so
    )
    metrics: MetricsNeed | None = None
    probe: ProbeNeed | None = None  # not of AWS, but of green itself
    hooks: tuple[HookNeed, ...] = ()
    may_wait: bool = False  # nobody's requests depend on it: looks of other rollouts may come first
    is_urgent: bool = False  # traffic is to be brought to safety: these reads wait for no other rollout's
