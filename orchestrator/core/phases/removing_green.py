"""Green leaves: its tasks drain and go, the rules get their first lists back, blue's scaling is restored.

The same on every way out, and each part only if Teal made it, touched it, and nobody changed it since.
"""

import json
import math
from dataclasses import replace
from datetime import datetime, timedelta

from orchestrator.core.cloud.deployment_configuration import given_back
from orchestrator.core.cloud.effects import DeleteService, RestoreDeploymentConfiguration, ScaleService
from orchestrator.core.cloud.resources import Absent, GroupSeen, ServiceSeen
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.tags import ROLLOUT
from orchestrator.core.ecs import task_definitions
from orchestrator.core.phases import blue_former, last_look, removing_blue
from orchestrator.core.phases.shared_needs import (
    base,
    rules_of,
    scaling_of,
)
from orchestrator.core.rollout import rule_lists
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.rollout.rule_state import Pair
from orchestrator.core.scaling import blue_floor, green_scaling, swap_blue
from orchestrator.core.tick import point_of_no_return
from orchestrator.core.tick.draft import TEAL, Draft
from orchestrator.core.tick.needs import Needs
from orchestrator.core.traffic import leaving_rules, sticky_sessions, target_groups_in_use

# A written weight steers the whole load balancer some seconds after it reads back.
PROPAGATION = timedelta(seconds=10)
# On resume, policies that are already in breach act at once: blue's metrics must settle first.
PERIODS_BEFORE_SCALING = 3
RESTORED = "the rules to have their first lists again"


def needs(row: Rollout, now: datetime) -> Needs:
    """What leaving must see, on every way out."""
    if row.blue is None or row.green is None:
        return Needs()
    scaling = green_scaling.leaving_needs(row)
    return replace(
        base(row),
        green_scaling=scaling.green_scaling,
        green_scales=swap_blue.back_needs(row).green_scales,
        alarms=scaling.alarms,
        metrics=sticky_sessions.need(row, now),
        rules=rules_of(row, are_tests_read=True),
        blue=row.blue.name,
        green="" if row.green.is_gone else row.green.name,
        groups=tuple(pair.green_name for pair in row.pairs if not pair.is_deleted),
        scaling=scaling_of(row),
        revisions=task_definitions.needs(row),
        balancers=target_groups_in_use.balancers(row),
        targets=(*leaving_rules.targets_to_read(row), *blue_former.targets_to_read(row)),
    )


def leave(draft: Draft, end: Phase) -> None:
    """One tick of leaving; moves to `end` once everything was seen to be gone and restored."""
    point_of_no_return.note_absence(draft)
    rules = leaving_rules.take(draft)
    if not rules.is_clear:
        draft.change(waiting_for=RESTORED)
        return
    if why := blue_former.was_taken_off(draft):
        draft.change(waiting_for=why)
        return
    if draft.row.way_out.unpinned_at is None and rule_lists.life(draft.row):
        draft.change(unpinned_at=draft.now)
    left = [
        _restore_configuration(draft),
        green_scaling.take_away(draft, may_come_late=draft.may_land_late),
        _remove_green(draft),
        "" if rules.is_restored else RESTORED,
        *(_remove_group(draft, pair, is_restored=rules.is_restored) for pair in draft.row.pairs),
        task_definitions.remove(draft, end, may_come_late=draft.may_land_late),
        removing_blue.untag(draft),
        _give_scaling_back(draft),
        _restore_count(draft),
        _restore_scaling(draft),
    ]
    waiting = next((words for words in left if words), "")
    if not waiting and draft.may_land_late:
        waiting = "calls that may still be in flight"
        draft.wake_by(draft.late_until)
    waiting = waiting or blue_former.may_be_taken_off(draft) or last_look.waits(draft)
    draft.change(waiting_for=waiting)
    if waiting or draft.holds:
        return
    if draft.row.end is None:
        draft.end("blue runs the new revision", TEAL)
    reason = draft.row.end.reason if draft.row.end else ""
    draft.move(end, reason)
    found = last_look.compare(draft, end)
    draft.tell(
        EventKind.ENDED,
        f"{end}: {reason}{_left(draft)}{found.sentence}",
        phase=end.value,
        reason=reason,
        differs=found.as_json,
        not_compared=", ".join(found.unread),
    )


