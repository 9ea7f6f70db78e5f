"""Why a task stopped, and whether that is held against its colour. Every count of stopped tasks is made of these.

ECS says it in a code, and for what its own scheduler did in a sentence alone: a task that is replaced because it failed
health checks has the same code as one that is scaled in. Sources: ECS API, TaskStopCode; "Viewing Amazon ECS stopped
task errors" for the sentences.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from orchestrator.core.cloud.resources import ServiceSeen, StopSeen
from orchestrator.core.domain.ids import TaskDefinitionArn
from orchestrator.core.domain.text import counted

FLAPPING_WITHIN = timedelta(minutes=10)
FLAPPING_OVER = 2  # more stops than this within FLAPPING_WITHIN: the colour does not stay up

BY_SCHEDULER = "ServiceSchedulerInitiated"
BY_PERSON = "UserInitiated"
OF_MACHINE = frozenset({"SpotInterruption", "TerminationNotice", "InfrastructureHealth"})
# How the sentences of the scheduler begin, or what they hold, in lower case.
OWN_BEGIN = ("task failed ",)  # "… ELB health checks in (target-group …)", "… container health checks"
OWN_HOLD = ("health check", "unhealthy")
CHOSEN_BEGIN = ("scaling activity initiated by ",)  # scaled in, or its deployment was replaced
CHOSEN_HOLD = ("az rebalanc", "availability zone rebalanc")
MACHINE_BEGIN = (
    "ecs is performing maintenance on the underlying infrastructure",
    "host ec2 (instance ",
    "container instance deregistration forced by user",
)


class Cause(StrEnum):
    """Whose doing a stop was."""

    OWN = "own"  # the task's: it could not start, ended, or failed its health checks
    CHOSEN = "chosen"  # a person's, or of a scaling or a deployment that somebody asked for
    MACHINE = "machine"  # AWS took away what it ran on
    UNKNOWN = "unknown"  # ECS's scheduler stopped it, and gives no reason that is known


def cause_of(stop: StopSeen) -> Cause:
    """Whose doing a stop was. A code that is not known is the task's own; so is none."""
    if stop.code == BY_PERSON:
        return Cause.CHOSEN
    if stop.code in OF_MACHINE:
        return Cause.MACHINE
    return _of_scheduler(stop.reason.lower()) if stop.code == BY_SCHEDULER else Cause.OWN


def _of_scheduler(reason: str) -> Cause:
    if reason.startswith(CHOSEN_BEGIN):
        return Cause.CHOSEN
    if reason.startswith(MACHINE_BEGIN):
        return Cause.MACHINE
    if reason.startswith(OWN_BEGIN) or any(words in reason for words in OWN_HOLD):
        return Cause.OWN
    if any(words in reason for words in CHOSEN_HOLD):
        return Cause.CHOSEN
    return Cause.UNKNOWN


def own_stops(service: ServiceSeen, revision: TaskDefinitionArn, since: datetime) -> tuple[StopSeen, ...]:
    """Tasks of this revision that ended by their own doing since then, newest first."""
    return _stops(service, revision, since, frozenset({Cause.OWN}))


def doubtful_stops(
    service: ServiceSeen, revision: TaskDefinitionArn, since: datetime
) -> tuple[StopSeen, ...]:
    """The same, and those that ECS stopped for a reason that is not known: they hold, and condemn nobody."""
    return _stops(service, revision, since, frozenset({Cause.OWN, Cause.UNKNOWN}))


def _stops(
    service: ServiceSeen, revision: TaskDefinitionArn, since: datetime, causes: frozenset[Cause]
) -> tuple[StopSeen, ...]:
    return tuple(
        stop
        for stop in service.stops
        if stop.at > since and stop.task_definition == revision and cause_of(stop) in causes
    )


def why_in_doubt(service: ServiceSeen, revision: TaskDefinitionArn, now: datetime, since: datetime) -> str:
    """Why it is not known whether the colour stays up, in words; empty where every stop of late is explained.

    `since`: what stopped earlier is not counted.
    """
    since = max(since, now - FLAPPING_WITHIN)
    stops = doubtful_stops(service, revision, since)
    unknown = [stop for stop in stops if cause_of(stop) is Cause.UNKNOWN]
    if not unknown or len(stops) <= FLAPPING_OVER:
        return ""
    minutes = int(FLAPPING_WITHIN.total_seconds() // 60)
    why = f"ECS's scheduler gives a reason that Teal does not know: {unknown[0].reason or 'none'}"
    return f"{counted(len(stops), 'task')} stopped within {minutes} minutes, and {why}"


def in_words(stops: Sequence[StopSeen]) -> str:
    """How many tasks stopped, and why the last did in ECS's own words; empty if none. Newest first."""
    if not stops:
        return ""
    return f"{counted(len(stops), 'task')} stopped, last: {stops[0].why}"
