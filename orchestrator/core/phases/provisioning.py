"""Provisioning: green is made and becomes ready, and blue is kept able to take everything back."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from orchestrator.core.analysis import auto_plan, baseline
from orchestrator.core.analysis.bake import go_to_step
from orchestrator.core.cloud.effects import CreateService
from orchestrator.core.cloud.readiness import cannot_take_all, hint, not_ready, unused_zones
from orchestrator.core.cloud.resources import Absent, ServiceSeen, TargetsLook
from orchestrator.core.cloud.stop_causes import own_stops
from orchestrator.core.domain.ids import TargetGroupArn
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import NONE
from orchestrator.core.domain.text import counted, load_balancer_name
from orchestrator.core.ecs import task_definitions
from orchestrator.core.ecs.stopped_tasks import tell
from orchestrator.core.evaluation import before_traffic, change_windows, limits, webhooks
from orchestrator.core.evaluation.approvals import BEFORE_TRAFFIC, is_approved, needs_first_approval
from orchestrator.core.gates.scene import Colour
from orchestrator.core.phases.shared_needs import (
    rules_of,
    scaling_of,
    services,
    with_greens_scaling,
)
from orchestrator.core.rollout.colours import Green
from orchestrator.core.rollout.names import is_ours, next_service_name, tags_of, tags_of_registered, token_of
from orchestrator.core.rollout.rollout import HoldKind, Rollout
from orchestrator.core.scaling import blue_floor, capacity, green_scaling, task_counts
from orchestrator.core.tick.draft import TEAL, Draft, targets_of
from orchestrator.core.tick.needs import Needs
from orchestrator.core.tick.turn_back import roll_back
from orchestrator.core.traffic import (
    rule_looks,
    rules,
    test_rules,
)
from orchestrator.core.traffic.drift import drift_ends_it

REFUSED_TRIES = 6  # CreateService, about a minute in all: ECS may see late what it refuses for lack of
FAILED_STARTS = 2  # tasks that failed to start for the same reason: it will not get better


def needs(row: Rollout, now: datetime) -> Needs:
    """What provisioning must see."""
    asked = replace(
        services(row, row.known.green.name),
        rules=rules_of(row, are_tests_read=True),
        scaling=scaling_of(row),
        metrics=baseline.need(row, now),
        images=task_definitions.images_need(row),
        probe=before_traffic.probe_need(row),
        hooks=webhooks.needs(row, now),
    )
    return with_greens_scaling(asked, row)


def provision(draft: Draft) -> None:
    """Make green, keep blue able to take everything back, and wait until green is ready in two looks."""
    before_traffic.take(draft)
    looks = rule_looks.take_looks(draft)
    if drift_ends_it(draft, looks):
        return
    rule_looks.hold_for(draft, looks)
    rules.want(draft, NONE)
    rules.write(draft, looks, safe_is_less=True)
    _make_green(draft)
    if draft.turning_back is not None:
        return
    capacity.hold_against_schedules(draft)
    blue_floor.keep(draft, capacity.all_traffic_needs(draft))
    baseline.take(draft)
    task_definitions.keep_images(draft)
    scaling = _give_scaling(draft)
    if not _is_ready_twice(draft):
        limits.limit(draft)
        return
    if scaling:
        draft.change(waiting_for=scaling)
        limits.limit(draft)
        return
    if test_rules.point(draft):
        _start_traffic(draft)
    elif draft.turning_back is None:
        limits.limit(draft)


def _give_scaling(draft: Draft) -> str:
    """What green's scaling still waits for; it has none while it is kept at one task, which nothing may add to."""
    green = draft.row.green
    if green is None or not green.is_grown or not isinstance(draft.seen.green, ServiceSeen):
        return ""
    return green_scaling.give(draft, tags_of(draft.row))


