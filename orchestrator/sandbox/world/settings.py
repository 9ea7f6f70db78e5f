"""The switches of the World: each trap of AWS is on unless it is switched off here."""

from dataclasses import dataclass
from datetime import timedelta

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
    throttling: bool = True
    """Token buckets per API family."""
    metric_delay_minutes: float = 1.5
    """CloudWatch minutes until what happened can be read; the newest minute is then still partial."""
    metric_retention_minutes: int = 180
    """CloudWatch minutes that are kept."""
    alarm_range_extra: int = 2
    """Datapoints beyond EvaluationPeriods that an alarm looks back over when some are missing."""
    alarm_bake_minutes: float = 2
    """CloudWatch minutes that a steady deployment with deployment alarms stays IN_PROGRESS."""
    scheduler: timedelta = 500 * MS
    """From a change until ECS's scheduler acts on it."""
    task_retry: timedelta = timedelta(seconds=2)
    """From a failed task until its replacement is started."""
    placement_retry: timedelta = timedelta(seconds=15)
    """From a failed placement to the next attempt."""
    stopped_tasks_kept: timedelta = timedelta(hours=1)
    """How long DescribeTasks still knows a stopped task."""
    inactive_services_kept: timedelta = timedelta(hours=1)
    """How long DescribeServices still shows a deleted service as INACTIVE."""
    validate: bool = False
    """Check every direct call and answer against botocore's shapes (a test mode; the wire skin always does)."""
    log_limit: int | None = None
    """Keep only so many call records; None keeps all."""

    @classmethod
    def kind(cls) -> "WorldSettings":
        """A World without surprises: at once consistent, in force and visible, and never throttling."""
        zero = timedelta(0)
        return cls(propagation=zero, propagation_jitter=zero, staleness=zero, throttling=False)
