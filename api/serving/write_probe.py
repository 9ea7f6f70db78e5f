"""Whether the store can be written: tried by the engine every few seconds, and never by a request."""

import asyncio

import structlog

from orchestrator.core.domain.errors import TealError
from orchestrator.ports.store import Store

EVERY_SECONDS = 10.0

log = structlog.get_logger()


class WriteProbe:
    """The last try: why it failed, in words; empty: the store was written."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.unwritable = ""

    async def run(self) -> None:
        """Try for ever."""
        while True:
            try:
                await self._store.try_to_write()
            except TealError as error:
                if not self.unwritable:
                    log.error("store_unwritable", why=str(error))
                self.unwritable = error.why or error.what
            else:
                self.unwritable = ""
            await asyncio.sleep(EVERY_SECONDS)
