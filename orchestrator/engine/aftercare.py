"""A server's look, now and then, at what the last rollout of each service left; what changed since is told, once.

Nothing is written on AWS: whoever changed it may have meant it. The fact goes into the log of the rollout that had left
it otherwise, so everybody who was told of that rollout hears of it, and `teal services` shows it.
"""

import asyncio
from contextlib import suppress
from datetime import timedelta

import structlog

from orchestrator.core.domain.errors import TealError
from orchestrator.core.domain.events import EventKind
from orchestrator.core.ownership import aftercare
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.engine.changed_afterwards import changed, event_of, record_of
from orchestrator.engine.missing_account import cloud_of
from orchestrator.ports.clock import Clock
from orchestrator.ports.cloud import ByAccount, Observer
from orchestrator.ports.rollouts import AftercareStore, Filter

LOOK_EVERY = timedelta(minutes=10)
_AT_ONCE = 20  # services that are looked at side by side, so that their reads share calls
_PAGE = 200

log = structlog.get_logger()


class Aftercare:
    """Looks back at ended rollouts."""

    def __init__(
        self,
        store: AftercareStore,
        cloud: ByAccount[Observer],
        clock: Clock,
        *,
        every: timedelta = LOOK_EVERY,
    ) -> None:
        self._store, self._cloud, self._clock, self._every = store, cloud, clock, every

    async def run(self, stop: asyncio.Event) -> None:
        """Look again and again until `stop` is set; a look that fails is made again the next time."""
        while not stop.is_set():
            try:
                await self.look()
            except TealError as why:
                log.warning("not_looked_back", why=str(why))
            with suppress(TimeoutError):
                async with asyncio.timeout(self._every.total_seconds()):
                    await stop.wait()

    async def look(self) -> None:
        """One look at every service that ever had a rollout and has none now."""
        after = ""
        while True:
            names, after = await self._store.services(after=after, limit=_PAGE)
            for first in range(0, len(names), _AT_ONCE):
                async with asyncio.TaskGroup() as group:
                    for name in names[first : first + _AT_ONCE]:
                        group.create_task(self._look_at(name))
            if not after:
                return

    async def _look_at(self, name: str) -> None:
        try:
            newest, _ = await self._store.list(Filter(service=name), limit=1)
            if newest:
                await self._judge(newest[0].rollout)
        except TealError as why:  # one service that cannot be looked at keeps no other from it
            log.warning("not_looked_back", service=name, why=str(why))

    async def _judge(self, row: Rollout) -> None:
        needs = aftercare.needs(row)
        if not needs.blue:
            return
        seen = await cloud_of(self._cloud, row.spec.account).observe(needs)
        found = aftercare.changes(row, seen)
        if found is None or (not found and not await changed(self._store, row)):
            return
        now = self._clock.now()
        if await self._store.add_note(row.id, event_of(found, now), record_of(found, now)):
            log.info(EventKind.CHANGED_AFTERWARDS.value, rollout=row.id, changes="; ".join(found))
