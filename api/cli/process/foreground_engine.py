"""The engine in the foreground: takes a rollout up, moves it while somebody watches, and hears signals."""

import asyncio
import secrets
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, TypeVar

from api.cli.backend.backend import NewCommand
from api.cli.backend.operating_user import local_actor
from api.cli.backend.store import StoreDoor
from api.cli.following.follow import Screen, looks, pause
from api.cli.output.output import span_text
from api.cli.process.exit_codes import FAILED, GAVE_UP, INTERRUPTED, ROLLED_BACK, exit_code
from api.cli.process.signals import SECOND_WITHIN_SECONDS, Signals
from orchestrator.bootstrap import Engine
from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.errors import Conflict, Refused, Unwritable
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.rollout.spec import Spec
from orchestrator.engine import commands
from orchestrator.engine.views.rollout_values import RolloutView
from orchestrator.ports.rollouts import Stored

T = TypeVar("T")

CTRL_C = "interrupted where `teal deploy` ran"  # as a reason


class Foreground:
    """One rollout in this process. `again` is the command that goes on with it."""

    def __init__(self, engine: Engine, signals: Signals, *, again: str) -> None:
        self._engine, self._signals, self._again = engine, signals, again
        self._told = 0  # the last event that was shown
        self.door = StoreDoor(engine.store, engine.clock)
        self.parting = ""
        """What to say once the screen is closed; empty: the end speaks for itself."""

    async def take_up(self, spec: Spec) -> tuple[str, bool]:
        """The id of the rollout to follow, and whether it is new.

        Goes on with the service's active rollout if it was asked for with the same file. Raises Conflict naming
        what differs if it was not, and what `start` raises.
        """
        active = await self._engine.store.find_active(str(spec.service))
        if active is None:
            try:
                return await self._start(spec), True
            except Conflict:
                active = await self._engine.store.find_active(str(spec.service))
                if active is None:
                    raise  # it is a rule that is taken, by another service's rollout
        _agree(active, spec)
        return active.rollout.id, False

    async def _start(self, spec: Spec) -> str:
        engine = self._engine
        begun = await commands.start(
            spec,
            author=local_actor(),
            key=secrets.token_hex(8),
            store=engine.store,
            cloud=engine.cloud,
            clock=engine.clock,
            registries=engine.registries,
            calendar=engine.calendar,
            addresses=engine.outward,
        )
        return begun.stored.rollout.id

    async def stay(self, rollout: str, screen: Screen, *, timeout: timedelta | None) -> int:  # noqa: ASYNC109 - a person's limit
        """Move the rollout and show it until it ends, time is up, or a signal comes; returns the exit code."""
        # The store may hold rollouts of other accounts, which this process's credentials must not touch.
        self._engine.worker.only = RolloutId(rollout)
        try:
            async with asyncio.timeout(timeout.total_seconds() if timeout else None):
                view = await self._attended(self._show(rollout, screen, until=self._signals.stop))
        except TimeoutError:
            waited = span_text(timeout.total_seconds()) if timeout else ""
            self.parting = (
                f"Not ended within {waited}: weights stay as they are. {self._how_to_go_on(rollout)}"
            )
            return GAVE_UP
        if not self._signals.stop.is_set() or not view.is_active:
            return exit_code(view)
        if self._signals.may_still_roll_back:
            screen.say(
                f"Stopped; weights stay as they are (green {view.green_percent:g} %). "
                f"Ctrl-C again within {SECOND_WITHIN_SECONDS:g} s rolls back."
            )
            await pause(self._signals.rollback, SECOND_WITHIN_SECONDS)
        if self._signals.rollback.is_set():
            return await self._roll_back(rollout, screen)
        self.parting = self._how_to_go_on(rollout)
        return INTERRUPTED

    async def _roll_back(self, rollout: str, screen: Screen) -> int:
        try:
            await self.door.give(
                rollout, NewCommand(kind=CommandKind.ROLLBACK, reason=CTRL_C, source="signal")
            )
            screen.say(
                "Rolling back. Another Ctrl-C stops watching; the rollback then waits for the next engine."
            )
        except Refused as refused:
            screen.say(str(refused))
        except Unwritable as why:
            return await self._roll_back_unrecorded(rollout, screen, why)
        view = await self._attended(self._show(rollout, screen, until=self._signals.enough))
        if view.is_active:
            self.parting = self._how_to_go_on(rollout)
            return INTERRUPTED
        return exit_code(view)

    async def _roll_back_unrecorded(self, rollout: str, screen: Screen, why: Unwritable) -> int:
        """All traffic to blue though the store takes nothing; the rest is for an engine that can keep what it does."""
        screen.say(f"{why.what} ({why.why}): rolling back without it.")
        command = commands.command(
            CommandKind.ROLLBACK,
            by=local_actor("signal"),
            clock=self._engine.clock,
            reason=CTRL_C,
        )
        try:
            await self._attended(self._engine.roll_back_at_once(RolloutId(rollout), command))
        except Unwritable as still:
            self.parting = str(still)
            return FAILED
        self.parting = f"All traffic is on blue. Once the store takes writes, remove green: `{self._again}`."
        return ROLLED_BACK

    async def _show(self, rollout: str, screen: Screen, *, until: asyncio.Event) -> RolloutView:
        view = await self.door.get(rollout)
        async for look in looks(self.door, rollout, enough=until, after=self._told):
            view = look.view
            if look.events:
                self._told = look.events[-1].number
            screen.show(look)
        return view

    async def _attended(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something with the engine running beside it; ticks under way are finished before this returns."""
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._engine.run(stop), name="engine")
            try:
                return await work
            finally:
                stop.set()

    def _how_to_go_on(self, rollout: str) -> str:
        return f"Go on: `{self._again}`. Roll it back: `teal rollback {rollout}`, then the same."


def _agree(active: Stored, spec: Spec) -> None:
    from orchestrator.config import differences

    differ = differences(active.rollout.spec, spec)
    if differ:
        row = active.rollout
        raise Conflict(
            what=f"{row.spec.service} has an active rollout, {row.id} ({row.phase}), of another file",
            why="; ".join(differ),
            next_step=f"go on with its own file, or roll it back first: `teal rollback {row.id}`",
            holder=row.id,
        )
