"""What `teal rollback SERVICE --direct` says that it is about to do."""

import json
from datetime import timedelta

from orchestrator.core.break_glass.direct_rollback import former_of, goes_back_in_place
from orchestrator.core.break_glass.snapshot import Place
from orchestrator.core.cloud.deployment_configuration import watch_of
from orchestrator.core.cloud.forward_action import read_forward
from orchestrator.core.cloud.resources import ServiceSeen
from orchestrator.core.domain.ids import Tenths, revision_name
from orchestrator.core.domain.plan import NONE, percent
from orchestrator.core.domain.text import counted, span
from orchestrator.core.tick.draft import LATE

NOTHING = (
    "no rule of its load balancers carries a green of Teal beside blue: all its traffic is blue's already"
)


def situation(place: Place) -> tuple[str, ...]:
    """Who there is, and who has which share."""
    lines = [f"{place.name}: blue runs {_runs(place.blue)}"]
    lines += [
        f"green {guest.name} runs {_runs(guest.service)}"
        if guest.service
        else f"green {guest.name} has no service"
        for guest in place.guests
    ]
    for rule in place.rules:
        share = place.green_part(rule)
        lines.append(f"{rule.name}: green has {percent(share)}, blue {percent(Tenths(1000 - share))}")
    lines += [f"{name} forwards to green and not to blue: left as it is" for name in place.alone]
    return tuple(lines)


def intentions(place: Place) -> tuple[str, ...]:
    """What will be done, in order, in words."""
    lines: list[str] = []
    former = former_of(place)
    if former is not None and goes_back_in_place(place):
        off = " with its deployment alarms and its breaker's rollback off for that" * bool(
            watch_of(place.blue.deployment_configuration)
        )
        lines.append(
            f"give blue {revision_name(former)} back in place, {counted(place.needed, 'task')}{off}. That takes as "
            f"long as a deployment of blue, {span(LATE)} at least; the weights stay as they are until it is steady"
        )
    elif place.blue.desired < place.needed:
        lines.append(
            f"raise blue from {counted(place.blue.desired, 'task')} to {place.needed}, as many as green has, and wait "
            "until they are healthy"
        )
    for rule in place.rules:
        if place.green_part(rule) != NONE:
            lines.append(f"write {rule.name}: green 0 %, blue what green had, everything else unchanged")
    if place.unread:
        lines.append("do the same on what could not be read yet")
    elif not any(place.green_part(rule) for rule in place.rules):
        lines.append("write no weight: green has none")
    lines.append("tag green as rolled back, so that a server that returns cleans up")
    return tuple(lines)


def pinned(place: Place) -> tuple[str, ...]:
    """Which users no weight would free from green."""
    lines = []
    for rule in place.rules:
        forward = read_forward(rule.actions)
        sticky = json.loads(forward.stickiness) if forward else {}
        if sticky:
            until = span(timedelta(seconds=sticky.get("DurationSeconds", 0)))
            lines.append(
                f"{rule.name} pins users to a colour for up to {until}: green is taken out of it, which frees those "
                "who met green at once"
            )
    return tuple(lines)


def _runs(service: ServiceSeen) -> str:
    primary = service.primary
    revision = revision_name(primary.task_definition if primary else service.task_definition)
    return f"{revision} ({service.running} of {counted(service.desired, 'task')})"
