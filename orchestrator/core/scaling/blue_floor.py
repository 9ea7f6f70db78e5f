"""Blue's scalable target while blue must stay able to take everything back, and what it is given back at the end.

As with rules: ``base`` is what the target shall be at the end, and what is read is what Teal wrote, what it was
before, what a schedule of blue's own has made of it, or somebody else's change. Scale-in is suspended; where all
traffic comes to need more tasks than blue has, its minimum is raised, which starts them at once. Schedules go on:
suspending them would also block those that add tasks.
"""

from collections.abc import Iterator
from dataclasses import fields, replace

from orchestrator.core.cloud.effects import SetScaling
from orchestrator.core.cloud.resources import Absent, ScalingSeen, ScheduleSeen
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.plan import NONE
from orchestrator.core.rollout.colours import Blue
from orchestrator.core.rollout.handover import Holding
from orchestrator.core.rollout.rollout import HoldKind, Rollout
from orchestrator.core.rollout.spec import OnDrift
from orchestrator.core.tick.draft import Draft

WHAT = "blue's scaling"
CLEARS = "blue's scaling is as it was, or the rollout is started anew"
AGAIN = "blue's scale-in is suspended again"


def suspended(scaling: ScalingSeen) -> ScalingSeen:
    """The same scalable target with scale-in suspended."""
    return replace(scaling, scale_in_suspended=True)


def held(row: Rollout) -> Holding:
    """What Teal knows of blue's scalable target, which there is."""
    base = row.known.blue.known_scaling
    if row.blue_scaling.holding is not None:
        return row.blue_scaling.holding
    written = (suspended(base),) if row.blue_scaling.is_scaling_touched else ()
    return Holding(base=base, written=written)


def wanted(known: Holding) -> ScalingSeen:
    """Blue's scalable target as it shall be until the end."""
    base, floor = known.base, known.floor
    return replace(
        suspended(base),
        min_capacity=max(base.min_capacity, floor),
        max_capacity=max(base.max_capacity, floor),
    )


def keep(draft: Draft, needed: int) -> None:
    """Keep blue's scale-in suspended, and its minimum where all traffic, which needs so many tasks, has to have it."""
    row = draft.row
    if row.blue is None or row.blue.scaling is None:
        return
    seen: ScalingSeen | Absent | str = draft.read(draft.seen.scaling, WHAT)
    if isinstance(seen, ScalingSeen):
        _compare(draft, row.blue, seen, needed)


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
    known = _with_schedules(draft, blue, held(draft.row), seen)
    if seen == wanted(known):
        draft.change(holding=replace(known, verified=seen, is_foreign=False))
        return
    if seen in known.written or (seen == known.base and known.verified is None) or _is_new_base(known, seen):
        _write(draft, blue, replace(known, is_foreign=False))
        return
    _somebody(draft, blue, replace(known, is_foreign=True), seen, needed)


def _is_new_base(known: Holding, seen: ScalingSeen) -> bool:
    """True for what Teal wrote before, with the bounds that a schedule of blue's own has given the base since."""
    base = known.base
    return any(
        seen == replace(was, min_capacity=base.min_capacity, max_capacity=base.max_capacity)
        for was in known.written
    )


def _write(draft: Draft, blue: Blue, known: Holding) -> None:
    aim = wanted(known)
    written = known.written if aim in known.written else (*known.written, aim)
    draft.change(holding=replace(known, written=written), is_scaling_touched=True)
    words = "suspend blue's scale-in, so that it can take all traffic back"
    if known.floor > known.base.min_capacity:
        words = f"keep blue at {known.floor} tasks at least, so that it can take all traffic back"
    draft.ask(SetScaling(cluster=blue.cluster, service=blue.name, wanted=aim), words)


# others ----------------------------------------------------------------------------------------------------------


def _with_schedules(draft: Draft, blue: Blue, known: Holding, seen: ScalingSeen) -> Holding:
    """What is known, with the bounds that one of blue's own scheduled actions has set, if one explains what is seen."""
    for action in blue.scales.schedules if blue.scales else ():
        for was in (wanted(known), *known.written, known.base):
            if seen != was and seen == _after(action, was):
                base = _after(action, known.base)
                draft.tell(
                    EventKind.DRIFT_FOUND,
                    f"blue's scheduled action {action.name} has set its bounds: {base.min_capacity} to "
                    f"{base.max_capacity} tasks, which it keeps at the end",
                )
                found = replace(known, base=base)
                draft.change(holding=found)
                return found
    return known


def _after(action: ScheduleSeen, scaling: ScalingSeen) -> ScalingSeen:
    low, high = action.min_capacity, action.max_capacity
    return replace(
        scaling,
        min_capacity=scaling.min_capacity if low is None else low,
        max_capacity=scaling.max_capacity if high is None else high,
    )


