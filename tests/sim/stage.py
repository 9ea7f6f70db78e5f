"""One scenario played to its end in virtual time, with the oracle looking on after every call."""

import asyncio
import traceback
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from random import Random

from orchestrator.core.domain.commands import Actor, Command, CommandKind
from orchestrator.core.domain.errors import Conflict, Refused
from orchestrator.core.domain.ids import RolloutId, TaskDefinitionArn
from orchestrator.core.domain.phases import Phase
from orchestrator.core.gates.alarms import AlarmSpec, AlarmsSpec
from orchestrator.core.gates.registry import GatesSpec
from orchestrator.core.rollout.rollout import HoldKind, Rollout
from orchestrator.core.rollout.spec import Limits, MetricsSpec, ServiceName, Spec
from orchestrator.engine import commands
from orchestrator.store.memory.store import MemoryStore
from sandbox.scenarios.scenery import register
from sandbox.world.kernel.settings import WorldSettings
from sandbox.world.world import World
from tests.sim.case import Broken
from tests.sim.furnishing import furnish_for
from tests.sim.oracle import Oracle
from tests.sim.process import Process, run_process
from tests.sim.rivals import act, befall
from tests.sim.scenario import Edit, Outage, Scenario
from tests.support.rehearsal import AUTHOR, MINUTE, OPERATOR, START
from tests.support.virtual import LoopClock, VirtualLoop, close
from tests.support.virtual_traffic import VirtualTraffic

QUIET_AFTER = timedelta(minutes=6)  # then nobody interferes and AWS answers
LOOKED_AFTER = timedelta(seconds=40)  # how often the operator looks after a rollout that stands still
LONGEST = timedelta(minutes=90)
AFTERWARDS = timedelta(seconds=60)


@dataclass(slots=True)
class Played:
    """How a scenario went."""

    seed: int
    phase: Phase
    story: str
    broken: list[Broken] = field(default_factory=list)
    seconds: float = 0.0  # virtual
    calls: int = 0
    ticks: int = 0


