"""A server forgets what ended long ago: rollouts with their logs, and calls; and keeps what earlier versions did not.

What the present rests on stays, however old: active rollouts, and of each service everything since the rollout that
made it what it is (`floor`): who serves is read from there, and what `--undo` goes back to.
"""

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from orchestrator.core.domain.errors import TealError
from orchestrator.core.domain.phases import Phase
from orchestrator.ports.clock import Clock
from orchestrator.ports.retention import RetentionStore
from orchestrator.ports.rollouts import Filter

EVERY = timedelta(hours=1)
AT_ONCE = 20  # rollouts a transaction: others wait for it
CALLS_AT_ONCE = 1000
_PAGE = 200

log = structlog.get_logger()


class Retention:
    """Forgets what is older than `lasts`, again and again."""

    def __init__(self, store: RetentionStore, clock: Clock, *, lasts: timedelta) -> None:
        self._store, self._clock, self._lasts = store, clock, lasts

    async def run(self, stop: asyncio.Event) -> None:
        """Forget once an hour until `stop` is set; what fails is done the next time."""
        while not stop.is_set():
            try:
                await self.forget()
                await self.keep_shown()
            except TealError as why:
                log.warning("not_forgotten", why=str(why))
            with suppress(TimeoutError):
                async with asyncio.timeout(EVERY.total_seconds()):
                    await stop.wait()

    async def forget(self) -> None:
        """Forget everything that is old by now."""
        before, after, gone = self._clock.now() - self._lasts, "", 0
        while True:
            names, after = await self._store.services(after=after, limit=_PAGE)
            for name in names:
                gone += await self._forget_of(name, before)
            if not after:
                break
        while await self._store.forget_calls(before=before, limit=CALLS_AT_ONCE) == CALLS_AT_ONCE:
            pass
        if gone:
            log.info("rollouts_forgotten", rollouts=gone, begun_before=before.isoformat())

    async def keep_shown(self) -> None:
        """Have rows of earlier versions keep what is shown of them: those that ended are committed no more."""
        after = await self._store.keep_shown(after="", limit=AT_ONCE)
        while after:
            after = await self._store.keep_shown(after=after, limit=AT_ONCE)

    async def _forget_of(self, service: str, before: datetime) -> int:
        floor = await self.floor(service)
        gone = forgotten = 0
        while floor is not None:
            forgotten = await self._store.forget_rollouts(service, before=min(before, floor), limit=AT_ONCE)
            gone += forgotten
            if forgotten < AT_ONCE:
                break
        return gone

    async def floor(self, service: str) -> datetime | None:
        """When the rollout began before which nothing matters any more; None: everything does.

        That is the last that succeeded in place. One that put green in blue's place rests on the one before.
        """
        cursor = ""
        while True:
            which = Filter(service=service, phases=frozenset({Phase.SUCCEEDED}))
            page, cursor = await self._store.list(which, before=cursor, limit=10)
            for stored in page:
                if stored.rollout.retirement is None:
                    return stored.rollout.created_at
            if not cursor:
                return None
