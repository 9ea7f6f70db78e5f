"""What is committed, read past every fault of the disk: by those who judge, never by those who are judged."""

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from orchestrator.core.domain.commands import Command, CommandState
from orchestrator.core.domain.events import Event
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.ports.commands import CommandSeen
from orchestrator.ports.rollouts import EventSeen
from orchestrator.store.codec import decode
from orchestrator.store.memory.store import MemoryStore
from tests.sim.disk.sql import Kept


class KeptRow(Protocol):
    """One rollout as it is committed."""

    @property
    def rollout(self) -> Rollout: ...
    @property
    def owner(self) -> str | None: ...
    @property
    def version(self) -> int: ...
    @property
    def events(self) -> list[EventSeen]: ...
    @property
    def commands(self) -> Mapping[str, CommandSeen]: ...


class Ledger:
    """Every rollout of a store, by its id."""

    def __init__(self, rows: Mapping[RolloutId, KeptRow]) -> None:
        self._rows = rows


def ledger_of(kept: Kept | MemoryStore) -> Ledger:
    """The ledger of a store."""
    return Ledger(_SqlRows(kept) if isinstance(kept, Kept) else _MemoryRows(kept))


def _with_planned(rollout: Rollout) -> Rollout:
    """The steps of the plan `auto` as far as they are planned, where the steps of other plans stand."""
    if rollout.spec.plan.auto is None:
        return rollout
    return replace(rollout, spec=replace(rollout.spec, plan=rollout.plan))


@dataclass(slots=True)
class _MemoryRow:
    store: MemoryStore
    id: RolloutId
    _seen: Rollout | None = None
    _shown: Rollout | None = None

    @property
    def rollout(self) -> Rollout:
        now = self.store._rows[self.id].rollout
        if now is not self._seen or self._shown is None:
            self._seen, self._shown = now, _with_planned(now)
        return self._shown

    @property
    def owner(self) -> str | None:
        return self.store._rows[self.id].owner

    @property
    def version(self) -> int:
        return self.store._rows[self.id].version

    @property
    def events(self) -> list[EventSeen]:
        return self.store._rows[self.id].events

    @property
    def commands(self) -> Mapping[str, CommandSeen]:
        return self.store._rows[self.id].commands


class _MemoryRows(Mapping[RolloutId, _MemoryRow]):
    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._known: dict[RolloutId, _MemoryRow] = {}

    def __getitem__(self, rollout: RolloutId) -> _MemoryRow:
        if rollout not in self._known:
            if rollout not in self._store._rows:
                raise KeyError(rollout)
            self._known[rollout] = _MemoryRow(self._store, rollout)
        return self._known[rollout]

    def __iter__(self) -> Iterator[RolloutId]:
        return iter(self._store._rows)

    def __len__(self) -> int:
        return len(self._store._rows)


_ROW = "SELECT body, owner, version FROM rollouts WHERE id = ?"
_EVENTS = "SELECT number, body, chain FROM events WHERE rollout = ? AND number > ? ORDER BY number"
_COMMANDS = (
    "SELECT key, state, text, body FROM commands WHERE rollout = ? AND key IS NOT NULL ORDER BY number"
)


@dataclass(slots=True)
class _SqlRow:
    """A row, read anew once something was written."""

    kept: Kept
    id: RolloutId
    _as_of: int = -1
    _body: str = ""
    _rollout: Rollout | None = None
    _owner: str | None = None
    _version: int = 0
    _events: list[EventSeen] = field(default_factory=list)
    _events_as_of: int = -1

    @property
    def rollout(self) -> Rollout:
        self._look()
        assert self._rollout is not None
        return self._rollout

    @property
    def owner(self) -> str | None:
        self._look()
        return self._owner

    @property
    def version(self) -> int:
        self._look()
        return self._version

    @property
    def events(self) -> list[EventSeen]:
        if self._events_as_of == self.kept.written:
            return self._events
        self._events_as_of = self.kept.written
        found = self.kept.raw.execute(_EVENTS, (self.id, len(self._events)))
        for number, body, chain in found:
            event = decode(Event, body, rollout=self.id)
            self._events.append(EventSeen(rollout=self.id, number=number, event=event, chain=chain))
        return self._events

    @property
    def commands(self) -> Mapping[str, CommandSeen]:
        return {
            key: CommandSeen(
                command=decode(Command, body, rollout=self.id), state=CommandState(state), text=text
            )
            for key, state, text, body in self.kept.raw.execute(_COMMANDS, (self.id,))
        }

    def _look(self) -> None:
        if self._as_of == self.kept.written:
            return
        self._as_of = self.kept.written
        row = self.kept.raw.execute(_ROW, (self.id,)).fetchone()
        if row is None:
            raise KeyError(self.id)
        body, self._owner, self._version = row
        if body != self._body:
            self._body, self._rollout = body, _with_planned(decode(Rollout, body, rollout=self.id))


class _SqlRows(Mapping[RolloutId, _SqlRow]):
    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._known: dict[RolloutId, _SqlRow] = {}

    def __getitem__(self, rollout: RolloutId) -> _SqlRow:
        if rollout not in self._known:
            row = _SqlRow(self._kept, rollout)
            row._look()
            self._known[rollout] = row
        return self._known[rollout]

    def __iter__(self) -> Iterator[RolloutId]:
        found: sqlite3.Cursor = self._kept.raw.execute("SELECT id FROM rollouts ORDER BY id")
        return (RolloutId(row[0]) for row in found.fetchall())

    def __len__(self) -> int:
        return sum(1 for _ in self)
