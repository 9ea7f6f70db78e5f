"""What every call of the HTTP door shares: the engine, the end of the server's life, and who waits for news."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Header, Request

from api.http.meters import Meters
from api.problems import Busy
from orchestrator.bootstrap import Engine
from orchestrator.core.commands import Actor

ASK_STORE = timedelta(milliseconds=250)
HEARTBEAT = timedelta(seconds=15)
WAITERS_MAX = 500


@dataclass(slots=True, kw_only=True)
class Door:
    """One server. ``closing`` is set when it begins to shut down: whoever waits for news answers then."""

    engine: Engine
    meters: Meters
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    is_working: bool = False  # a worker ticks rollouts beside this server
    waiters: int = 0

    async def pause(self, duration: timedelta) -> None:
        """Wait before asking the store again; returns at once when the server shuts down."""
        with suppress(TimeoutError):
            async with asyncio.timeout(duration.total_seconds()):
                await self.closing.wait()

    def make_room(self) -> None:
        """Raises Busy if as many clients wait for news as may."""
        if self.waiters >= WAITERS_MAX:
            raise Busy(
                what=f"{WAITERS_MAX} clients are waiting for news already",
                next_step="ask again in a few seconds, without `wait` and not for a stream",
            )

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Count one client that waits for news while the context lasts. Raises Busy beyond the bound."""
        self.make_room()
        self.waiters += 1
        try:
            yield
        finally:
            self.waiters -= 1


async def door_of(request: Request) -> Door:
    """The door that a request came through."""
    door = request.app.state.door
    assert isinstance(door, Door)
    return door


async def actor_of(
    user: Annotated[
        str,
        Header(
            alias="X-Teal-User",
            min_length=1,
            max_length=100,
            pattern=r"^[^\x00-\x1f\x7f]+$",
            description="Who asks, for the audit log; without authentication, this machine's users are believed.",
        ),
    ] = "local",
) -> Actor:
    """Who asks: the name a local client gives itself, else ``local``."""
    return Actor(name=user, source="http")


AtDoor = Annotated[Door, Depends(door_of)]
By = Annotated[Actor, Depends(actor_of)]
