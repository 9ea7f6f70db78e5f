"""The store on SQL: each method of the port is one body in one transaction of a database."""

import logging
import time
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from orchestrator.core.domain.calendar import Freeze
from orchestrator.core.domain.commands import Command
from orchestrator.core.domain.events import Event, Record
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.rollout import Decision, Rollout
from orchestrator.ports.calls import Call
from orchestrator.ports.commands import Check, CommandSeen
from orchestrator.ports.leases import Leased
from orchestrator.ports.outbox import Delivery
from orchestrator.ports.rollouts import EventSeen, Filter, Stored
from orchestrator.ports.tokens import Token
from orchestrator.store.sql import calendar as kept_calendar
from orchestrator.store.sql import calls, commands, leases, outbox, queries, retention, starts, tokens
from orchestrator.store.sql.owner_locks import OwnerLocks

T = TypeVar("T")
_log = logging.getLogger(__name__)

LIVES_ASKED_SECONDS = 2.0  # how often it is looked whether owners of leases have died


class Database(Protocol):
    """Where bodies run. Bodies are synchronous, so that one set of them serves every database."""

    async def write(self, body: Callable[[Connection], T]) -> T:
        """Run a body that may write, as one transaction, after and before any other writer's."""
        ...

    async def read(self, body: Callable[[Connection], T]) -> T:
        """Run a body that only reads, as one transaction."""
        ...

    async def try_to_write(self) -> None:
        """Write something to the disk that says what was there before."""
        ...

    async def close(self) -> None:
        """Let go of the database."""
        ...


