"""Blue's scalable target value by value: what Teal wrote there, what is somebody else's, and what it is given back.

Pure: a holding and what was read, and no tick. A value is Teal's own only if it is what Teal wants, what it read back
last, or what a write of its own that may still land would leave; any other value was written by somebody else, and is
theirs from then on.
"""

from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import datetime, timedelta

from orchestrator.core.cloud.resources import ScalingSeen, ScheduleSeen
from orchestrator.core.rollout.handover import Holding
from orchestrator.core.rollout.rollout import Rollout

SUSPENSIONS = (
    ("scale_in_suspended", "scale-in"),
    ("scale_out_suspended", "scale-out"),
    ("scheduled_suspended", "scheduled scaling"),
)
NAMES = tuple(field.name for field in fields(ScalingSeen))


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


def kept(known: Holding) -> ScalingSeen:
    """The target as it shall be at the end: as first read, with what others have set since."""
    return known.theirs or known.base


def wanted(known: Holding) -> ScalingSeen:
    """Blue's scalable target as it shall be until the end: others' values, as far as all traffic's need lets them."""
    end, floor = kept(known), known.floor
    return replace(
        suspended(end),
        min_capacity=max(end.min_capacity, floor),
        max_capacity=max(end.max_capacity, floor),
    )


def is_own(known: Holding, seen: ScalingSeen) -> bool:
    """True where nobody else has written since the last look: as wanted, as it was then, or as Teal has asked for."""
    if seen in (wanted(known), known.verified) or (seen == known.base and known.verified is None):
        return True
    return may_be_late(known) and seen in known.written


def may_be_late(known: Holding) -> bool:
    """True while a write of Teal's own may be on its way, or has not been read back at all."""
    return known.verified is None or bool(known.written)


def asked(known: Holding, aim: ScalingSeen, now: datetime) -> Holding:
    """With this as Teal's newest write; what was asked for twice may land twice."""
    return _with_writes(known, [*_writes(known, now), (aim, now)])


def landed(known: Holding, seen: ScalingSeen, now: datetime) -> Holding:
    """Without the write that this look is the first to have found."""
    writes = _writes(known, now)
    place = next((n for n, (one, _) in enumerate(writes) if one == seen), None)
    if place is None or seen == known.verified:
        return known
    return _with_writes(known, [*writes[:place], *writes[place + 1 :]])


def aged(known: Holding, now: datetime, late: timedelta) -> Holding:
    """Without the writes that land no more, which are older than `late`."""
    writes = _writes(known, now)
    young = [write for write in writes if now < write[1] + late]
    return known if young == writes and len(known.written_at) == len(writes) else _with_writes(known, young)


def _writes(known: Holding, now: datetime) -> list[tuple[ScalingSeen, datetime]]:
    missing = len(known.written) - len(known.written_at)  # of an earlier version: counted from now
    return list(zip(known.written, (*(now,) * missing, *known.written_at), strict=True))


def _with_writes(known: Holding, writes: list[tuple[ScalingSeen, datetime]]) -> Holding:
    return replace(known, written=tuple(one for one, _ in writes), written_at=tuple(at for _, at in writes))


def with_theirs(known: Holding, seen: ScalingSeen) -> Holding:
    """What is known once each value that Teal did not write is somebody else's; one put back is nobody's any more."""
    end = kept(known)
    values = {
        name: getattr(end, name) if _is_ours(known, seen, name) else getattr(seen, name) for name in NAMES
    }
    theirs = ScalingSeen(**values)
    return replace(known, theirs=None if theirs == known.base else theirs)


def is_read_back(known: Holding, seen: ScalingSeen) -> bool:
    """True where no value is explained by a write of Teal's own alone that may have landed late."""
    return seen == wanted(known) or not any(
        _is_ours(known, seen, name) and getattr(seen, name) not in _now(known, name) for name in NAMES
    )


def _is_ours(known: Holding, seen: ScalingSeen, name: str) -> bool:
    late = known.written if may_be_late(known) else ()
    return getattr(seen, name) in (*_now(known, name), *(getattr(one, name) for one in late))


def _now(known: Holding, name: str) -> tuple[object, object]:
    """What a value is if nobody has written since the last look, and nothing has landed."""
    return getattr(wanted(known), name), getattr(known.verified or known.base, name)


def after(action: ScheduleSeen, scaling: ScalingSeen) -> ScalingSeen:
    """A target once a scheduled action has set its bounds."""
    low, high = action.min_capacity, action.max_capacity
    return replace(
        scaling,
        min_capacity=scaling.min_capacity if low is None else low,
        max_capacity=scaling.max_capacity if high is None else high,
    )


def differences(seen: ScalingSeen, was: ScalingSeen) -> Iterator[str]:
    """What of a target is not as it was, in words: the bounds together, each suspension by itself."""
    if (seen.min_capacity, seen.max_capacity) != (was.min_capacity, was.max_capacity):
        yield (
            f"{seen.min_capacity} to {seen.max_capacity} tasks instead of "
            f"{was.min_capacity} to {was.max_capacity}"
        )
    for name, what in SUSPENSIONS:
        if getattr(seen, name) != getattr(was, name):
            yield f"{what} is {'suspended' if getattr(seen, name) else 'not suspended'}"
