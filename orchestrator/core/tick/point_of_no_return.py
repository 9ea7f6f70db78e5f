"""Where there is no way back: blue was deleted, or nothing is left that divides traffic.

Teal then holds, pages people at once, and keeps both services running: whatever users reach now they reach by ways that
are not Teal's, and to stop either colour could be what stops them. No timer and no failing gate takes such a rollout
back; nor one whose file says that green's start cannot be undone (`one_way`), which a person may take back. A blue that
was scaled to nothing is no such case: it gets its tasks back before it gets traffic (``rolling_back``).
"""

from orchestrator.core.cloud.resources import Absent, ServiceSeen
from orchestrator.core.domain.commands import Actor
from orchestrator.core.rollout.progress import Loss
from orchestrator.core.rollout.rollout import HoldKind, Rollout
from orchestrator.core.tick.draft import TEAL, Draft

CLEARS = "a person abandons it, or what is gone is there again"


def why(row: Rollout) -> str:
    """Why this rollout cannot be taken back, in words; empty: it can."""
    if row.blue_loss is Loss.DELETED:
        return f"{row.spec.service.service}, which all traffic would go back to, was deleted"
    if row.rules and {rule.listener for rule in row.rules} <= set(row.listeners.lost_listeners):
        return "the listener of every rule is gone, so no weight can be written any more"
    return ""


def forbids(row: Rollout) -> str:
    """Why Teal does not take this rollout back of itself, in words; empty: it may.

    What green's start has done to a database (`one_way`) blue's revision may not bear: going back is a person's word.
    """
    reason = why(row)
    if reason:
        return f"no rollback is possible: {reason}"
    is_begun = row.green is not None and row.green.is_asked
    return (
        "one_way: green has started, so only a person may roll back" if row.spec.one_way and is_begun else ""
    )


def keeps(draft: Draft, reason: str, by: Actor) -> bool:
    """True where this rollback is not begun: it holds and pages people. A person may give up what listeners lost."""
    row = draft.row
    lack = forbids(row)
    if not lack or not row.phase.blue_is_safe_side or (by != TEAL and row.blue_loss is not Loss.DELETED):
        return False
    draft.hold(HoldKind.FAILED, f"{reason}; but {lack}", clears_when=_clears(row))
    draft.page(f"{reason}; but {lack}; both services keep running", about="no rollback")
    return True


def _clears(row: Rollout) -> str:
    return CLEARS if why(row) else "a person rolls back, goes back, or resumes"


def note_absence(draft: Draft) -> None:
    """Remember since when blue's service is not there; one that was seen is there again."""
    match draft.seen.blue:
        case Absent():
            draft.change(blue_absent_since=draft.row.way_out.blue_absent_since or draft.now)
            draft.wake_by(draft.now + draft.row.spec.metrics.look_gap)
        case ServiceSeen():
            draft.change(blue_absent_since=None)
        case _:
            pass


def is_blue_gone(draft: Draft) -> bool:
    """True once two looks agree that blue's service is not there: somebody deleted it."""
    return isinstance(draft.seen.blue, Absent) and draft.is_agreed(draft.row.way_out.blue_absent_since)


def is_blue_deleted(draft: Draft) -> bool:
    """The same, and where ECS still shows a service that somebody has deleted."""
    seen = draft.seen.blue
    return is_blue_gone(draft) or (isinstance(seen, ServiceSeen) and seen.status != "ACTIVE")


def look(draft: Draft) -> None:
    """Note what became of blue; hold and page people where there is no way back."""
    note_absence(draft)
    row, seen = draft.row, draft.seen.blue
    if is_blue_deleted(draft):
        draft.change(blue_loss=Loss.DELETED)
    elif isinstance(seen, Absent):
        words = "AWS does not know blue's service: a second look says whether it was deleted"
        draft.hold(HoldKind.BLUE, words, clears_when="blue is there")
    elif isinstance(seen, ServiceSeen):
        is_empty = not seen.desired and row.blue is not None and row.blue.desired > 0
        draft.change(blue_loss=Loss.EMPTY if is_empty else None)
    reason = why(draft.row)
    if reason:
        words = f"no rollback is possible: {reason}; both services keep running"
        draft.hold(HoldKind.FAILED, words, clears_when=CLEARS)
        draft.page(f"{words}. `teal abandon {row.id}` leaves everything as it is", about="blue is gone")
    elif draft.row.blue_loss is Loss.EMPTY:
        words = "somebody scaled blue to nothing: before it could take traffic back it would need its tasks"
        draft.hold(HoldKind.CAPACITY, words, clears_when="blue has its tasks again")
        draft.page(words, about="blue is empty")
