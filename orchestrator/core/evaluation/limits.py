"""How long a rollout may wait for something, and what is done then."""

from orchestrator.core.domain.text import span
from orchestrator.core.rollout.draft import TEAL, Draft
from orchestrator.core.rollout.turn_back import roll_back


def limit(draft: Draft) -> None:
    """Roll back once green has taken longer than `limits.provision`; time that people took does not count."""
    row = draft.row
    since = row.phase_since or row.created_at
    taken = draft.now - since - row.waited_for_approval - row.paused_for
    if taken > row.spec.limits.provision and not row.paused_by:
        waiting = f", still waiting for: {row.waiting_for}" if row.waiting_for else ""
        roll_back(draft, f"green was not ready within {span(row.spec.limits.provision)}{waiting}", TEAL)
