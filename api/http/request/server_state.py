"""What every call of the HTTP door shares: the engine, who may come in, the end of the server's life, and who waits."""

import asyncio
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Header, Request

from api.auth.bearer import LOCAL, Authenticator
from api.http.request.context import AtVisit
from api.http.request.pacing import Pacing
from api.http.request.shared_looks import SharedLooks
from api.http.request.strangers import Strangers
from api.http.request.work import Work
from api.http.telemetry.metrics import DoorMeters
from api.problems import Busy, TooMany
from orchestrator.bootstrap import BehindDoors
from orchestrator.core.domain.commands import Actor
from orchestrator.settings import Bounds

ASK_STORE = timedelta(milliseconds=250)
HEARTBEAT = timedelta(seconds=15)
WAIT_MAX = timedelta(seconds=60)
WAITERS_MAX = 500
ASKED_MAX = 1000
USER = "X-Teal-User"
REPLAYED = "Idempotency-Replayed"  # says that an answer repeats that of an earlier request
USER_MAX = 100
NAME_PATTERN = re.compile(r"[!-~]([ -~]*[!-~])?")  # what a header can carry without being changed


@dataclass(slots=True, kw_only=True)
class Door:
    """One server. ``closing`` is set when it begins to shut down: whoever waits for news answers then."""

    engine: BehindDoors
    meters: DoorMeters
    auth: Authenticator
    wait_max: timedelta = WAIT_MAX  # how long anybody's `wait` is honoured at most
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    is_working: bool = False  # a worker ticks rollouts beside this server
    unwritable: str = ""  # why the engine could not write the store when it tried last; empty: it could
    is_alive: bool = True  # False: its process has said nothing for so long that only a restart helps
    waiters: int = 0
    waiters_max: int = WAITERS_MAX
    waiting_of: Counter[str] = field(default_factory=Counter)  # the same by caller
    asked_by: Counter[str] = field(default_factory=Counter)  # requests under way, but for commands, by caller
    asked_from: Counter[str] = field(default_factory=Counter)  # the same by address
    asked_max: int = ASKED_MAX  # of them at a time
    asked_from_max: int = ASKED_MAX  # and of one address
    bounds: Bounds = Bounds()
    simulated_max: int = 150_000  # metric periods that are simulated for one request
    strangers: Strangers = field(default_factory=Strangers)
    pacing: Pacing = field(default_factory=Pacing)
    work: Work = field(default_factory=Work)
    looks: SharedLooks = field(init=False)  # of those who wait for news

    def __post_init__(self) -> None:
        self.looks = SharedLooks(lambda rollout: self.engine.store.load(rollout), every=ASK_STORE)

    async def pause(self, duration: timedelta) -> None:
        """Wait before asking the store again; returns at once when the server shuts down."""
        with suppress(TimeoutError):
            async with asyncio.timeout(duration.total_seconds()):
                await self.closing.wait()

    def make_room(self, caller: str) -> None:
        """Raises Busy if as many clients wait for news as may, or as many of this caller's."""
        mine, most_of_one = self.waiting_of[caller], self.bounds.per_caller // 2
        if self.waiters >= self.waiters_max or mine >= most_of_one:
            whose = f"{mine} of {caller}'s" if mine >= most_of_one else str(self.waiters)
            raise Busy(
                what=f"{whose} clients are waiting for news already",
                next_step="ask again in a few seconds, without `wait` and not for a stream",
            )

    @contextmanager
    def waiting(self, caller: str) -> Iterator[None]:
        """Count one client of a caller's that waits for news while the context lasts. Raises Busy beyond the bound."""
        self.make_room(caller)
        self.waiters += 1
        self.waiting_of[caller] += 1
        try:
            yield
        finally:
            self.waiters -= 1
            self.waiting_of[caller] -= 1
            self.waiting_of += Counter()  # keeps what is above nothing

    @contextmanager
    def asking(self, caller: str, address: str) -> Iterator[None]:
        """Count one request of a caller's while the context lasts. Raises TooMany beyond the bound, Busy beyond all's.

        Near the bound of all, callers get their part of it, so that one more with a single request is answered.
        """
        mine, here, all_of_them = self.asked_by[caller], self.asked_from[address], self.asked_by.total()
        if mine >= self.bounds.per_caller:
            raise TooMany(
                what=f"{mine} requests of {caller}'s are being answered already",
                next_step="wait for their answers; commands to rollouts are accepted meanwhile",
            )
        for under_way, most, whose in (
            (all_of_them, self.asked_max, ""),
            (here, self.asked_from_max, f" from {address}"),
        ):
            is_crowded = under_way >= most * 3 // 4
            if under_way < most and not (is_crowded and mine >= most / 2 / len(self.asked_by)):
                continue
            raise Busy(
                what=f"{under_way} requests{whose} are being answered already",
                next_step="ask again in a few seconds; commands to rollouts are accepted meanwhile",
            )
        self.asked_by[caller] += 1
        self.asked_from[address] += 1
        try:
            yield
        finally:
            self.asked_by[caller] -= 1
            self.asked_from[address] -= 1
            self.asked_by += Counter()
            self.asked_from += Counter()


async def door_of(request: Request) -> Door:
    """The door that a request came through."""
    door = request.app.state.door
    assert isinstance(door, Door)
    return door


async def actor_of(
    visit: AtVisit,
    user: Annotated[
        str,
        Header(
            alias=USER,
            max_length=USER_MAX,
            pattern=f"^{NAME_PATTERN.pattern}$",
            description="Who asks, for the audit log, where there is no authentication and this machine's users are "
            "trusted. With authentication the token says who asks, and this says nothing.",
            examples=["operator"],
        ),
    ] = LOCAL,
) -> Actor:
    """Who asks, as rollouts and the audit log name them."""
    return visit.principal.actor


AtDoor = Annotated[Door, Depends(door_of)]
By = Annotated[Actor, Depends(actor_of)]
