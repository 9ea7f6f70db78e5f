"""Every active rollout of a store: whose rules are taken, and what room is promised."""

from orchestrator.core.rollout.rollout import Rollout
from orchestrator.ports.rollouts import Filter, RolloutPages

A_PAGE = 100


async def active(store: RolloutPages) -> tuple[Rollout, ...]:
    """The active rollouts, newest first."""
    found: list[Rollout] = []
    cursor = ""
    while True:
        page, cursor = await store.list(Filter(is_active=True), before=cursor, limit=A_PAGE)
        found += [stored.rollout for stored in page]
        if not cursor:
            return tuple(found)
