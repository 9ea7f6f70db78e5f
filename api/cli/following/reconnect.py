"""Looking on while a server is away for a moment: restarted, moved, or behind a network that broke.

Only reads are given again. What was shown stays shown: events are asked for after the last one that came, which is
what a stream's Last-Event-ID says.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from api.cli.backend.backend import Reads
from api.cli.output.output import span_text
from orchestrator.core.domain.errors import Outside, Throttled, Unreachable
from orchestrator.engine.views.rollout_values import RolloutView
from orchestrator.ports.rollouts import EventSeen

T = TypeVar("T")
PATIENCE = timedelta(seconds=30)
WAIT_SECONDS = 0.25
WAIT_SECONDS_MAX = 2.0


class PatientDoor:
    """The reads of a door, each given again for `patience` while nothing answers; says when it begins and ends.

    ``limit``: how long whoever looks waits at all, which is then its patience too; None: half a minute.
    Raises Unreachable once nothing has answered for so long, and at once what the door raises otherwise.
    """

    def __init__(self, door: Reads, say: Callable[[str], None], *, limit: timedelta | None = None) -> None:
        self._door, self._say, self._patience = door, say, PATIENCE if limit is None else limit
        self._last = 0  # the last event that came
        self._away: tuple[Outside, float] | None = None
        self.seen: RolloutView | None = None
        """The rollout as it was when it could last be read."""

    async def get(self, name: str) -> RolloutView:
        """As Door."""
        self.seen = await self._until_answered(lambda: self._door.get(name))
        return self.seen

    async def events(self, rollout: str, after: int) -> tuple[EventSeen, ...]:
        """As Door."""
        page = await self._until_answered(lambda: self._door.events(rollout, after))
        self._last = page[-1].number if page else max(self._last, after)
        return page

    async def last_seen(self, name: str) -> RolloutView:
        """The rollout as it could last be read. Raises Unreachable where nothing has answered yet."""
        if self.seen is not None:
            return self.seen
        if self._away is None:  # the time was over before one read could be
            return await self._door.get(name)
        error, began = self._away
        raise _gave_up(error, asyncio.get_running_loop().time() - began)

    async def _until_answered(self, read: Callable[[], Awaitable[T]]) -> T:
        loop = asyncio.get_running_loop()
        began, wait, is_away = loop.time(), WAIT_SECONDS, False
        while True:
            try:
                answer = await read()
            except (Unreachable, Throttled) as error:
                away = loop.time() - began
                self._away = (error, began)
                if away >= self._patience.total_seconds():
                    raise _gave_up(error, away) from error
                if not is_away:
                    is_away = True
                    self._say(_trying(error, self._patience))
                await asyncio.sleep(wait)
                wait = min(2 * wait, WAIT_SECONDS_MAX)
                continue
            self._away = None
            if is_away:
                self._say(
                    f"Connected again after {span_text(loop.time() - began)}: going on after event {self._last}."
                )
            return answer


def _trying(error: Outside, patience: timedelta) -> str:
    why = f" ({error.why})" if error.why else ""
    return f"Connection lost: {error.what}{why}. Trying again for {span_text(patience.total_seconds())}."


def _gave_up(error: Outside, away: float) -> Unreachable:
    return Unreachable(
        what=f"{error.what}: gave up looking after {span_text(away)}",
        why=error.why,
        next_step="The rollout itself is not touched by this. See that `teal serve` runs there, then look again "
        "with the same command.",
    )
