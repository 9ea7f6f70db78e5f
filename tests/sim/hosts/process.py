"""An engine in a process that can be killed or stopped between any two lines, and what it calls on its way to AWS."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from random import Random
from typing import Any, Literal, cast

from orchestrator.aws.client.call import Caller
from orchestrator.aws.client.clock_skew import Skew
from orchestrator.aws.client.last_look import not_sent
from orchestrator.aws.client.transport import Answer
from orchestrator.aws.cloud import AwsCloud
from orchestrator.core.domain.errors import Lost, Unwritable
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.tick.seen import Results, Unrecorded
from orchestrator.engine.aws_time import AwsTime
from orchestrator.engine.steady_clock import SteadyClock
from orchestrator.engine.tick import NOTHING_KNOWN, Overtaken, Ticked, Ticker
from orchestrator.engine.worker import Worker
from orchestrator.notify.deliverer import Deliverer
from orchestrator.notify.sink import Sink
from orchestrator.ports.clock import Clock
from orchestrator.ports.leases import Leased
from orchestrator.ports.outbound import Outward
from orchestrator.ports.right_to_act import Seconds, has_passed
from orchestrator.ports.store import Store
from orchestrator.store.memory.store import MemoryStore
from sandbox.world.kernel.errors import AwsRefusal, CallLost
from sandbox.world.kernel.faults import refuse_old
from sandbox.world.world import World
from tests.sim.hosts.stopping import OF_PROCESS, StoppingLoop, Stops
from tests.support.direct_transport import DirectTransport

ASK_STORE = timedelta(seconds=1)  # less often than by default: it is most of what an idle engine does
LATENCY = (0.004, 0.05)  # seconds of a call's way there, and of its way back
READS = ("Describe", "Get", "List")
WHILE = timedelta(seconds=1)
AT_ONCE = ("take_alone", "share")  # of the store: what needs no disk

TICKED: ContextVar[RolloutId | None] = ContextVar("ticked", default=None)
"""The rollout whose tick makes a call."""

Where = Literal["step", "signed", "sent", "commit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """A process of engine `engine` is stopped for so many seconds, at the n-th point of a kind since the start.

    step: any step of the process. signed: a write to AWS was signed and nobody has looked yet whether it may be sent.
    sent: that look was good, and the bytes are about to leave. commit: a commit is about to begin.
    """

    where: Where
    nth: int
    lasts: float
    engine: int = 0


class Process:
    """One life of an engine. `dies_at`: the n-th point between two lines at which it is killed, if it gets so far."""

    def __init__(
        self, owner: str, dies_at: int | None, *, stops: Stops | None = None, plan: "StopPlan | None" = None
    ) -> None:
        """`stops`: how it can be stopped. `plan`: where it is; both None: never."""
        self.owner, self.stops = owner, stops
        self._left = dies_at
        self._plan = plan
        self.is_dead = False
        self.is_over = False
        self.died = asyncio.Event()
        self.worker: Worker | None = None
        self.sends_late = False
        """Set while a call arrives that was decided long before: its process was stopped on the way."""

    @property
    def is_awake(self) -> bool:
        """Whether it runs: it was not killed or ended, and is not stopped."""
        return not self.is_over and not (self.stops is not None and self.stops.is_stopped)

    def point(self) -> None:
        """A point between two lines; nothing of a dead process comes past one."""
        if self._left is not None and not self.is_dead:
            self._left -= 1
            if self._left <= 0:
                self.is_dead = self.is_over = True
                self.died.set()
        if self.is_dead:
            raise asyncio.CancelledError(f"{self.owner} was killed")

    async def comes_to(self, where: Where) -> None:
        """A place at which it may be stopped."""
        if self._plan is None or self.stops is None:
            return
        lasts = self._plan.at(where)
        if lasts is not None:
            self.stops.begin(lasts)
            await asyncio.sleep(0)  # and here it stands, until it goes on


class StopPlan:
    """Where an engine's processes are stopped, counted over all its lives."""

    def __init__(self, stops: Sequence[Stop], struck: Callable[[str], None]) -> None:
        self._stops, self._struck = stops, struck
        self._counts: dict[Where, int] = {}

    def at(self, where: Where) -> float | None:
        """For how long it is stopped here; None: it is not."""
        count = self._counts[where] = self._counts.get(where, 0) + 1
        for stop in self._stops:
            if (stop.where, stop.nth) == (where, count):
                self._struck(f"stopped: {where}")
                return stop.lasts
        return None

    def stops_of(self, loop: StoppingLoop) -> Stops:
        """How a process of this engine can be stopped; the first also at a step that is planned."""
        by_step = next((stop for stop in self._stops if stop.where == "step"), None)
        if by_step is None or "step" in self._counts:
            return Stops(loop)
        self._counts["step"] = 1
        stops = Stops(loop, at_step=by_step.nth, lasts=by_step.lasts)
        stops.on_stop = lambda: self._struck("stopped: step")
        return stops


