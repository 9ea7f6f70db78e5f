"""Deciding to roll back, wherever evidence, a limit or a person says so.

The decision is a value on the draft. Whoever makes it may go on or return: `decide` alone acts on it, once, at the end
of the tick, and drops whatever was still asked for after it.
"""

from orchestrator.core.domain.commands import Actor
from orchestrator.core.rollout import point_of_no_return
from orchestrator.core.rollout.draft import Draft


def roll_back(draft: Draft, reason: str, by: Actor) -> None:
    """Decide to roll back; where there is no way back, hold and call people instead."""
    if not point_of_no_return.keeps(draft, reason, by):
        draft.turn_back(reason, by)
