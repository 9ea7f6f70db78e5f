"""Break glass: all traffic back to blue, decided from what AWS shows alone. No row, no server, no file.

``teal rollback SERVICE --direct`` looks, asks this module for the next move, makes it, and looks again until there is
none left: level, not edge, like ``decide``. What green is and what blue must run is read from the tags that a rollout
puts on what it makes. Nothing here ever gives green more.
"""

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from orchestrator.core.break_glass.snapshot import Place, Step, TagGreen
from orchestrator.core.cloud.deployment_configuration import (
    is_watchful,
    rewatched,
    unwatched,
    watch_of,
    with_hooks_of,
)
from orchestrator.core.cloud.effects import (
    RestoreDeploymentConfiguration,
    ScaleService,
    UpdateService,
    WriteRule,
)
from orchestrator.core.cloud.forward_action import (
    all_on_blue,
    cookie_life,
    without_green,
)
from orchestrator.core.cloud.readiness import cannot_take_all, not_healthy, not_ready, not_steady
from orchestrator.core.cloud.resources import RuleSeen, TargetsSeen
from orchestrator.core.domain.errors import NotFound
from orchestrator.core.domain.ids import Json, RolloutId, TaskDefinitionArn, revision_name
from orchestrator.core.domain.plan import NONE
from orchestrator.core.domain.tags import FORMER, TAKEN_BACK, UNWATCHED
from orchestrator.core.domain.text import counted, span
from orchestrator.core.rollout.first_values import restored
from orchestrator.core.rollout.names import short_id
from orchestrator.core.tick.draft import LATE