def _left(draft: Draft) -> str:
    """What is left, as the last event says it."""
    left = target_groups_in_use.in_words(draft.row) or "; nothing of green is left"
    if point_of_no_return.is_blue_gone(draft):
        left += f"; {draft.blue.name} is gone, which somebody deleted: nothing of it was restored"
    return left


def _remove_green(draft: Draft) -> str:
    """What green's service still waits for; empty once it is gone."""
    green = draft.row.green
    if green is None or green.is_gone:
        return ""
    seen: ServiceSeen | Absent | str = draft.read(draft.seen.green, "green")
    match seen:
        case str() as waiting:
            return waiting
        case Absent():
            if green.is_asked and draft.may_land_late:
                return "a creation that may still be in flight"
            draft.change(green=replace(green, is_gone=True))
            return ""
        case ServiceSeen() as service:
            return _retire(draft, service)


def _retire(draft: Draft, service: ServiceSeen) -> str:
    green = draft.green
    if service.tags.get(ROLLOUT) != draft.row.id:
        draft.change(green=replace(green, is_gone=True))
        return ""  # somebody else's service under the name Teal would have taken
    if (service.status != "ACTIVE" or not service.desired) and draft.row.way_out.stopping_since is None:
        draft.change(stopping_since=draft.now)
    if service.status != "ACTIVE":
        return "green's last tasks to stop"
    if service.desired > 0:
        empty = _empty_at(draft)
        if draft.now < empty and leaving_rules.has_served(draft.row):
            draft.wake_by(empty)
            return f"the last requests to leave green, until {empty:%H:%M:%S}Z"
        if why := sticky_sessions.not_quiet(draft) or green_scaling.still_scales(draft):
            return why
        draft.change(green=replace(green, is_leaving=True))
        kept = _kept(draft, empty)
        if service.desired > kept:
            if not kept:
                draft.change(stopping_since=draft.now)
            scale = ScaleService(cluster=service.cluster, service=service.name, desired=kept)
            which = f"all but {kept} of green's tasks" if kept else "green's tasks"
            draft.ask(scale, f"stop {which}: {service.name}")
        return "green's tasks to stop"
    if service.running or service.pending:
        return f"green's last {service.running + service.pending} tasks to stop"
    if waiting := leaving_rules.not_drained(draft):
        return waiting
    draft.ask(DeleteService(cluster=service.cluster, service=service.name), f"delete green: {service.name}")
    return "green to be deleted"


def _empty_at(draft: Draft) -> datetime:
    """When green's tasks may be stopped: AWS drains what is in a rule, and nothing drains what is in none."""
    way, drain = draft.row.way_out, draft.row.spec.drain
    empty = (way.on_blue_since or draft.now) + max(PROPAGATION, drain.after)
    if way.detached_since is not None:
        empty = max(empty, way.detached_since + PROPAGATION + leaving_rules.unused_delay(draft.row))
    return empty


def _kept(draft: Draft, since: datetime) -> int:
    """How many of green's tasks stay for now.

    A connection that lives on (WebSocket, server-sent events, HTTP/2) stays with its task whatever the weights are.
    Stopped in slices, tasks cut a part of them at a time, so that not everybody comes back to blue at once.
    """
    row, drain = draft.row, draft.row.spec.drain
    done = 1 + (draft.now - since) // drain.every if drain.every else drain.slices
    if row.green is None or done >= drain.slices or not leaving_rules.has_served(row):
        return 0
    draft.wake_by(since + done * drain.every)
    return row.green.desired - math.ceil(row.green.desired * done / drain.slices)


