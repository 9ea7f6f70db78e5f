"""Green scales by itself: blue's policies, the alarms that drive them and its schedules, given to green and taken back.

Given before green's first traffic, with its names in place of blue's. Green's target has its present count as minimum
and its scale-in suspended: a green with few requests would else shrink, and then meet many. Its scale-out is as blue's.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from orchestrator.core.cloud.effects import (
    DeleteAlarms,
    DeregisterScaling,
    Effect,
    PutAlarm,
    PutScalingPolicy,
    PutScheduledAction,
    SetScaling,
    Tags,
)
from orchestrator.core.cloud.resources import (
    Absent,
    AlarmSeen,
    DriverSeen,
    PolicySeen,
    ScalesSeen,
    ScalingSeen,
    ScheduleSeen,
    Unread,
)
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.text import counted
from orchestrator.core.rollout.names import names_of
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.scaling import green_target, policies_for_green
from orchestrator.core.tick.draft import Draft
from orchestrator.core.tick.needs import Needs

WHAT = "green's scaling"
AT_ONCE = 3  # writes in one tick: Application Auto Scaling takes about one a second
SOON = timedelta(minutes=1)  # a one-time action so near is past before it is written


def needs(row: Rollout) -> Needs:
    """What to see of green's scaling while it is given to it, and afterwards."""
    if row.blue is None or row.green is None or row.blue.scales is None or not row.green.is_asked:
        return Needs()
    if not row.green.is_scaling_given:
        return Needs(green_scales=row.green.name, drivers=row.green.alarms)
    return Needs(green_scaling=row.green.name)


def leaving_needs(row: Rollout) -> Needs:
    """What to see of green's scaling while it is taken away."""
    if row.green is None or not row.green.is_scaling_asked or row.green.is_scaling_gone:
        return Needs()
    return Needs(green_scaling=row.green.name, alarms=row.green.alarms)


# given -----------------------------------------------------------------------------------------------------------


def give(draft: Draft, tags: Tags) -> str:
    """What giving green its scaling still waits for; empty once everything was seen, or blue has none."""
    row, green = draft.row, draft.green
    if not is_missing(row):
        return ""
    seen = draft.read(draft.seen.green_scales, WHAT)
    if isinstance(seen, str):
        return seen
    missing = list(_missing(row, seen, tags, draft.now))
    if not missing:
        draft.change(green=replace(green, is_scaling_given=True, target=seen.target))
        draft.tell(EventKind.SCALING_GIVEN, _in_words(row))
        return ""
    draft.change(green=replace(green, is_scaling_asked=True))
    for effect, words in missing[:AT_ONCE]:
        draft.ask(effect, words)
    return f"green's scaling: {counted(len(missing), 'part')} of it"


def is_missing(row: Rollout) -> bool:
    """True while green lacks the scaling that it is to have."""
    blue, green = row.blue, row.green
    if blue is None or green is None or blue.scales is None or blue.scaling is None:
        return False
    return not green.is_scaling_given


def _missing(row: Rollout, seen: ScalesSeen, tags: Tags, now: datetime) -> Iterator[tuple[Effect, str]]:
    """The writes that green's scaling still lacks, in the order of their dependence: a target comes before policies."""
    cluster, service, scales = (
        row.known.blue.cluster,
        row.known.green.name,
        row.known.blue.scales or ScalesSeen(),
    )
    if seen.target is None:
        wanted = target_of(row, None)
        every = tuple(dict([*scales.tags, *tags]).items())
        yield (
            SetScaling(cluster=cluster, service=service, wanted=wanted, tags=every),
            f"let green scale between {wanted.min_capacity} and {wanted.max_capacity} tasks, only outwards",
        )
        return
    names, given = names_of(row), {policy.name: policy for policy in seen.policies}
    policies = policies_for_green.copied(scales, names)
    for policy in policies:
        if policy.name not in given:
            effect = PutScalingPolicy(
                cluster=cluster,
                service=service,
                name=policy.name,
                policy_type=policy.kind,
                configuration=policies_for_green.for_green(policy, names),
            )
            yield effect, f"give green the scaling policy {policy.name}"
    there = {action.name for action in seen.schedules}
    for action in schedules_of(scales, now):
        if action.name not in there:
            put = PutScheduledAction(cluster=cluster, service=service, action=action)
            yield put, f"give green the scheduled action {action.name}"
    drivers = policies_for_green.drivers_of(scales, policies)
    for name, driver in zip(row.known.green.alarms, drivers, strict=True):
        actions = _actions(driver, policies, given)
        found = next((one for one in seen.drivers if one.name == name), None)
        if actions and (found is None or found.actions != actions):
            settings = policies_for_green.renamed(driver.settings, names)
            alarm = PutAlarm(name=name, settings=settings, actions=actions, tags=tags)
            yield alarm, f"create {name}, which drives green's scaling as {driver.name} drives blue's"


