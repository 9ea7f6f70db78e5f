"""The switches of the World: each trap of AWS is on unless it is switched off here."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

MS = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldSettings:
    """What the World does as AWS does. Zero or False switches a trap off; times are of the World's clock."""

    propagation: timedelta = 500 * MS
    """From the write of a rule until it steers requests; it reads back at once."""
    propagation_jitter: timedelta = 250 * MS
    """The propagation is uniformly this much shorter or longer."""
    staleness: timedelta = 300 * MS
    """How long after a write a read may still answer what was there before it."""
    staleness_share: float = 0.25
    """The share of reads within `staleness` that do; after one fresh read none does."""
    reads_go_back: bool = False
    """Within `staleness` a later read may answer an older state than an earlier one did, as reads do that meet several
    copies: of services, rules, target groups, target health and scalable targets. Groups are listed for so long after
    their deletion."""
    scaling_write: timedelta = timedelta(0)
    """How long a write to a scalable target is under way; meanwhile another is refused (ConcurrentUpdateException)."""
    throttling: bool = True
    """Token buckets per API family."""
    metric_delay_minutes: float = 1.5
    """CloudWatch minutes until what happened can be read; the newest minute is then still partial."""
    metric_jitter_minutes: float = 0.5
    """The delay of a target group's minute is uniformly this much shorter or longer: 60 to 120 s in all."""
    metric_revised_share: float = 0.05
    """The share of a zone's minutes that come later still: their datapoint is read short first, then revised."""
    metric_revision_minutes: float = 0.5
    """How much later those come, in CloudWatch minutes."""
    custom_metric_delay: timedelta = timedelta(seconds=2)
    """From PutMetricData until its values can be read."""
    requests_count_when_routed: bool = False
    """A request counts (RequestCount) when it is sent to a target, and not when it is answered: AWS does not say."""
    metric_retention_minutes: int = 180
    """CloudWatch minutes that are kept."""
    alarm_range_extra: int = 2
    """Datapoints beyond EvaluationPeriods that an alarm looks back over when some are missing."""
    alarm_bake_minutes: float = 2
    """CloudWatch minutes that a steady deployment with deployment alarms stays IN_PROGRESS."""
    rolling_hooks: Literal["ignored", "wait", "fail"] = "ignored"
    """What lifecycle hooks of a service do to its rolling deployments, of which AWS says nothing.

    They had failed a service's rolling deployments after it was BLUE_GREEN: aws/containers-roadmap issue 2664.
    """
    scheduler: timedelta = 500 * MS
    """From a change until ECS's scheduler acts on it."""
    short_arns: bool = False
    """The account began before 2018 and never opted in to ECS's long ARNs: services and tasks of it have no cluster in
    theirs, and a service takes no tags. PutAccountSetting ends that for what is made afterwards."""
    task_retry: timedelta = timedelta(seconds=2)
    """From a failed task until its replacement is started."""
    placement_retry: timedelta = timedelta(seconds=15)
    """From a failed placement to the next attempt."""
    stopped_tasks_kept: timedelta = timedelta(hours=1)
    """How long DescribeTasks still knows a stopped task."""
    inactive_services_kept: timedelta = timedelta(hours=1)
    """How long DescribeServices still shows a deleted service as INACTIVE."""
    event_delay: timedelta = 200 * MS
    """From what happened until EventBridge has put its event into a queue."""
    event_jitter: timedelta = 150 * MS
    """The delay of one event is uniformly this much shorter or longer: they may come in another order."""
    event_duplicate_share: float = 0.05
    """The share of events that are delivered a second time, a moment later."""
    queue_policies: bool = True
    """EventBridge can send only to a queue whose policy lets it."""
    validate: bool = False
    """Check every direct call and answer against botocore's shapes (a test mode; the wire skin always does)."""
    log_limit: int | None = None
    """Keep only so many call records; None keeps all."""

    @classmethod
    def kind(cls) -> "WorldSettings":
        """A World without surprises: at once consistent, in force and visible, and never throttling."""
        zero = timedelta(0)
        return cls(
            propagation=zero,
            propagation_jitter=zero,
            staleness=zero,
            throttling=False,
            metric_jitter_minutes=0,
            metric_revised_share=0,
            custom_metric_delay=zero,
            event_delay=zero,
            event_jitter=zero,
            event_duplicate_share=0,
            queue_policies=False,
        )
