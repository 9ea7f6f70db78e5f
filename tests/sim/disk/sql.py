"""Teal's SQL store on an SQLite in memory, in the loop's own thread: its statements, transactions and errors."""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, Engine

from orchestrator.core.rollout.rollout import Decision
from orchestrator.ports.leases import Leased
from orchestrator.store.sql import sqlite
from orchestrator.store.sql.owner_locks import OwnerLocks
from orchestrator.store.sql.sqlite import SqliteDatabase
from orchestrator.store.sql.store import SqlStore
from orchestrator.store.sql.upgrade import upgrade
from tests.sim.disk.disk import CommitKind, Disk, as_sqlalchemy, lost
from tests.support.virtual import VirtualLoop

T = TypeVar("T")


class Kept:
    """The file that every process has open, and how often it was written."""

    def __init__(self) -> None:
        self.engine = _opened()
        self.raw = _raw(self.engine)
        self.raw.deserialize(_migrated())
        sqlite._hold_references(self.engine)
        self.written = 0

    def open_again(self) -> None:
        """As a process of another version does first: bring the tables up to date."""
        with self.engine.begin() as connection:
            upgrade(connection, lambda: True)


class _OneAfterTheOther:
    """Stands where the store has its one writing thread: writes come in turn, each when the disk lets it."""

    def __init__(self, loop: VirtualLoop, disk: Disk) -> None:
        self._loop, self._disk, self._free_at = loop, disk, 0.0

    def submit(self, run: Callable[[], None]) -> None:
        wait = self._disk.wait()
        if not wait and self._free_at <= self._loop.seconds:
            self._loop.call_soon(run)
            return
        self._free_at = max(self._free_at, self._loop.seconds) + wait
        self._loop.call_at(self._free_at, run)


class InlineDatabase(SqliteDatabase):
    """One process's connection to it."""

    def __init__(self, kept: Kept, disk: Disk, loop: VirtualLoop) -> None:
        self._path, self._waiting, self._engine = Path("simulated.db"), deque(), kept.engine
        self._kept, self._disk = kept, disk
        self._thread = cast(ThreadPoolExecutor, _OneAfterTheOther(loop, disk))
        self.next_fault: CommitKind | None = None

    async def write(self, body: Callable[[Connection], T]) -> T:
        """As the store does; a slow disk's answer comes late."""
        answer = await super().write(body)
        late = self._disk.late()
        if late:
            await asyncio.sleep(late)
        return answer

    async def read(self, body: Callable[[Connection], T]) -> T:
        """As the store does, at once."""
        return self._transact(self._engine, body, "BEGIN")

    async def close(self) -> None:
        """What was written stays."""

    def _transact(self, engine: Engine, body: Callable[[Connection], T], begin: str) -> T:
        if begin != sqlite._WRITE:
            return super()._transact(engine, body, begin)
        fault, self.next_fault = self.next_fault, None
        refusal = self._disk.refusal()
        if refusal is None and fault != "lost":
            answer = super()._transact(engine, body, begin)
            self._kept.written += 1
            if fault is None:
                return answer
        why = refusal or lost()
        is_undone = fault == "lost" or why.sqlite_errorcode == sqlite3.SQLITE_FULL

        def fails(connection: Connection) -> T:
            if is_undone:
                body(connection)  # what it did goes with its transaction
            raise as_sqlalchemy(why)

        return super()._transact(engine, fails, begin)


class DiskedSqlStore(SqlStore):
    """The store as one process has it open."""

    def __init__(self, kept: Kept, disk: Disk, loop: VirtualLoop, owners: OwnerLocks | None) -> None:
        self._inline, self._disk = InlineDatabase(kept, disk, loop), disk
        super().__init__(self._inline, owners, seconds=loop.time)

    async def commit(self, leased: Leased, decision: Decision) -> Leased:
        """As the store does, unless this commit is one that is lost."""
        self._inline.next_fault = self._disk.next_commit()
        return await super().commit(leased, decision)


def _opened() -> Engine:
    there = cast(SqliteDatabase, _Path())
    return SqliteDatabase._engine_of(there, sqlite._set_up)


class _Path:
    """As much of a database as it takes to open one in memory."""

    _path = Path(":memory:")


def _raw(engine: Engine) -> sqlite3.Connection:
    fairy: Any = engine.raw_connection()
    return cast(sqlite3.Connection, fairy.driver_connection)


@cache
def _migrated() -> bytes:
    """A new file with every table, as bytes: migrations take longer than a whole rollout here."""
    engine = _opened()
    with engine.begin() as connection:
        upgrade(connection, lambda: False)
    try:
        return bytes(_raw(engine).serialize())
    finally:
        engine.dispose()
