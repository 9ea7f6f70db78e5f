"""The way in: a store by its URL."""

from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from orchestrator.core.domain.errors import Invalid, Mistake
from orchestrator.ports.store import Store
from orchestrator.store.sql.sqlite import SqliteDatabase
from orchestrator.store.sql.store import SqlStore

_INSTEAD = "sqlite:////path/to/teal.db (SQLite alone; PostgreSQL comes later)"


def open_store(url: str) -> Store:
    """The store at ``sqlite:////absolute/path.db`` (three slashes: a relative path), its tables brought up to date.

    The file and its folders are made if they are not there, for this user alone. Raises Invalid for any other URL,
    Unusable if the file cannot be used or was made by a newer version. Blocks for as long as a migration takes.
    """
    return SqlStore(SqliteDatabase(_path_of(url)))


def migrate(url: str) -> None:
    """Bring a database up to date and let go of it. Opening a store does the same; raises as `open_store` does."""
    SqliteDatabase(_path_of(url)).shut()


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
