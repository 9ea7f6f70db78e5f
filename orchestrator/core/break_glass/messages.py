"""What `teal rollback SERVICE --direct` says: what it is about to do, and what it leaves behind."""

import json
from dataclasses import replace
from datetime import timedelta

from orchestrator.core.break_glass.direct_rollback import former_of, goes_back_in_place, watch_of
from orchestrator.core.break_glass.snapshot import Guest, Place
from orchestrator.core.cloud.aws_commands import aws, register_target
from orchestrator.core.cloud.forward_action import as_writable, forward_of, read_forward, without_green
from orchestrator.core.cloud.resources import RuleSeen, ScalingSeen, ServiceSeen
from orchestrator.core.domain.ids import Tenths, revision_name
from orchestrator.core.domain.plan import NONE, percent
from orchestrator.core.domain.text import counted, group_name, span
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


def leftovers(place: Place) -> tuple[str, ...]:
    """What is left of green and of what Teal changed, in words."""
    lines: list[str] = []
    for guest in place.guests:
        if guest.service is not None:
            lines.append(f"service {guest.service.name} ({counted(guest.service.running, 'task')})")
            if guest.service.name in place.scaled:
                alarms = f"{_alarm_prefix(guest)}…"
                lines.append(
                    f"the scaling of {guest.service.name}, and alarms named {alarms} if steps drove it"
                )
        lines += [f"target group {group_name(group)}, at weight 0 on the rules" for group in guest.groups]
    if (scaling := _without_scale_in(place)) is not None:
        lines.append("blue's scale-in is suspended, perhaps by the rollout")
        lines.append(
            f"blue's scalable target allows {scaling.min_capacity} to {scaling.max_capacity} tasks: the rollout may "
            "have raised either, and its event blue_read says what they were"
        )
    return tuple(lines)


def commands(place: Place) -> tuple[str, ...]:
    """The commands that remove what is left, for where no server will return to do it."""
    cluster = place.cluster
    made = [_without(rule, place) for rule in place.rules]
    for guest in place.guests:
        if guest.service is not None:
            if (
                guest.service.name in place.scaled
            ):  # first: it would start the tasks again, and outlives the service
                made += [_unscaled(place, guest.service.name), _alarms(guest)]
            made.append(
                aws("ecs", "delete-service", cluster=cluster, service=guest.service.name) + " --force"
            )
        made += [aws("elbv2", "delete-target-group", target_group_arn=group) for group in guest.groups]
    if (scaling := _without_scale_in(place)) is not None:
        made.append(_resume(place, scaling))
    return tuple(made)


def _runs(service: ServiceSeen) -> str:
    primary = service.primary
    revision = revision_name(primary.task_definition if primary else service.task_definition)
    return f"{revision} ({service.running} of {counted(service.desired, 'task')})"


def _without(rule: RuleSeen, place: Place) -> str:
    forward = forward_of(rule.actions)
    blue = next(w.group for w in forward.groups if w.group in place.targets)
    actions = rule.actions
    for green in (w.group for w in forward.groups if w.group in place.greens):
        actions = without_green(actions, blue=blue, green=green)
    if rule.is_default:
        return aws(
            "elbv2", "modify-listener", listener_arn=rule.listener, default_actions=as_writable(actions)
        )
    return aws("elbv2", "modify-rule", rule_arn=rule.arn, actions=as_writable(actions))


def _without_scale_in(place: Place) -> ScalingSeen | None:
    """Blue's scalable target, if its scale-in is suspended."""
    return place.scaling if place.scaling is not None and place.scaling.scale_in_suspended else None


def _resume(place: Place, scaling: ScalingSeen) -> str:
    resumed = replace(scaling, scale_in_suspended=False)
    return register_target(place.name, resumed, are_bounds_written=False)


def _alarms(guest: Guest) -> str:
    """Alarms by the beginning of their names: how many a rollout made, its green's tags do not say."""
    prefix = _alarm_prefix(guest)
    named = aws("cloudwatch", "describe-alarms", alarm_name_prefix=prefix, query="MetricAlarms[].AlarmName")
    return f"aws cloudwatch delete-alarms --alarm-names $({named} --output text)"


def _alarm_prefix(guest: Guest) -> str:
    """How the names of a green's alarms begin: as those of its target groups, which it has."""
    return f"{group_name(next(iter(guest.groups))).rpartition('-')[0]}-alarm-"


def _unscaled(place: Place, service: str) -> str:
    return aws(
        "application-autoscaling",
        "deregister-scalable-target",
        service_namespace="ecs",
        scalable_dimension="ecs:service:DesiredCount",
        resource_id=f"service/{place.cluster}/{service}",
    )
