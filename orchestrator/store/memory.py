"""The store in memory, for tests and simulations: the same promises, no disk, and nothing left to chance.

Values are frozen, so they are kept as they are. Each method runs without a pause, which makes it one transaction in
an event loop; it is no store for several threads.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from orchestrator.core.commands import Command, CommandState, Outcome
from orchestrator.core.events import Event, Record
from orchestrator.core.ids import RolloutId
from orchestrator.core.rollout import Decision, Rollout
from orchestrator.ports import Check, CommandSeen, EventSeen, Filter, Leased, Stored
from orchestrator.store import rules


@dataclass(slots=True, kw_only=True)
class _Row:
    rollout: Rollout
    wake_at: datetime | None
    version: int = 1
    fence: int = 0
    owner: str | None = None
    lease_until: datetime | None = None
    woken_at: datetime | None = None  # the earliest wake-up since the lease's holder last read the row
    events: list[Event] = field(default_factory=list)
    records: dict[str, Record] = field(default_factory=dict)
    commands: dict[str, CommandSeen] = field(default_factory=dict)

    @property
    def is_active(self) -> bool:
        return not self.rollout.phase.is_final

    @property
    def due_at(self) -> datetime | None:
        """When somebody can look at it: not before a lease that is held ends."""
        if self.wake_at is None or self.lease_until is None:
            return self.wake_at
        return max(self.wake_at, self.lease_until)

    @property
    def stored(self) -> Stored:
        return Stored(rollout=self.rollout, version=self.version, wake_at=self.wake_at)

    @property
    def open_commands(self) -> tuple[Command, ...]:
        return tuple(c.command for c in self.commands.values() if c.state is CommandState.ACCEPTED)

    def wake(self, at: datetime) -> None:
        if self.is_active:
            self.wake_at = rules.earliest(self.wake_at, at)
            self.woken_at = rules.earliest(self.woken_at, at)

    def is_held_by(self, leased: Leased) -> bool:
        return (self.fence, self.owner) == (leased.fence, leased.owner)

    def answer(self, outcomes: tuple[Outcome, ...]) -> None:
        for outcome in outcomes:
            seen = self.commands.get(outcome.key)
            if seen is not None and seen.state is CommandState.ACCEPTED:
                self.commands[outcome.key] = replace(seen, state=outcome.state, text=outcome.text)


class MemoryStore:
    """Rollouts in memory; `orchestrator.ports.Store` says what each method promises."""

    def __init__(self) -> None:
        self._rows: dict[RolloutId, _Row] = {}
        self._active: dict[RolloutId, _Row] = {}  # the part of `_rows` that every look for work goes through
        self._started: dict[str, RolloutId] = {}  # by start key
        self._claims: dict[str, RolloutId] = {}

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
        before = await self.started_by(key)
        if before is not None:
            return before
        if rollout.id in self._rows:
            raise rules.used_id(rollout.id)
        self._take(rollout.id, claims)
        row = _Row(rollout=rollout, wake_at=wake_at, events=list(events))
        self._rows[rollout.id] = self._active[rollout.id] = row
        self._started[key] = rollout.id
        return row.stored

    async def started_by(self, key: str) -> Stored | None:
        """The rollout that a start key made."""
        rollout = self._started.get(key)
        return None if rollout is None else self._rows[rollout].stored

    async def claim(self, rollout: RolloutId, claims: frozenset[str]) -> None:
        """Take further claims for an active rollout."""
        if not self._row(rollout).is_active:
            raise rules.ended(rollout)
        self._take(rollout, claims)

    async def lease_due(
        self, *, owner: str, now: datetime, ttl: timedelta, limit: int, only: RolloutId | None = None
    ) -> tuple[Leased, ...]:
        """Lease rows whose time has come."""
        due = [
            (row.wake_at, id_, row)
            for id_, row in self._active.items()
            if row.wake_at is not None
            and row.due_at is not None
            and row.due_at <= now
            and only in (None, id_)
        ]
        due.sort(key=lambda one: one[:2])
        return tuple(_lease(row, owner=owner, until=now + ttl) for _, _, row in due[:limit])

    async def renew(self, leased: Leased, *, now: datetime, ttl: timedelta) -> Leased:
        """Hold on to a row."""
        self._held(leased).lease_until = now + ttl
        return replace(leased, until=now + ttl)

    async def commit(self, leased: Leased, decision: Decision) -> Leased:
        """Write a decision whole, or nothing of it."""
        rollout, row = decision.rollout, self._held(leased)
        assert rollout.id == row.rollout.id, "a decision is about the row that is leased"
        if row.version != leased.stored.version:
            raise rules.moved_on(rollout.id, mine=leased.stored.version, version=row.version)
        is_over = rollout.phase.is_final
        row.answer(decision.outcomes)
        outcomes, events = rules.too_late(row.open_commands if is_over else (), rollout.phase)
        row.answer(outcomes)
        row.events += (*decision.events, *events)
        for record in decision.records:
            row.records.setdefault(record.key, record)
        row.rollout, row.version = rollout, row.version + 1
        row.wake_at, row.woken_at = rules.earliest(decision.wake_at, row.woken_at), None
        if is_over:
            self._end(row)
        return replace(leased, stored=row.stored, commands=row.open_commands)

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
        if command.key not in row.commands:
            check(row.stored)
            row.commands[command.key] = CommandSeen(command=command, state=CommandState.ACCEPTED, text="")
            row.wake(command.at)
        return row.commands[command.key]

    async def command(self, rollout: RolloutId, key: str) -> CommandSeen:
        """A command and what became of it."""
        found = self._row(rollout).commands.get(key)
        if found is None:
            raise rules.unknown_command(rollout, key)
        return found

    async def load(self, rollout: RolloutId) -> Stored:
        """One row."""
        return self._row(rollout).stored

    async def find_active(self, service: str) -> Stored | None:
        """The active rollout of a service."""
        found = [row for row in self._active.values() if str(row.rollout.spec.service) == service]
        return max(found, key=_place).stored if found else None

    async def list(
        self, which: Filter, *, before: str = "", limit: int = 50
    ) -> tuple[tuple[Stored, ...], str]:
        """A page of rollouts, newest first, and the next page's cursor."""
        rows = [row for row in self._rows.values() if _matches(row, which)]
        if before:
            last = self._rows.get(RolloutId(before))
            if last is None:
                raise rules.unknown_cursor(before)
            rows = [row for row in rows if _place(row) < _place(last)]
        rows.sort(key=_place, reverse=True)
        page = tuple(row.stored for row in rows[:limit])
        return page, page[-1].rollout.id if len(rows) > limit else ""

    async def events(self, rollout: RolloutId, *, after: int = 0, limit: int = 500) -> tuple[EventSeen, ...]:
        """Events of a rollout, in order."""
        events = self._row(rollout).events[after : after + limit]
        return tuple(
            EventSeen(rollout=rollout, number=number, event=event)
            for number, event in enumerate(events, start=after + 1)
        )

    async def records(self, rollout: RolloutId, *, kind: str = "", limit: int = 10_000) -> tuple[Record, ...]:
        """Records of a rollout, in the order of their commit."""
        row = self._rows.get(rollout)
        kept = tuple(row.records.values()) if row is not None else ()
        return tuple(record for record in kept if kind in ("", record.kind))[:limit]

    async def next_due(self) -> datetime | None:
        """When the next row can be looked at."""
        return rules.earliest(*(row.due_at for row in self._active.values()))

    async def close(self) -> None:
        """Nothing is held open; what was stored stays readable, as a file would."""

    def _row(self, rollout: RolloutId) -> _Row:
        row = self._rows.get(rollout)
        if row is None:
            raise rules.unknown(rollout)
        return row

    def _held(self, leased: Leased) -> _Row:
        rollout = leased.stored.rollout.id
        row = self._rows.get(rollout)
        if row is None or not row.is_held_by(leased):
            raise rules.passed_on(rollout)
        return row

    def _take(self, rollout: RolloutId, claims: frozenset[str]) -> None:
        for claim in sorted(claims):
            holder = self._claims.get(claim, rollout)
            if holder != rollout:
                raise rules.held(claim, holder=holder)
        self._claims.update(dict.fromkeys(claims, rollout))

    def _end(self, row: _Row) -> None:
        row.wake_at = row.owner = row.lease_until = None
        del self._active[row.rollout.id]
        self._claims = {key: holder for key, holder in self._claims.items() if holder != row.rollout.id}


def _lease(row: _Row, *, owner: str, until: datetime) -> Leased:
    row.fence += 1
    row.owner, row.lease_until, row.woken_at = owner, until, None
    return Leased(stored=row.stored, commands=row.open_commands, owner=owner, fence=row.fence, until=until)


def _place(row: _Row) -> tuple[datetime, RolloutId]:
    return row.rollout.created_at, row.rollout.id


def _matches(row: _Row, which: Filter) -> bool:
    return (
        which.service in ("", str(row.rollout.spec.service))
        and (not which.phases or row.rollout.phase in which.phases)
        and which.is_active in (None, row.is_active)
    )