def _make_green(draft: Draft) -> None:
    row, green = draft.row, draft.green
    seen: ServiceSeen | Absent | str = draft.read(draft.seen.green, "green")
    match seen:
        case str():
            return
        case Absent():
            if not green.is_asked:
                blue = draft.must_find(draft.seen.blue, "blue")
                if isinstance(blue, str) or not _are_groups_empty(draft):
                    return
                # Green is made as large as blue is now.
                green = replace(green, desired=_first_size(draft, blue), is_asked=True)
            draft.change(green=green)
            _ask_for_green(draft, green)
        case ServiceSeen() if not is_ours(row, dict(seen.tags)) or seen.status != "ACTIVE":
            # Somebody else's, or on its way out, which keeps its name for so long: another name, never theirs.
            name = next_service_name(green.name, row.id)
            token = token_of(row, name)
            draft.change(green=replace(green, name=name, token=token, is_asked=False))
        case ServiceSeen():
            draft.change(green=replace(green, arn=seen.arn, is_asked=True))
            _follow_start(draft, seen)


def _ask_for_green(draft: Draft, green: Green) -> None:
    """Ask for green; give up where ECS goes on refusing it, or saying that its target group has no load balancer.

    It has one, as this rollout has read: ECS sees it some seconds later, or something is wrong with it.
    """
    create = _create(draft.row)
    refusals = [f for f in draft.seen.failures if f.key == create.key and (f.is_missing or f.is_final)]
    known = next((asked for asked in draft.before.ticks.asked if asked.key == create.key), None)
    if refusals and known is not None and known.times >= REFUSED_TRIES:
        roll_back(draft, f"green cannot be created, after {known.times} attempts: {refusals[0].why}", TEAL)
        return
    draft.ask(create, f"create green: {green.name} with {green.desired} tasks")


def _are_groups_empty(draft: Draft) -> bool:
    """True if nobody has put targets into green's groups, which are to hold its own tasks alone."""
    for pair in draft.row.pairs:
        found = draft.seen.targets.get(pair.green) if pair.green else None
        seen = draft.must_find(found, f"the targets of {pair.green_name}")
        if isinstance(seen, str):
            return False
        if seen.registered + seen.draining:
            words = (
                f"somebody put {counted(seen.registered + seen.draining, 'target')} into {pair.green_name}"
            )
            draft.hold(HoldKind.DRIFT, words, clears_when=f"{pair.green_name} has no target")
            return False
    return True


def _first_size(draft: Draft, blue: ServiceSeen) -> int:
    """How many tasks green begins with."""
    row = draft.row
    needed = max(blue.desired, row.spec.first_tasks)
    return task_counts.first_tasks(row.spec, needed=needed, zones=row.blue.zones if row.blue else 1)


def _create(row: Rollout) -> CreateService:
    return CreateService(
        cluster=row.known.blue.cluster,
        name=row.known.green.name,
        template=row.known.blue.template,
        task_definition=row.known.green.task_definition,
        desired=row.known.green.desired,
        groups=tuple((pair.blue, TargetGroupArn(pair.green or "")) for pair in row.pairs),
        token=row.known.green.token,
        tags=(*tags_of(row), *tags_of_registered(row)),
    )


def _follow_start(draft: Draft, green: ServiceSeen) -> None:
    """Roll back as soon as it is certain that green will not start; say what it waits for until then."""
    row = draft.row
    primary = green.primary
    stops = own_stops(green, row.known.green.task_definition, row.created_at)
    tell(draft, Colour.GREEN)
    if primary is not None and primary.rollout_state == "FAILED":
        # ECS counts the tasks; why they stopped only they can say.
        reason = (primary.reason or "ECS gave up on it").rstrip(".")
        last = f"; its last task: {stops[0].why}" if stops else ""
        roll_back(draft, f"green does not start: {reason}{last}", TEAL)
        return
    reasons = [stop.why for stop in stops]
    worst = max(reasons, key=reasons.count, default="")
    failed_starts = [stop for stop in stops if stop.code == "TaskFailedToStart" and stop.why == worst]
    if len(failed_starts) >= FAILED_STARTS or len(stops) > FAILED_STARTS:
        roll_back(draft, f"green does not start: {len(stops)} tasks stopped, {worst}", TEAL)
        return
    capacity.follow_blue(draft, green, task_counts.first_weight(draft.row.spec))