class SqlStore:
    """Rollouts in an SQL database; `ports.store.Store` says what each method promises."""

    def __init__(
        self,
        database: Database,
        owners: OwnerLocks | None = None,
        *,
        shown: Callable[[Stored], str] | None = None,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        """`owners` None: of nobody is it known that they have died, and every lease lasts as long as it was taken.

        `shown`: what is kept beside each row for those who only show it; None: nothing, and rows tell it themselves.
        `seconds`: a clock that nobody sets.
        """
        self._database, self._owners, self._show, self._seconds = database, owners, shown, seconds
        self._asked_who_died = -LIVES_ASKED_SECONDS

    async def create(
        self,
        rollout: Rollout,
        *,
        claims: frozenset[str],
        key: str,
        events: tuple[Event, ...],
        wake_at: datetime,
    ) -> Stored:
        """Add a rollout and take its claims."""
        return await self._database.write(
            lambda c: starts.create(
                c, rollout, claims=claims, key=key, events=events, wake_at=wake_at, shown=self._shown
            )
        )

    async def started_by(self, key: str, *, now: datetime) -> Stored | None:
        """The rollout that a start key stands for."""
        return await self._database.read(lambda c: queries.started_by(c, key, now=now))

    async def claim(self, rollout: RolloutId, claims: frozenset[str]) -> None:
        """Take further claims for an active rollout."""
        await self._database.write(lambda c: starts.claim(c, rollout, claims))

    async def lease_due(
        self, *, owner: str, now: datetime, ttl: timedelta, limit: int, only: RolloutId | None = None
    ) -> tuple[Leased, ...]:
        """Lease rows whose time has come."""
        await self._take_from_the_dead(owner)
        leased = await self._database.write(
            lambda c: leases.lease_due(c, owner=owner, now=now, ttl=ttl, limit=limit, only=only)
        )
        if leased and self._owners is not None and self._owners.is_another_alone():
            await self._database.write(lambda c: leases.release_all(c, leased))
            return ()
        return leased

    async def wake_all(self, *, now: datetime) -> None:
        """Have every active row looked at."""
        await self._database.write(lambda c: leases.wake_all(c, now=now))

    def take_alone(self, owner: str) -> bool:
        """Act alone, if nobody else works on this file."""
        return self._owners is not None and self._owners.take_alone()

    def share(self) -> None:
        """Let others act again."""
        if self._owners is not None:
            self._owners.share()

    async def look_active(
        self,
        *,
        owner: str,
        now: datetime,
        phases: Collection[Phase],
        but: Collection[RolloutId],
        limit: int,
    ) -> tuple[Leased, ...]:
        """Active rows as they are, without leases."""
        return await self._database.read(
            lambda c: leases.look_active(c, owner=owner, now=now, phases=phases, but=but, limit=limit)
        )

    async def _take_from_the_dead(self, owner: str) -> None:
        """Free what owners hold whose processes have ended on this host, so that nobody waits for their leases."""
        locks, now = self._owners, self._seconds()
        if locks is None:
            return
        locks.hold(owner)
        if now < self._asked_who_died + LIVES_ASKED_SECONDS:
            return
        self._asked_who_died = now
        if dead := locks.dead():
            await self._database.write(lambda c: leases.let_go(c, dead))
            locks.forget(dead)

    async def renew(self, leased: Leased, *, now: datetime, ttl: timedelta) -> Leased:
        """Hold on to a row."""
        return await self._database.write(lambda c: leases.renew(c, leased, now=now, ttl=ttl))

    async def commit(self, leased: Leased, decision: Decision) -> Leased:
        """Write a decision whole, or nothing of it."""
        return await self._database.write(lambda c: leases.commit(c, leased, decision, shown=self._shown))

    def _shown(self, stored: Stored) -> str | None:
        if self._show is None:
            return None
        try:
            return self._show(stored)
        except Exception:  # a row that cannot be shown is still committed: traffic does not wait for a view
            _log.exception("row_not_shown rollout=%s", stored.rollout.id)
            return None

    async def add_note(self, rollout: RolloutId, event: Event, record: Record) -> bool:
        """Add a fact about a rollout that has ended."""
        return await self._database.write(lambda c: leases.add_note(c, rollout, event, record))

    async def waiting(self, rollouts: Collection[RolloutId]) -> dict[RolloutId, tuple[Command, ...]]:
        """Commands that wait for a tick."""
        return await self._database.read(lambda c: leases.waiting(c, rollouts))

    async def release(self, leased: Leased) -> None:
        """Give a row back."""
        await self._database.write(lambda c: leases.release(c, leased))

    async def wake(self, rollout: RolloutId, *, at: datetime) -> None:
        """Have a row looked at by a time."""
        await self._database.write(lambda c: commands.wake(c, rollout, at=at))

    async def add_command(self, rollout: RolloutId, command: Command, *, check: Check) -> CommandSeen:
        """Accept a command, once."""
        return await self._database.write(lambda c: commands.add_command(c, rollout, command, check=check))

    async def command(self, rollout: RolloutId, key: str) -> CommandSeen:
        """A command and what became of it."""
        return await self._database.read(lambda c: queries.command(c, rollout, key))

    async def load(self, rollout: RolloutId) -> Stored:
        """One row."""
        return await self._database.read(lambda c: queries.load(c, rollout))

    async def find_active(self, service: str) -> Stored | None:
        """The active rollout of a service."""
        return await self._database.read(lambda c: queries.find_active(c, service))

    async def list(
        self, which: Filter, *, before: str = "", limit: int = 50
    ) -> tuple[tuple[Stored, ...], str]:
        """A page of rollouts, newest first, and the next page's cursor."""
        return await self._database.read(lambda c: queries.page(c, which, before=before, limit=limit))

    async def services(self, *, after: str = "", limit: int = 50) -> tuple[tuple[str, ...], str]:
        """A page of the services that had rollouts, by name, and the next page's cursor."""
        return await self._database.read(lambda c: queries.services(c, after=after, limit=limit))

    async def events(self, rollout: RolloutId, *, after: int = 0, limit: int = 500) -> tuple[EventSeen, ...]:
        """Events of a rollout, in order."""
        return await self._database.read(lambda c: queries.log(c, rollout, after=after, limit=limit))

    async def records(self, rollout: RolloutId, *, kind: str = "", limit: int = 10_000) -> tuple[Record, ...]:
        """Records of a rollout, in the order of their commit."""
        return await self._database.read(lambda c: queries.kept(c, rollout, kind=kind, limit=limit))

    async def next_due(self) -> datetime | None:
        """When the next row can be looked at."""
        return await self._database.read(queries.next_due)

    async def add_token(self, token: Token, *, digest: str) -> None:
        """Keep a token by its digest."""
        await self._database.write(lambda c: tokens.add_token(c, token, digest=digest))

    async def token_by_digest(self, digest: str) -> Token | None:
        """The token with a digest."""
        return await self._database.read(lambda c: tokens.token_by_digest(c, digest))

    async def tokens(self) -> tuple[Token, ...]:
        """Every token, newest first."""
        return await self._database.read(tokens.all_tokens)

    async def token_used(self, token: str, *, at: datetime) -> None:
        """Note that a token was used."""
        await self._database.write(lambda c: tokens.token_used(c, token, at=at))

    async def revoke_token(self, token: str, *, at: datetime) -> Token:
        """Revoke a token, once."""
        return await self._database.write(lambda c: tokens.revoke_token(c, token, at=at))

    async def add_call(self, call: Call) -> None:
        """Add a call to the log."""
        await self._database.write(lambda c: calls.add_call(c, call))

    async def calls(self, *, before: str = "", limit: int = 50) -> tuple[tuple[Call, ...], str]:
        """A page of calls, newest first, and the next page's cursor."""
        return await self._database.read(lambda c: calls.page(c, before=before, limit=limit))

    async def keep_freezes(self, calendar: tuple[Freeze, ...]) -> None:
        """Keep a calendar in place of the one before."""
        await self._database.write(lambda c: kept_calendar.keep(c, calendar))

    async def freezes(self) -> tuple[Freeze, ...]:
        """The calendar."""
        return await self._database.read(kept_calendar.every)

    async def open_sink(self, sink: str, *, now: datetime) -> None:
        """Make a sink known."""
        await self._database.write(lambda c: outbox.open_sink(c, sink, now=now))

    async def lease_deliveries(
        self, sink: str, *, owner: str, now: datetime, ttl: timedelta, limit: int
    ) -> tuple[Delivery, ...]:
        """Lease rollouts that are to be delivered to a sink."""
        return await self._database.write(
            lambda c: outbox.lease_deliveries(c, sink, owner=owner, now=now, ttl=ttl, limit=limit)
        )

    async def delivered(self, delivery: Delivery, *, sent: int, state: str) -> None:
        """Note what was delivered, and let go."""
        await self._database.write(lambda c: outbox.delivered(c, delivery, sent=sent, state=state))

    async def not_delivered(self, delivery: Delivery, *, again_at: datetime, why: str) -> None:
        """Note a failed attempt, and let go until then."""
        await self._database.write(lambda c: outbox.not_delivered(c, delivery, again_at=again_at, why=why))

    async def delivery_state(self, sink: str, rollout: RolloutId) -> str:
        """What a sink committed last for a rollout."""
        return await self._database.read(lambda c: outbox.delivery_state(c, sink, rollout))

    async def forget_rollouts(self, service: str, *, before: datetime, limit: int) -> int:
        """Remove rollouts that ended long ago."""
        return await self._database.write(
            lambda c: retention.forget_rollouts(c, service, before=before, limit=limit)
        )

    async def forget_calls(self, *, before: datetime, limit: int) -> int:
        """Remove old calls."""
        return await self._database.write(lambda c: retention.forget_calls(c, before=before, limit=limit))

    async def keep_shown(self, *, after: str, limit: int) -> str:
        """Keep what doors show of rows that kept nothing."""
        if self._show is None:
            return ""
        return await self._database.write(
            lambda c: retention.keep_shown(c, after=after, limit=limit, shown=self._shown)
        )

    async def try_to_write(self) -> None:
        """Have the disk take a page."""
        await self._database.try_to_write()

    async def close(self) -> None:
        """Let go of the database."""
        await self._database.close()
        if self._owners is not None:
            self._owners.close()