def _somebody(draft: Draft, blue: Blue, known: Holding, seen: ScalingSeen, needed: int) -> None:
    """Somebody else changed blue's scaling: say so and hold, and suspend again while green has traffic.

    Policies that were in breach have acted at once, so blue may have shrunk already: it gets its tasks back.
    """
    aim = wanted(known)
    words = f"somebody changed blue's scaling since the rollout began: {'; '.join(_differences(seen, aim))}"
    if draft.row.spec.on_drift is OnDrift.ACCEPT:
        theirs = {
            f.name: getattr(seen, f.name)
            for f in fields(seen)
            if getattr(seen, f.name) != getattr(aim, f.name)
        }
        draft.tell(EventKind.DRIFT_FOUND, f"{words}; taken as what is restored at the end")
        known = replace(known, base=replace(known.base, **theirs), verified=None, is_foreign=False)
        draft.change(holding=known)
        if seen != wanted(known):
            _write(draft, blue, known)
        return
    is_only_lifted = seen == replace(aim, scale_in_suspended=False)
    clears = AGAIN if is_only_lifted else CLEARS
    if not any(hold.clears_when == clears for hold in draft.before.waiting.holds):
        draft.tell(EventKind.DRIFT_FOUND, words)
    draft.hold(HoldKind.SCALING, words, clears_when=clears)
    if draft.row.green_weight == NONE or seen.scale_in_suspended:
        draft.change(holding=known)
        return
    known = replace(known, floor=max(known.floor, needed))
    aim = wanted(known)
    if not is_only_lifted:  # their bounds stay theirs, as far as all traffic's need lets them
        aim = replace(
            aim,
            min_capacity=max(seen.min_capacity, known.floor),
            max_capacity=max(seen.max_capacity, known.floor),
            scale_out_suspended=seen.scale_out_suspended,
            scheduled_suspended=seen.scheduled_suspended,
        )
    written = (*known.written, aim) if is_only_lifted and aim not in known.written else known.written
    draft.change(holding=replace(known, written=written), is_scaling_touched=True)
    draft.ask(
        SetScaling(cluster=blue.cluster, service=blue.name, wanted=aim),
        f"suspend blue's scale-in again, at {known.floor} tasks at least, since green has traffic",
    )


def _differences(seen: ScalingSeen, aim: ScalingSeen) -> Iterator[str]:
    if (seen.min_capacity, seen.max_capacity) != (aim.min_capacity, aim.max_capacity):
        yield (
            f"{seen.min_capacity} to {seen.max_capacity} tasks instead of "
            f"{aim.min_capacity} to {aim.max_capacity}"
        )
    for name, what in (
        ("scale_in_suspended", "scale-in"),
        ("scale_out_suspended", "scale-out"),
        ("scheduled_suspended", "scheduled scaling"),
    ):
        if getattr(seen, name) != getattr(aim, name):
            yield f"{what} is {'suspended' if getattr(seen, name) else 'not suspended'}"


# given back ------------------------------------------------------------------------------------------------------


def given_back(known: Holding, seen: ScalingSeen) -> ScalingSeen:
    """The target without what Teal wrote: each of its values that nobody else has changed since."""
    values = {}
    for field in fields(seen):
        now, base = getattr(seen, field.name), getattr(known.base, field.name)
        is_ours = any(getattr(was, field.name) == now for was in (*known.written, wanted(known)))
        values[field.name] = base if is_ours else now
    return ScalingSeen(**values)


def restore(draft: Draft) -> str:
    """What giving blue's scaling back still waits for; what somebody else changed meanwhile stays."""
    row, blue = draft.row, draft.blue
    seen: ScalingSeen | Absent | str = draft.read(draft.seen.scaling, WHAT)
    if isinstance(seen, str):
        return seen
    if isinstance(seen, Absent):
        return ""
    known = _with_schedules(draft, blue, held(row), seen)
    wanted_back = given_back(known, seen)
    if seen == wanted_back:
        return ""
    back = SetScaling(cluster=blue.cluster, service=blue.name, wanted=wanted_back)
    draft.ask(back, "restore blue's scaling: it may scale in again")
    return "blue's scaling to be as it was"


def tell_difference(draft: Draft) -> None:
    """Say that blue's scaling is not as it was, if it is not: somebody changed it, and it stays so."""
    seen = draft.seen.scaling
    if isinstance(seen, ScalingSeen) and seen != held(draft.row).base:
        draft.tell(EventKind.DRIFT_FOUND, "somebody changed blue's scaling meanwhile: left as it is")
