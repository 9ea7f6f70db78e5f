"""Who works on a row, and what its holder commits."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from orchestrator.core.domain.commands import Command
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.rollout import Decision
from orchestrator.ports.commands import CommandInbox
from orchestrator.ports.freezes import FreezeCalendar
from orchestrator.ports.rollouts import RolloutById, RolloutPages, Stored


@dataclass(frozen=True, slots=True, kw_only=True)
class Leased:
    """Sole right to a row for a time. ``fence`` grows with every lease of the row."""

    stored: Stored
    commands: tuple[Command, ...]  # accepted and not yet applied, oldest first
    owner: str
    fence: int
    until: datetime


class Leases(Protocol):
    """The sole right to rows, for a time.

    A commit is a compare-and-swap: it succeeds only for the holder of the newest fence and the row's version.
    Events get their link of the chain (`core.domain.event_chain`) in the transaction that adds them.
    """

    async def lease_due(
        self, *, owner: str, now: datetime, ttl: timedelta, limit: int, only: RolloutId | None = None
    ) -> tuple[Leased, ...]:
        """Lease up to `limit` active rows whose time has come and that nobody holds, the most overdue first.

        `only`: this row or none. A lease that would last longer than `ttl` from now was written by a clock that was
        ahead: it ends then.
        """
        ...

    async def wake_all(self, *, now: datetime) -> None:
        """Have every active row looked at by now: for whoever begins, since the clock may have been set meanwhile."""
        ...

    async def renew(self, leased: Leased, *, now: datetime, ttl: timedelta) -> Leased:
        """Hold on to a row. Raises Lost if another lease was given since."""
        ...

    async def claim(self, rollout: RolloutId, claims: frozenset[str]) -> None:
        """Take further claims for an active rollout. Raises Conflict naming the holder; nothing is taken then."""
        ...

    async def commit(self, leased: Leased, decision: Decision) -> Leased:
        """Write a decision whole: row, wake-up, events, records, outcomes of commands; a final phase frees claims.

        Raises Lost, and writes nothing, unless the lease's fence and version are the row's. Raises Unwritable where the
        store takes no writes, as every write does: whether it was kept is known only once it is read.
        """
        ...

    async def waiting(self, rollouts: Collection[RolloutId]) -> Mapping[RolloutId, tuple[Command, ...]]:
        """Commands to these rollouts that no tick has answered yet, oldest first, whoever holds the rows."""
        ...

    async def release(self, leased: Leased) -> None:
        """Give a row back; a lease that has passed on is left alone."""
        ...


class AloneStore(Protocol):
    """What can be done while the store cannot be written: look at its rows, and be sure that nobody else acts on them.

    Only where every engine of the store is on this host can that be known (docs/decisions/0032).
    """

    def take_alone(self, owner: str) -> bool:
        """True if no other engine works on this store, and none is given a lease until `share` is called."""
        ...

    def share(self) -> None:
        """Let other engines have leases again."""
        ...

    async def look_active(
        self,
        *,
        owner: str,
        now: datetime,
        phases: Collection[Phase],
        but: Collection[RolloutId],
        limit: int,
    ) -> tuple[Leased, ...]:
        """Up to `limit` rows in these phases, the most overdue first, as they were committed, whoever held them last.

        `but`: none of these. Nothing is taken: these are no leases, and ``until`` is `now`.
        """
        ...


class TickStore(Leases, AloneStore, CommandInbox, RolloutById, RolloutPages, FreezeCalendar, Protocol):
    """What a worker and its ticks need: a row, who serves by the rollouts before it, and the calendar."""


class WakeupStore(RolloutPages, Protocol):
    """What those need who hear of changes on AWS: which rollouts there are, and to have one looked at."""

    async def wake(self, rollout: RolloutId, *, at: datetime) -> None:
        """Have the row looked at by `at`, if it is not due sooner."""
        ...


class NextDue(Protocol):
    """When there is work."""

    async def next_due(self) -> datetime | None:
        """When the next row wants to be looked at; None: no active row."""
        ...
