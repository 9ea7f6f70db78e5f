"""A store with rollouts to tell of, receivers that keep what they are told, and a clock that moves when it is told."""

import asyncio
import logging
from collections.abc import Iterable, Iterator, MutableMapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import structlog
from structlog.testing import capture_logs

from orchestrator.core.domain.errors import Outside
from orchestrator.core.domain.events import Event, EventKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.notify.deliverer import Deliverer
from orchestrator.notify.sink import Sink, StorePage
from orchestrator.ports.rollouts import EventSeen, Stored
from orchestrator.ports.store import Store
from tests.contract.store_values import NOON, TTL, a_decision, a_rollout

MINUTE = timedelta(minutes=1)


class ManualClock:
    """The Clock port; time stands still until somebody moves it."""

    def __init__(self) -> None:
        self.time = NOON

    def now(self) -> datetime:
        return self.time

    def move(self, by: timedelta) -> None:
        self.time += by


class Recorder:
    """A sink that keeps what it is told, or fails while `trouble` is set."""

    def __init__(
        self, name: str = "recorder", *, at_once: int = 1, kinds: Iterable[EventKind] = EventKind
    ) -> None:
        self.name, self.at_once, self.kinds = name, at_once, frozenset(kinds)
        self.told: list[str] = []
        self.batches: list[tuple[str, ...]] = []
        self.states: list[str] = []
        self.rows: list[Stored] = []
        self.pages: list[StorePage] = []
        self.attempts = 0
        self.trouble: Exception | None = None
        self.stuck: asyncio.Event | None = None  # set: tells wait for it

    def wants(self, _: Stored, seen: EventSeen) -> bool:
        return seen.event.kind in self.kinds

    async def tell(self, stored: Stored, events: tuple[EventSeen, ...], state: str) -> str:
        self.attempts += 1
        if self.stuck is not None:
            await self.stuck.wait()
        if self.trouble is not None:
            raise self.trouble
        self.states.append(state)
        self.rows.append(stored)
        self.batches.append(tuple(seen.event.message for seen in events))
        self.told += self.batches[-1]
        return f"{len(self.told)} told"

    async def page(self, page: StorePage) -> None:
        if self.stuck is not None:
            await self.stuck.wait()
        if self.trouble is not None:
            raise self.trouble
        self.pages.append(page)


class Stage:
    """Rollouts of one store, moved by hand, and a deliverer that is run by the round."""

    def __init__(self, store: Store, *sinks: Sink, owner: str = "teller") -> None:
        self.store, self.clock = store, ManualClock()
        self.sinks = sinks
        self.deliverer = self.anew(owner)

    def anew(self, owner: str = "another teller") -> Deliverer:
        """A deliverer as another process would have it."""
        return Deliverer(self.store, self.sinks, self.clock, owner=owner, chance=lambda: 0.5)

    async def open(self) -> None:
        """Let the store know the sinks before anything happens."""
        for sink in self.sinks:
            await self.store.open_sink(sink.name, now=self.clock.now())

    async def start(self, name: str = "r1", *, service: str = "checkout") -> RolloutId:
        """Start a rollout; its first event says so."""
        row = a_rollout(name, service=service, created_at=self.clock.now())
        started = self.event(f"{name} starts")
        await self.store.create(
            row,
            claims=frozenset({f"service {name}"}),
            key=f"key {name}",
            events=(started,),
            wake_at=self.clock.now(),
        )
        return row.id

    def event(self, message: str, kind: EventKind = EventKind.STARTED) -> Event:
        """An event of now."""
        return Event(kind=kind, at=self.clock.now(), message=message, facts=(("step", 1),))

    async def happen(self, rollout: RolloutId, *events: Event | str, phase: Phase = Phase.PREPARING) -> None:
        """Commit events of a rollout, as a tick does."""
        (leased,) = await self.store.lease_due(
            owner="engine", now=self.clock.now(), ttl=TTL, limit=1, only=rollout
        )
        told = tuple(self.event(one) if isinstance(one, str) else one for one in events)
        wake_at = None if phase.is_final else self.clock.now()
        leased = await self.store.commit(
            leased, a_decision(leased, phase=phase, wake_at=wake_at, events=told)
        )
        await self.store.release(leased)

    async def round(self, deliverer: Deliverer | None = None) -> None:
        """Tell whatever is due now, and come back."""
        stop = asyncio.Event()
        stop.set()
        await (deliverer or self.deliverer).run(stop)

    async def later(self, by: timedelta) -> None:
        """Move time on by so much, and tell what is due then."""
        self.clock.move(by)
        await self.round()


@contextmanager
def heard() -> Iterator[list[MutableMapping[str, Any]]]:
    """What is logged meanwhile; other tests may have had the log silenced."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
    try:
        with capture_logs() as logs:
            yield logs
    finally:
        structlog.configure(**before)


class Down(Outside):
    """The receiver is away."""

    def __init__(self) -> None:
        super().__init__(what="the receiver is away")
