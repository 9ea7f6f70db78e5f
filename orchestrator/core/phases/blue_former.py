"""Blue's former revision, in place: asked for when a rollback meets a blue that was given the new one, and once more
where an update of Teal's own was carried out late, when all traffic was on blue again.
"""

from dataclasses import replace

from orchestrator.core.cloud.deployment_configuration import comparable, is_watchful, unwatched
from orchestrator.core.cloud.effects import UpdateService, update_key
from orchestrator.core.cloud.readiness import cannot_take_all, not_ready
from orchestrator.core.cloud.resources import Absent, ServiceSeen
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import TargetGroupArn, revision_name
from orchestrator.core.domain.plan import percent
from orchestrator.core.domain.text import span
from orchestrator.core.ecs import former_task_definition
from orchestrator.core.gates.scene import Colour
from orchestrator.core.rollout.handover import Attempt
from orchestrator.core.rollout.rollout import HoldKind, Rollout
from orchestrator.core.scaling.task_counts import count_before
from orchestrator.core.tick.draft import LATE, Draft, targets_of


def is_steady_again(draft: Draft) -> bool:
    """True once blue steadily runs its former revision again and could take everything."""
    blue = draft.blue
    seen = draft.must_find(draft.seen.blue, "blue", kind=HoldKind.BLUE)
    if isinstance(seen, str):
        return False
    newest = draft.row.handover.attempts[-1]
    if newest.task_definition != blue.former:
        _begin_attempt(draft, seen)
        return False
    if former_task_definition.is_under_way(draft, _update(draft, newest).key):
        return False
    primary = seen.primary
    if (
        primary is None
        or primary.task_definition != blue.former
        or is_watchful(seen.deployment_configuration)
    ):
        _ask(draft, newest)
    why = not_ready(seen, blue.former, targets_of(draft, Colour.BLUE), now=draft.now, quiet=draft.poll)
    why = why or cannot_take_all(seen, blue.former, targets_of(draft, Colour.BLUE), newest.desired)
    # An update from before the rollback may still be on its way: steady does not count until it hardly can be.
    why = why or ("one more look" if draft.now < newest.at + LATE else "")
    return draft.is_ready_twice("blue", f"blue on {revision_name(blue.former)}: {why}" if why else "")


def targets_to_read(row: Rollout) -> tuple[TargetGroupArn, ...]:
    """Blue's target groups, while it goes back to its former revision after all traffic was on it."""
    return tuple(pair.blue for pair in row.pairs) if _is_given_back_again(row) else ()


def was_taken_off(draft: Draft) -> str:
    """What is waited for where an update that the rollback overtook was carried out after it; empty: it was not.

    Traffic is on blue by then, which ECS gives the new revision: once two looks agree, it is given the former one by
    another update, and people are told.
    """
    attempts, seen = draft.row.handover.attempts, draft.seen.blue
    if not attempts or attempts[-1].task_definition != draft.blue.former or isinstance(seen, Absent):
        return ""
    newest, former = attempts[-1], draft.blue.former
    again = f"blue to be on {revision_name(former)} again"
    if _is_given_back_again(draft.row):
        if not is_steady_again(draft):
            return again
        newest = replace(draft.row.handover.attempts[-1], is_taken=True)
        _keep(draft, newest)
    found = draft.must_read(seen, "blue", kind=HoldKind.BLUE)
    if isinstance(found, str):
        return found
    overtaken = {one.task_definition for one in attempts} - {former}
    if found.primary is None or found.primary.task_definition not in overtaken:
        _keep(draft, replace(newest, doubted_since=None))
        return ""
    if not draft.is_agreed(newest.doubted_since):
        _keep(draft, replace(newest, doubted_since=newest.doubted_since or draft.now))
        draft.wake_by(draft.now + draft.row.spec.metrics.look_gap)
        return "a second look at blue"
    draft.change(ready_since=None)
    _begin_attempt(draft, found)
    draft.page(
        f"AWS has carried out an update of blue late that Teal had sent before the rollback: blue takes "
        f"{revision_name(found.primary.task_definition)}, and all traffic is on it. Teal gives it "
        f"{revision_name(former)} again",
        about="late update",
    )
    return again


def may_be_taken_off(draft: Draft) -> str:
    """What an end on blue's former revision still waits for: an update before it that may still be carried out."""
    attempts = draft.row.handover.attempts
    if not attempts or attempts[-1].task_definition != draft.blue.former:
        return ""
    overtaken = {
        update_key(draft.blue.name, one.number)
        for one in attempts
        if one.task_definition != draft.blue.former
    }
    still = [one.until for one in draft.row.ticks.unanswered if one.key in overtaken]
    if not still:
        return ""
    draft.wake_by(max(still))
    return f"an update of blue that AWS may still carry out, until {max(still):%H:%M:%S}Z"


def _is_given_back_again(row: Rollout) -> bool:
    """True from the update that gives blue its former revision once more until it was seen steady on it."""
    on_blue = row.end.traffic_on_blue_at if row.end else None
    attempts = row.handover.attempts
    return bool(attempts) and on_blue is not None and attempts[-1].at > on_blue and not attempts[-1].is_taken


def _keep(draft: Draft, attempt: Attempt) -> None:
    draft.change(attempts=(*draft.row.handover.attempts[:-1], attempt))


def _begin_attempt(draft: Draft, seen: ServiceSeen) -> None:
    row, blue = draft.row, draft.blue
    attempt = Attempt(
        number=len(row.handover.attempts) + 1,
        task_definition=blue.former,
        desired=max(seen.desired, row.handover.attempts[-1].desired),
        desired_before=count_before(row.handover.attempts, seen),
        at=draft.now,
        before=seen.primary.id if seen.primary else "",
    )
    serves = (
        f"green keeps {percent(row.green_weight)} of the traffic" if row.green_weight else "the weights stay"
    )
    is_theirs = comparable(seen.deployment_configuration) != comparable(blue.deployment_configuration)
    if is_theirs and not row.handover.is_configuration_touched:
        draft.change(theirs_configuration=seen.deployment_configuration)
    draft.change(attempts=(*row.handover.attempts, attempt), is_configuration_touched=True)
    draft.tell(
        EventKind.BLUE_UPDATE_ASKED,
        f"blue goes back to {revision_name(blue.former)} in place, which takes {span(LATE)} at least; "
        f"{serves} until blue is steady on it",
        attempt=attempt.number,
        task_definition=blue.former,
    )
    _ask(draft, attempt)


def _update(draft: Draft, attempt: Attempt) -> UpdateService:
    blue = draft.blue
    before = draft.row.handover.theirs_configuration or blue.deployment_configuration
    return UpdateService(
        cluster=blue.cluster,
        service=blue.name,
        task_definition=blue.former,
        desired=attempt.desired,
        deployment_configuration=unwatched(before),
        attempt=attempt.number,
    )


def _ask(draft: Draft, attempt: Attempt) -> None:
    effect = _update(draft, attempt)
    draft.ask(effect, f"update blue to {revision_name(effect.task_definition)}")
