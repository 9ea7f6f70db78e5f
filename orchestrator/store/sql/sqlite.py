"""SQLite: one file on a local disk, one thread that writes it, one transaction at a time, and one thread that reads.

Several processes may open the same file (a rollout in one terminal, an approval from another). Each waits for the
others' transactions; a network file system breaks the locks this stands on and must not hold the file.

A write is answered once it is on disk, and waiting for the disk is nearly all that a write costs. So writes that wait
for the thread at the same moment are one transaction and wait for the disk once (docs/decisions/0007). Reads have a
thread and a connection of their own: a long one (a page of a large store) keeps no commit waiting.
"""

import asyncio
import os
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from orchestrator.core.domain.errors import Unwritable
from orchestrator.store.errors import Unusable
from orchestrator.store.sql import trouble
from orchestrator.store.sql.upgrade import upgrade

T = TypeVar("T")

BUSY_TIMEOUT_MS = 10_000  # how long a transaction waits for another process's before it fails
TOGETHER = 64  # writes that share one transaction at most, so that a read behind them does not wait long
_WAL_TRIES, _WAL_PAUSE_SECONDS = 100, 0.05
_BEGIN = "teal_begin"
_WRITE = "BEGIN IMMEDIATE"

# Primary result codes of SQLite (https://sqlite.org/rescode.html) for a file that is whole and takes no write now.
_NOT_NOW = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_READONLY,
    }
)


@dataclass(frozen=True, slots=True)
class _Write(Generic[T]):
    """A body that waits for its transaction, and where its answer goes."""

    body: Callable[[Connection], T]
    answer: "Future[T]" = field(default_factory=Future)


class SqliteDatabase:
    """Runs transaction bodies in its own thread.

    Every failure of SQLite itself is raised as Unusable, or Unwritable where a write was not taken and may be later.
    """

    def __init__(self, path: Path, *, is_used: Callable[[], bool] = lambda: False) -> None:
        """Open the file, made with its folders (mode 0700) if it is not there, and bring its tables up to date.

        `is_used`: whether an engine works on it, whose tables are not changed under it.
        """
        self._path, self._is_used = path, is_used
        self._waiting: deque[_Write[Any]] = deque()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._reading = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store-reads")
        self._readers: Engine | None = None  # opened in its thread, for the first read
        try:
            self._engine = self._thread.submit(self._open).result()
        except BaseException:
            self._thread.shutdown()
            self._reading.shutdown()
            raise

    async def write(self, body: Callable[[Connection], T]) -> T:
        """Run a body that may write. It sees no other writer's half; if it raises, nothing of it is kept.

        It may run twice, and only the last run counts: it changes nothing but the database.
        """
        # If the caller is cancelled while the body runs, the transaction still ends whole, one way or the other.
        write = _Write(body)
        self._waiting.append(write)
        self._thread.submit(self._write_waiting)
        return await asyncio.wrap_future(write.answer)

    async def read(self, body: Callable[[Connection], T]) -> T:
        """Run a body that only reads; it sees one moment's state, waits for no writer and keeps none waiting."""
        return await asyncio.get_running_loop().run_in_executor(self._reading, self._read, body)

    async def try_to_write(self) -> None:
        """Write the file's own number again (`PRAGMA user_version`), which is a page of the log, on disk."""

        def body(connection: Connection) -> None:
            known = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
            connection.exec_driver_sql(f"PRAGMA user_version={int(known)}")

        await self.write(body)

    async def close(self) -> None:
        """Let go of the file once what runs has ended. Twice is once."""
        await asyncio.to_thread(self.shut)

    def _write_waiting(self) -> None:
        """Run the writes that wait by now. Each of them asked for this, so the later ones may find nothing left."""
        taken = [self._waiting.popleft() for _ in range(min(len(self._waiting), TOGETHER))]
        writes = [write for write in taken if write.answer.set_running_or_notify_cancel()]
        if len(writes) > 1 and self._write_together(writes):
            return
        for write in writes:
            self._write_alone(write)

    def _write_together(self, writes: Sequence[_Write[Any]]) -> bool:
        """Run several bodies, one after the other, as one transaction; False if nothing of it was kept."""

        def bodies(connection: Connection) -> list[Any]:
            return [write.body(connection) for write in writes]

        try:
            answers = self._transact(self._engine, bodies, _WRITE)
        except BaseException:  # whose it is shows when each runs alone, and goes to its caller
            return False
        for write, answer in zip(writes, answers, strict=True):
            write.answer.set_result(answer)
        return True

    def _write_alone(self, write: _Write[Any]) -> None:
        try:
            answer = self._transact(self._engine, write.body, _WRITE)
        except BaseException as error:  # as an executor does: the caller gets it, whatever it is
            write.answer.set_exception(error)
        else:
            write.answer.set_result(answer)

    def _read(self, body: Callable[[Connection], T]) -> T:
        if self._readers is None:
            self._readers = self._engine_of(_set_up_reader)
        return self._transact(self._readers, body, "BEGIN")

    def _transact(self, engine: Engine, body: Callable[[Connection], T], begin: str) -> T:
        try:
            with engine.connect() as connection:
                connection = connection.execution_options(**{_BEGIN: begin})
                with connection.begin():
                    return body(connection)
        except DBAPIError as error:
            why = error.orig or error
            raise (_unwritable if begin == _WRITE and _is_for_now(why) else _unusable)(
                self._path, why
            ) from error

    def _open(self) -> Engine:
        try:
            make_private(self._path)
            engine = self._engine_of(_set_up)
        except OSError as error:
            raise _unusable(self._path, error) from error
        try:
            with engine.begin() as connection:
                upgrade(connection, self._is_used)
            _hold_references(engine)
        except (DBAPIError, sqlite3.Error) as error:
            engine.dispose()
            raise _unusable(self._path, getattr(error, "orig", None) or error) from error
        except BaseException:
            engine.dispose()
            raise
        return engine

    def _shut_readers(self) -> None:
        if self._readers is not None:
            self._readers.dispose()

    def _engine_of(self, set_up: Callable[[sqlite3.Connection, object], None]) -> Engine:
        engine = create_engine(
            URL.create("sqlite", database=str(self._path)),
            poolclass=StaticPool,  # one thread, one connection
            connect_args={"timeout": BUSY_TIMEOUT_MS / 1000},
        )
        event.listen(engine, "connect", set_up)
        event.listen(engine, "begin", _begin)
        return engine

    def shut(self) -> None:
        """As `close`, where there is no event loop; it blocks."""
        try:
            self._reading.submit(self._shut_readers)
            self._thread.submit(self._engine.dispose)
        except RuntimeError:  # the threads have been shut down: closed already
            return
        self._reading.shutdown()  # the last to let go of the file brings the log into it: the writer
        self._thread.shutdown()