def _actions(
    driver: DriverSeen, policies: tuple[PolicySeen, ...], given: dict[str, PolicySeen]
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What green's copy of an alarm does: green's policies in place of blue's; nothing while one is not there yet."""
    named = {policy.arn: policy.name for policy in policies}
    wanted = [(state, [named[arn] for arn in arns if arn in named]) for state, arns in driver.actions]
    if any(name not in given for _, found in wanted for name in found):
        return ()
    return tuple((state, tuple(given[name].arn for name in found)) for state, found in wanted if found)


def schedules_of(scales: ScalesSeen, now: datetime) -> tuple[ScheduleSeen, ...]:
    """The scheduled actions that still have something to do; what is over would be refused."""
    left = (action for action in scales.schedules if not is_over(action, now))
    # A start that has passed says nothing any more, and may be refused.
    return tuple(replace(a, start=None) if a.start and a.start <= now + SOON else a for a in left)


def is_over(action: ScheduleSeen, now: datetime) -> bool:
    """True for a one-time action whose moment has passed, or is so near that it will have, and for an ended one."""
    if action.end is not None and action.end <= now + SOON:
        return True
    moment = moment_of(action)
    return moment is not None and moment <= now + SOON


def moment_of(action: ScheduleSeen) -> datetime | None:
    """When a one-time action acts; None for a recurring one. One that cannot be read counts as long over."""
    if not action.schedule.startswith("at("):
        return None
    try:
        zone = ZoneInfo(action.zone or "UTC")
        return datetime.fromisoformat(action.schedule[3:].rstrip(")")).replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, ZoneInfoNotFoundError):
        return datetime.min.replace(tzinfo=UTC)


def _in_words(row: Rollout) -> str:
    policies = policies_for_green.copied(row.known.blue.scales or ScalesSeen(), names_of(row))
    parts = [f"blue's policies {', '.join(policy.name for policy in policies)}"] if policies else []
    if row.green and row.green.alarms:
        parts.append(counted(len(row.green.alarms), "alarm"))
    given = " with " + " and ".join(parts) if parts else ""
    return f"green scales by itself{given}; its scale-in is suspended"


# kept ------------------------------------------------------------------------------------------------------------


def keep(draft: Draft) -> None:
    """Keep green's target as it shall be: never below the count it has, and only outwards."""
    row, green, seen = draft.row, draft.row.green, draft.seen.green_scaling
    looked = [one for one in (seen, draft.seen.scaling) if one is not None]
    if looked and not any(isinstance(one, Unread) for one in looked):
        draft.change(scaling_seen_at=draft.now)
    if green is None or row.blue is None or not green.is_scaling_given or not isinstance(seen, ScalingSeen):
        return
    wanted = target_of(row, seen)
    notice(draft, seen)
    if wanted != seen:
        words = (
            f"let green scale between {wanted.min_capacity} and {wanted.max_capacity} tasks, only outwards"
        )
        ask(draft, SetScaling(cluster=row.blue.cluster, service=green.name, wanted=wanted), words)


def notice(draft: Draft, seen: ScalingSeen) -> None:
    """Remember what others have made of green's target, and say it once."""
    green, words = green_target.noticed(draft.row, seen)
    draft.change(green=green)
    if words:
        draft.tell(EventKind.DRIFT_FOUND, words)


def ask(draft: Draft, effect: SetScaling, words: str) -> None:
    """Ask for green's target to be so, and remember it as Teal's own."""
    draft.change(green=replace(draft.green, given=effect.wanted))
    draft.ask(effect, words)


def target_of(row: Rollout, seen: ScalingSeen | None) -> ScalingSeen:
    """Green's scalable target as it shall be now; a maximum that a schedule of its own has raised stays."""
    base, green = row.known.blue.known_scaling, row.known.green
    most = max(base.max_capacity, green.desired, seen.max_capacity if seen else 0)
    if row.evidence.intervention is not None and row.evidence.intervention.stops_tasks:
        # Nothing may start the tasks whose absence is to show something.
        return ScalingSeen(
            min_capacity=0,
            max_capacity=most,
            scale_in_suspended=True,
            scale_out_suspended=True,
            scheduled_suspended=True,
        )
    return replace(base, min_capacity=green.desired, max_capacity=most, scale_in_suspended=True)


# taken away ------------------------------------------------------------------------------------------------------


def still_scales(draft: Draft) -> str:
    """Why green's tasks cannot be stopped yet: a target would start them again. Empty once there is none."""
    green, seen = draft.row.green, draft.seen.green_scaling
    if green is None or not green.is_scaling_asked or green.is_scaling_gone or isinstance(seen, Absent):
        return ""
    return "green's scaling to be removed"


def take_away(draft: Draft, *, may_come_late: bool) -> str:
    """What of green's scaling is still there; empty once nothing is, or there never was any."""
    row, green = draft.row, draft.row.green
    if row.blue is None or green is None or not green.is_scaling_asked or green.is_scaling_gone:
        return ""
    left = [_remove_target(draft), _remove_alarms(draft)]
    waiting = next((words for words in left if words), "")
    if waiting:
        return waiting
    if may_come_late:
        return "a scaling write that may still be in flight"
    draft.change(green=replace(green, is_scaling_gone=True))
    return ""


def _remove_target(draft: Draft) -> str:
    row, green = draft.row, draft.green
    seen = draft.read(draft.seen.green_scaling, WHAT)
    if isinstance(seen, str):
        return seen
    if isinstance(seen, Absent):
        return ""
    gone = DeregisterScaling(cluster=row.known.blue.cluster, service=green.name)
    draft.ask(gone, "remove green's scaling, with its policies and scheduled actions")
    return "green's scaling to be gone"


def _remove_alarms(draft: Draft) -> str:
    green = draft.green
    there = []
    for name in green.alarms:
        seen = draft.read(draft.seen.alarms.get(name), name)
        if isinstance(seen, str):
            return seen
        if isinstance(seen, AlarmSeen):
            there.append(name)
    if not there:
        return ""
    draft.ask(DeleteAlarms(names=tuple(there)), f"delete the alarms that drove green: {', '.join(there)}")
    return "green's alarms to be gone"
