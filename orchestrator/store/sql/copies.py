"""Copies of an SQLite store, and whether its file is whole: by SQLite's own means, also while others use it.

`cp` of the file alone is an empty backup while everything lies in the write-ahead log.
"""

import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from orchestrator.core.domain.errors import Refused
from orchestrator.core.rollout.changes import changed
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.store.codec import decode, encode
from orchestrator.store.errors import Unusable
from orchestrator.store.sql import trouble
from orchestrator.store.sql.owner_locks import OwnerLocks
from orchestrator.store.sql.sqlite import SqliteDatabase

FAULTS_SHOWN = 5
_BROKEN = (
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
)  # what else SQLite says is not of the file's content


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """What a store, or a copy of one, holds."""

    rollouts: int
    active: tuple[str, ...]  # ids of those under way
    size: int  # bytes of its file


def faults(path: Path, *, is_full: bool) -> tuple[str, ...]:
    """What is wrong with a store's file, in SQLite's words; empty: nothing. Raises Unusable if there is none to read.

    `is_full`: every index is held against its table too, and every reference, which takes several times as long.
    """
    with _reading(path) as connection:
        try:
            ask = "PRAGMA integrity_check" if is_full else "PRAGMA quick_check"
            found = [str(words) for (words,) in connection.execute(ask) if words != "ok"]
            if is_full:
                found += [
                    f"a row of {table} refers to one of {other} that is not there"
                    for table, _, other, _ in connection.execute("PRAGMA foreign_key_check")
                ]
        except sqlite3.Error as error:
            if error.sqlite_errorcode & 0xFF not in _BROKEN:
                raise _unreadable(path, error) from error
            return (str(error),)
    return tuple(found)


def must_be_whole(path: Path, *, is_full: bool = False) -> None:
    """Raises Unusable, saying what is wrong and what to do, for a file that SQLite finds broken."""
    found = faults(path, is_full=is_full)
    if found:
        more = f" and {len(found) - FAULTS_SHOWN} more" if len(found) > FAULTS_SHOWN else ""
        raise Unusable(
            what=f"the store {path} is broken",
            why="; ".join(" ".join(one.split()) for one in found[:FAULTS_SHOWN]) + more,
            next_step="Keep the file, and put a backup in its place: `teal restore FILE`. What a rollout has under way "
            "goes back to blue by `teal rollback SERVICE --direct`",
        )


def backup(path: Path, target: Path) -> Copied:
    """Copy a store, also one in use, to a file of this user's alone that was found whole before it has its name.

    Raises Refused if there is such a file, Unusable if the store or the copy cannot be read or written.
    """
    if target.exists():
        raise Refused(
            what=f"{target} is there already",
            why="a backup overwrites nothing",
            next_step="name another file",
        )
    fresh = target.with_name(f"{target.name}.new")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh.unlink(missing_ok=True)
        os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        with _reading(path) as source, closing(sqlite3.connect(fresh)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, and nothing beside it
        must_be_whole(fresh, is_full=True)
        with fresh.open("rb") as written:
            os.fsync(written.fileno())
        copied = content(fresh)
        fresh.rename(target)
    except (OSError, sqlite3.Error) as error:
        raise Unusable(what=f"{path} cannot be copied to {target}", why=str(error)) from error
    finally:
        fresh.unlink(missing_ok=True)
    return copied


def restore(path: Path, source: Path, *, with_active: bool) -> Copied:
    """Put a backup in the store's place, in one transaction: others see the old content or the new.

    `with_active`: also one with rollouts under way. Each of them is marked: an engine does nothing for it until AWS
    was seen to agree with it. Raises Refused for one without it and while an engine uses the store, Unusable for a
    file that is broken or too new.
    """
    copied = content(source)
    if copied.active and not with_active:
        raise Refused(
            what=f"{source} has rollouts under way: {', '.join(copied.active)}",
            why="what the backup knows of weights and steps may not be true any more",
            next_step="say --with-active: an engine then holds each of them against AWS before it does anything for it",
        )
    living = OwnerLocks.beside(path).living()
    if living:
        raise Refused(
            what=f"{path} is in use",
            why=f"an engine holds it: {', '.join(sorted(living))}",
            next_step="stop `teal serve` and every `teal deploy` first",
        )
    must_be_whole(source, is_full=True)
    fresh = path.with_name(f"{path.name}.restoring")
    try:
        for left in (fresh, *_beside(fresh)):
            left.unlink(missing_ok=True)
        with _reading(source) as old, closing(sqlite3.connect(fresh)) as copy:
            old.backup(copy)
        SqliteDatabase(fresh).shut()  # of this version now; one of a newer version is refused here
        _mark_active(fresh)
        SqliteDatabase(path).shut()
        with closing(sqlite3.connect(fresh)) as copy, closing(sqlite3.connect(path)) as store:
            copy.backup(store)
    except (OSError, sqlite3.Error) as error:
        raise Unusable(what=f"{source} cannot be put in the place of {path}", why=str(error)) from error
    finally:
        for left in (fresh, *_beside(fresh)):
            left.unlink(missing_ok=True)
    must_be_whole(path)
    return copied


def content(path: Path) -> Copied:
    """What a store's file holds. Raises Unusable if it is none."""
    with _reading(path) as connection:
        try:
            (rollouts,) = connection.execute("SELECT count(*) FROM rollouts").fetchone()
            active = connection.execute("SELECT id FROM rollouts WHERE is_active ORDER BY id").fetchall()
        except sqlite3.Error as error:
            if "not a database" not in str(error):
                must_be_whole(path)
            raise Unusable(what=f"{path} is no store of Teal's", why=str(error)) from error
    return Copied(rollouts=rollouts, active=tuple(one for (one,) in active), size=path.stat().st_size)


def _mark_active(path: Path) -> None:
    """Have rollouts under way, and whoever holds them, begin anew: what they were last is not known."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for rollout, body in connection.execute("SELECT id, body FROM rollouts WHERE is_active").fetchall():
            row = decode(Rollout, body, rollout=rollout)
            marked = encode(changed(row, went_back_at=datetime.now(UTC)))
            connection.execute(
                "UPDATE rollouts SET body = ?, version = version + 1, owner = NULL, lease_until = NULL WHERE id = ?",
                (marked, rollout),
            )


def _unreadable(path: Path, error: Exception) -> Unusable:
    """A file that nothing is known to be wrong with: what keeps it from being read."""
    seen, to_do = trouble.seen_of(path)
    return Unusable(
        what=f"the store {path} cannot be read",
        why=f"{seen} ({error})" if seen else str(error),
        next_step=to_do or f"{trouble.USUAL}.",
    )


def _reading(path: Path) -> closing[sqlite3.Connection]:
    if not path.exists():
        raise Unusable(what=f"{path} cannot be read", why="there is no such file")
    try:
        return closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True))
    except sqlite3.Error as error:
        raise _unreadable(path, error) from error


def _beside(path: Path) -> tuple[Path, ...]:
    return tuple(path.with_name(path.name + suffix) for suffix in ("-wal", "-shm", "-journal"))