def _is_ready_twice(draft: Draft) -> bool:
    row, green = draft.row, draft.green
    targets = targets_of(draft, Colour.GREEN)
    why = not_ready(draft.seen.green, green.task_definition, targets, now=draft.now, quiet=draft.poll)
    if not why and isinstance(draft.seen.green, ServiceSeen) and draft.seen.green.desired < green.desired:
        why = f"green grows to {green.desired} tasks"
    if _is_outside_for_good(draft, targets):
        return False
    if why:
        return draft.is_ready_twice("green", f"{why}{hint(targets)}")
    if green.started_in is None:
        began = row.phase_since or row.created_at
        draft.change(green=replace(green, started_in=draft.now - began))
    return draft.is_ready_twice("green", "")


def _is_outside_for_good(draft: Draft, targets: Sequence[TargetsLook]) -> bool:
    """True once green is given up, since tasks of it are where its load balancer takes no targets from.

    A group that is in no rule has the same reason for every target: then drift says what is wrong.
    """
    zones = unused_zones(targets) if rules.all_at(draft.row, NONE) and not draft.holds else ()
    since = draft.row.stops.unused_since or draft.now
    draft.change(unused_since=since if zones else None)
    if not zones or draft.now - since < draft.row.spec.metrics.period:
        return False
    network = json.loads(draft.blue.template).get("networkConfiguration") or {}
    subnets = (network.get("awsvpcConfiguration") or {}).get("subnets", ())
    of = f" (its subnets: {', '.join(subnets)})" if subnets else ""
    names = dict.fromkeys(load_balancer_name(pair.load_balancer) for pair in draft.row.pairs)
    roll_back(
        draft,
        f"green has tasks in {', '.join(zones)}{of}, a zone that is not enabled for load balancer "
        f"{' or '.join(names)}: enable it there, or take the subnet out of the service",
        TEAL,
    )
    return True


def _start_traffic(draft: Draft) -> None:
    row, blue = draft.row, draft.blue
    needed = capacity.all_traffic_needs(draft)
    why = cannot_take_all(draft.seen.blue, blue.former, targets_of(draft, Colour.BLUE), needed)
    if why:
        draft.hold(
            HoldKind.CAPACITY, f"blue could not take all traffic back: {why}", clears_when="blue is ready"
        )
    if not blue_floor.is_held(draft):
        draft.change(waiting_for="blue's scale-in to be suspended")
        limits.limit(draft)
        return
    is_tried = before_traffic.is_passed(draft)
    if draft.turning_back is not None:
        return
    is_ready = is_tried and not any(h.kind is not HoldKind.PAUSED for h in draft.holds)
    is_ready = is_ready and not change_windows.must_wait(draft)
    if is_ready and needs_first_approval(row):
        fires = any(alarm.state == "ALARM" for alarm in blue.alarms)
        of = "first traffic (an alarm fires already)" if fires else "first traffic"
        is_ready = is_approved(draft, BEFORE_TRAFFIC, of=of)
    if is_ready and not row.pause.paused_by and not capacity.is_grown(draft):
        return
    if draft.green.is_grown and green_scaling.is_missing(draft.row):
        draft.wake_by(draft.now)  # nothing may add to fewer tasks than its share needs: only now may it scale
        return
    if is_ready and not row.pause.paused_by and (wait := auto_plan.wait_for_moment(draft)):
        draft.change(waiting_for="the right moment of the metric period")
        draft.wake_by(draft.now + wait)
        is_ready = False
    if is_ready and not row.pause.paused_by:
        go_to_step(draft, 0)
        baseline.freeze(draft)
        auto_plan.begin(draft)
        draft.move(Phase.SHIFTING, "green is steady and healthy in two looks")
