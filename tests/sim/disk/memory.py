"""The store in memory, on the same disk: writes are refused, lost, answered late or never."""

import asyncio
from typing import Any

from orchestrator.core.domain.errors import Unwritable
from orchestrator.store.memory.store import MemoryStore
from tests.sim.disk.disk import Disk
from tests.support.virtual import VirtualLoop

WRITES = (
    "create",
    "claim",
    "lease_due",
    "wake_all",
    "renew",
    "commit",
    "release",
    "wake",
    "add_command",
    "add_note",
    "keep_freezes",
    "open_sink",
    "lease_deliveries",
    "delivered",
    "not_delivered",
    "try_to_write",
)


class DiskedMemory:
    """The store in memory as one process sees it."""

    def __init__(self, store: MemoryStore, disk: Disk, loop: VirtualLoop) -> None:
        self._store, self._disk, self._loop = store, disk, loop

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any method
        method = getattr(self._store, name)
        if name not in WRITES:
            return method

        async def write(*args: Any, **named: Any) -> Any:  # noqa: ANN401 - any method's
            fault = self._disk.next_commit() if name == "commit" else None
            if wait := self._disk.wait():
                await asyncio.sleep(wait)
            if (why := self._disk.refusal()) is not None:
                raise _unwritable(str(why))
            if fault == "lost":
                raise _unwritable("disk I/O error")
            answer = await method(*args, **named)
            if fault == "answer lost":
                raise _unwritable("disk I/O error")
            if late := self._disk.late():
                await asyncio.sleep(late)
            return answer

        return write


def _unwritable(why: str) -> Unwritable:
    return Unwritable(what="the store cannot be written", why=why)
