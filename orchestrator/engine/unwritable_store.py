"""What a worker does while its store cannot be written (a full disk): it looks on, and takes traffic to safety.

Nothing can be leased then, and nothing that is decided can be kept. Still every rollout is judged, and one that must go
back to blue does: those writes need no record (`tick.to_safety_at_once`). They are made only while it is certain that
nobody else works on the store. Once it can be written, the first that is committed says what was done.
"""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from orchestrator.core.domain.commands import Command, CommandKind
from orchestrator.core.domain.errors import TealError, Unwritable
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.rollout.spec import Limits
from orchestrator.core.tick.seen import Results, Unrecorded
from orchestrator.engine.commands import accept
from orchestrator.engine.tick import NOTHING_KNOWN, Ticked, Ticker, to_safety_at_once
from orchestrator.ports.leases import Leased

WITH_TRAFFIC = (Phase.SHIFTING, Phase.WATCHING, Phase.ROLLING_BACK)
WAYS_BACK = (CommandKind.ROLLBACK, CommandKind.REJECT)
SOONEST = timedelta(seconds=1)
AT_ONCE = 200  # rollouts; the others are due then, and come next
PATIENCE_SECONDS = 10.0  # of whoever orders a rollback

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Looked:
    """A row as the last look left it, which no store has."""

    version: int  # of the committed row that it came from
    rollout: Rollout
    results: Results
    again: datetime


@dataclass(frozen=True, slots=True)
class _Order:
    """A rollback that somebody waits for."""

    command: Command
    done: "asyncio.Future[Unrecorded | None]"


class SafetyWatch:
    """The rollouts of a store that cannot be written, and what was done for them."""

    def __init__(self, ticker: Ticker, *, owner: str) -> None:
        self._ticker, self._owner = ticker, owner
        self._looked: dict[RolloutId, _Looked] = {}
        self._orders: dict[RolloutId, _Order] = {}
        self._done: dict[RolloutId, Unrecorded] = {}
        self._is_on = False
        self.is_alone = True  # as far as the last look knows; otherwise nothing is done
        self.page_again = Limits().page_again  # the shortest that a rollout under way names; 0: none does

    @property
    def is_on(self) -> bool:
        """True while the store cannot be written."""
        return self._is_on

    def done(self, rollout: RolloutId) -> Unrecorded | None:
        """What was done for a rollout since its row was last committed."""
        return self._done.get(rollout)

    def note(self, rollout: RolloutId, ticked: Ticked) -> None:
        """Keep what a tick did: until it is committed, nothing else tells of it."""
        if ticked.is_recorded:
            self._done.pop(rollout, None)
        elif ticked.unrecorded is not None:
            before = self._done.get(rollout)
            rules = dict.fromkeys((*(before.rules if before else ()), *ticked.unrecorded.rules))
            self._done[rollout] = replace(before or ticked.unrecorded, rules=tuple(rules))

    async def over(self) -> None:
        """The store can be written: others may act again, and it takes what was ordered and is not done."""
        if self._is_on:
            log.warning("store_writable_again")
            self._ticker.store.share()
            self._looked.clear()
            self._is_on = False
        for rollout, order in tuple(self._orders.items()):
            try:
                await accept(rollout, order.command, store=self._ticker.store)
            except Unwritable:
                return
            except TealError as why:
                log.warning("order_refused", rollout=rollout, why=str(why))
            self._give_up(rollout, None)

    async def order(self, rollout: RolloutId, command: Command) -> Unrecorded | None:
        """Roll back without a record; what was written, or None: the store has taken the command meanwhile.

        Raises Unwritable where neither happened in time; Teal then goes on trying, and the store takes it when it can.
        """
        if self._is_on and not self._ticker.store.take_alone(self._owner):
            raise _not_done("the engine does not act without its store now")
        order = self._orders.setdefault(rollout, _Order(command, asyncio.get_running_loop().create_future()))
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await asyncio.shield(order.done)
        except TimeoutError:
            raise _not_done("AWS has not taken it yet, and Teal goes on trying") from None

    async def look(self, busy: Collection[RolloutId], only: RolloutId | None = None) -> None:
        """Look at every rollout that has traffic to bring back and is due, but for those that are `busy`.

        `only`: at this one or none.
        """
        self._is_on = True
        store, now = self._ticker.store, self._ticker.clock.now()
        self.is_alone = store.take_alone(self._owner)
        if not self.is_alone:
            return
        later = {rollout for rollout, looked in self._looked.items() if looked.again > now}
        try:
            active = await store.look_active(
                owner=self._owner,
                now=now,
                phases=WITH_TRAFFIC,
                but=(later - self._orders.keys()).union(busy),
                limit=AT_ONCE,
            )
        except TealError as why:
            log.error("store_unreadable", why=str(why))
            return
        if asked := [one.stored.rollout.spec.limits.page_again for one in active]:
            self.page_again = min((again for again in asked if again), default=timedelta(0))
        async with asyncio.TaskGroup() as group:
            for one in active:
                if only in (None, one.stored.rollout.id):
                    group.create_task(self._look_at(one))

    async def _look_at(self, one: Leased) -> None:
        committed = one.stored.rollout
        looked = self._looked.get(committed.id)
        if looked is not None and looked.version != one.stored.version:
            looked = None  # somebody committed meanwhile: what was seen before is of another row
        row = looked.rollout if looked else committed
        # What cannot be kept is not begun: of people's commands only those that lead back to blue.
        order = self._orders.get(committed.id)
        asked = tuple(command for command in one.commands if command.kind in WAYS_BACK)
        shown = replace(
            one,
            stored=replace(one.stored, rollout=row),
            commands=(*asked, *((order.command,) if order else ())),
        )
        try:
            ticked = await self._ticker.look_on(
                shown, committed, looked.results if looked else NOTHING_KNOWN, self._done.get(committed.id)
            )
        except Exception:  # one rollout's fault never stops the others
            log.exception("look_failed", rollout=committed.id)
            return
        self.note(committed.id, ticked)
        self._keep(one, row, ticked)
        done = self._done.get(committed.id)
        if order is not None and done is not None and not ticked.results.failures:
            self._give_up(committed.id, done)

    def _give_up(self, rollout: RolloutId, done: Unrecorded | None) -> None:
        order = self._orders.pop(rollout)
        if not order.done.done():
            order.done.set_result(done)

    def _keep(self, one: Leased, row: Rollout, ticked: Ticked) -> None:
        """The row for the next look: what was decided, unless it counts on what was not done."""
        decision, committed = ticked.decision, one.stored.rollout
        is_done = set(decision.effects) <= set(to_safety_at_once(committed, decision))
        is_as_far = decision.rollout.phase in (row.phase, Phase.ROLLING_BACK)
        now = self._ticker.clock.now()
        self._looked[committed.id] = _Looked(
            version=one.stored.version,
            rollout=decision.rollout if is_done and is_as_far else row,
            results=ticked.results,
            again=max(decision.wake_at or now, now + SOONEST),
        )


def _not_done(why: str) -> Unwritable:
    return Unwritable(
        what="the store cannot be written, and the rollback was not done without it",
        why=why,
        next_step="make room on its disk, or roll back with `teal rollback --direct`",
    )