class WatchedTicker(Ticker):
    """A ticker whose programming errors are told, since the worker only logs them and tries again."""

    def __init__(
        self,
        store: Store,
        cloud: AwsCloud,
        clock: Clock,
        failed: Callable[[Exception], None],
        outward: Outward | None = None,
    ) -> None:
        super().__init__(store, cloud, clock, outward=outward)
        self._failed = failed

    async def tick(
        self, leased: Leased, results: Results = NOTHING_KNOWN, unrecorded: Unrecorded | None = None
    ) -> Ticked:
        """As the ticker does."""
        TICKED.set(leased.stored.rollout.id)
        try:
            return await super().tick(leased, results, unrecorded)
        except (Lost, Overtaken, TimeoutError, Unwritable):
            raise
        except Exception as error:
            self._failed(error)
            raise

    async def look_on(
        self,
        looked: Leased,
        committed: Rollout,
        results: Results = NOTHING_KNOWN,
        unrecorded: Unrecorded | None = None,
    ) -> Ticked:
        """As the ticker does."""
        TICKED.set(committed.id)
        try:
            return await super().look_on(looked, committed, results, unrecorded)
        except TimeoutError:
            raise
        except Exception as error:
            self._failed(error)
            raise


class MortalStore:
    """A store as a process sees it: killed before a call it never happened, killed after it, it did."""

    def __init__(self, store: MemoryStore | Store, process: Process) -> None:
        self._store, self._process = store, process

    def __getattr__(self, name: str) -> Callable[..., Coroutine[Any, Any, Any]]:
        method = getattr(self._store, name)
        if name in AT_ONCE:
            return cast(Callable[..., Coroutine[Any, Any, Any]], method)

        async def mortal(*args: Any, **named: Any) -> Any:  # noqa: ANN401 - any method's
            self._process.point()
            if name == "commit":
                await self._process.comes_to("commit")
            answer = await method(*args, **named)
            self._process.point()
            return answer

        return mortal


Called = Callable[[Process | None], None]


