"""What `teal rollback SERVICE --direct` leaves: each thing in words, and the commands that put all as it was first.

What it was first is read from green's tags (`rollout.first_values`). Where they do not say it, as on a green of an
earlier version, the words say what is not known.
"""

import json
from collections.abc import Iterator
from dataclasses import replace

from orchestrator.core.break_glass.snapshot import Guest, Place
from orchestrator.core.cloud import aws_commands
from orchestrator.core.cloud.aws_commands import aws
from orchestrator.core.cloud.deployment_configuration import rewatched
from orchestrator.core.cloud.forward_action import forward_of, says_the_same, without_green
from orchestrator.core.cloud.resources import RuleSeen, ScalingSeen
from orchestrator.core.domain.ids import Json
from orchestrator.core.domain.tags import REVISIONS
from orchestrator.core.domain.text import counted, group_name
from orchestrator.core.rollout.first_values import restored


def leftovers(place: Place) -> tuple[str, ...]:
    """What is left of green and of what Teal changed, in words: what it is, and what it was."""
    return (*_rules_in_words(place), *_green_in_words(place), *_blue_in_words(place))


def commands(place: Place) -> tuple[str, ...]:
    """The commands that put all as it was first, in order, for where no server will return to do it."""
    made = [
        aws_commands.write_rule(
            rule.arn, rule.listener, is_default=rule.is_default, actions=_first(rule, place)[0]
        )
        for rule in place.rules
    ]
    for guest in place.guests:
        made += _without_green(guest, place)
    return (*made, *_blue_commands(place))


# rules -----------------------------------------------------------------------------------------------------------


def _first(rule: RuleSeen, place: Place) -> tuple[Json, bool]:
    """A rule's list without green; and whether it is the first one, as green's tags say it."""
    blue, first = place.blue_of(rule), place.first_of(rule)
    if first is not None:
        actions = restored(rule.actions, first, blue=blue, greens=place.greens, is_kept=False)
        if actions is not None:
            return actions, True
    actions = rule.actions
    for green in sorted(place.greens):
        actions = without_green(actions, blue=blue, green=green)
    return actions, len(forward_of(actions).groups) == 1 and first is not None


def _rules_in_words(place: Place) -> Iterator[str]:
    for rule in place.rules:
        actions, is_known = _first(rule, place)
        now, was = _weights(rule.actions), _weights(actions)
        if says_the_same(rule.actions, actions):
            continue
        if is_known:
            yield f"{rule.name} forwards to {now}, and to {was} at first"
        else:
            yield (
                f"{rule.name} forwards to {now}: without green to {was}. What its weights were at first green's tags "
                "do not say, or somebody else has changed them since"
            )


def _weights(actions: Json) -> str:
    return "/".join(f"{group_name(w.group)} {w.weight}" for w in forward_of(actions).groups)


# green -----------------------------------------------------------------------------------------------------------


def _green_in_words(place: Place) -> Iterator[str]:
    for guest in place.guests:
        if guest.service is not None:
            yield f"service {guest.service.name} ({counted(guest.service.running, 'task')})"
            if guest.service.name in place.scaled:
                alarms = _alarms(guest, place)
                also = f", and {', '.join(alarms)}" if alarms else ""
                also = (
                    f", and alarms named {_alarm_prefix(guest)}… if steps drove it"
                    if alarms is None
                    else also
                )
                yield f"the scaling of {guest.service.name}{also}"
        yield from (f"target group {group_name(group)}, at weight 0 on the rules" for group in guest.groups)
        if revisions := _revisions(guest):
            yield f"{counted(len(revisions), 'revision')} that the rollout registered: {', '.join(revisions)}"


def _without_green(guest: Guest, place: Place) -> Iterator[str]:
    service = guest.service
    if service is not None:
        if service.name in place.scaled:  # first: it would start the tasks again, and outlives the service
            yield aws_commands.deregister_target(f"{place.cluster}/{service.name}")
            alarms = _alarms(guest, place)
            if alarms is None:
                yield _alarms_by_prefix(guest)
            elif alarms:
                yield aws_commands.delete_alarms(alarms)
        yield aws_commands.delete_service(place.cluster, service.name)
    yield from (aws("elbv2", "delete-target-group", target_group_arn=group) for group in guest.groups)
    for name in _revisions(guest):
        yield aws("ecs", "deregister-task-definition", task_definition=name)


