"""A store in memory whose disk can be full: what was committed can be read, and nothing is written."""

from typing import Any

from orchestrator.core.domain.errors import Unwritable
from orchestrator.core.rollout.rollout import Decision
from orchestrator.ports.leases import Leased
from orchestrator.store.memory.store import MemoryStore


class FullDisk(MemoryStore):
    """Set ``is_full``, or ``loses_answers`` for commits that are kept though they seem to fail."""

    is_full = False
    loses_answers = False

    async def commit(self, leased: Leased, decision: Decision) -> Leased:
        """As the store does, if there is room."""
        if self.loses_answers and not self.is_full:
            await super().commit(leased, decision)
            raise _no_room()
        self._must_have_room()
        return await super().commit(leased, decision)

    def _must_have_room(self) -> None:
        if self.is_full:
            raise _no_room()


def _no_room() -> Unwritable:
    return Unwritable(what="the store cannot be written", why="database or disk is full")


def _guarded(name: str) -> Any:  # noqa: ANN401 - a method of the store
    plain = getattr(MemoryStore, name)

    async def write(self: FullDisk, *args: object, **more: object) -> object:
        self._must_have_room()
        return await plain(self, *args, **more)

    return write


for _name in ("create", "claim", "lease_due", "renew", "release", "wake", "add_command", "add_note"):
    setattr(FullDisk, _name, _guarded(_name))
