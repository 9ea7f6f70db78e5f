"""Sends every receiver what was committed: one line to each, so that none waits for another."""

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

import structlog

from orchestrator.core.domain.errors import TealError
from orchestrator.notify.backoff import Chance
from orchestrator.notify.delivery_line import Line
from orchestrator.notify.sink import Sink
from orchestrator.ports.clock import Clock
from orchestrator.ports.outbox import DeliveryStore

RECOVER = timedelta(seconds=5)

log = structlog.get_logger()


class Deliverer:
    """Delivers a store's committed events to its sinks, beside the engine and never in its way."""

    def __init__(
        self,
        store: DeliveryStore,
        sinks: Sequence[Sink],
        clock: Clock,
        *,
        owner: str,
        chance: Chance = random.random,
    ) -> None:
        self._lines = {sink.name: Line(store, sink, clock, owner=owner, chance=chance) for sink in sinks}
        assert len(self._lines) == len(sinks), "two sinks of one name would share what was delivered"

    def hint(self) -> None:
        """Something may have been committed. Without hints the store is asked every second."""
        for line in self._lines.values():
            line.hint()

    async def run(self, stop: asyncio.Event) -> None:
        """Tell until `stop` is set, and then for a few seconds what is due by then. Raises nothing of a sink's."""
        async with asyncio.TaskGroup() as group:
            for name, line in self._lines.items():
                group.create_task(_kept_up(name, line, stop), name=f"sink {name}")


async def _kept_up(name: str, line: Line, stop: asyncio.Event) -> None:
    """Run a line, anew after a fault: news may be late, but rollouts go on, and so do other receivers' news."""
    while True:
        try:
            await line.run(stop)
            return
        except TealError as why:
            log.error("outbox_unreadable", sink=name, why=str(why))
        except Exception:  # the deliverer's edge
            log.exception("line_failed", sink=name)
        if stop.is_set():
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(RECOVER.total_seconds()):
                await stop.wait()