def _revisions(guest: Guest) -> list[str]:
    """What the rollout registered and blue, which is on its former revision, does not run."""
    return guest.service.tags.get(REVISIONS, "").split() if guest.service else []


def _alarms(guest: Guest, place: Place) -> tuple[str, ...] | None:
    """The alarms that drive green's scaling; None where green's tags do not say how many."""
    if place.first is None:
        return None
    return tuple(f"{_alarm_prefix(guest)}{number}" for number in range(place.first.alarms))


def _alarms_by_prefix(guest: Guest) -> str:
    prefix = _alarm_prefix(guest)
    named = aws("cloudwatch", "describe-alarms", alarm_name_prefix=prefix, query="MetricAlarms[].AlarmName")
    return f"aws cloudwatch delete-alarms --alarm-names $({named} --output text)"


def _alarm_prefix(guest: Guest) -> str:
    """How the names of a green's alarms begin: as those of its target groups, which it has."""
    return f"{group_name(next(iter(guest.groups))).rpartition('-')[0]}-alarm-"


# blue ------------------------------------------------------------------------------------------------------------


def _blue_in_words(place: Place) -> Iterator[str]:
    first, scaling, end = place.first, place.scaling, _scaling_at_first(place)
    if scaling is not None and end is not None:
        if scaling.scale_in_suspended and not end.scale_in_suspended:
            yield "blue's scale-in is suspended" + (", perhaps by the rollout" if first is None else "")
        if first is None:
            yield (
                f"blue's scalable target allows {scaling.min_capacity} to {scaling.max_capacity} tasks: the rollout "
                "may have raised either, and its event blue_read says what they were"
            )
        for what, now, was in (
            ("minimum", scaling.min_capacity, end.min_capacity),
            ("maximum", scaling.max_capacity, end.max_capacity),
        ):
            if now != was:
                yield f"blue's {what} is {now}, and was {was} at first"
    if count := _count_at_first(place):
        yield f"blue's desired count is {place.blue.desired}, and was {count} at first"
    if _configuration_at_first(place) is not None:
        yield "blue's deployment alarms or its breaker's rollback are off, and were on at first"


def _blue_commands(place: Place) -> Iterator[str]:
    end, blue = _scaling_at_first(place), place.blue.name
    if end is not None and end != place.scaling:
        yield aws_commands.register_target(place.name, end, are_bounds_written=place.first is not None)
    if count := _count_at_first(place):
        yield aws_commands.update_service(place.cluster, blue, desired_count=str(count))
    if (configuration := _configuration_at_first(place)) is not None:
        yield aws_commands.update_service(place.cluster, blue, deployment_configuration=configuration)


def _scaling_at_first(place: Place) -> ScalingSeen | None:
    """Blue's scalable target without what Teal may have made of it; None: it has none, or nothing is to be undone.

    Teal suspends scale-in, raises the minimum, and the maximum only as far as that minimum. Anything else is others'.
    """
    now, first = place.scaling, place.first
    if now is None or (first is None and not now.scale_in_suspended):
        return None
    if first is None:
        return replace(now, scale_in_suspended=False)
    was = first.scaling
    if was is None:
        return None
    is_lifted = now.max_capacity > was.max_capacity and now.max_capacity == now.min_capacity
    return replace(
        now,
        scale_in_suspended=now.scale_in_suspended and was.scale_in_suspended,
        min_capacity=min(now.min_capacity, was.min_capacity),
        max_capacity=was.max_capacity if is_lifted else now.max_capacity,
    )


def _count_at_first(place: Place) -> int | None:
    """The count of a blue that does not scale, where another one was asked for since."""
    first = place.first
    if first is None or place.scaling is not None or place.blue.desired == first.tasks:
        return None
    return first.tasks


def _configuration_at_first(place: Place) -> Json | None:
    """Blue's deployment configuration with what was on at first, where it is off."""
    now = place.blue.deployment_configuration
    if place.first is None:
        return None
    wanted = rewatched(now, place.first.watch)
    return None if json.loads(wanted) == json.loads(now) else wanted