class Stage:
    """The World, the store, and everybody who acts on them."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.draw = Random(scenario.seed)
        settings = _settings(scenario)
        self.world = World(start=START, seed=scenario.seed, minute=MINUTE, settings=settings)
        self.world.behaviour.start = timedelta(seconds=3)
        self.world.behaviour.start_spread = timedelta(seconds=2)
        self.scenery = furnish_for(self.world, scenario)
        traffic: VirtualTraffic | None = None
        if scenario.requests_per_second:
            traffic = VirtualTraffic(
                self.world,
                self.scenery.listeners[0],
                scenario.requests_per_second,
                path="/",
                seed=scenario.seed,
            )
        self.world.advance(3 * MINUTE)
        self.revision = TaskDefinitionArn(
            register(self.world, family=self.scenery.service, environment=scenario.green)
        )
        self.loop = VirtualLoop(self._moved)
        self._began = self.world.now
        self.clock = LoopClock(self.loop, self._began)
        self.store = MemoryStore()
        self.rollout = RolloutId(f"checkout-{scenario.seed & 0xFFFFFFFF:08x}")
        self.oracle = Oracle(self.world, self.store, self.rollout, self.scenery, self.revision)
        self.oracle.traffic = traffic
        self.stop: asyncio.Event | None = None

    def _moved(self, seconds: float) -> None:
        self.world.advance(self._began + timedelta(seconds=seconds))
        self.oracle.look()

    @property
    def row(self) -> Rollout:
        """The row as committed."""
        return self.oracle.row

    def play(self) -> Played:
        """Everything from the start to a minute after the end."""
        try:
            self.loop.run_until_complete(self._play())
        finally:
            close(self.loop)
        if self.row.phase.is_final:
            self.oracle.end()
        else:
            self.oracle.breaks(
                12, f"it did not end within {LONGEST}: {self.row.phase}, {self.row.waiting.holds}"
            )
        stored = self.store._rows[self.rollout]
        told = [seen.event for seen in stored.events]
        story = [f"{e.at:%H:%M:%S.%f} {e.kind}: {e.message}" for e in told]
        return Played(
            seed=self.scenario.seed,
            phase=self.row.phase,
            story="\n".join(story),
            broken=self.oracle.broken,
            seconds=self.loop.seconds,
            calls=len(self.world.log),
            ticks=stored.version,
        )

    async def _play(self) -> None:
        stop = asyncio.Event()
        await self._start()
        self._script()
        async with asyncio.TaskGroup() as group:
            for number in range(self.scenario.workers):
                deaths = self.scenario.deaths if number == 0 else ()
                group.create_task(self._lives(f"engine {number}", deaths, stop))
            group.create_task(self._give_commands())
            group.create_task(self._starts())
            try:
                await self._until_end()
                await asyncio.sleep(AFTERWARDS.total_seconds())
            finally:
                stop.set()

    async def _start(self) -> None:
        now = self.clock.now()
        row = Rollout(id=self.rollout, spec=self._spec(), author=AUTHOR, created_at=now, phase_since=now)
        claims = frozenset({f"service {row.spec.service}"})
        await self.store.create(row, claims=claims, key="sim", events=(), wake_at=now)

    def _spec(self) -> Spec:
        scenery, scenario = self.scenery, self.scenario
        alarms = AlarmsSpec(alarms=tuple(AlarmSpec(name=name) for name in scenery.alarms))
        return Spec(
            service=ServiceName(cluster=scenery.cluster, service=scenery.service),
            task_definition=self.revision,
            colour_variable="TEAL_COLOUR" if scenario.tells_colour else "",
            background=scenario.background,
            ending=scenario.ending,
            capacity=scenario.capacity,
            plan=scenario.plan,
            gates=GatesSpec(alarms=alarms),
            metrics=MetricsSpec(period=MINUTE, lag=2 * MINUTE),
            limits=Limits(
                provision=timedelta(minutes=4),
                hold=timedelta(minutes=3),
                then=scenario.hold_then,
                settle=timedelta(minutes=6),
            ),
            on_failure=scenario.on_failure,
            on_drift=scenario.on_drift,
        )

    def _script(self) -> None:
        """Arm everything that goes wrong, and its end."""
        kernel, faults = self.world.kernel, self.world.faults
        for fault in self.scenario.faults:
            faults.add(fault)
        for outage in self.scenario.outages:
            kernel.after(timedelta(seconds=outage.at), partial(self._fail_all, outage))
        for edit in self.scenario.edits:
            faults.before(edit.before, edit.nth, partial(self._rival, edit))
        for mishap in self.scenario.mishaps:
            kernel.after(timedelta(seconds=mishap.at), partial(befall, self.oracle, mishap.what, self.draw))
        kernel.after(QUIET_AFTER, self._calm)
        if self.scenario.blue_in_settling != "good":
            kernel.after(timedelta(seconds=1), self._spoil_blue)

    def _calm(self) -> None:
        self.world.faults.clear()
        self.world.capacity.limit = None

    def _fail_all(self, outage: Outage) -> None:
        until = self.world.now + timedelta(seconds=outage.lasts)
        self.world.faults.outage("all", until=until, kind=outage.kind)

    def _rival(self, edit: Edit, _: World) -> None:
        act(self.oracle, edit.what, self.draw)

    def _spoil_blue(self) -> None:
        """From settling on, the revision that green runs cannot start any more."""
        if self.row.phase is Phase.SETTLING:
            name = self.revision.rsplit("/", 1)[1]
            self.world.behaviour.start_failures[name] = "CannotPullContainerError: the image is gone"
        elif not self.row.phase.is_final:
            self.world.kernel.after(timedelta(seconds=0.3), self._spoil_blue)

    async def _lives(self, name: str, deaths: tuple[int, ...], stop: asyncio.Event) -> None:
        """One engine after another; each but the last is killed somewhere."""
        for life, dies_at in enumerate((*deaths, None)):
            process = Process(f"{name}, life {life}", dies_at)
            await run_process(
                process,
                world=self.world,
                store=self.store,
                clock=self.clock,
                draw=self.draw,
                stop=stop,
                called=self.oracle.hears,
                failed=self._failed,
            )
            if stop.is_set():
                return
            await asyncio.sleep(self.scenario.away)

    def _failed(self, error: Exception) -> None:
        where = "".join(traceback.format_exception(error)[-4:])
        self.oracle.breaks(12, f"a tick failed by itself: {where}")

    async def _give_commands(self) -> None:
        for planned in self.scenario.commands:
            await asyncio.sleep(max(0.0, planned.at - self.loop.seconds))
            earlier = [step.weight for step in self.row.spec.plan.steps[: self.row.progress.step]]
            to = self.draw.choice(earlier) if planned.kind is CommandKind.BACK and earlier else None
            command = Command(
                key=f"command at {planned.at}",
                kind=planned.kind,
                by=OPERATOR,
                at=self.clock.now(),
                full=planned.full,
                to=to,
            )
            await self._give(command)

    async def _give(self, command: Command) -> None:
        with suppress(Refused):
            await commands.accept(self.rollout, command, store=self.store)
            self.oracle.accepted.append(command)

    async def _starts(self) -> None:
        for at in self.scenario.starts:
            await asyncio.sleep(max(0.0, at - self.loop.seconds))
            await self._start_beside(at)

    async def _start_beside(self, at: float) -> None:
        """Promise 5: while this rollout is active, nobody starts another on its service, or on one of its rules."""
        row, now = self.row, self.clock.now()
        wanted = [f"service {row.spec.service}", *(rule.arn for rule in row.rules)]
        for number, claim in enumerate(() if row.phase.is_final else wanted):
            other = RolloutId(f"{self.rollout[:-8]}{number:02x}{round(at * 1000):06x}")
            beside = Rollout(id=other, spec=row.spec, author=OPERATOR, created_at=now, phase_since=now)
            with suppress(Conflict):
                await self.store.create(beside, claims=frozenset({claim}), key=other, events=(), wake_at=now)
                self.oracle.breaks(5, f"{other} was started beside this rollout: {claim} was free")

    async def _until_end(self) -> None:
        """Wait for the end; once all is quiet, an operator does what a person is asked to do."""
        end = self.clock.now() + LONGEST
        looked = self.clock.now() + QUIET_AFTER
        while not self.row.phase.is_final and self.clock.now() < end:
            await asyncio.sleep(1)
            if self.clock.now() >= looked:
                looked = self.clock.now() + LOOKED_AFTER
                await self._operate()

    async def _operate(self) -> None:
        row, age = self.row, self.clock.now() - self._began
        waits = {hold.kind for hold in row.waiting.holds}
        kind: CommandKind | None = None
        if row.pause.paused_by is not None:
            kind = CommandKind.RESUME
        elif HoldKind.APPROVAL in waits:
            kind = CommandKind.APPROVE
        elif waits & {HoldKind.BLUE, HoldKind.FAILED} and self.draw.random() < 0.3:
            self.world.behaviour.start_failures.clear()
            kind = CommandKind.RESUME
        elif age > timedelta(minutes=25) and row.phase is not Phase.ROLLING_BACK:
            kind = CommandKind.ROLLBACK
        if kind is not None:
            by = Actor(name=f"operator {self.draw.randrange(10**6)}")
            await self._give(Command(key=f"{age}", kind=kind, by=by, at=self.clock.now()))


def _settings(scenario: Scenario) -> WorldSettings:
    """The traps of AWS that are on."""
    if not scenario.tricky:
        return WorldSettings.kind()
    settings = WorldSettings(scaling_write=timedelta(seconds=scenario.scaling_write))
    if not scenario.behind:
        return settings
    return replace(settings, reads_go_back=True, staleness=timedelta(seconds=scenario.behind))


def play(scenario: Scenario) -> Played:
    """Play a scenario."""
    return Stage(scenario).play()
