"""What others set of green's scalable target, pure: said, and kept where green stays as the service of record.

While green is a guest, its target is as Teal needs it (`green_scaling.keep`); what others set is remembered by value.
"""

from collections.abc import Iterator
from dataclasses import replace

from orchestrator.core.cloud.resources import ScalingSeen
from orchestrator.core.rollout.colours import Green
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.scaling.target_values import NAMES, after, differences, held, kept


def at_the_end(row: Rollout) -> ScalingSeen:
    """Green's target once it is the service's own: as blue's is to be, with what others set of green's."""
    end = kept(held(row))
    for name, value in row.known.green.theirs:
        end = replace(end, **{name: type(getattr(end, name))(value)})
    return end


def noticed(row: Rollout, seen: ScalingSeen) -> tuple[Green, str]:
    """Green with each value that is neither as last seen nor as Teal has asked for; what is to be told of them.

    What a schedule of green's own has set stays too, and is not told as somebody's.
    """
    green, was = row.known.green, row.known.green.target
    if was is None or seen == was:
        return replace(green, target=seen), ""
    found = dict(_set_by_others(seen, was, green.given or was))
    schedules = row.known.blue.scales.schedules if row.known.blue.scales else ()
    words = ""
    if found and not any(seen == after(action, was) for action in schedules):
        stays = "; it is kept where green stays" if row.spec.ending.is_swap else ""
        words = f"somebody changed green's scaling: {'; '.join(differences(seen, was))}{stays}"
    theirs = tuple(sorted({**dict(green.theirs), **found}.items()))
    return replace(green, target=seen, theirs=theirs), words


def _set_by_others(seen: ScalingSeen, was: ScalingSeen, given: ScalingSeen) -> Iterator[tuple[str, int]]:
    for name in NAMES:
        now = getattr(seen, name)
        if now not in (getattr(was, name), getattr(given, name)):
            yield name, int(now)
