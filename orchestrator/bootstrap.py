"""The only place that names concrete adapters, imported inside its functions so that `teal --help` is fast."""

import asyncio
import os
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from orchestrator.core.domain.calendar import Freeze
from orchestrator.core.domain.commands import Command
from orchestrator.core.domain.errors import Unwritable
from orchestrator.core.domain.ids import RolloutId
from orchestrator.ports.break_glass import Direct
from orchestrator.ports.clock import Clock
from orchestrator.ports.cloud import Cloud, PreflightCloud
from orchestrator.ports.initial_service import Scout
from orchestrator.ports.metric_source import MetricSource
from orchestrator.ports.outbound import Outward
from orchestrator.ports.store import Store
from orchestrator.settings import Settings
from orchestrator.store_at_hand import store_url

if TYPE_CHECKING:
    from orchestrator.aws.client.transport import Transport
    from orchestrator.aws.events.wakeups import Wakeups
    from orchestrator.engine.aftercare import Aftercare
    from orchestrator.engine.calendar import Calendar
    from orchestrator.engine.retention import Retention
    from orchestrator.engine.steady_clock import Reading, SteadyClock
    from orchestrator.engine.worker import Worker
    from orchestrator.notify.deliverer import Deliverer
    from orchestrator.notify.sink import Sink
    from orchestrator.notify.store_pager import StorePager
    from orchestrator.outbound.http_outbound import HttpOutward
    from orchestrator.store.sql.copies import Copied
    from orchestrator.verify.means import Means

EVENTS_QUEUE = "TEAL_EVENTS_QUEUE"
"""The URL of an SQS queue to which EventBridge pushes what may concern a rollout; unset: looks alone find it."""


class SystemClock:
    """The machine's clock, for what is over in a moment; engines and their doors have a `SteadyClock`."""

    def now(self) -> datetime:
        """The present moment, UTC."""
        return datetime.now(UTC)


class BehindDoors(Protocol):
    """What a door asks: the store, AWS, the clock, and the engine to look at once, wherever that runs."""

    @property
    def store(self) -> Store:
        """Where rollouts are kept."""
        ...

    @property
    def cloud(self) -> Cloud:
        """AWS."""
        ...

    @property
    def clock(self) -> Clock:
        """The time."""
        ...

    @property
    def calendar(self) -> "Calendar":
        """Freezes."""
        ...

    @property
    def registries(self) -> tuple[str, ...]:
        """Patterns of the images that revisions may run; empty: any."""
        ...

    @property
    def outward(self) -> Outward | None:
        """What judges addresses that a rollout file names; None: no requests are sent."""
        ...

    def hint(self) -> None:
        """Something may be due now."""
        ...

    async def roll_back_at_once(self, rollout: RolloutId, command: Command) -> None:
        """Take all traffic to blue though the store cannot be written. Raises Unwritable where it was not done."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineElsewhere:
    """What doors ask whose engine runs in another process; `wake` reaches it."""

    store: Store
    cloud: Cloud
    clock: Clock
    calendar: "Calendar"
    wake: Callable[[], None]
    order: Callable[[RolloutId, Command], Awaitable[None]]
    registries: tuple[str, ...] = ()
    outward: Outward | None = None

    def hint(self) -> None:
        """Something may be due now."""
        self.wake()

    async def roll_back_at_once(self, rollout: RolloutId, command: Command) -> None:
        """Have the engine do it. Raises Unwritable."""
        await self.order(rollout, command)


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """Everything a door needs to run rollouts in this process."""

    store: Store
    cloud: Cloud
    clock: Clock
    worker: "Worker"
    deliverer: "Deliverer"
    pager: "StorePager"
    calendar: "Calendar"
    wakeups: "Wakeups | None" = None  # None: nobody pushes events
    registries: tuple[str, ...] = ()  # patterns of the images that revisions may run; empty: any
    outward: Outward | None = None  # None: no probes are sent, and no webhook is asked
    lookout: "Aftercare | None" = None  # None: nobody looks back at rollouts that have ended
    retention: "Retention | None" = None  # None: nothing is forgotten

    def hint(self) -> None:
        """Something may be due now."""
        self.worker.hint()

    async def roll_back_at_once(self, rollout: RolloutId, command: Command) -> None:
        """Accept it if the store takes it by now, else do it without. Raises Unwritable and what accepting raises."""
        from orchestrator.engine.commands import accept

        try:
            await accept(rollout, command, store=self.store)
        except Unwritable:
            self.worker.hint()  # it looks once the order is placed, which is before anything else runs
            await self.worker.safety.order(rollout, command)
        else:
            self.worker.hint()

    async def run(self, stop: asyncio.Event) -> None:
        """Tick what is due and tell what is committed until `stop` is set; then finish the ticks, and tell the last."""
        told = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(self.deliverer.run(told), name="deliverer")
            group.create_task(self.pager.run(told), name="store pager")
            if self.wakeups is not None:
                group.create_task(self.wakeups.run(stop), name="wakeups")
            if self.lookout is not None:
                group.create_task(self.lookout.run(stop), name="lookout")
            if self.retention is not None:
                group.create_task(self.retention.run(stop), name="retention")
            try:
                await self.worker.run(stop)
            finally:
                told.set()


def region() -> str:
    """The AWS region of the environment. Raises Denied if there is none."""
    from orchestrator.aws.session import region_of_environment

    return region_of_environment()


def open_settings(path: str | Path | None = None) -> Settings:
    """The settings in a file: `path`, else ``TEAL_SETTINGS``, else none of them. Raises Invalid with every mistake."""
    path = path or os.environ.get("TEAL_SETTINGS", "")
    if not path:
        return Settings()
    from orchestrator.config.settings_file.load import load_settings

    return load_settings(path)


@asynccontextmanager
async def open_store() -> AsyncIterator[Store]:
    """The store alone: enough for views and commands. Raises TealError if it cannot be opened."""
    from orchestrator.engine.views.keeping import text_of
    from orchestrator.store.opening import open_store as opened

    store = opened(store_url(), shown=text_of)
    try:
        yield store
    finally:
        await store.close()


@contextmanager
def only_server() -> Iterator[None]:
    """Be the one server of the store on this host. Raises Refused where another is."""
    from orchestrator.store import opening

    with opening.only_server(store_url()):
        yield


def must_have_whole_store() -> None:
    """Raises Unusable if the store's file is broken; where it is large this takes seconds."""
    from orchestrator.store import opening

    opening.must_be_whole(store_url())


