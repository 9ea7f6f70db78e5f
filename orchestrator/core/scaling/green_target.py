"""What others set of green's scalable target: said, and kept where green stays as the service of record.

While green is a guest, its target is as Teal needs it (`green_scaling.keep`); what others set is remembered by value.
"""

from collections.abc import Iterator
from dataclasses import replace

from orchestrator.core.cloud.effects import SetScaling
from orchestrator.core.cloud.resources import ScalingSeen
from orchestrator.core.domain.events import EventKind
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.scaling.target_values import NAMES, after, differences, held, kept
from orchestrator.core.tick.draft import Draft

WHAT = "green's scaling"


def at_the_end(row: Rollout) -> ScalingSeen:
    """Green's target once it is the service's own: as blue's is to be, with what others set of green's."""
    end = kept(held(row))
    for name, value in row.known.green.theirs:
        end = replace(end, **{name: type(getattr(end, name))(value)})
    return end


def notice(draft: Draft, seen: ScalingSeen) -> None:
    """Remember each value that is neither as last seen nor as Teal has asked for it.

    What a schedule of green's own has set stays too, and is not told as somebody's.
    """
    green, was = draft.green, draft.green.target
    if was is None or seen == was:
        draft.change(green=replace(green, target=seen))
        return
    found = dict(_set_by_others(seen, was, green.given or was))
    schedules = draft.blue.scales.schedules if draft.blue.scales else ()
    if found and not any(seen == after(action, was) for action in schedules):
        words = f"somebody changed green's scaling: {'; '.join(differences(seen, was))}"
        stays = "; it is kept where green stays" if draft.row.spec.ending.is_swap else ""
        draft.tell(EventKind.DRIFT_FOUND, f"{words}{stays}")
    theirs = tuple(sorted({**dict(green.theirs), **found}.items()))
    draft.change(green=replace(green, target=seen, theirs=theirs))


def ask(draft: Draft, effect: SetScaling, words: str) -> None:
    """Ask for green's target to be so, and remember it as Teal's own."""
    draft.change(green=replace(draft.green, given=effect.wanted))
    draft.ask(effect, words)


def _set_by_others(seen: ScalingSeen, was: ScalingSeen, given: ScalingSeen) -> Iterator[tuple[str, int]]:
    for name in NAMES:
        now = getattr(seen, name)
        if now not in (getattr(was, name), getattr(given, name)):
            yield name, int(now)
