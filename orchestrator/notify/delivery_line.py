"""The line to one receiver: leases its deliveries, tells them, commits. Its outage delays nobody else's news.

Events of one rollout are told in their order, since whoever holds its delivery tells the oldest first and lets go
only once they are taken. A process that ends in between tells again: at least once, and never what is not committed.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from orchestrator.core.domain.errors import Lost, Outside, Rejected, TealError, Unreachable
from orchestrator.notify.backoff import Chance, away, given_up, pause
from orchestrator.notify.sink import Gone, Later, Sink
from orchestrator.ports.clock import Clock
from orchestrator.ports.outbox import Delivery, DeliveryStore
from orchestrator.ports.rollouts import EventSeen, Stored

LEASE = timedelta(seconds=60)
TELL_LONGEST = timedelta(seconds=30)  # what begins and ends with it fits into a lease
PARTING = timedelta(seconds=5)  # once the process is asked to stop
ASK_STORE = timedelta(seconds=1)
AT_ONCE = 8  # rollouts told to one receiver at the same time
AWAY_AFTER = 3  # attempts that nobody answered: then the receiver is away, for every rollout
PAGE = 200  # events read for one delivery

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batch:
    """What one `tell` is given, and the number up to which all is told once that has succeeded."""

    wanted: tuple[EventSeen, ...]
    upto: int


class Line:
    """The line to one sink."""

    def __init__(self, store: DeliveryStore, sink: Sink, clock: Clock, *, owner: str, chance: Chance) -> None:
        self._store, self._sink, self._clock = store, sink, clock
        self._owner, self._chance = owner, chance
        self._hint = asyncio.Event()
        self._busy = 0
        self._tells: set[asyncio.Timeout] = set()
        self._quiet_until: datetime | None = None
        self._silent = 0  # attempts in a row that nobody answered, whatever rollout they were for
        self._is_gone = False

    @property
    def _log(self) -> structlog.typing.FilteringBoundLogger:
        # Bound at every use: a live view may have put its own stream in the place of standard error meanwhile.
        bound: structlog.typing.FilteringBoundLogger = log.bind(sink=self._sink.name)
        return bound

    def hint(self) -> None:
        """Something may have been committed."""
        self._hint.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Tell what is committed until `stop` is set, then what is due by then, for a few seconds at most."""
        await self._store.open_sink(self._sink.name, now=self._clock.now())
        async with asyncio.TaskGroup() as group:
            while not stop.is_set():
                if not await self._take(group):
                    await self._wait(stop)
            await self._part(group)

    async def _take(self, group: asyncio.TaskGroup) -> bool:
        """Begin on deliveries whose time has come; False: there are none, or no hand is free."""
        leased = await self._lease()
        for delivery in leased:
            self._busy += 1
            group.create_task(self._deliver(delivery))
        return bool(leased)

    async def _lease(self) -> Sequence[Delivery]:
        now = self._clock.now()
        is_quiet = self._quiet_until is not None and now < self._quiet_until
        # Who is away is asked with one rollout, not with all.
        at_once = 1 if self._silent >= AWAY_AFTER else AT_ONCE
        if self._is_gone or is_quiet or self._busy >= at_once:
            return ()
        try:
            return await self._store.lease_deliveries(
                self._sink.name, owner=self._owner, now=now, ttl=LEASE, limit=at_once - self._busy
            )
        except TealError as why:
            self._log.error("outbox_unreadable", why=str(why))
            return ()

    async def _wait(self, stop: asyncio.Event) -> None:
        """Until a hint, the stop, or the next time to ask the store."""
        waits = [asyncio.ensure_future(self._hint.wait()), asyncio.ensure_future(stop.wait())]
        try:
            await asyncio.wait(waits, timeout=ASK_STORE.total_seconds(), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        self._hint.clear()

    async def _part(self, group: asyncio.TaskGroup) -> None:
        """Tell what was committed last, a rollout's end above all; what is not taken in time waits for others."""
        loop = asyncio.get_running_loop()
        end = loop.time() + PARTING.total_seconds()
        with suppress(TimeoutError):
            async with asyncio.timeout_at(end):
                while await self._take(group) or self._busy:
                    self._hint.clear()
                    await self._hint.wait()  # whoever ends gives a hint
        for tell in self._tells:
            if not tell.expired():
                tell.reschedule(loop.time())

    async def _deliver(self, delivery: Delivery) -> None:
        try:
            await self._attempt(delivery)
        except Lost as why:
            self._log.warning("delivery_lost", rollout=delivery.stored.rollout.id, why=str(why))
        except TealError as why:  # the store's: the lease ends by itself, and then it is told again
            self._log.error("delivery_not_noted", rollout=delivery.stored.rollout.id, why=str(why))
        finally:
            self._busy -= 1
            self._hint.set()

    async def _attempt(self, delivery: Delivery) -> None:
        rollout = delivery.stored.rollout.id
        events = await self._store.events(rollout, after=delivery.sent, limit=PAGE)
        stored = await self._store.load(
            rollout
        )  # after the events, so that the row is never older than they are
        batch = self._batch(stored, events, sent=delivery.sent)
        state = delivery.state
        if batch.wanted:
            try:
                state = await self._tell(stored, batch.wanted, state)
            except Outside as why:
                await self._failed(delivery, events, why)
                return
            self._log.debug("told", rollout=rollout, number=batch.wanted[-1].number)
        await self._store.delivered(delivery, sent=batch.upto, state=state)

    def _batch(self, stored: Stored, events: Sequence[EventSeen], *, sent: int) -> _Batch:
        wanted: list[EventSeen] = []
        upto = sent
        for seen in events:
            if self._sink.wants(stored, seen):
                if len(wanted) == self._sink.at_once:
                    break
                wanted.append(seen)
            upto = seen.number
        return _Batch(wanted=tuple(wanted), upto=upto)

    async def _tell(self, stored: Stored, events: tuple[EventSeen, ...], state: str) -> str:
        """Tell within a time. Raises Outside, whatever went wrong: one sink's fault must stop nothing else."""
        try:
            async with asyncio.timeout(TELL_LONGEST.total_seconds()) as limit:
                self._tells.add(limit)
                try:
                    state = await self._sink.tell(stored, events, state)
                    self._silent = 0
                    return state
                finally:
                    self._tells.discard(limit)
        except Outside:
            raise
        except TimeoutError as error:
            raise Unreachable(what=f"{self._sink.name} did not answer in time") from error
        except Exception as error:  # the sink's edge
            self._log.exception("sink_failed", rollout=stored.rollout.id)
            raise Unreachable(what=f"{self._sink.name} failed by a bug in Teal") from error

    async def _failed(self, delivery: Delivery, events: Sequence[EventSeen], why: Outside) -> None:
        now, rollout = self._clock.now(), delivery.stored.rollout.id
        old = given_up(events, now)
        if old is not None and not isinstance(why, Gone):
            self._log.error(
                "delivery_given_up", rollout=rollout, first=delivery.sent + 1, last=old, why=str(why)
            )
            await self._store.delivered(delivery, sent=old, state=delivery.state)
            return
        wait = pause(why, attempts=delivery.attempts, chance=self._chance)
        if isinstance(why, Later):
            self._quiet_until = now + wait
        elif isinstance(why, Rejected):  # it is there, and says no to this one
            self._silent = 0
        else:
            self._silent += 1
            if self._silent >= AWAY_AFTER:
                self._quiet_until = now + away(self._silent - AWAY_AFTER)
        if isinstance(why, Gone) and not self._is_gone:
            self._is_gone = True
            self._log.error("sink_parked", why=str(why))
        self._log.warning(
            "delivery_failed",
            rollout=rollout,
            number=delivery.sent + 1,
            attempt=delivery.attempts + 1,
            again_in_seconds=round(wait.total_seconds(), 1),
            why=str(why),
        )
        await self._store.not_delivered(delivery, again_at=now + wait, why=str(why))
