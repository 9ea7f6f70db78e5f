"""What others set of green's scalable target: said, and kept where green stays as the service of record.

While green is a guest, its target is as Teal needs it (`green_scaling.keep`); what others set is remembered by value.
"""

from collections.abc import Iterator
from dataclasses import replace

from orchestrator.core.cloud.resources import ScalingSeen
from orchestrator.core.domain.events import EventKind
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.scaling.target_values import NAMES, after, differences, held, kept
from orchestrator.core.tick.draft import Draft


def at_the_end(row: Rollout) -> ScalingSeen:
    """Green's target once it is the service's own: as blue's is to be, with what others set of green's."""
    end = kept(held(row))
    for name, value in row.known.green.theirs:
        end = replace(end, **{name: type(getattr(end, name))(value)})
    return end


def notice(draft: Draft, seen: ScalingSeen, wanted: ScalingSeen) -> None:
    """Remember each value that is neither as last seen nor as Teal wants it; what a schedule of its own set is not told."""
    green, was = draft.green, draft.green.target
    if was is None or seen == was:
        draft.change(green=replace(green, target=seen))
        return
    found = dict(_set_by_others(seen, was, wanted))
    schedules = draft.blue.scales.schedules if draft.blue.scales else ()
    if found and not any(seen == after(action, was) for action in schedules):
        words = f"somebody changed green's scaling: {'; '.join(differences(seen, was))}"
        stays = "; it is kept where green stays" if draft.row.spec.ending.is_swap else ""
        draft.tell(EventKind.DRIFT_FOUND, f"{words}{stays}")
    theirs = tuple(sorted({**dict(green.theirs), **found}.items()))
    draft.change(green=replace(green, target=seen, theirs=theirs))


def _set_by_others(seen: ScalingSeen, was: ScalingSeen, wanted: ScalingSeen) -> Iterator[tuple[str, int]]:
    for name in NAMES:
        now = getattr(seen, name)
        # A maximum that is seen raised is left so, and is what Teal wants too.
        if now != getattr(was, name) and (now != getattr(wanted, name) or name == "max_capacity"):
            yield name, int(now)
