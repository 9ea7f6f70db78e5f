"""Spells: how long every rule had which weight of green, and the bake of the present one.

A spell runs from the reading back of a weight to the last time it was still there. What a metric period says of the
colours depends on the weight it was measured at, so spells outlive the weight itself.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from orchestrator.core.domain.ids import Tenths
from orchestrator.core.domain.plan import ALL, NONE
from orchestrator.core.gates import webhook
from orchestrator.core.gates.scene import first_whole
from orchestrator.core.rollout.draft import Draft
from orchestrator.core.rollout.rollout import Bake, Rollout, Spell
from orchestrator.core.statistics.comparison import at_new_weight

KEPT = 24


def begin(draft: Draft, weight: Tenths) -> None:
    """A weight of green was read back on every rule: its bake begins, and intervals within it say something of it."""
    closed = _closed(draft.row, draft.now)
    draft.change(bake=Bake(since=draft.now), spells=(*closed, Spell(weight=weight, since=draft.now))[-KEPT:])


def stop(draft: Draft, *, last_there: datetime) -> None:
    """The weight is about to change, or was found changed: its bake is over, and it was there until `last_there`."""
    draft.change(bake=Bake(), spells=_closed(draft.row, last_there))


def forget(draft: Draft) -> None:
    """Begin anew: nothing that was measured before counts for what comes."""
    draft.change(bake=Bake(), spells=(), intervals=(), reading=(), read_at=None)


def _closed(row: Rollout, until: datetime) -> tuple[Spell, ...]:
    if not row.spells or row.spells[-1].until is not None:
        return row.spells
    return (*row.spells[:-1], replace(row.spells[-1], until=until))


def dilution(row: Rollout, start: datetime) -> float:
    """How many times smaller blue's share became within a period; 1 where it did not."""
    period = row.spec.metrics.period
    end = start + period
    within = [number for number, spell in enumerate(row.spells) if start - period / 6 < spell.since < end]
    if not within:
        return 1.0
    first, last = within[0], within[-1]
    before = row.spells[first - 1].weight if first else NONE
    kept = ALL - row.spells[last].weight
    return max(1.0, (ALL - before) / kept) if kept else float(ALL)


def weight_in(row: Rollout, start: datetime) -> Tenths | None:
    """Green's weight all through a period; None if it changed within, or too shortly before to be everywhere."""
    period = row.spec.metrics.period
    for spell in row.spells:
        is_within = spell.until is None or start + period <= spell.until
        if first_whole(spell.since, period) <= start and is_within:
            return spell.weight
    is_unlisted = (
        not row.spells and row.bake.since is not None and first_whole(row.bake.since, period) <= start
    )
    return row.green_weight if is_unlisted else None


def go_to_step(draft: Draft, step: int) -> None:
    """Make another step the current one: its bake begins anew, and what shows green to be well at its weight."""
    stop(draft, last_there=draft.now)
    draft.change(
        step=step,
        comparison=at_new_weight(draft.row.comparison),
        waived_step=None,
        intervention=None,
        passed=tuple(number for number in draft.row.passed if number < step),
        is_leaping=False,
        failed="",
        waited_for_approval=timedelta(0),
        approvals=tuple(a for a in draft.row.approvals if a.step < step),
        questions=webhook.of_earlier_steps(draft.row.questions, step),
        answers=tuple(judged for judged in draft.row.answers if judged.answer.gate == "health"),
    )
