"""Blue's own scaling, where green stays: it must not bring blue's tasks back, it goes with a blue that is deleted, and
it is given back where a rollback wants blue again.

Suspended whole, with a minimum of 0: to register a scalable target moves the present count into its bounds at once.
"""

from collections.abc import Iterator
from dataclasses import replace

from orchestrator.core.cloud.effects import (
    DeleteAlarms,
    Effect,
    PutScalingPolicy,
    PutScheduledAction,
    SetScaling,
)
from orchestrator.core.cloud.resources import Absent, ScalesSeen
from orchestrator.core.domain.events import EventKind
from orchestrator.core.rollout.rollout import HoldKind, Rollout
from orchestrator.core.scaling import blue_floor, green_scaling, swap_green, target_values
from orchestrator.core.tick.draft import Draft
from orchestrator.core.tick.needs import Needs

OWN = "teal-"  # how the names of alarms begin that a rollout has made


def needs(row: Rollout) -> Needs:
    """What to see of both colours' scaling while blue is retired."""
    asked = swap_green.needs(row)
    return replace(asked, alarms=own_alarms(row)) if asked.scaling else asked


def own_alarms(row: Rollout) -> tuple[str, ...]:
    """The alarms that drive an own blue's scaling, which an earlier rollout made."""
    blue = row.blue
    if blue is None or not blue.is_own or blue.scales is None:
        return ()
    return tuple(driver.name for driver in blue.scales.drivers if driver.name.startswith(OWN))


def stop(draft: Draft) -> str:
    """What stopping blue's scaling still waits for; empty once nothing of it can act, or it has none."""
    row, blue = draft.row, draft.row.blue
    if blue is None or blue.scaling is None:
        return ""
    seen = draft.read(draft.seen.scaling, blue_floor.WHAT)
    if isinstance(seen, str):
        return seen
    if isinstance(seen, Absent):
        return ""
    known = target_values.held(row)
    aim = replace(
        target_values.kept(known),
        min_capacity=0,
        scale_in_suspended=True,
        scale_out_suspended=True,
        scheduled_suspended=True,
    )
    if seen == aim:
        draft.change(holding=replace(known, verified=seen))
        return ""
    if seen not in (known.base, known.verified, target_values.wanted(known), *known.written):
        words = "somebody changed blue's scaling, which would bring its tasks back: it is left as it is"
        draft.hold(
            HoldKind.SCALING, words, clears_when="blue's scaling is as Teal wrote it, or a person rolls back"
        )
    if not draft.holds:
        draft.change(holding=target_values.asked(known, aim, draft.now), is_scaling_touched=True)
        effect = SetScaling(cluster=blue.cluster, service=blue.name, wanted=aim)
        draft.ask(effect, "stop blue's scaling, so that it stays without tasks")
    return "blue's scaling to be stopped"


def take_away(draft: Draft) -> str:
    """What of a blue's scaling that is to be deleted is still there; asks for its end."""
    row = draft.row
    if row.blue is None or row.retirement is None or row.blue.scaling is None or draft.holds:
        return ""
    draft.change(retirement=replace(row.retirement, is_scaling_gone=True))
    if waiting := swap_green.remove_blues_scaling(draft):
        return waiting
    there = [name for name in own_alarms(row) if not isinstance(draft.seen.alarms.get(name), Absent)]
    if there:
        draft.ask(DeleteAlarms(names=tuple(there)), f"delete the alarms that drove blue: {', '.join(there)}")
        return "blue's alarms to be gone"
    return ""


def back_needs(row: Rollout) -> Needs:
    """What to see of blue's scaling once a rollback wants it again. It is read as green's would be."""
    is_gone = row.retirement is not None and row.retirement.is_scaling_gone
    return Needs(green_scales=row.blue.name) if is_gone and row.blue is not None else Needs()


def give_back(draft: Draft) -> str:
    """What blue's scaling, which was taken away, still lacks of what it was; empty once it has it, or never lost it."""
    row, blue = draft.row, draft.row.blue
    if blue is None or row.retirement is None or not row.retirement.is_scaling_gone or blue.scaling is None:
        return ""
    seen = draft.read(draft.seen.green_scales, blue_floor.WHAT)
    if isinstance(seen, str):
        return seen
    lacking = list(_lacking(draft, seen))
    for effect, words in lacking[: green_scaling.AT_ONCE]:
        draft.ask(effect, words)
    if lacking:
        return "blue's scaling to be as it was"
    draft.change(retirement=replace(row.retirement, is_scaling_gone=False))
    drivers = [driver.name for driver in blue.scales.drivers] if blue.scales else []
    if drivers:
        words = f"{', '.join(drivers)} drove policies of blue that are gone: attach them to the new ones"
        draft.tell(EventKind.DRIFT_FOUND, words)
    return ""


def _lacking(draft: Draft, seen: ScalesSeen) -> Iterator[tuple[Effect, str]]:
    blue = draft.blue
    if seen.target is None:
        base = target_values.kept(target_values.held(draft.row))
        effect = SetScaling(cluster=blue.cluster, service=blue.name, wanted=base)
        yield effect, f"let blue scale between {base.min_capacity} and {base.max_capacity} tasks again"
        return
    if blue.scales is None:
        return
    policies, schedules = {one.name for one in seen.policies}, {one.name for one in seen.schedules}
    for policy in blue.scales.policies:
        if policy.name not in policies:
            put = PutScalingPolicy(
                cluster=blue.cluster,
                service=blue.name,
                name=policy.name,
                policy_type=policy.kind,
                configuration=policy.configuration,
            )
            yield put, f"give blue its scaling policy {policy.name} back"
    for action in green_scaling.schedules_of(blue.scales, draft.now):
        if action.name not in schedules:
            again = PutScheduledAction(cluster=blue.cluster, service=blue.name, action=action)
            yield again, f"give blue its scheduled action {action.name} back"
