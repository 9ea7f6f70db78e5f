"""Capacity: green as large as blue wants to be, and blue kept able to take everything back."""

from dataclasses import replace

from orchestrator.core.draft import Draft
from orchestrator.core.effects import ScaleService, SetScaling
from orchestrator.core.observed import Absent, ScalingSeen, ServiceSeen, Unread
from orchestrator.core.rollout import HoldKind


def follow_blue(draft: Draft, green: ServiceSeen) -> None:
    """Keep green as large as blue wants to be now: blue's own scaling goes on deciding how much is needed."""
    blue, row = draft.seen.blue, draft.row
    assert row.green is not None
    if not row.green.is_grown:
        return
    if isinstance(blue, ServiceSeen) and blue.desired > row.green.desired:
        draft.change(green=replace(row.green, desired=blue.desired))
    wanted = draft.row.green.desired if draft.row.green else green.desired
    if green.desired < wanted:
        scale = ScaleService(cluster=green.cluster, service=green.name, desired=wanted)
        draft.ask(scale, f"give green {wanted} tasks, as many as blue")


def is_grown(draft: Draft) -> bool:
    """True once green may have, and was ready with, all its tasks; before that it has one, and nobody's traffic.

    What a task does in the background it does from its first moment: one shows it, when everything else about green
    was found to be well, before all do it.
    """
    green, blue = draft.row.green, draft.seen.blue
    assert green is not None
    if green.is_grown:
        return True
    wanted = max(blue.desired if isinstance(blue, ServiceSeen) else 1, draft.row.spec.first_tasks)
    draft.change(green=replace(green, is_grown=True, desired=wanted))
    if wanted == green.desired:
        return True
    draft.change(ready_since=None, waiting_for=f"green grows to {wanted} tasks")
    draft.wake_by(draft.now)
    return False


def all_traffic_needs(draft: Draft) -> int:
    """How many tasks of blue all traffic needs: as many as it had at the start, or wants by now.

    Blue's scale-in is suspended, so what it wants never shrinks while traffic leaves it; and where it has scaled
    out, the tasks it had at the start could not take everything back.
    """
    blue, seen = draft.row.blue, draft.seen.blue
    assert blue is not None
    return max(blue.desired, seen.desired) if isinstance(seen, ServiceSeen) else blue.desired


def keep_scale_in_off(draft: Draft) -> None:
    """Suspend blue's scale-in before any traffic leaves it, so that it stays able to take everything back."""
    row = draft.row
    if row.blue is None or row.blue.scaling is None:
        return
    wanted = suspended(row.blue.scaling)
    match draft.seen.scaling:
        case None | Absent():
            return
        case Unread(why=why):
            draft.hold(HoldKind.AWS, f"blue's scaling could not be read: {why}", clears_when="it can be read")
        case ScalingSeen() as seen if seen == wanted:
            return
        case ScalingSeen() as seen if seen == row.blue.scaling:
            draft.change(is_scaling_touched=True, created_last=draft.now)
            suspend = SetScaling(cluster=row.blue.cluster, service=row.blue.name, wanted=wanted)
            draft.ask(suspend, "suspend blue's scale-in, so that it can take all traffic back")
        case ScalingSeen():
            draft.hold(
                HoldKind.SCALING,
                "somebody changed blue's scaling since the rollout began",
                clears_when="blue's scaling is as it was, or the rollout is started anew",
            )


def suspended(scaling: ScalingSeen) -> ScalingSeen:
    """The same scalable target with scale-in suspended."""
    return replace(scaling, scale_in_suspended=True)


def scale_in_is_off(draft: Draft) -> bool:
    """True once blue's scale-in was seen suspended, or it has no scaling."""
    blue = draft.row.blue
    assert blue is not None
    if blue.scaling is None or isinstance(draft.seen.scaling, Absent):
        return True
    return draft.seen.scaling == suspended(blue.scaling)
