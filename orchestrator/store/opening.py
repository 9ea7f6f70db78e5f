"""The way in: a store by its URL."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from orchestrator.core.domain.errors import Invalid, Mistake, Refused
from orchestrator.ports.rollouts import Stored
from orchestrator.ports.store import Store
from orchestrator.store.sql import copies
from orchestrator.store.sql.owner_locks import OwnerLocks, server_lock
from orchestrator.store.sql.sqlite import SqliteDatabase
from orchestrator.store.sql.store import SqlStore

_INSTEAD = "sqlite:////path/to/teal.db (SQLite alone; PostgreSQL comes later)"


def open_store(url: str, *, shown: Callable[[Stored], str] | None = None) -> Store:
    """The store at ``sqlite:////absolute/path.db`` (three slashes: a relative path), its tables brought up to date.

    The file and its folders are made if they are not there, for this user alone. `shown` says what is kept beside each
    row for those who only show it (`store.glance`); None: nothing. Raises Invalid for any other URL,
    Unusable if the file cannot be used, was made by a newer version, or by an older one whose engine works on it.
    Blocks for as long as a migration takes.
    """
    path = _path_of(url)
    owners = OwnerLocks.beside(path)
    return SqlStore(SqliteDatabase(path, is_used=lambda: bool(owners.living())), owners, shown=shown)


def migrate(url: str) -> None:
    """Bring a database up to date and let go of it. Opening a store does the same; raises as `open_store` does."""
    path = _path_of(url)
    owners = OwnerLocks.beside(path)
    SqliteDatabase(path, is_used=lambda: bool(owners.living())).shut()


@contextmanager
def only_server(url: str) -> Iterator[None]:
    """Be the one server of a store on this host. Raises Refused where another is."""
    path = _path_of(url)
    held = server_lock(path)
    if held is None:
        raise Refused(
            what=f"another `teal serve` works on the store {path}",
            why="of two, neither could be sure to act alone where the store cannot be written",
            next_step="end that one first, or name another store in TEAL_STORE; `teal deploy` may work beside a server",
        )
    try:
        yield
    finally:
        os.close(held)


def must_be_whole(url: str) -> None:
    """Raises Unusable for a store whose file SQLite finds broken (`quick_check`); one not made yet is whole."""
    path = _path_of(url)
    if path.exists() and path.stat().st_size:
        copies.must_be_whole(path)


def faults(url: str) -> tuple[str, ...]:
    """Everything that SQLite finds broken in a store (`integrity_check`). Raises Unusable if it cannot be read."""
    return copies.faults(_path_of(url), is_full=True)


def content(url: str) -> copies.Copied:
    """What a store holds. Raises Unusable if it is none of Teal's."""
    return copies.content(_path_of(url))


def backup(url: str, target: Path) -> copies.Copied:
    """Copy a store, also one in use. Raises Refused and Unusable as `copies.backup` does."""
    return copies.backup(_path_of(url), target)


def restore(url: str, source: Path, *, with_active: bool) -> copies.Copied:
    """Put a backup in the store's place. Raises Refused and Unusable as `copies.restore` does."""
    return copies.restore(_path_of(url), source, with_active=with_active)


def _path_of(url: str) -> Path:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise _invalid(f"{url!r} is no URL of a store") from None
    if parsed.drivername != "sqlite":  # the URL itself is not repeated: it may hold a password
        raise _invalid(f"no store supports {parsed.drivername}")
    if not parsed.database or parsed.database == ":memory:" or parsed.query:
        raise _invalid(f"{url!r} names no file")
    return Path(parsed.database)


def _invalid(what: str) -> Invalid:
    return Invalid(source="store", mistakes=[Mistake(pointer="", what=what, instead=_INSTEAD)])
