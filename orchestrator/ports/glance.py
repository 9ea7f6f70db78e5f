"""The store at a glance: rows as they are kept to be shown, for commands that are over before an ORM is imported."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from orchestrator.ports.rollouts import EventSeen, Filter


class NotKept(Exception):
    """What was asked for is not there to be read at a glance; the store in full may have it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A rollout as it is kept to be shown (`orchestrator.engine.views.kept`), with what changes beside that."""

    service: str
    version: int
    wake_at: datetime | None
    shown: str


class Glance(Protocol):
    """One moment's state of a store. Every method raises NotKept where it cannot tell."""

    def load(self, rollout: str) -> Row | None:
        """One rollout by its id; None: there is none."""
        ...

    def find_active(self, service: str) -> Row | None:
        """The active rollout of a service by its whole name."""
        ...

    def list(self, which: Filter, *, limit: int) -> tuple[tuple[Row, ...], bool]:
        """Rollouts, newest first, and whether there are more."""
        ...

    def services(self) -> Iterator[str]:
        """The services that had a rollout, by name."""
        ...

    def events(self, rollout: str, *, after: int, limit: int) -> tuple[EventSeen, ...]:
        """Events of a rollout that is there, in order, from the one after `after`."""
        ...

    def newest_record(self, rollout: str, kind: str) -> str:
        """The body of the last record of a kind; empty: there is none."""
        ...
