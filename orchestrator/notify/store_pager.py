"""Tells people from memory that the store cannot be written: what is delivered otherwise is read from the store.

Best effort, beside the engine and never in its way. Each receiver is told once it has lasted for `PATIENCE`, again
where it lasts (`limits.page_again` of the rollouts under way), and once more when it is over.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from orchestrator.core.domain.errors import Outside
from orchestrator.core.domain.text import span
from orchestrator.notify.sink import Sink, StorePage
from orchestrator.ports.clock import Clock

PATIENCE = timedelta(seconds=15)  # what is over by then calls nobody
AGAIN_AFTER_FAILURE = timedelta(seconds=30)
LOOK = timedelta(seconds=1)
LONGEST = timedelta(seconds=20)  # of one receiver
ACTS = "rollouts are judged and rolled back, nothing else is done"
WAITS = "another engine has this store open, so nothing at all is done for rollouts"

log = structlog.get_logger()


@dataclass(slots=True)
class _Told:
    """What one receiver was told."""

    paged_at: datetime | None = None  # None: nothing of this time yet
    not_before: datetime | None = None  # it did not take the last page


class StorePager:
    """Pages people while the store cannot be written."""

    def __init__(self, sinks: Sequence[Sink], clock: Clock) -> None:
        self._sinks, self._clock = tuple(sinks), clock
        self._since: datetime | None = None
        self._why, self._acts, self._again = "", True, timedelta(0)
        self._told = {sink.name: _Told() for sink in sinks}
        self._news = asyncio.Event()

    def unwritable(self, why: str, *, acts: bool, again: timedelta) -> None:
        """The store did not take a write. `acts`: traffic is taken back nevertheless; `again` 0: never told again."""
        self._why, self._acts, self._again = why, acts, again
        if self._since is None:
            self._since = self._clock.now()
            self._news.set()

    def writable(self) -> None:
        """The store took a write."""
        if self._since is not None:
            self._since = None
            self._news.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Page until `stop` is set, which waits for no receiver. Raises nothing of a receiver's."""
        if not self._sinks:
            return
        async with asyncio.TaskGroup() as group:
            paging: dict[str, asyncio.Task[None]] = {}
            while not stop.is_set():
                self._news.clear()
                for sink in self._sinks:
                    is_paged = sink.name in paging and not paging[sink.name].done()
                    if not is_paged and (page := self._due(sink)):
                        paging[sink.name] = group.create_task(self._page(sink, page))
                await self._wait(stop)
            for task in paging.values():
                task.cancel()

    def _due(self, sink: Sink) -> StorePage | None:
        now, told = self._clock.now(), self._told[sink.name]
        if told.not_before is not None and now < told.not_before:
            return None
        if self._since is None:
            if told.paged_at is None:
                return None
            words = "the store can be written again: what was done meanwhile is in the rollouts' logs"
            return StorePage(at=now, since=now, words=words, why="", is_over=True)
        if told.paged_at is not None and (not self._again or now < told.paged_at + self._again):
            return None
        if now < self._since + PATIENCE:
            return None
        lasts = f", for {span(now - self._since)} by now" if told.paged_at else ""
        words = f"the store cannot be written{lasts}: {self._why}; {ACTS if self._acts else WAITS}"
        return StorePage(at=now, since=self._since, words=words, why=self._why, is_over=False)

    async def _page(self, sink: Sink, page: StorePage) -> None:
        told = self._told[sink.name]
        try:
            async with asyncio.timeout(LONGEST.total_seconds()):
                await sink.page(page)
        except (Outside, TimeoutError) as why:
            log.error("store_page_failed", sink=sink.name, why=str(why))
        except Exception:  # one receiver's fault keeps nobody else from being told
            log.exception("store_page_failed", sink=sink.name)
        else:
            told.paged_at, told.not_before = None if page.is_over else page.at, None
            return
        told.not_before = self._clock.now() + AGAIN_AFTER_FAILURE

    async def _wait(self, stop: asyncio.Event) -> None:
        """Until the store's state changes, or it is time to look whether somebody is to be told; or `stop`."""
        is_quiet = self._since is None and not any(told.paged_at for told in self._told.values())
        waits = [asyncio.ensure_future(self._news.wait()), asyncio.ensure_future(stop.wait())]
        await asyncio.wait(
            waits,
            timeout=None if is_quiet else LOOK.total_seconds(),
            return_when=asyncio.FIRST_COMPLETED,
        )
        for one in waits:
            one.cancel()
        for one in waits:
            with suppress(asyncio.CancelledError):
                await one
