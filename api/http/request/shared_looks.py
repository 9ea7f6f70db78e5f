"""The newest row of a rollout for all who wait for its news: read once in a while for all of them together.

Whoever holds a hundred streams open costs the store what one costs.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

from orchestrator.core.domain.ids import RolloutId
from orchestrator.ports.rollouts import Stored

KEPT_MAX = 1000


@dataclass(slots=True)
class SharedLooks:
    """Rows that are at most `every` old. `load` reads one."""

    load: Callable[[RolloutId], Awaitable[Stored]]
    every: timedelta
    _seen: dict[RolloutId, tuple[float, "asyncio.Future[Stored]"]] = field(default_factory=dict)

    async def of(self, rollout: RolloutId) -> Stored:
        """The row as it is, or was a moment ago. Raises what reading it raises, for all who wait for that reading."""
        now = asyncio.get_running_loop().time()
        at, seen = self._seen.get(rollout, (0.0, None))
        if seen is None or (seen.done() and now - at >= self.every.total_seconds()):
            self._make_room(now)
            seen = asyncio.ensure_future(self.load(rollout))
            seen.add_done_callback(_is_known)
            self._seen[rollout] = now, seen
        return await asyncio.shield(seen)  # one who gives up takes nothing from the others

    def _make_room(self, now: float) -> None:
        if len(self._seen) >= KEPT_MAX:
            oldest = now - self.every.total_seconds()
            self._seen = {rollout: one for rollout, one in self._seen.items() if one[0] > oldest}


def _is_known(seen: "asyncio.Future[Stored]") -> None:
    """An error that nobody waits for any more is nobody's."""
    if not seen.cancelled():
        seen.exception()