class MortalTransport:
    """Calls on their way to the World and back, each way taking its time; `called` hears of each that arrived.

    As botocore does, it signs a call, looks whether it may still be sent, and sends it. `machine`: the clock that
    signs; None: one that is right. `skew` hears AWS's time in each answer.
    """

    def __init__(
        self,
        world: World,
        process: Process,
        draw: Random,
        called: Called,
        *,
        machine: Callable[[], datetime] | None = None,
        skew: Skew | None = None,
    ) -> None:
        self._world = world
        self._direct = DirectTransport(self._arrives, refusal=AwsRefusal, lost=CallLost)
        self._process, self._draw, self._called = process, draw, called
        self._machine, self._skew = machine, skew
        self._signed: datetime | None = None

    async def call(self, service: str, operation: str, params: Mapping[str, Any]) -> Answer:
        """One attempt at one call."""
        self._process.point()
        await asyncio.sleep(self._draw.uniform(*LATENCY))
        self._process.point()
        signed = self._machine() if self._machine is not None else self._world.now
        is_write = not operation.startswith(READS)
        if is_write:
            await self._process.comes_to("signed")
        if has_passed():
            raise not_sent(service, operation)
        looked = self._world.now
        if is_write:
            await self._process.comes_to("sent")
        self._process.sends_late = self._world.now - looked > WHILE
        self._called(self._process)
        self._signed = signed
        try:
            answer = await self._direct.call(service, operation, params)
        finally:
            self._called(None)
        if self._skew is not None:
            date = format_datetime(self._world.now, usegmt=True)
            self._skew.hear({"ResponseMetadata": {"HTTPHeaders": {"date": date}}})
        await asyncio.sleep(self._draw.uniform(*LATENCY))
        self._process.point()
        return answer

    def _arrives(self, service: str, operation: str, params: Answer) -> Answer:
        """AWS looks at the signature before anything else. Nothing comes between `_signed` and this."""
        if self._signed is not None:
            refuse_old(service, self._signed, self._world.now)
        return self._world.call(service, operation, params)


@dataclass(frozen=True, kw_only=True)
class Furniture:
    """What an engine has besides its store and AWS."""

    outward: Outward | None = None
    sinks: Sequence[Sink] = ()
    machine: Callable[[], datetime] | None = None  # the machine's clock; None: `clock` is right
    boot: Seconds | None = None  # None: the real machine's
    begins: bool = field(default=False)  # has every rollout looked at, as an engine does that begins


BARE = Furniture()


async def run_process(
    process: Process,
    *,
    world: World,
    store: MemoryStore | Store,
    clock: Clock,
    draw: Random,
    stop: asyncio.Event,
    called: Called,
    failed: Callable[[Exception], None],
    furniture: Furniture = BARE,
) -> None:
    """Run a worker in a process until `stop`, or until it is killed."""
    skew: Skew | None = None
    if furniture.machine is not None:
        assert furniture.boot is not None
        steady = SteadyClock(machine=furniture.machine, boot=furniture.boot)
        skew = Skew(steady.now)
    transport = MortalTransport(world, process, draw, called, machine=furniture.machine, skew=skew)
    cloud = AwsCloud(Caller(transport, chance=draw.random), region=world.region, skew=skew)
    if skew is not None:
        clock = AwsTime(steady, cloud)
    mortal = cast(Store, MortalStore(store, process))  # every method of the store, by __getattr__
    ticker = WatchedTicker(mortal, cloud, clock, failed, furniture.outward)
    if furniture.boot is not None:
        ticker.boot = furniture.boot
    worker = process.worker = Worker(ticker, owner=process.owner, ask_store=ASK_STORE)
    deliverer = Deliverer(mortal, furniture.sinks, clock, owner=process.owner, chance=draw.random)
    worker.on_news = deliverer.hint

    async def work() -> None:
        if furniture.begins:
            with suppress(Unwritable):
                await mortal.wake_all(now=clock.now())
        if not furniture.sinks:
            await worker.run(stop)
            return
        async with asyncio.TaskGroup() as group:
            group.create_task(deliverer.run(stop))
            group.create_task(worker.run(stop))

    context = copy_context()
    context.run(OF_PROCESS.set, process.stops)
    loop = asyncio.get_running_loop()
    works = loop.create_task(work(), context=context)
    ends = [asyncio.ensure_future(process.died.wait()), asyncio.ensure_future(stop.wait())]
    try:
        await asyncio.wait([*ends, works], return_when=asyncio.FIRST_COMPLETED)
        if process.is_dead:
            works.cancel()
        await asyncio.wait([works])
        if not process.is_dead and not works.cancelled():
            works.result()  # a worker never ends with an error of its own
    finally:
        process.is_over = True
        for end in ends:
            end.cancel()
