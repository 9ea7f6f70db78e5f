"""Blue's scalable target value by value: what Teal wrote there, what is somebody else's, and what it is given back.

Pure: a holding and what was read, and no tick. A value is Teal's own only if it is what Teal wants, what it read back
last, or what a write of its own that may still land would leave; any other value was written by somebody else, and is
theirs from then on.
"""

from collections.abc import Iterator
from dataclasses import fields, replace

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
    """True while a write of Teal's own may be on its way, or has not been read back."""
    is_last = not known.written or known.written[-1] == known.verified
    is_read_back = (is_last and known.verified == wanted(known)) or known.is_foreign
    return known.asked_at is not None or known.verified is None or not is_read_back


def with_theirs(known: Holding, seen: ScalingSeen) -> Holding:
    """What is known once each value that Teal did not write is somebody else's; one put back is nobody's any more."""
    end = kept(known)
    values = {
        name: getattr(end, name) if _is_ours(known, seen, name) else getattr(seen, name) for name in NAMES
    }
    theirs = ScalingSeen(**values)
    return replace(known, theirs=None if theirs == known.base else theirs)


def given_back(known: Holding, seen: ScalingSeen) -> ScalingSeen:
    """The target without what Teal wrote: each of its values that nobody else has changed since."""
    return kept(with_theirs(known, seen))


def _is_ours(known: Holding, seen: ScalingSeen, name: str) -> bool:
    now, was = getattr(seen, name), (wanted(known), *((known.verified,) if known.verified else (known.base,)))
    late = known.written if may_be_late(known) else ()
    return any(getattr(one, name) == now for one in (*was, *late))


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