STAYS = timedelta(seconds=10)  # all traffic must be on blue in two looks so far apart
LOOK_GAP = timedelta(seconds=10)  # and blue ready on its former revision


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectState:
    """What one run remembers between two looks; everything else is looked up again."""

    by: str  # who and why, as the tag says it
    asked_at: datetime | None = None  # blue was asked to take its former revision
    was_unsteady: bool = False
    is_raised: bool = False
    has_acted: bool = False
    switched_off: tuple[str, ...] = ()  # in blue's deployment configuration
    configuration: Json | None = None  # blue's deployment configuration, before that
    ready_since: datetime | None = None
    on_blue_since: datetime | None = None
    cannot_tag: str = ""  # why


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What to do now, what is waited for in words, and whether that is all."""

    state: DirectState
    steps: tuple[Step, ...]
    waiting_for: str
    is_done: bool


def green_names(service: str, rollout: str) -> tuple[str, ...]:
    """The names that a rollout may have given its green (see ``rollout.names`` and ``phases.provisioning``)."""
    name = f"{service[:240]}-{short_id(RolloutId(rollout))}"
    return name, f"{name}-2"[:255]


def former_of(place: Place) -> TaskDefinitionArn | None:
    """The revision blue must be on, if settling may have touched it. Raises NotFound if tags contradict each other."""
    found = {tags[FORMER] for guest in place.guests for tags in guest.tags if tags.get(FORMER)}
    if len(found) > 1:
        raise NotFound(
            what=f"{place.name}: which revision blue came from is not clear",
            why=f"greens of different rollouts say {' and '.join(sorted(revision_name(one) for one in found))}",
            next_step=f"give blue the right one (`aws ecs update-service`), then remove the tag {FORMER} from the rest",
        )
    return TaskDefinitionArn(found.pop()) if found else None


def goes_back_in_place(place: Place) -> bool:
    """True if blue does not steadily run its former revision: the weights stay until it does."""
    former = former_of(place)
    return former is not None and bool(not_steady(place.blue, former))


def next_move(place: Place, state: DirectState, now: datetime) -> Move:
    """What to do after this look. Raises NotFound if the tags contradict each other."""
    former = former_of(place)
    tags = _tags_to_write(place, state)
    if former is not None and (state.asked_at or state.was_unsteady or not_steady(place.blue, former)):
        waiting, state, steps = _former_first(place, state, former, now, may_ask=not tags)
    else:
        waiting, state, steps = _size_first(place, state)
    held = [rule for rule in place.rules if place.green_part(rule) or cookie_life(rule.actions)]
    writes = () if waiting else tuple(_write(place, rule) for rule in held)
    is_all_on_blue = not (writes or place.unread) and all(
        place.green_part(rule) == NONE for rule in place.rules
    )
    state = replace(state, on_blue_since=(state.on_blue_since or now) if is_all_on_blue else None)
    restores = _restore(place, state) if is_all_on_blue and not waiting else ()
    made = (*writes, *tags, *steps, *restores)
    state = replace(state, has_acted=state.has_acted or bool(writes or steps or restores))
    if not waiting and not made:
        waiting = _stays(place, state, now)
    return Move(
        state=state, steps=made, waiting_for=waiting, is_done=is_all_on_blue and not (waiting or made)
    )


def _write(place: Place, rule: RuleSeen) -> WriteRule:
    blue, first = place.blue_of(rule), place.first_of(rule)
    # A weight of 0 frees nobody whom a cookie keeps on green; only green's leaving the rule does.
    is_sticky = bool(cookie_life(rule.actions))
    actions = None
    if first is not None:
        actions = restored(rule.actions, first, blue=blue, greens=place.greens, is_kept=not is_sticky)
    if actions is None:
        actions = all_on_blue(rule.actions, blue=blue, greens=place.greens)
        for green in sorted(place.greens) if is_sticky else ():
            actions = without_green(actions, blue=blue, green=green)
    return WriteRule(
        rule=rule.arn,
        listener=rule.listener,
        is_default=rule.is_default,
        actions=actions,
        green=None if is_sticky else NONE,
        to_safety=True,
    )


def _stays(place: Place, state: DirectState, now: datetime) -> str:
    """What the end still waits for once there is nothing to do: a call of a dying engine may land after the read."""
    if place.unread:
        return f"a look at everything: {place.unread[0]}"
    since = state.on_blue_since
    if state.has_acted and (since is None or now < since + STAYS):
        return f"a second look {span(STAYS)} later: a late write of an engine may still land"
    return ""


# blue first -------------------------------------------------------------------------------------------------------


Readied = tuple[str, DirectState, tuple[Step, ...]]


def _size_first(place: Place, state: DirectState) -> Readied:
    """Blue is on its revision: it is raised where it was scaled down, and otherwise nothing is waited for."""
    blue, seen = place.blue, tuple(place.targets.values())
    if blue.desired < place.needed:
        words = f"blue to have {counted(place.needed, 'healthy task')}, its desired count is {blue.desired}"
        return words, replace(state, is_raised=True), (_scale(place),)
    if state.is_raised and (why := not_healthy(seen, place.needed)):
        return f"blue to be large enough: {why}", state, ()
    if any(isinstance(targets, TargetsSeen) and not targets.registered for targets in seen):
        return "a task of blue to be there: its target group is empty, so users would get 503", state, ()
    return "", state, ()


def _scale(place: Place) -> ScaleService:
    return ScaleService(cluster=place.blue.cluster, service=place.blue.name, desired=place.needed)


def _former_first(
    place: Place, state: DirectState, former: TaskDefinitionArn, now: datetime, *, may_ask: bool
) -> Readied:
    """Blue takes its former revision back in place. Its alarms and its breaker's rollback are off meanwhile.

    `may_ask`: what is switched off is written on green already, so that another run can restore it.
    """
    blue, primary, targets = place.blue, place.blue.primary, tuple(place.targets.values())
    configuration = blue.deployment_configuration
    unsteady = not_steady(blue, former)
    is_off = primary is None or primary.task_definition != former
    steps: tuple[Step, ...] = ()
    if is_off or (unsteady and is_watchful(configuration)):
        if may_ask or not is_watchful(configuration):
            state = replace(
                state,
                asked_at=state.asked_at or now,
                switched_off=state.switched_off or watch_of(configuration),
                configuration=state.configuration or configuration,
            )
            steps = (_update(place, former),)
    elif blue.desired < place.needed:
        steps = (_scale(place),)
    why = not_ready(blue, former, targets, now=now, quiet=timedelta(0))
    why = why or cannot_take_all(blue, former, targets, place.needed)
    if not why and state.asked_at and now < state.asked_at + LATE:
        why = f"another update may still be in flight for {span(state.asked_at + LATE - now)}"
    if why:
        state = replace(state, was_unsteady=True, ready_since=None)
        return f"blue to be steady on {revision_name(former)}: {why}", state, steps
    since = state.ready_since or now
    state = replace(state, ready_since=since)
    if now - since < LOOK_GAP and state.on_blue_since is None:
        return f"a second look at blue on {revision_name(former)}", state, steps
    return "", state, steps


def _update(place: Place, former: TaskDefinitionArn) -> UpdateService:
    return UpdateService(
        cluster=place.blue.cluster,
        service=place.blue.name,
        task_definition=former,
        desired=place.needed,
        deployment_configuration=unwatched(place.blue.deployment_configuration),
        attempt=1,
    )


# what is written on green -----------------------------------------------------------------------------------------


def _tags_to_write(place: Place, state: DirectState) -> tuple[TagGreen, ...]:
    """The tags that green lacks; a rollback that an earlier run began keeps its own words."""
    if state.cannot_tag:
        return ()
    wanted = {TAKEN_BACK: state.by}
    watch = watch_of(place.blue.deployment_configuration)
    if watch and goes_back_in_place(place):
        wanted[UNWATCHED] = " ".join(watch)
    made = []
    for guest in place.guests:
        missing = [
            (key, value) for key, value in wanted.items() if any(key not in tags for tags in guest.tags)
        ]
        if missing:
            service = guest.service.arn if guest.service else ""
            made.append(TagGreen(service=service, groups=tuple(guest.groups), tags=tuple(missing)))
    return tuple(made)


def _restore(place: Place, state: DirectState) -> tuple[Step, ...]:
    """Switch on again what this run or an earlier one switched off, once all traffic is on blue."""
    found = [tags[UNWATCHED].split() for guest in place.guests for tags in guest.tags if tags.get(UNWATCHED)]
    watch = tuple(found[0]) if found else state.switched_off
    configuration = place.blue.deployment_configuration
    wanted = with_hooks_of(state.configuration or configuration, rewatched(configuration, watch))
    if json.loads(wanted) == json.loads(configuration):
        return ()
    return (
        RestoreDeploymentConfiguration(
            cluster=place.blue.cluster, service=place.blue.name, deployment_configuration=wanted
        ),
    )
