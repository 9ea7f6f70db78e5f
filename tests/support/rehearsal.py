"""A whole rollout in virtual time: a World with traffic, the real adapters and engine, and the store in memory."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self, TypeVar

import structlog

from orchestrator.aws.client.call import Caller
from orchestrator.aws.cloud import AwsCloud
from orchestrator.core.domain.commands import Actor, CommandKind
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import RolloutId, TaskDefinitionArn, Tenths
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import Plan, Step
from orchestrator.core.gates.alarms import AlarmSpec, AlarmsSpec
from orchestrator.core.gates.registry import GatesSpec
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.rollout.spec import Limits, MetricsSpec, ServiceName, Spec
from orchestrator.engine import commands
from orchestrator.engine.tick import Ticker
from orchestrator.engine.worker import Worker
from orchestrator.ports.commands import CommandSeen
from orchestrator.ports.outbound import Outward
from orchestrator.ports.rollouts import EventSeen
from orchestrator.store.memory.store import MemoryStore
from sandbox.ports import ForwardView
from sandbox.scenarios.scenery import Scenery, furnish, register, until_steady
from sandbox.world.kernel.errors import AwsRefusal, CallLost
from sandbox.world.kernel.settings import WorldSettings
from sandbox.world.world import World
from tests.support.direct_transport import DirectTransport
from tests.support.virtual import LoopClock, VirtualLoop, close
from tests.support.virtual_probe import VirtualProber
from tests.support.virtual_traffic import VirtualTraffic

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MINUTE = timedelta(seconds=10)
READS = ("Describe", "Get", "List")
T = TypeVar("T")
AUTHOR, OPERATOR = Actor(name="author"), Actor(name="operator")

structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def quick_plan(*, bake: int = 20, watch: int = 30) -> Plan:
    """10 % and then everything, each held for a few of the World's short minutes (seconds)."""
    return Plan(
        name="canary",
        steps=(
            Step(weight=Tenths(100), bake=timedelta(seconds=bake)),
            Step(weight=Tenths(1000), bake=timedelta(seconds=watch)),
        ),
    )


