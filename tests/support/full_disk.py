"""A store in memory whose disk can be full: what was committed can be read, and nothing written. And a stage on it."""

from typing import Any

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.errors import Unwritable
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.rollout import Decision
from orchestrator.core.tick.seen import Unrecorded
from orchestrator.engine import commands
from orchestrator.engine.tick import Ticker
from orchestrator.engine.worker import Worker
from orchestrator.ports.leases import Leased
from orchestrator.store.memory.store import MemoryStore
from tests.support.rehearsal import OPERATOR, Rehearsal


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


class FullDiskStage(Rehearsal):
    """A rehearsal whose store can be full, and whose worker stays the same."""

    def __init__(self, **more: Any) -> None:  # noqa: ANN401 - as a rehearsal takes them
        super().__init__(**more)
        self.store: FullDisk = FullDisk()
        self.worker = self.new_engine("rehearsal")

    def new_engine(self, owner: str) -> Worker:
        return Worker(Ticker(self.store, self.cloud, self.clock, outward=self.outward), owner=owner)

    def _new_worker(self) -> Worker:
        return self.worker

    def at_first_weight(self, environment: dict[str, str] | None = None, **changes: Any) -> RolloutId:  # noqa: ANN401
        rollout = self.start(self.spec(self.revision(environment), **changes))
        self.until(rollout, Phase.SHIFTING)
        return rollout

    def fill(self) -> None:
        """From now on there is no room."""
        self.store.is_full = True

    def order(self, rollout: RolloutId) -> Unrecorded | None:
        """Ask the engine for a rollback that no store takes, while it works."""
        command = commands.command(CommandKind.ROLLBACK, by=OPERATOR, clock=self.clock, reason="looks odd")

        async def ordered() -> Unrecorded | None:
            async with self._worker():
                return await self.worker.safety.order(rollout, command)

        return self.run(ordered())
