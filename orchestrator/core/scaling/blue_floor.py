"""Blue's scalable target while blue must stay able to take everything back, and what it is given back at the end.

As with rules: ``base`` is what the target shall be at the end, and what is read is what Teal wrote, what it was
before, what a schedule of blue's own has made of it, or somebody else's change. What others set is kept, value by
value, and given back at the end, also where Teal must write over it meanwhile. Scale-in is suspended; where all traffic
comes to need more tasks than blue has, its minimum is raised, which starts them at once. Schedules go on: suspending
them would also block those that add tasks.
"""

from dataclasses import replace

from orchestrator.core.cloud.effects import SetScaling
from orchestrator.core.cloud.resources import Absent, ScalingSeen
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.plan import NONE
from orchestrator.core.rollout.colours import Blue
from orchestrator.core.rollout.handover import Holding
from orchestrator.core.rollout.rollout import HoldKind, Rollout
from orchestrator.core.rollout.spec import OnDrift
from orchestrator.core.scaling.target_values import (
    after,
    aged,
    asked,
    differences,
    held,
    is_own,
    is_read_back,
    kept,
    landed,
    wanted,
    with_theirs,
)
from orchestrator.core.tick.draft import LATE, Draft

WHAT = "blue's scaling"
CHANGED = "somebody changed blue's scaling since the rollout began"
CLEARS = (
    "blue's scaling is as it was, or a person resumes: what was set is then what is given back at the end"
)
AGAIN = "blue's scale-in is suspended again"
WRITTEN = "blue's scaling is as Teal wrote it"


def keep(draft: Draft, needed: int) -> None:
    """Keep blue's scale-in suspended, and its minimum where all traffic, which needs so many tasks, has to have it."""
    row = draft.row
    if row.blue is None or row.blue.scaling is None:
        return
    seen: ScalingSeen | Absent | str = draft.read(draft.seen.scaling, WHAT)
    if isinstance(seen, ScalingSeen):
        _compare(draft, row.blue, seen, needed)
    elif isinstance(seen, str) and held(row).is_foreign:
        say_hold(draft, held(row).verified)  # what is not known any more is not over


def raise_to(draft: Draft, tasks: int, why: str) -> None:
    """Have blue run at least so many tasks until the end; committed before it is written."""
    known = held(draft.row)
    if tasks <= known.floor:
        return
    draft.change(holding=replace(known, floor=tasks))
    draft.tell(EventKind.BLUE_RAISED, f"blue is to run at least {tasks} tasks: {why}", desired=tasks)
    draft.wake_by(draft.now)


def is_held(draft: Draft) -> bool:
    """True once blue's scale-in was seen suspended, or it has no scaling."""
    blue = draft.blue
    if blue.scaling is None or isinstance(draft.seen.scaling, Absent):
        return True
    return draft.seen.scaling == wanted(held(draft.row))


def is_due(row: Rollout) -> bool:
    """True while what Teal wants of blue's scalable target was not read back, or somebody else has changed it."""
    if row.blue is None or row.blue.scaling is None:
        return False
    known = held(row)
    return known.is_foreign or known.verified != wanted(known)


def _compare(draft: Draft, blue: Blue, seen: ScalingSeen, needed: int) -> None:
    was = aged(held(draft.row), draft.now, LATE)
    known = _with_schedules(draft, blue, was, seen)
    if known is was and not is_own(known, seen):
        known = _somebody(draft, known, seen)
    if seen == wanted(known):
        known = replace(landed(known, seen, draft.now), is_foreign=known.theirs is not None)
    is_first = known.verified is None and seen == known.base
    if seen == wanted(known) or (is_read_back(was, seen) and not is_first):
        known = replace(known, verified=seen)
    draft.change(holding=known)
    if known.is_foreign:
        _hold(draft, blue, seen, needed)
    elif seen != wanted(known):
        _write(draft, blue, known)


def _write(draft: Draft, blue: Blue, known: Holding) -> None:
    aim = wanted(known)
    draft.change(holding=asked(known, aim, draft.now), is_scaling_touched=True)
    words = "suspend blue's scale-in, so that it can take all traffic back"
    if known.floor > kept(known).min_capacity:
        words = f"keep blue at {known.floor} tasks at least, so that it can take all traffic back"
    if known.is_foreign:
        words = (
            f"suspend blue's scale-in again, at {aim.min_capacity} tasks at least, since green has traffic"
        )
    draft.ask(SetScaling(cluster=blue.cluster, service=blue.name, wanted=aim), words)


# others ----------------------------------------------------------------------------------------------------------


def _with_schedules(draft: Draft, blue: Blue, known: Holding, seen: ScalingSeen) -> Holding:
    """What is known, with the bounds that one of blue's own scheduled actions has set, if one explains what is seen."""
    if is_own(known, seen):
        return known
    for action in blue.scales.schedules if blue.scales else ():
        for was in (wanted(known), *known.written, known.base):
            if seen != was and seen == after(action, was):
                base = after(action, known.base)
                theirs = after(action, known.theirs) if known.theirs else None
                draft.tell(
                    EventKind.DRIFT_FOUND,
                    f"blue's scheduled action {action.name} has set its bounds: {base.min_capacity} to "
                    f"{base.max_capacity} tasks, which it keeps at the end",
                )
                found = replace(known, base=base, theirs=None if theirs == base else theirs)
                draft.change(holding=found)
                return found
    return known