def make_private(path: Path) -> None:
    """Make a file, and the folders it is in, for this user alone; what exists stays as it is."""
    for folder in reversed(path.absolute().parents):
        if not folder.exists():
            folder.mkdir(mode=0o700, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _set_up(raw: sqlite3.Connection, _record: object) -> None:
    # The driver would begin and commit by itself, and not around DDL; Teal says BEGIN itself.
    raw.isolation_level = None
    raw.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    _use_wal(raw)
    raw.execute("PRAGMA synchronous=FULL")  # a commit that was answered survives a power cut


def _set_up_reader(raw: sqlite3.Connection, _record: object) -> None:
    raw.isolation_level = None
    raw.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    raw.execute("PRAGMA query_only=ON")


def _hold_references(engine: Engine) -> None:
    """Have SQLite check references between tables, from now on and not sooner.

    It changes a table by making another in its place, which a check that runs would take for the loss of all rows.
    """
    raw = engine.raw_connection()
    try:
        raw.cursor().execute("PRAGMA foreign_keys=ON")
    finally:
        raw.close()


def _use_wal(raw: sqlite3.Connection) -> None:
    """Turn on the write-ahead log. SQLite does not wait here while others open the same new file, so Teal does."""
    for left in reversed(range(_WAL_TRIES)):
        try:
            raw.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:
            if not left:
                raise
            time.sleep(_WAL_PAUSE_SECONDS)


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, _WRITE))


def _is_for_now(error: BaseException) -> bool:
    """True where SQLite says that it could not write, and not that the file or the statement is wrong."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _NOT_NOW  # the rest says more exactly why


def _unwritable(path: Path, error: BaseException) -> Unwritable:
    return Unwritable(
        what=f"the store {path} cannot be written",
        why=str(error),
        next_step="make room on its disk, or let this user write it; `teal rollback --direct` does without it",
    )


def _unusable(path: Path, error: BaseException) -> Unusable:
    seen, to_do = trouble.seen_of(path)
    return Unusable(
        what=f"the store {path} cannot be used",
        why=f"{seen} ({error})" if seen else str(error),
        next_step=to_do or f"{trouble.USUAL}.",
    )
