"""Evidence out of sight: CloudWatch, or whoever has a gate's numbers, does not answer.

What cannot be read never counts as a pass, so a rollout holds. But a weight of green that nobody can judge is a risk of
its own: once `limits.unseen` has passed, people are paged, and green goes back to the last weight whose verdict was
PASS, without traffic where none was. Once evidence can be read again, that weight is judged anew and the rollout goes
on by itself.
"""

from collections.abc import Iterator
from dataclasses import replace

from orchestrator.core.analysis import bake
from orchestrator.core.analysis.bake import go_to_step
from orchestrator.core.cloud.resources import Unread
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import Tenths
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import NONE, percent
from orchestrator.core.domain.text import span
from orchestrator.core.rollout.progress import Blindness
from orchestrator.core.rollout.rollout import HoldKind, Rollout
from orchestrator.core.tick.draft import Draft

CLEARS = "CloudWatch answers"


def weight_of(row: Rollout) -> Tenths | None:
    """The weight that being unable to look asks for; None: the step's own."""
    return NONE if row.evidence.blindness is not None and row.evidence.blindness.has_no_traffic else None


def take(draft: Draft) -> None:
    """Note since when evidence cannot be read, act on it once that has lasted too long, and end it once it can."""
    unread = next(_unread(draft), None)
    blindness = draft.row.evidence.blindness
    if unread is not None:
        blindness = blindness or Blindness(since=draft.now)
        draft.change(blindness=blindness)
    elif blindness is not None and draft.seen.metrics:
        _see_again(draft, blindness)
        return
    if blindness is None or draft.now < blindness.since + draft.row.spec.limits.unseen:
        return
    why = unread.why if unread is not None else "it was not asked again yet"
    words = f"evidence could not be read since {blindness.since:%H:%M:%S}Z"
    draft.hold(HoldKind.AWS, f"{words}: {why}", clears_when=CLEARS)
    if not blindness.is_acted_on:
        _go_back(draft, blindness, words)


def _unread(draft: Draft) -> Iterator[Unread]:
    for seen in (*draft.seen.metrics.values(), *draft.seen.alarms.values()):
        if isinstance(seen, Unread) and not seen.is_refused:
            yield seen


def _see_again(draft: Draft, blindness: Blindness) -> None:
    draft.change(blindness=None)
    if blindness.has_no_traffic:
        go_to_step(draft, draft.row.progress.step)


def _go_back(draft: Draft, blindness: Blindness, words: str) -> None:
    """From a weight that nobody judged to the last one that was judged and passed."""
    row = draft.row
    draft.change(blindness=replace(blindness, is_acted_on=True))
    if row.phase is Phase.WATCHING:
        draft.move(Phase.SHIFTING, "evidence cannot be read")
    if row.progress.passed:
        weight = row.plan.steps[row.progress.passed[-1]].weight
        go_to_step(draft, row.progress.passed[-1])
        draft.change(steps=row.progress.steps[: row.progress.passed[-1] + 1])
        goes_back = f"green goes back to {percent(weight)}, the last weight at which every gate passed"
    else:
        weight = NONE
        bake.stop(draft, last_there=draft.now)
        draft.change(blindness=replace(blindness, is_acted_on=True, has_no_traffic=True))
        goes_back = f"green goes back to {percent(NONE)}, since no weight has passed yet"
    words = f"{words}, longer than {span(row.spec.limits.unseen)}: {goes_back}"
    draft.tell(EventKind.EVIDENCE_LOST, words, green_tenths=weight)
    draft.page(words, about="evidence")
