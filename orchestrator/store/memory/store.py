"""The store in memory, for tests and simulations: the same promises, no disk, and nothing left to chance.

Values are frozen, so they are kept as they are. Each method runs without a pause, which makes it one transaction in
an event loop; it is no store for several threads.
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

from orchestrator.core.domain.commands import Command, CommandState
from orchestrator.core.domain.events import Event, Record
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.rollout import Decision, Rollout
from orchestrator.ports.commands import Check, CommandSeen
from orchestrator.ports.leases import Leased
from orchestrator.ports.rollouts import EventSeen, Filter, Stored
from orchestrator.store import invariants
from orchestrator.store.memory.access import MemoryCalendar, MemoryCalls, MemoryTokens
from orchestrator.store.memory.outbox import MemoryOutbox
from orchestrator.store.memory.rows import Row


class MemoryStore(MemoryOutbox, MemoryTokens, MemoryCalls, MemoryCalendar):
    """Rollouts in memory; `ports.store.Store` says what each method promises."""

    def __init__(self) -> None:
        MemoryOutbox.__init__(self)
        MemoryTokens.__init__(self)
        MemoryCalls.__init__(self)
        MemoryCalendar.__init__(self)
        self._started: dict[str, RolloutId] = {}  # by start key
        self._claims: dict[str, RolloutId] = {}
        self._owners: set[str] = set()  # that ever asked for a lease

    async def create(
        self,
        rollout: Rollout,
        *,
        claims: frozenset[str],
        key: str,
        events: tuple[Event, ...],
        wake_at: datetime,
    ) -> Stored:
        """Add a rollout and take its claims."""
        assert not rollout.phase.is_final, "a rollout that is over is never started"
        before = await self.started_by(key, now=rollout.created_at)
        if before is not None:
            return before
        if rollout.id in self._rows:
            raise invariants.used_id(rollout.id)
        self._take(rollout.id, claims)
        row = Row(rollout=rollout, wake_at=wake_at)
        self._rows[rollout.id] = self._active[rollout.id] = row
        self._started[key] = rollout.id
        self._begin_to_tell(rollout.id)
        self._tell(row, events)
        return row.stored

    async def started_by(self, key: str, *, now: datetime) -> Stored | None:
        """The rollout that a start key stands for."""
        row = self._rows[self._started[key]] if key in self._started else None
        return row.stored if row is not None and invariants.stands(row.rollout.created_at, now=now) else None

    async def claim(self, rollout: RolloutId, claims: frozenset[str]) -> None:
        """Take further claims for an active rollout."""
        if not self._row(rollout).is_active:
            raise invariants.ended(rollout)
        self._take(rollout, claims)

    async def lease_due(
        self, *, owner: str, now: datetime, ttl: timedelta, limit: int, only: RolloutId | None = None
    ) -> tuple[Leased, ...]:
        """Lease rows whose time has come."""
        self._owners.add(owner)
        for row in self._active.values():
            row.bound(now, now + ttl)
        due = [
            (row.wake_at, id_, row)
            for id_, row in self._active.items()
            if row.wake_at is not None
            and row.due_at is not None
            and row.due_at <= now
            and only in (None, id_)
        ]
        due.sort(key=lambda one: one[:2])
        return tuple(row.lease(owner=owner, until=now + ttl) for _, _, row in due[:limit])

    async def wake_all(self, *, now: datetime) -> None:
        """Have every active row looked at."""
        for row in self._active.values():
            row.wake_at = invariants.earliest(row.wake_at, now)

    async def forget_rollouts(self, service: str, *, before: datetime, limit: int) -> int:
        """Remove rollouts that ended long ago."""
        old = sorted(
            (row for row in self._rows.values() if row.service == service and not row.is_active),
            key=lambda row: row.place,
        )
        gone = {row.rollout.id for row in old[:limit] if row.rollout.created_at < before}
        for rollout in gone:
            del self._rows[rollout]
            self._stop_telling(rollout)
        self._started = {key: rollout for key, rollout in self._started.items() if rollout not in gone}
        return len(gone)

    async def keep_shown(self, *, after: str, limit: int) -> str:
        """Nothing: rows here are values already."""
        return ""

    def take_alone(self, owner: str) -> bool:
        """Whether nobody else has ever worked on it."""
        return self._owners <= {owner}

    def share(self) -> None:
        """Nobody was kept out."""

    async def try_to_write(self) -> None:
        """Memory can be written."""

    async def look_active(
        self,
        *,
        owner: str,
        now: datetime,
        phases: Collection[Phase],
        but: Collection[RolloutId],
        limit: int,
    ) -> tuple[Leased, ...]:
        """Active rows as they are, without leases."""
        asked = (
            row for row in self._active.values() if row.rollout.phase in phases and row.rollout.id not in but
        )
        rows = sorted(asked, key=lambda row: (row.wake_at or now, row.rollout.id))
        return tuple(row.look(owner=owner, now=now) for row in rows[:limit])

    async def renew(self, leased: Leased, *, now: datetime, ttl: timedelta) -> Leased:
        """Hold on to a row."""
        self._held(leased).lease_until = now + ttl
        return replace(leased, until=now + ttl)

    async def commit(self, leased: Leased, decision: Decision) -> Leased:
        """Write a decision whole, or nothing of it."""
        rollout, row = decision.rollout, self._held(leased)
        assert rollout.id == row.rollout.id, "a decision is about the row that is leased"
        if row.version != leased.stored.version:
            raise invariants.moved_on(rollout.id, mine=leased.stored.version, version=row.version)
        is_over = rollout.phase.is_final
        row.answer(decision.outcomes)
        outcomes, events = invariants.too_late(row.open_commands if is_over else (), rollout.phase)
        row.answer(outcomes)
        self._tell(row, (*decision.events, *events))
        for record in decision.records:
            row.records.setdefault(record.key, record)
        row.rollout, row.version = rollout, row.version + 1
        row.wake_at, row.woken_at = invariants.earliest(decision.wake_at, row.woken_at), None
        if is_over:
            self._end(row)
        return replace(leased, stored=row.stored, commands=row.open_commands)

    async def add_note(self, rollout: RolloutId, event: Event, record: Record) -> bool:
        """Add a fact about a rollout that has ended."""
        row = self._row(rollout)
        known = [each.body for each in row.records.values() if each.kind == record.kind]
        if row.is_active or record.key in row.records or known[-1:] == [record.body]:
            return False
        self._tell(row, (event,))
        row.records.setdefault(record.key, record)
        return True

    async def waiting(self, rollouts: Collection[RolloutId]) -> dict[RolloutId, tuple[Command, ...]]:
        """Commands that wait for a tick."""
        known = {rollout: self._rows[rollout].open_commands for rollout in rollouts if rollout in self._rows}
        return {rollout: commands for rollout, commands in known.items() if commands}

    async def release(self, leased: Leased) -> None:
        """Give a row back."""
        row = self._rows.get(leased.stored.rollout.id)
        if row is not None and row.is_held_by(leased):
            row.owner = row.lease_until = None

    async def wake(self, rollout: RolloutId, *, at: datetime) -> None:
        """Have a row looked at by a time."""
        if rollout in self._active:
            self._active[rollout].wake(at)

    async def add_command(self, rollout: RolloutId, command: Command, *, check: Check) -> CommandSeen:
        """Accept a command, once."""
        row = self._row(rollout)
        before = row.commands.get(command.key)
        if before is not None and invariants.still_stands(before, now=command.at):
            return before
        check(row.stored)
        row.commands.pop(command.key, None)  # the new one comes last
        row.commands[command.key] = seen = CommandSeen(command=command, state=CommandState.ACCEPTED, text="")
        row.wake(command.at)
        return seen

    async def command(self, rollout: RolloutId, key: str) -> CommandSeen:
        """A command and what became of it."""
        found = self._row(rollout).commands.get(key)
        if found is None:
            raise invariants.unknown_command(rollout, key)
        return found

    async def load(self, rollout: RolloutId) -> Stored:
        """One row."""
        return self._row(rollout).stored

    async def find_active(self, service: str) -> Stored | None:
        """The active rollout of a service."""
        found = [row for row in self._active.values() if row.service == service]
        return max(found, key=lambda row: row.place).stored if found else None

    async def list(
        self, which: Filter, *, before: str = "", limit: int = 50
    ) -> tuple[tuple[Stored, ...], str]:
        """A page of rollouts, newest first, and the next page's cursor."""
        rows = [row for row in self._rows.values() if row.matches(which)]
        if before:
            last = self._rows.get(RolloutId(before))
            if last is None:
                raise invariants.unknown_cursor(before)
            rows = [row for row in rows if row.place < last.place]
        rows.sort(key=lambda row: row.place, reverse=True)
        page = tuple(row.stored for row in rows[:limit])
        return page, page[-1].rollout.id if len(rows) > limit else ""

    async def services(self, *, after: str = "", limit: int = 50) -> tuple[tuple[str, ...], str]:
        """A page of the services that had rollouts, by name, and the next page's cursor."""
        found = tuple(sorted({row.service for row in self._rows.values() if row.service > after}))
        return found[:limit], found[limit - 1] if len(found) > limit else ""

    async def events(self, rollout: RolloutId, *, after: int = 0, limit: int = 500) -> tuple[EventSeen, ...]:
        """Events of a rollout, in order."""
        return tuple(self._row(rollout).events[after : after + limit])

    async def records(self, rollout: RolloutId, *, kind: str = "", limit: int = 10_000) -> tuple[Record, ...]:
        """Records of a rollout, in the order of their commit."""
        row = self._rows.get(rollout)
        kept = tuple(row.records.values()) if row is not None else ()
        return tuple(record for record in kept if kind in ("", record.kind))[:limit]

    async def next_due(self) -> datetime | None:
        """When the next row can be looked at."""
        return invariants.earliest(*(row.due_at for row in self._active.values()))

    async def close(self) -> None:
        """Nothing is held open; what was stored stays readable, as a file would."""

    def _row(self, rollout: RolloutId) -> Row:
        row = self._rows.get(rollout)
        if row is None:
            raise invariants.unknown(rollout)
        return row

    def _held(self, leased: Leased) -> Row:
        rollout = leased.stored.rollout.id
        row = self._rows.get(rollout)
        if row is None or not row.is_held_by(leased):
            raise invariants.passed_on(rollout)
        return row

    def _take(self, rollout: RolloutId, claims: frozenset[str]) -> None:
        for claim in sorted(claims):
            holder = self._claims.get(claim, rollout)
            if holder != rollout:
                raise invariants.held(claim, holder=holder)
        self._claims.update(dict.fromkeys(claims, rollout))

    def _tell(self, row: Row, events: tuple[Event, ...]) -> None:
        after = len(row.events)
        row.tell(events)
        self._note_events(row, after=after)

    def _end(self, row: Row) -> None:
        row.wake_at = row.owner = row.lease_until = None
        del self._active[row.rollout.id]
        self._claims = {key: holder for key, holder in self._claims.items() if holder != row.rollout.id}
