"""Operators at the doors: their commands reach the store as a server's do, are repeated, and come two at once."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random

from orchestrator.core.domain.commands import Actor, Command, CommandKind
from orchestrator.core.domain.errors import Refused, Unwritable
from orchestrator.core.domain.ids import RolloutId
from orchestrator.engine import commands
from orchestrator.engine.worker import Worker
from orchestrator.ports.store import Store
from tests.sim.oracles.oracle import Oracle
from tests.sim.scenario import PlannedCommand
from tests.support.virtual import LoopClock

OTHER = {
    CommandKind.PAUSE: CommandKind.PROMOTE
}  # what a used key is used for again; of any other kind: a pause
TRIES, PAUSE = 30, 4.0  # of a command that the store does not take: how often, and seconds in between


class Doors:
    """One server's doors."""

    def __init__(
        self,
        store: Store,
        clock: LoopClock,
        *,
        engines: Callable[[], Iterator[Worker]],
        struck: Callable[[str], None],
    ) -> None:
        """`engines`: those that work now."""
        self._store, self._clock, self._engines, self._struck = store, clock, engines, struck

    async def order(
        self, oracle: Oracle, rollout: RolloutId, planned: PlannedCommand, draw: Random, by: Actor
    ) -> None:
        """Give a planned command, as it is planned."""
        row = oracle.row
        earlier = [step.weight for step in row.spec.plan.steps[: row.progress.step]]
        to = draw.choice(earlier) if planned.kind is CommandKind.BACK and earlier else None
        command = Command(
            key=f"command at {planned.at}",
            kind=planned.kind,
            by=by,
            at=self._clock.now(),
            full=planned.full,
            to=to,
        )
        if planned.together:
            beside = replace(command, key=f"{command.key}, another's", by=Actor(name="another operator"))
            async with asyncio.TaskGroup() as group:
                given = group.create_task(self.give(oracle, rollout, command))
                group.create_task(self.give(oracle, rollout, beside))
            self._struck("command: two at once")
        else:
            given = asyncio.ensure_future(self.give(oracle, rollout, command))
            await given
        if planned.again and given.result():
            await self._repeat(oracle, rollout, command, planned)

    async def give(self, oracle: Oracle, rollout: RolloutId, command: Command) -> bool:
        """Give a command; True once it was accepted. What the store does not take is tried again, with its key."""
        oracle.asked(command)
        for _ in range(TRIES):
            try:
                await commands.accept(rollout, command, store=self._store)
            except Refused:
                oracle.refused(command)
                return False
            except Unwritable:
                if command.kind is CommandKind.ROLLBACK and await self._roll_back_at_once(rollout, command):
                    return (
                        False  # done and not recorded, or handed to the store: the log tells it as Teal's own
                    )
            else:
                oracle.accepted(command)
                return True
            await asyncio.sleep(PAUSE)
        return False

    async def _roll_back_at_once(self, rollout: RolloutId, command: Command) -> bool:
        for worker in self._engines():
            worker.hint()
            try:
                await worker.safety.order(rollout, command)
            except Unwritable:
                continue
            self._struck("rollback without the store")
            return True
        return False

    async def _repeat(
        self, oracle: Oracle, rollout: RolloutId, command: Command, planned: PlannedCommand
    ) -> None:
        """Promise 9: one key is one command, whatever it is used for again."""
        again = replace(command, at=self._clock.now())
        if planned.again == "other":
            again = replace(again, kind=OTHER.get(command.kind, CommandKind.PAUSE), full=False, to=None)
        try:
            seen = await commands.accept(rollout, again, store=self._store)
        except Unwritable:
            return
        except Refused as why:
            if planned.again == "same":
                oracle.breaks(9, f"{command.kind} with the same key was refused the second time: {why}")
        else:
            if planned.again == "other":
                oracle.breaks(9, f"the key of {command.kind} was taken again for {again.kind}")
            elif seen.command != command:
                oracle.breaks(9, f"{command.kind} with the same key was taken for another: {seen.command}")
        self._struck(f"command: {planned.again} again")
