"""Where commands and views go: straight into the store, or to the server that TEAL_SERVER names."""

import getpass
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from orchestrator import bootstrap
from orchestrator.core.commands import Actor, CommandKind
from orchestrator.core.ids import RolloutId, Tenths
from orchestrator.core.phases import Phase
from orchestrator.core.spec import Spec
from orchestrator.engine import commands
from orchestrator.engine.views import RolloutView, view
from orchestrator.ports import Clock, EventSeen, Filter, Store

EVENTS_A_PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a person typed: a command, not yet bound to a rollout. Steps count from 1."""

    kind: CommandKind
    reason: str = ""
    step: int | None = None
    full: bool = False
    to: Tenths | None = None
    source: str = "cli"


@dataclass(frozen=True, slots=True, kw_only=True)
class Which:
    """Which rollouts to list; `service` is ``cluster/service``."""

    service: str = ""
    phase: Phase | None = None
    is_active: bool | None = None
    limit: int = 50


class Door(Protocol):
    """Everything the terminal asks of rollouts. Names are ids, or services with an active rollout."""

    async def get(self, name: str) -> RolloutView:
        """One rollout. Raises NotFound, Refused if a name means several."""
        ...

    async def list(self, which: Which) -> tuple[RolloutView, ...]:
        """Rollouts, the newest first."""
        ...

    async def events(self, rollout: str, after: int) -> tuple[EventSeen, ...]:
        """One page of a rollout's log, by its id, from the event after number `after`."""
        ...

    async def wish(self, name: str, wish: Wish) -> RolloutView:
        """Give a command; returns the rollout that took it. Raises NotFound, Refused naming the phase."""
        ...

    async def start(self, spec: Spec, *, key: str) -> RolloutView:
        """Start a rollout. Raises Conflict, Unfit, Outside; the same key again returns what it started."""
        ...


def local_actor(source: str = "cli") -> Actor:
    """Whoever runs this process."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in many containers
        name = f"uid {os.getuid()}"
    return Actor(name=name, source=source)


class StoreDoor:
    """Straight into the store, through the engine's own commands."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    async def get(self, name: str) -> RolloutView:
        """As Door."""
        return view(await commands.resolve(name, store=self._store))

    async def list(self, which: Which) -> tuple[RolloutView, ...]:
        """As Door."""
        phases = frozenset({which.phase}) if which.phase else frozenset[Phase]()
        asked = Filter(service=which.service, phases=phases, is_active=which.is_active)
        rows, _ = await self._store.list(asked, limit=which.limit)
        return tuple(view(row) for row in rows)

    async def events(self, rollout: str, after: int) -> tuple[EventSeen, ...]:
        """As Door."""
        return await self._store.events(RolloutId(rollout), after=after, limit=EVENTS_A_PAGE)

    async def wish(self, name: str, wish: Wish) -> RolloutView:
        """As Door."""
        row = await commands.resolve(name, store=self._store)
        command = commands.command(
            wish.kind,
            by=local_actor(wish.source),
            clock=self._clock,
            reason=wish.reason,
            step=None if wish.step is None else wish.step - 1,
            full=wish.full,
            to=wish.to,
        )
        await commands.wish(row.rollout.id, command, store=self._store)
        return view(await self._store.load(row.rollout.id))

    async def start(self, spec: Spec, *, key: str) -> RolloutView:
        """As Door."""
        async with bootstrap.open_cloud() as cloud:
            started = await commands.start(
                spec, author=local_actor(), key=key, store=self._store, cloud=cloud, clock=self._clock
            )
        return view(started)


def server_url() -> str:
    """The server that commands go to; empty: the store."""
    return os.environ.get("TEAL_SERVER", "").strip()


@asynccontextmanager
async def open_door() -> AsyncIterator[Door]:
    """The server if TEAL_SERVER names one, else the store. Raises Invalid or Unusable if it cannot be opened."""
    url = server_url()
    if url:
        from api.cli.remote import ServerDoor

        yield ServerDoor(url, token=os.environ.get("TEAL_TOKEN", ""))
        return
    async with bootstrap.open_store() as store:
        yield StoreDoor(store, bootstrap.SystemClock())
