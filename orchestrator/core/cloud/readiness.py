"""When a colour is ready to take traffic, and when it could take everything. Unknown is never ready."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from orchestrator.core.cloud.resources import (
    Absent,
    DeploymentSeen,
    ServiceLook,
    ServiceSeen,
    TargetsLook,
    TargetsSeen,
    Unread,
)
from orchestrator.core.cloud.stop_causes import FLAPPING_WITHIN, doubtful_stops, why_in_doubt
from orchestrator.core.domain.ids import TaskDefinitionArn, revision_name

STALE_LONGEST = timedelta(seconds=15)
"""Looks in a row that are all older than one before them end by then: reads of AWS are eventually consistent."""


def not_steady(service: ServiceLook, revision: TaskDefinitionArn) -> str:
    """Why a service does not steadily run this revision, in words; empty once it does.

    Source: ECS DescribeServices. One deployment, of the wanted revision, COMPLETED, all tasks running: ECS may have
    put another revision back, and then everything else looks well.
    """
    match service:
        case None:
            return "the service was not looked at"
        case Unread(why=why):
            return f"the service could not be read: {why}"
        case Absent():
            return "the service does not exist"
        case ServiceSeen():
            return _not_steady(service, revision)


def _not_steady(service: ServiceSeen, revision: TaskDefinitionArn) -> str:
    primary = service.primary
    if service.status != "ACTIVE":
        return f"{service.name} is {service.status}"
    if primary is None:
        return f"{service.name} has no primary deployment"
    if primary.task_definition != revision:
        return f"{service.name} runs {revision_name(primary.task_definition)}, not {revision_name(revision)}"
    if len(service.deployments) != 1:
        return f"{service.name} is still replacing tasks of its former deployment"
    if primary.rollout_state != "COMPLETED":
        return _unfinished(service, primary)
    if not service.desired > 0:
        return f"{service.name}'s desired count is 0"
    if service.running != service.desired or service.pending:
        return f"{service.name} runs {service.running} of {service.desired} tasks"
    return ""


def is_starting(service: ServiceSeen) -> bool:
    """True while ECS works on the newest deployment, of which it then says no more than its number."""
    return service.primary is not None and service.primary.rollout_state == "IN_PROGRESS"


def _unfinished(service: ServiceSeen, primary: DeploymentSeen) -> str:
    """What the newest deployment lacks. An event about tasks that ECS cannot place or start says why."""
    if not is_starting(service):
        reason = f" ({primary.reason})" if primary.reason else ""
        return f"{service.name}'s deployment is {primary.rollout_state or 'not reported'}{reason}"
    words = f"{service.name} starts: {service.running} of {service.desired} tasks run"
    is_trouble = any(word in service.last_event for word in ("unable", "failed", "unhealthy"))
    return f"{words}; ECS says: {service.last_event}" if is_trouble else words


def not_healthy(targets: Sequence[TargetsLook], wanted: int) -> str:
    """Why not every target group has `wanted` healthy targets, in words; empty once they all do."""
    if not targets:
        return "no target group is known"
    for seen in targets:
        match seen:
            case None:
                return "target health was not looked at"
            case Unread(why=why):
                return f"target health could not be read: {why}"
            case Absent():
                return "a target group does not exist"
            case TargetsSeen():
                if seen.healthy < wanted:
                    reasons = f" ({', '.join(seen.reasons)})" if seen.reasons else ""
                    return f"{seen.healthy} of {wanted} targets are healthy{reasons}"
                if seen.initial:
                    return f"{seen.initial} targets are still in their first health check"
    return ""


HINTS = {
    "Target.Timeout": "requests time out: let the load balancer's security group reach the port of the tasks",
    "Target.ResponseCodeMismatch": "the response does not match the health check: see its path and its matcher",
    "Target.FailedHealthChecks": "no connection, or an incomplete response: see that the container listens on its port",
}
"""What a target that is not healthy most likely lacks. Source: ELBv2 TargetHealth, reason codes."""


def hint(targets: Sequence[TargetsLook]) -> str:
    """What to look at where no target of a group is healthy, to be put behind why; empty where nothing is known."""
    for seen in targets:
        if isinstance(seen, TargetsSeen) and not seen.healthy:
            known = [HINTS[reason] for reason in seen.reasons if reason in HINTS]
            if known:
                return f"; {'; '.join(known)}"
    return ""


def unused_zones(targets: Sequence[TargetsLook]) -> tuple[str, ...]:
    """The zones of targets that their load balancer does not use."""
    found = (zone for seen in targets if isinstance(seen, TargetsSeen) for zone in seen.unused_zones)
    return tuple(dict.fromkeys(found))


def not_ready(
    service: ServiceLook,
    revision: TaskDefinitionArn,
    targets: Sequence[TargetsLook],
    *,
    now: datetime,
    quiet: timedelta,
) -> str:
    """Why a colour is not ready for traffic, in words; empty once it is, in this one look.

    Ready takes two such looks in a row. `quiet`: no task may have stopped by its own doing, or for a reason that is
    not known, for that long.
    """
    reason = not_steady(service, revision)
    if not isinstance(service, ServiceSeen):
        return reason
    if reason and is_starting(service) and service.running >= service.desired > 0:
        return _joined(reason, not_healthy(targets, service.desired))
    if reason:
        return reason
    stops = doubtful_stops(service, revision, now - quiet)
    if stops:
        return f"a task of {service.name} stopped just now: {stops[0].why}"
    doubt = why_in_doubt(service, revision, now, now - FLAPPING_WITHIN)
    if doubt:
        return f"{service.name}: {doubt}"
    return not_healthy(targets, service.desired)


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)


def cannot_take_all(
    service: ServiceLook, revision: TaskDefinitionArn, targets: Sequence[TargetsLook], needed: int
) -> str:
    """Why a colour could not take all traffic at once, in words; empty if it could."""
    match service:
        case None:
            return "it was not looked at"
        case Unread(why=why):
            return f"it could not be read: {why}"
        case Absent():
            return "it does not exist"
        case ServiceSeen():
            primary = service.primary
            if service.status != "ACTIVE" or primary is None:
                return f"{service.name} is {service.status}"
            if primary.task_definition != revision or len(service.deployments) != 1:
                found = revision_name(primary.task_definition)
                return (
                    f"{service.name} is not steadily on {revision_name(revision)}: somebody deploys {found}"
                )
            if service.desired < needed:
                return f"{service.name}'s desired count is {service.desired}, all traffic needs {needed}"
            return not_healthy(targets, needed)
