"""An engine in a process that can be killed between any two lines, and an operator who looks after what it holds."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from datetime import timedelta
from random import Random
from typing import Any, cast

from orchestrator.aws.client.call import Caller
from orchestrator.aws.client.transport import Answer
from orchestrator.aws.cloud import AwsCloud
from orchestrator.core.domain.errors import Lost
from orchestrator.core.tick.seen import Results, Unrecorded
from orchestrator.engine.tick import NOTHING_KNOWN, Ticked, Ticker
from orchestrator.engine.worker import Worker
from orchestrator.ports.clock import Clock
from orchestrator.ports.leases import Leased
from orchestrator.ports.store import Store
from orchestrator.store.memory.store import MemoryStore
from sandbox.world.kernel.errors import AwsRefusal, CallLost
from sandbox.world.world import World
from tests.support.direct_transport import DirectTransport

ASK_STORE = timedelta(seconds=1)  # less often than by default: it is most of what an idle engine does
LATENCY = (0.004, 0.05)  # seconds of a call's way there, and of its way back


class Process:
    """One life of an engine. `dies_at`: the n-th point between two lines at which it is killed, if it gets so far."""

    def __init__(self, owner: str, dies_at: int | None) -> None:
        self.owner = owner
        self._left = dies_at
        self.is_dead = False
        self.died = asyncio.Event()

    def point(self) -> None:
        """A point between two lines; nothing of a dead process comes past one."""
        if self._left is not None and not self.is_dead:
            self._left -= 1
            if self._left <= 0:
                self.is_dead = True
                self.died.set()
        if self.is_dead:
            raise asyncio.CancelledError(f"{self.owner} was killed")


class WatchedTicker(Ticker):
    """A ticker whose programming errors are told, since the worker only logs them and tries again."""

    def __init__(
        self, store: Store, cloud: AwsCloud, clock: Clock, failed: Callable[[Exception], None]
    ) -> None:
        super().__init__(store, cloud, clock)
        self._failed = failed

    async def tick(
        self, leased: Leased, results: Results = NOTHING_KNOWN, unrecorded: Unrecorded | None = None
    ) -> Ticked:
        """As the ticker does."""
        try:
            return await super().tick(leased, results, unrecorded)
        except (Lost, TimeoutError):
            raise
        except Exception as error:
            self._failed(error)
            raise


class MortalStore:
    """A store as a process sees it: killed before a call it never happened, killed after it, it did."""

    def __init__(self, store: MemoryStore, process: Process) -> None:
        self._store, self._process = store, process

    def __getattr__(self, name: str) -> Callable[..., Coroutine[Any, Any, Any]]:
        method = getattr(self._store, name)

        async def mortal(*args: Any, **named: Any) -> Any:  # noqa: ANN401 - any method's
            self._process.point()
            answer = await method(*args, **named)
            self._process.point()
            return answer

        return mortal


class MortalTransport:
    """Calls on their way to the World and back, each way taking its time; `called` hears of each that arrived."""

    def __init__(
        self, world: World, process: Process, draw: Random, called: Callable[[Process | None], None]
    ) -> None:
        self._direct = DirectTransport(world.call, refusal=AwsRefusal, lost=CallLost)
        self._process, self._draw, self._called = process, draw, called

    async def call(self, service: str, operation: str, params: Mapping[str, Any]) -> Answer:
        """One attempt at one call."""
        self._process.point()
        await asyncio.sleep(self._draw.uniform(*LATENCY))
        self._process.point()
        self._called(self._process)
        try:
            answer = await self._direct.call(service, operation, params)
        finally:
            self._called(None)
        await asyncio.sleep(self._draw.uniform(*LATENCY))
        self._process.point()
        return answer


async def run_process(
    process: Process,
    *,
    world: World,
    store: MemoryStore,
    clock: Clock,
    draw: Random,
    stop: asyncio.Event,
    called: Callable[[Process | None], None],
    failed: Callable[[Exception], None],
) -> None:
    """Run a worker in a process until `stop`, or until it is killed."""
    cloud = AwsCloud(
        Caller(MortalTransport(world, process, draw, called), chance=draw.random), region=world.region
    )
    mortal = cast(Store, MortalStore(store, process))  # every method of the store, by __getattr__
    worker = Worker(WatchedTicker(mortal, cloud, clock, failed), owner=process.owner, ask_store=ASK_STORE)
    works = asyncio.get_running_loop().create_task(worker.run(stop))
    ends = [asyncio.ensure_future(process.died.wait()), asyncio.ensure_future(stop.wait())]
    try:
        await asyncio.wait([*ends, works], return_when=asyncio.FIRST_COMPLETED)
        if process.is_dead:
            works.cancel()
        await asyncio.wait([works])
        if not process.is_dead and not works.cancelled():
            works.result()  # a worker never ends with an error of its own
    finally:
        for end in ends:
            end.cancel()