class Rehearsal:
    """One service with its users, and an engine that rolls it out, all in virtual time.

    `furnishing` goes to `furnish`, unless `build` makes the scenery in another way; `settings` and `minute` go to the
    World. Use as a context manager.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        settings: WorldSettings | None = None,
        requests_per_second: float = 40,
        minute: timedelta = MINUTE,
        start: datetime = START,
        build: Callable[..., Scenery] = furnish,
        **furnishing: Any,  # noqa: ANN401 - the parameters of `furnish`
    ) -> None:
        self.world = World(start=start, seed=seed, minute=minute, settings=settings or WorldSettings.kind())
        self.world.behaviour.start, self.world.behaviour.start_spread = (
            timedelta(seconds=3),
            timedelta(seconds=2),
        )
        self.scenery: Scenery = build(self.world, **furnishing)
        until_steady(self.world, self.scenery)
        self.world.advance(timedelta(seconds=1))
        self.traffic = VirtualTraffic(
            self.world, self.scenery.listeners[0], requests_per_second, path="/", seed=seed
        )
        self.world.advance(3 * minute)
        self.loop = VirtualLoop(self._moved)
        self._began = self.world.now
        self.clock = LoopClock(self.loop, self._began)
        self.store = MemoryStore()
        self.cloud = self.cloud_of(DirectTransport(self.world.call, refusal=AwsRefusal, lost=CallLost))
        self.prober = VirtualProber(self.world, seed=seed)
        self.outward: Outward = self.prober  # what the engine sends probes and questions by
        self._stop: asyncio.Event | None = None

    def _moved(self, seconds: float) -> None:
        self.world.advance(self._began + timedelta(seconds=seconds))

    def cloud_of(self, transport: Any) -> AwsCloud:  # noqa: ANN401 - a Transport
        """The real adapters over a transport; reads are repeated by chance's middle, so runs are the same."""
        return AwsCloud(Caller(transport, chance=lambda: 0.5), region=self.world.region)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        close(self.loop)

    # what tests do ---------------------------------------------------------------------------------------------

    def revision(self, environment: Mapping[str, str] | None = None) -> TaskDefinitionArn:
        """Register the next revision, which behaves as the environment says (see the World's `Behaviour`)."""
        family = self.scenery.service
        return TaskDefinitionArn(register(self.world, family=family, environment=environment))

    def spec(self, revision: str, **changes: Any) -> Spec:  # noqa: ANN401 - the fields of Spec
        """A quick canary of the service to a revision, with the World's short minute as metric period."""
        spec = Spec(
            service=ServiceName(cluster=self.scenery.cluster, service=self.scenery.service),
            task_definition=revision,
            plan=quick_plan(),
            gates=GatesSpec(
                alarms=AlarmsSpec(alarms=tuple(AlarmSpec(name=name) for name in self.scenery.alarms))
            ),
            metrics=MetricsSpec(period=MINUTE, lag=2 * MINUTE),
            limits=Limits(
                provision=timedelta(minutes=5), hold=timedelta(minutes=5), settle=timedelta(minutes=10)
            ),
        )
        return replace(spec, **changes)

    def start(self, spec: Spec, *, key: str = "rehearsal") -> RolloutId:
        """Start a rollout."""
        begun = self.run(
            commands.start(
                spec,
                author=AUTHOR,
                key=key,
                store=self.store,
                cloud=self.cloud,
                clock=self.clock,
                addresses=self.outward,
            )
        )
        return begun.stored.rollout.id

    def command(
        self,
        rollout: RolloutId,
        kind: CommandKind,
        *,
        by: Actor = OPERATOR,
        **more: Any,  # noqa: ANN401
    ) -> CommandSeen:
        """Give a command."""
        command = commands.command(kind, by=by, clock=self.clock, **more)
        return self.run(commands.accept(rollout, command, store=self.store))

    def until(self, rollout: RolloutId, *phases: Phase, within: timedelta = timedelta(minutes=30)) -> Rollout:
        """Let a worker run until the rollout is in one of these phases (default: any final one)."""
        return self.run(self._until(rollout, phases, within))

    def let_run(self, duration: timedelta) -> None:
        """Let a worker run for a while."""
        self.run(self._work_for(duration))

    def row(self, rollout: RolloutId) -> Rollout:
        """The row as the store holds it."""
        return self.run(self.store.load(rollout)).rollout

    def events(self, rollout: RolloutId, *kinds: EventKind) -> tuple[EventSeen, ...]:
        """The audit log, or these kinds of it."""
        found = self.run(self.store.events(rollout, limit=100_000))
        return tuple(seen for seen in found if not kinds or seen.event.kind in kinds)

    def story(self, rollout: RolloutId) -> str:
        """The audit log as text, for a failing test's message."""
        lines = (f"{e.event.at:%H:%M:%S} {e.event.kind}: {e.event.message}" for e in self.events(rollout))
        return "\n".join(lines)

    def share(self) -> float:
        """What users get that is not blue's, by the first rule's weights."""
        (view, *_), group = self.world.traffic.listeners(), self.scenery.target_group
        action = view.rules[0].action
        assert isinstance(action, ForwardView)
        weights = dict(action.weights)
        return 1.0 - weights.get(group, 0) / sum(weights.values())

    def writes(self, since: int) -> list[str]:
        """What was asked of AWS, but for reads, since its log had so many calls."""
        return [call.operation for call in self.world.log[since:] if not call.operation.startswith(READS)]

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in virtual time."""
        return self.loop.run_until_complete(coroutine)

    async def _until(self, rollout: RolloutId, phases: tuple[Phase, ...], within: timedelta) -> Rollout:
        end = self.clock.now() + within
        async with self._worker():
            while True:
                row = (await self.store.load(rollout)).rollout
                if row.phase in phases or row.phase.is_final:
                    return row
                if self.clock.now() >= end:
                    why = f"waiting for {row.waiting.waiting_for!r}, held by {row.waiting.holds}"
                    raise TimeoutError(f"still {row.phase} after {within}, {why}")
                await asyncio.sleep(0.25)

    async def _work_for(self, duration: timedelta) -> None:
        async with self._worker():
            await asyncio.sleep(duration.total_seconds())

    def _worker(self) -> "_Working":
        return _Working(self._new_worker())

    def _new_worker(self) -> Worker:
        return Worker(Ticker(self.store, self.cloud, self.clock, outward=self.outward), owner="rehearsal")


class _Working:
    """A worker that runs within a block and finishes its ticks at the end."""

    def __init__(self, worker: Worker) -> None:
        self.worker, self._stop = worker, asyncio.Event()

    async def __aenter__(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self.worker.run(self._stop))

    async def __aexit__(self, *_: object) -> None:
        self._stop.set()
        self.worker.hint()
        await self._task