def faults_of_store() -> tuple[str, ...]:
    """What is broken in the store's file, looked at wholly; empty: nothing. Raises Unusable if it cannot be read."""
    from orchestrator.store import opening

    return opening.faults(store_url())


def backup_store(target: Path) -> "Copied":
    """Copy the store to a file, also while it is used. Raises Refused if there is one, Unusable if it cannot be."""
    from orchestrator.store import opening

    return opening.backup(store_url(), target)


def restore_store(source: Path, *, with_active: bool) -> "Copied":
    """Put a backup in the store's place. Raises Refused where that would be wrong, Unusable if it cannot be."""
    from orchestrator.store import opening

    return opening.restore(store_url(), source, with_active=with_active)


@asynccontextmanager
async def open_cloud(
    settings: Settings | None = None,
    *,
    calls_for: str = "",
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> AsyncIterator[Cloud]:
    """AWS by the environment's credentials, region and endpoint; nothing is called yet. `now`: by what AWS is ahead.

    `settings`: whose accounts it knows by alias; None: those that TEAL_SETTINGS names. `calls_for`: "engine" or
    "doors" where both call AWS from two processes and divide what Teal allows itself; empty: one has all of it.
    """
    from orchestrator.aws.client.rate_limits import SHARES
    from orchestrator.aws.session import open_cloud as opened

    settings = open_settings() if settings is None else settings
    async with opened(accounts=settings.accounts, share=SHARES[calls_for], now=now) as cloud:
        yield cloud


@asynccontextmanager
async def open_direct(account: str = "") -> AsyncIterator[Direct]:
    """AWS for a rollback without server, store or file; settings are read only where an account's alias is named."""
    from orchestrator.aws.session import open_cloud as opened

    settings = open_settings() if account else Settings()
    async with opened(accounts=settings.accounts) as cloud:
        yield cloud.of(account).direct()


@asynccontextmanager
async def open_scout(account: str = "") -> AsyncIterator[tuple[PreflightCloud, Scout]]:
    """AWS for writing a rollout file: as the account of an alias, else by the environment's credentials."""
    from orchestrator.aws.session import open_cloud as opened

    settings = open_settings() if account else Settings()
    async with opened(accounts=settings.accounts) as cloud:
        there = cloud.of(account)
        yield there, there.scout()


@asynccontextmanager
async def open_engine(
    settings: Settings | None = None, *, has_doors: bool = False, steady: "SteadyClock | None" = None
) -> AsyncIterator[Engine]:
    """Store, AWS, a worker and a deliverer that are ready to run. `settings` None: those that TEAL_SETTINGS names.

    `has_doors`: another process has doors to it, and calls AWS too. `steady`: its clock; None: one that begins now.
    """
    settings = open_settings() if settings is None else settings
    from orchestrator.engine.aws_time import AwsTime
    from orchestrator.engine.steady_clock import SteadyClock

    steady = steady or SteadyClock()
    async with (
        open_store() as store,
        open_cloud(settings, calls_for="engine" if has_doors else "", now=steady.now) as cloud,
        outward_of(settings, AwsTime(steady, cloud)) as outward,
    ):
        clock = AwsTime(steady, cloud)
        with suppress(Unwritable):
            await store.wake_all(now=clock.now())
        sinks = sinks_of(settings, clock)
        engine = engine_of(
            store,
            cloud,
            clock,
            sinks=sinks,
            registries=settings.registries,
            freezes=settings.freezes,
            outward=outward,
            sources=sources_of(settings),
        )
        queue = os.environ.get(EVENTS_QUEUE, "")
        if not queue:
            yield engine
            return
        from orchestrator.aws.events.wakeups import open_wakeups

        async with open_wakeups(queue, store=store, clock=clock, hint=engine.worker.hint) as wakeups:
            yield replace(engine, wakeups=wakeups)


@asynccontextmanager
async def open_elsewhere(
    settings: Settings,
    *,
    hint: Callable[[], None],
    order: Callable[[RolloutId, Command], Awaitable[None]],
    time: "Reading",
) -> AsyncIterator[EngineElsewhere]:
    """Store and AWS for doors whose engine runs in another process, which `hint` wakes and `order` has roll back.

    `time`: a reading of that engine's clock.
    """
    from orchestrator.engine.aws_time import AwsTime
    from orchestrator.engine.calendar import Calendar
    from orchestrator.engine.steady_clock import SteadyClock

    steady = SteadyClock(time)
    async with (
        open_store() as store,
        open_cloud(settings, calls_for="doors", now=steady.now) as cloud,
        outward_of(settings, AwsTime(steady, cloud)) as outward,
    ):
        clock = AwsTime(steady, cloud)
        yield EngineElsewhere(
            store=store,
            cloud=cloud,
            clock=clock,
            calendar=Calendar(store, clock, settings.freezes),
            wake=hint,
            order=order,
            registries=tuple(settings.registries),
            outward=outward,
        )


def outward_of(settings: Settings, clock: Clock) -> "HttpOutward":
    """What sends probes and questions to webhooks, where the settings let them go; to be entered before it is used."""
    from orchestrator.outbound.http_outbound import HttpOutward

    return HttpOutward(settings.hosts, settings.hooks, clock)


def sources_of(settings: Settings) -> dict[str, MetricSource]:
    """The settings' metric sources by name. Nothing is asked of them yet."""
    if not settings.prometheus:
        return {}
    from orchestrator.prometheus.source import PrometheusSource

    return {one.name: PrometheusSource(one) for one in settings.prometheus}


def sinks_of(settings: Settings, clock: Clock) -> tuple["Sink", ...]:
    """Everybody whom the settings want told. Nothing is asked of them yet."""
    sinks: list[Sink] = []
    if settings.slack is not None:
        from orchestrator.notify.slack.receiver import SlackSink

        sinks.append(SlackSink(settings, clock=clock))
    if settings.hooks:
        from orchestrator.notify.webhook import HookSink
        from orchestrator.outbound.send import Outbound

        out = Outbound(settings.hosts)
        sinks += [HookSink(hook, out, clock, public_url=settings.public_url) for hook in settings.hooks]
    return tuple(sinks)


def engine_of(
    store: Store,
    cloud: Cloud,
    clock: Clock,
    *,
    sinks: Sequence["Sink"] = (),
    registries: Sequence[str] = (),
    freezes: Sequence[Freeze] | None = None,
    outward: Outward | None = None,
    sources: Mapping[str, MetricSource] | None = None,
) -> Engine:
    """An engine over these parts, which tells these sinks what it commits, and runs images of these registries.

    `freezes`: the settings' calendar; None: they have none, and the store's holds. `outward`: None: no probes are sent.
    `sources`: metric sources besides CloudWatch, by name.
    """
    from orchestrator.engine.calendar import Calendar
    from orchestrator.engine.tick import Ticker
    from orchestrator.engine.worker import Worker
    from orchestrator.notify.deliverer import Deliverer
    from orchestrator.notify.store_pager import StorePager

    owner = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
    calendar = Calendar(store, clock, freezes)
    worker = Worker(
        Ticker(
            store,
            cloud,
            clock,
            registries=registries,
            calendar=calendar,
            outward=outward,
            sources=sources,
        ),
        owner=owner,
    )
    deliverer = Deliverer(store, sinks, clock, owner=owner)
    worker.on_news = deliverer.hint
    pager = StorePager(sinks, clock)
    worker.on_written = pager.writable
    worker.on_unwritable = lambda why: pager.unwritable(
        why, acts=worker.safety.is_alone, again=worker.safety.page_again
    )
    return Engine(
        store=store,
        cloud=cloud,
        clock=clock,
        worker=worker,
        deliverer=deliverer,
        pager=pager,
        calendar=calendar,
        registries=tuple(registries),
        outward=outward,
    )


def looking_back(engine: Engine, settings: Settings) -> Engine:
    """The same engine, which also looks now and then at what ended rollouts left, and forgets old ones: a server's."""
    from orchestrator.engine.aftercare import Aftercare
    from orchestrator.engine.retention import Retention

    return replace(
        engine,
        lookout=Aftercare(engine.store, engine.cloud, engine.clock),
        retention=Retention(engine.store, engine.clock, lasts=settings.retention),
    )


@asynccontextmanager
async def open_verification(database: Path, *, role: str = "") -> AsyncIterator["Means"]:
    """What a run of `verify-account` acts by: AWS by the environment, every call remembered, and an engine.

    `database`: the run's own store. `role`: what narrower permissions are tried with; empty: the credentials' own.
    """
    from orchestrator.aws.client.botocore import open_wire
    from orchestrator.aws.client.call import Caller
    from orchestrator.aws.client.rate_limits import Limits
    from orchestrator.aws.session import open_cloud as opened
    from orchestrator.core.domain.errors import Outside
    from orchestrator.engine.aws_time import AwsTime
    from orchestrator.store.opening import open_store as stored
    from orchestrator.verify.facts.calls import CallLog, Recorder
    from orchestrator.verify.means import Calls, Means, Unnarrowed
    from orchestrator.verify.narrowed import Nobody, narrowed
    from orchestrator.verify.users import open_users

    log, where = CallLog(), region()
    recorders: list[Recorder] = []

    def through(transport: "Transport") -> Recorder:
        recorders.append(Recorder(transport, log))
        return recorders[-1]

    @asynccontextmanager
    async def narrow(policy: str) -> AsyncIterator[Calls]:
        try:
            session = narrowed(caller, policy, role=role, opens=lambda who: open_wire(where, role=who))
            transport = await stack.enter_async_context(session)
        except Outside as error:
            raise Unnarrowed("no session with fewer permissions could be had", str(error)) from error
        yield Calls(Caller(Recorder(transport, log)))

    @asynccontextmanager
    async def strange() -> AsyncIterator[Calls]:
        async with open_wire(where, role=Nobody(caller)) as transport:
            yield Calls(Caller(Recorder(transport, log)))

    store = stored(f"sqlite:///{database}")
    try:
        async with AsyncExitStack() as stack, opened(where, through=through) as cloud:
            caller = Caller(recorders[0], limits=Limits())
            engine = engine_of(store, cloud, AwsTime(SystemClock(), cloud))
            yield Means(
                engine=engine,
                direct=cloud.direct(),
                calls=Calls(caller),
                narrow=narrow,
                strange=strange,
                open_users=open_users,
                region=where,
                log=log,
            )
    finally:
        await store.close()