def _remove_group(draft: Draft, pair: Pair, *, is_restored: bool) -> str:
    """What one of green's target groups still waits for; empty once it is gone."""
    green = draft.row.green
    if pair.is_deleted:
        return ""
    match draft.read(draft.seen.groups.get(pair.green_name), pair.green_name):
        case str() as waiting:
            return waiting
        case Absent():
            if draft.may_land_late:
                return "a creation that may still be in flight"
        case GroupSeen() as seen if seen.tags.get(ROLLOUT) == draft.row.id:
            if (green is not None and not green.is_gone) or not is_restored:
                return f"target group {pair.green_name} to be deleted"
            if waiting := target_groups_in_use.delete(draft, seen.arn, pair.load_balancer):
                return waiting
        case GroupSeen():
            pass  # somebody else's group under the name Teal would have taken
    gone = tuple(
        replace(p, is_deleted=True) if p.green_name == pair.green_name else p for p in draft.row.pairs
    )
    draft.change(pairs=gone)
    return ""


def _restore_configuration(draft: Draft) -> str:
    """Give blue its deployment configuration back, if the way back switched its alarms and breaker off."""
    row, blue = draft.row, draft.row.blue
    if blue is None or not row.handover.is_configuration_touched:
        return ""
    seen = removing_blue.to_restore(draft)
    if not isinstance(seen, ServiceSeen):
        return seen if isinstance(seen, str) else ""
    back = row.handover.theirs_configuration or blue.deployment_configuration
    if row.retirement is None:  # a blue that was made anew has green's, and nobody else's
        back = given_back(back, seen.deployment_configuration)
    if json.loads(seen.deployment_configuration) == json.loads(back):
        draft.change(is_configuration_touched=False)
        return ""
    restore = RestoreDeploymentConfiguration(
        cluster=blue.cluster,
        service=blue.name,
        deployment_configuration=back,
    )
    draft.ask(restore, "restore blue's deployment configuration")
    return "blue's deployment configuration to be as it was"


def _restore_count(draft: Draft) -> str:
    """Without scaling of its own, put blue's count back if Teal raised it and nobody changed it since."""
    row, blue = draft.row, draft.row.blue
    if blue is None or blue.scaling is not None:
        return ""
    if blue.desired == 0 and row.end is None:  # its first revision serves: there is no going back to nothing
        return ""
    raised, before = _raised_count(row)
    if raised == before:
        return ""
    seen = removing_blue.to_restore(draft)
    if not isinstance(seen, ServiceSeen):
        return seen if isinstance(seen, str) else ""
    if seen.desired != raised:
        return ""
    scale = ScaleService(cluster=blue.cluster, service=blue.name, desired=before)
    draft.ask(scale, f"restore blue's desired count: {before}")
    return "blue's count to be as it was"


def _give_scaling_back(draft: Draft) -> str:
    """What scaling that a retirement took from blue still lacks; nothing where blue is gone."""
    return "" if point_of_no_return.is_blue_gone(draft) else swap_blue.give_back(draft)


def _raised_count(row: Rollout) -> tuple[int, int]:
    """The desired count that Teal gave blue, and the one it had before; twice the same where it gave none."""
    if row.handover.attempts:
        last = row.handover.attempts[-1]
        return last.desired, last.desired_before
    retirement = row.retirement
    if retirement is not None and retirement.drained_from is not None and retirement.count is not None:
        return retirement.desired, retirement.count
    return 0, 0


def _restore_scaling(draft: Draft) -> str:
    """Lift the suspension that Teal wrote; what somebody else changed meanwhile stays, and is told."""
    row, blue = draft.row, draft.row.blue
    if blue is None or blue.scaling is None or not row.blue_scaling.is_scaling_touched:
        return ""
    if isinstance(
        draft.seen.blue, Absent
    ):  # AWS refuses every write to the scaling of a service that is not there
        return "" if point_of_no_return.is_blue_gone(draft) else removing_blue.SECOND_LOOK
    if row.way_out.on_blue_since is not None:
        ripe = row.way_out.on_blue_since + PERIODS_BEFORE_SCALING * row.spec.metrics.period
        if draft.now < ripe:
            draft.wake_by(ripe)
            return "blue's metrics to settle before its scaling is restored"
    waiting = blue_floor.restore(draft)
    if waiting:
        return waiting
    if draft.may_land_late:
        draft.wake_by(draft.late_until)
        return "a suspension that may still be in flight"
    blue_floor.tell_difference(draft)
    draft.change(is_scaling_touched=False)
    return ""
