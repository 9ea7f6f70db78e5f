"""Puts what several callers ask for at about the same time into as few reads as can hold it, each thing once.

Rollouts of one account know nothing of each other; this is where their reads meet. A batch is open for a short window
and is then read; who asks after that gets a batch of its own, never the answer to an earlier question, since what was
just written must be read back as it is now.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from orchestrator.aws.client.concurrent import each
from orchestrator.core.domain.errors import Throttled

G = TypeVar("G", bound=Hashable)
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")  # a union that Unread belongs to

WINDOW = 0.05  # seconds that a batch waits for company; a tick has 15
WINDOW_MAX = 0.1
WAITING_MAX = 20_000  # keys under way: some 1,500 rollouts' looks at once


class Gatherer(Generic[G, K, V]):
    """Reads keys in batches. Keys of one group may share a read, those of different groups never do.

    Belongs to one event loop. A window of 0 gathers what is asked for in the same turn of the loop.
    """

    def __init__(
        self,
        read: Callable[[G, tuple[K, ...]], Awaitable[Mapping[K, V]]],
        *,
        most: int,
        window: float = 0.0,
        size: Callable[[K], int] = lambda _: 1,
        waiting_max: int = WAITING_MAX,
    ) -> None:
        """`read` gives the values of a group's keys, of at most `most` in `size`; what it raises is Unread to all."""
        assert 0 <= window <= WINDOW_MAX
        self._read, self._most, self._window = read, most, window
        self._size, self._waiting_max = size, waiting_max
        self._open: dict[G, _Batch[K, V]] = {}  # with room
        self._unread: dict[tuple[G, K], _Batch[K, V]] = {}  # where a key will be read
        self._waiting = 0

    async def get(self, group: G, keys: Iterable[K]) -> dict[K, V]:
        """The keys' values; what could not be read is Unread. Raises Throttled if too much is under way already.

        A caller that is cancelled leaves its batch; a batch that nobody waits for any more is not read.
        """
        wanted = tuple(dict.fromkeys(keys))
        if self._waiting + len(wanted) > self._waiting_max:
            raise Throttled(
                what=f"{len(wanted)} reads were not begun",
                why=f"{self._waiting} others of this account and region are under way",
                next_step="Teal tries again; start fewer rollouts at once",
            )
        placed = {key: self._join(group, key) for key in wanted}
        batches = tuple({id(batch): batch for batch in placed.values()}.values())
        for batch in batches:
            batch.callers += 1
        self._waiting += len(wanted)
        try:
            for batch in batches:
                await asyncio.shield(batch.reading)
        finally:
            self._waiting -= len(wanted)
            for batch in batches:
                self._leave(group, batch)
        return {key: batch.reading.result()[key] for key, batch in placed.items()}

    def _join(self, group: G, key: K) -> "_Batch[K, V]":
        """The batch of the group that has the key and is not read yet, or that has room for it; else a new one."""
        known = self._unread.get((group, key))
        if known is not None:
            return known
        size = self._size(key)
        batch = self._open.get(group)
        if batch is not None and batch.size + size > self._most:
            self._close(group, batch)
            batch = None
        if batch is None:
            batch = self._open[group] = _Batch()
            # A task of its own, held by the batch: it must outlive the tick that happened to ask first. It ends with
            # its read, which `call.py` bounds, or when the last caller has left.
            batch.reading = asyncio.get_running_loop().create_task(self._fill(group, batch))
        self._unread[group, key] = batch
        batch.keys[key] = None
        batch.size += size
        if batch.size >= self._most:
            self._close(group, batch)
        return batch

    def _close(self, group: G, batch: "_Batch[K, V]") -> None:
        batch.is_closed.set()
        if self._open.get(group) is batch:
            del self._open[group]

    def _forget(self, group: G, batch: "_Batch[K, V]") -> None:
        for key in batch.keys:
            if self._unread.get((group, key)) is batch:
                del self._unread[group, key]

    async def _fill(self, group: G, batch: "_Batch[K, V]") -> dict[K, V]:
        if self._window:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._window):
                    await batch.is_closed.wait()
        else:
            await asyncio.sleep(0)
        self._close(group, batch)
        keys = tuple(batch.keys)
        self._forget(group, batch)
        return await each(keys, self._read(group, keys))

    def _leave(self, group: G, batch: "_Batch[K, V]") -> None:
        batch.callers -= 1
        if not batch.callers and not batch.reading.done():
            self._close(group, batch)
            self._forget(group, batch)
            batch.reading.cancel()


@dataclass(slots=True, eq=False)
class _Batch(Generic[K, V]):
    """What is read together."""

    reading: "asyncio.Task[dict[K, V]]" = field(init=False)
    keys: dict[K, None] = field(default_factory=dict)
    size: int = 0
    callers: int = 0
    is_closed: asyncio.Event = field(default_factory=asyncio.Event)
