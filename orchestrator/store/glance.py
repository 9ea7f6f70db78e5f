"""Rows as they are kept to be shown, read by the standard library alone: for short commands, beside any engine.

Nothing is written, and nothing is guessed: whatever is not as this version keeps it is `NotKept`. The store is then
opened in full, which makes it, migrates it, reads rows of earlier versions, and says what is wrong.
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from orchestrator.core.domain.events import Event, EventKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.ports.glance import NotKept, Row
from orchestrator.ports.rollouts import EventSeen, Filter
from orchestrator.store.migrations import HEAD

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BUSY_SECONDS = 5
_EVENT_VERSION = 1  # as the codec writes it
_SHOWN = "SELECT service, version, wake_at, shown FROM rollouts"
_NEWEST = "ORDER BY created_at DESC, id DESC LIMIT ?"


class SqliteGlance:
    """One moment's state of a store in a file; `ports.glance.Glance` says what each method promises."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def load(self, rollout: str) -> Row | None:
        """One rollout by its id; None: there is none."""
        return _first(self._rows(f"{_SHOWN} WHERE id = ?", rollout))

    def find_active(self, service: str) -> Row | None:
        """The active rollout of a service by its whole name."""
        return _first(self._rows(f"{_SHOWN} WHERE service = ? AND is_active {_NEWEST}", service, 1))

    def list(self, which: Filter, *, limit: int) -> tuple[tuple[Row, ...], bool]:
        """Rollouts, newest first, and whether there are more."""
        wanted, values = ["1"], list[object]()
        if which.service:
            wanted.append("service = ?")
            values.append(which.service)
        if which.phases:
            wanted.append(f"phase IN ({', '.join('?' * len(which.phases))})")
            values += sorted(which.phases)
        if which.is_active is not None:
            wanted.append("is_active = ?")
            values.append(which.is_active)
        found = self._rows(f"{_SHOWN} WHERE {' AND '.join(wanted)} {_NEWEST}", *values, limit + 1)
        return found[:limit], len(found) > limit

    def services(self) -> Iterator[str]:
        """The services that had a rollout, by name: from one to the next, past all rollouts between them."""
        name = ""
        while True:
            ((name,),) = self._asked("SELECT min(service) FROM rollouts WHERE service > ?", name)
            if name is None:
                return
            yield name

    def events(self, rollout: str, *, after: int, limit: int) -> tuple[EventSeen, ...]:
        """Events of a rollout that is there, in order, from the one after `after`."""
        query = (
            "SELECT number, body, chain FROM events WHERE rollout = ? AND number > ? ORDER BY number LIMIT ?"
        )
        return tuple(
            EventSeen(rollout=RolloutId(rollout), number=number, event=_event(body), chain=chain)
            for number, body, chain in self._asked(query, rollout, after, limit)
        )

    def newest_record(self, rollout: str, kind: str) -> str:
        """The body of the last record of a kind; empty: there is none."""
        query = "SELECT body FROM records WHERE rollout = ? AND kind = ? ORDER BY number DESC LIMIT 1"
        return next((str(body) for (body,) in self._asked(query, rollout, kind)), "")

    def _rows(self, query: str, *values: object) -> tuple[Row, ...]:
        return tuple(_row(*found) for found in self._asked(query, *values))

    def _asked(self, query: str, *values: object) -> Sequence[tuple[Any, ...]]:
        try:
            return self._connection.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise NotKept from error


@contextmanager
def glance(url: str) -> Iterator[SqliteGlance]:
    """One moment's state of the store at a URL. Raises NotKept where it is not there, or not this version's."""
    path = _path_of(url)
    try:
        uri = f"file:{quote(str(path.absolute()))}?mode=ro"
        connection = sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)
    except sqlite3.Error as error:
        raise NotKept from error
    with closing(connection):
        try:
            connection.execute("BEGIN")
            tables = connection.execute("SELECT version_num FROM alembic_version").fetchall()
        except sqlite3.Error as error:
            raise NotKept from error
        if tables != [(HEAD,)]:
            raise NotKept
        yield SqliteGlance(connection)


def _path_of(url: str) -> Path:
    scheme, _, path = url.partition(":///")
    if scheme != "sqlite" or not path or path == ":memory:" or "?" in path or "%" in path:
        raise NotKept
    return Path(path)


def _first(rows: Sequence[Row]) -> Row | None:
    return rows[0] if rows else None


def _row(service: str, version: int, wake_at: int | None, shown: str | None) -> Row:
    if shown is None:
        raise NotKept
    wakes = None if wake_at is None else _EPOCH + timedelta(microseconds=wake_at)
    return Row(service=service, version=version, wake_at=wakes, shown=shown)


def _event(body: str) -> Event:
    try:
        said = json.loads(body)
        if said.get("version", _EVENT_VERSION) != _EVENT_VERSION:
            raise NotKept
        return Event(
            kind=EventKind(said["kind"]),
            at=datetime.fromisoformat(said["at"]),
            message=said["message"],
            facts=tuple((name, fact) for name, fact in said.get("facts", ())),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise NotKept from error
