"""Rollouts as the store holds them, and the ways to read them."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from orchestrator.core.domain.events import Event, Record
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase

if TYPE_CHECKING:
    from orchestrator.core.rollout.rollout import Rollout


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A row as the store holds it."""

    rollout: "Rollout"
    version: int  # grows with every commit
    wake_at: datetime | None
    events: int = 0  # how many its log has by the store's own count


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSeen:
    """An event with its place in its rollout's log."""

    rollout: RolloutId
    number: int  # 1, 2, 3 … within the rollout
    event: Event
    chain: str = (
        ""  # SHA-256, hexadecimal, over the event and the chain of the one before (`core.domain.event_chain`)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which rollouts to list."""

    service: str = ""
    phases: frozenset[Phase] = frozenset()
    is_active: bool | None = None


class RolloutById(Protocol):
    """One row."""

    async def load(self, rollout: RolloutId) -> Stored:
        """One row. Raises NotFound."""
        ...


class ActiveRollout(Protocol):
    """Whom a service is held by."""

    async def find_active(self, service: str) -> Stored | None:
        """The active rollout that holds a service (``cluster/service``), if there is one."""
        ...


class RolloutPages(Protocol):
    """Rows by the page."""

    async def list(
        self, which: Filter, *, before: str = "", limit: int = 50
    ) -> tuple[tuple[Stored, ...], str]:
        """Rollouts, newest first, and the cursor of the next page (empty at the end)."""
        ...


class RolloutNames(RolloutById, ActiveRollout, RolloutPages, Protocol):
    """What it takes to know which rollout a person means."""


class EventLog(Protocol):
    """The audit log of a rollout."""

    async def events(self, rollout: RolloutId, *, after: int = 0, limit: int = 500) -> tuple[EventSeen, ...]:
        """Events of a rollout in order, from the one after `after`. Raises NotFound."""
        ...


class RecordLog(Protocol):
    """Facts that cannot be looked up again."""

    async def records(self, rollout: RolloutId, *, kind: str = "", limit: int = 10_000) -> tuple[Record, ...]:
        """Records of a rollout in the order of their commit."""
        ...


class ServicePages(Protocol):
    """The services that had a rollout, by the page."""

    async def services(self, *, after: str = "", limit: int = 50) -> tuple[tuple[str, ...], str]:
        """Names (``cluster/service``) of services that ever had a rollout, in order, and the next page's cursor.

        A cursor is the last name of its page; any other text stands for its place in the order.
        """
        ...


class ReportStore(RolloutById, EventLog, Protocol):
    """What a report is made of."""


class ServiceStore(ServicePages, RolloutPages, RecordLog, Protocol):
    """What a service's view is made of."""


class AftercareStore(ServiceStore, Protocol):
    """What a look back at ended rollouts needs."""

    async def add_note(self, rollout: RolloutId, event: Event, record: Record) -> bool:
        """Add a fact about a rollout that has ended: an event, and the record that it is known by.

        False, and nothing is added, while the rollout is active, where the record's key is known, and where its newest
        record of this kind has the same body: so of several servers that see the same one tells it. Sinks that were
        told of the rollout hear of it.
        Raises NotFound.
        """
        ...