def _somebody(draft: Draft, known: Holding, seen: ScalingSeen) -> Holding:
    """Somebody else changed blue's scaling: say so, and keep what they set; it is what is given back at the end."""
    words = f"{CHANGED}: {'; '.join(differences(seen, wanted(known)))}"
    found = with_theirs(known, seen)
    if draft.row.spec.on_drift is OnDrift.ACCEPT:
        draft.tell(EventKind.DRIFT_FOUND, f"{words}; taken as what is restored at the end")
        return replace(found, base=kept(found), theirs=None, is_foreign=False)
    found = replace(found, is_foreign=True)
    if found != known or is_read_back(known, seen):
        draft.tell(EventKind.DRIFT_FOUND, words)
    return found


def accept(draft: Draft) -> None:
    """A person lets it go on with what others have set: that is what is given back at the end."""
    known = draft.row.blue_scaling.holding
    if known is not None and known.theirs is not None:
        draft.change(holding=replace(known, base=known.theirs, theirs=None, is_foreign=False))


def _hold(draft: Draft, blue: Blue, seen: ScalingSeen, needed: int) -> None:
    """Hold for what others have made of it; what all traffic needs of blue is written again while green has traffic.

    Policies that were in breach have acted at once, so blue may have shrunk already: it gets its tasks back.
    """
    known = held(draft.row)
    low = max(known.floor, needed)
    has_shrunk = not seen.scale_in_suspended or seen.max_capacity < low
    is_short = has_shrunk or seen.min_capacity < known.floor
    if is_short and draft.row.green_weight != NONE:
        known = replace(known, floor=low if has_shrunk else known.floor)
        _write(draft, blue, known)
    say_hold(draft, seen)


def say_hold(draft: Draft, seen: ScalingSeen | None) -> None:
    """The hold for what others have made of blue's scaling; as the last tick knew it where it was not read."""
    known = held(draft.row)
    aim, end = wanted(known), kept(known)
    if known.theirs is None:
        if seen is not None:
            reason = f"{CHANGED}: {'; '.join(differences(seen, aim))}"
            is_only_lifted = seen == replace(aim, scale_in_suspended=False)
            draft.hold(HoldKind.SCALING, reason, clears_when=AGAIN if is_only_lifted else WRITTEN)
        return
    words = f"{CHANGED}: {'; '.join(differences(end, known.base))}"
    low, high = aim.min_capacity, aim.max_capacity
    if (low, high) != (end.min_capacity, end.max_capacity):
        words += (
            f"; Teal keeps it at {low} to {high} until the end, so that blue can take all traffic, and gives "
            "back what they set"
        )
    draft.hold(HoldKind.SCALING, words, clears_when=CLEARS)


# given back ------------------------------------------------------------------------------------------------------


def restore(draft: Draft) -> str:
    """What giving blue's scaling back still waits for; what somebody else changed meanwhile stays."""
    row, blue = draft.row, draft.blue
    seen: ScalingSeen | Absent | str = draft.read(draft.seen.scaling, WHAT)
    if isinstance(seen, str):
        return seen
    if isinstance(seen, Absent):
        return ""
    known = _with_schedules(draft, blue, aged(held(row), draft.now, LATE), seen)
    if known.back is not None:
        return _still_back(draft, known, known.back, seen)
    known = with_theirs(known, seen)
    if seen == kept(known):
        draft.change(holding=replace(known, back=seen))
        return ""
    draft.change(holding=replace(known, verified=seen))
    _give_back(draft, kept(known))
    return "blue's scaling to be as it was"


def _still_back(draft: Draft, known: Holding, back: ScalingSeen, seen: ScalingSeen) -> str:
    """As it was given back, or as others have set it since; only a late write of Teal's own is written over."""
    if seen != back and draft.may_land_late and seen in (wanted(known), *known.written):
        _give_back(draft, back)
        return "blue's scaling to be as it was"
    draft.change(holding=replace(known, back=seen))
    return ""


def _give_back(draft: Draft, scaling: ScalingSeen) -> None:
    back = SetScaling(cluster=draft.blue.cluster, service=draft.blue.name, wanted=scaling)
    draft.ask(back, "restore blue's scaling: it may scale in again")


def tell_difference(draft: Draft) -> None:
    """Say that blue's scaling is not as it was, if it is not: somebody changed it, and it stays so."""
    seen, base = draft.seen.scaling, held(draft.row).base
    if isinstance(seen, ScalingSeen) and seen != base:
        words = (
            f"somebody changed blue's scaling meanwhile: {'; '.join(differences(seen, base))}; it stays so"
        )
        draft.tell(EventKind.DRIFT_FOUND, words)
