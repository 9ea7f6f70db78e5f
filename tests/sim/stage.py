"""One scenario played to its end in virtual time, with an oracle for each rollout that looks on after every call."""

import asyncio
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from random import Random
from typing import cast

from orchestrator.core.domain.calendar import Freeze
from orchestrator.core.domain.commands import Actor, Command, CommandKind
from orchestrator.core.domain.errors import Conflict, Unwritable
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import RolloutId, TaskDefinitionArn
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.verdict import Verdict
from orchestrator.core.rollout.rollout import HoldKind, Rollout
from orchestrator.core.rollout.spec import Spec
from orchestrator.engine.worker import Worker
from orchestrator.ports.store import Store
from orchestrator.store.memory.store import MemoryStore
from sandbox.scenarios.scenery import Scenery, register
from sandbox.world.kernel.faults import Fault, Faults
from sandbox.world.kernel.settings import WorldSettings
from sandbox.world.world import World
from tests.sim.beside import Fate, alarm_on_the_balancer
from tests.sim.disk.disk import Disk
from tests.sim.disk.ledger import ledger_of
from tests.sim.disk.locks import Host, SimulatedLocks
from tests.sim.disk.memory import DiskedMemory
from tests.sim.disk.sql import DiskedSqlStore, Kept
from tests.sim.files import file_beside, spec_of
from tests.sim.furnishing import furnish_beside, furnish_for
from tests.sim.hosts.process import TICKED, Furniture, Process, StopPlan, run_process
from tests.sim.hosts.stopping import StoppingLoop, Stops
from tests.sim.hosts.wall import Wall
from tests.sim.names import name_of_fault
from tests.sim.oracles.case import Broken
from tests.sim.oracles.oracle import Oracle
from tests.sim.oracles.truth import RuleTruth, Truth
from tests.sim.oracles.views import Distribution, TruthAmongOthers, WorldView
from tests.sim.people.doors import Doors
from tests.sim.people.receivers import DeadHook, LivingHook, TeamsSystems
from tests.sim.people.rivals import act, befall
from tests.sim.scenario import ByHand, Closed, Edit, Mishap, Outage, Scenario
from tests.support.rehearsal import AUTHOR, MINUTE, OPERATOR, START
from tests.support.virtual import LoopClock, VirtualLoop, close
from tests.support.virtual_traffic import VirtualTraffic

QUIET_AFTER = timedelta(minutes=6)  # then nobody interferes and AWS answers
LOOKED_AFTER = timedelta(seconds=40)  # how often the operator looks after a rollout that stands still
LONGEST = timedelta(minutes=90)
LONGEST_ALONE = timedelta(minutes=22)  # where no operator ever comes
LATE_TO_AWS = timedelta(minutes=1)  # by so much a clock may be wrong before an engine goes by AWS's
AFTERWARDS = timedelta(seconds=60)
TOLD_WITHIN = timedelta(minutes=15)  # of the end: a hook's backoff, a dead engine's lease of its delivery


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
    rollouts: int = 1
    struck: frozenset[str] = frozenset()  # the kinds of trouble that somebody met


@dataclass(slots=True)
class Part:
    """One rollout and its service."""

    id: RolloutId
    file: Scenario
    scenery: Scenery
    spec: Spec
    oracle: Oracle
    at: float = 0.0
    is_started: bool = False
    test_rules: dict[str, RuleTruth] = field(default_factory=dict)

    @property
    def row(self) -> Rollout:
        """The row as committed."""
        return self.oracle.row


class CountedFaults(Faults[World]):
    """Faults that say which of them struck."""

    on_strike: Callable[[Fault], None] | None = None

    def strike(self, service: str, operation: str) -> Fault | None:
        """As the script has it."""
        fault = super().strike(service, operation)
        if fault is not None and self.on_strike is not None:
            self.on_strike(fault)
        return fault


class Stage:
    """The World, the store, and everybody who acts on them."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.struck: set[str] = set()
        settings = _settings(scenario)
        self.world = World(start=START, seed=scenario.seed, minute=MINUTE, settings=settings)
        self.world.behaviour.start = timedelta(seconds=3)
        self.world.behaviour.start_spread = timedelta(seconds=2)
        scenery = furnish_for(self.world, scenario)
        beside = [
            (neighbour, furnish_beside(self.world, neighbour, number, scenery))
            for number, neighbour in enumerate(scenario.neighbours, start=1)
        ]
        if scenario.room is not None:
            self.world.capacity.limit = scenario.room
        traffic = self._traffic(scenery, scenario.requests_per_second, scenario.seed)
        others = [self._traffic(one, n.requests_per_second, scenario.seed + 1) for n, one in beside]
        alarm = alarm_on_the_balancer(self.world, scenery.load_balancer)
        self.world.advance(3 * MINUTE)
        revision = self._revision(scenery, scenario.green)
        self.loop = StoppingLoop(self._moved) if scenario.stops else VirtualLoop(self._moved)
        self._began = self.world.now
        self.clock = LoopClock(self.loop, self._began)
        self.disk = Disk(self.loop, scenario.spells, scenario.commits, self._meets)
        self.kept: Kept | MemoryStore = Kept() if scenario.store == "sql" else MemoryStore()
        self.ledger = ledger_of(self.kept)
        self.host = Host()
        self._calls = Distribution(self.world)
        self._is_late = False
        self.parts: list[Part] = []
        self._names = frozenset({scenery.service, *(one.service for _, one in beside)})
        self._add(scenario, scenery, revision, traffic, alarms=(alarm,))
        for (neighbour, one), load in zip(beside, others, strict=True):
            theirs = self._revision(one, neighbour.green)
            self._add(file_beside(scenario, neighbour), one, theirs, load, at=neighbour.at)
        self.main = self.parts[0]
        self.fate = Fate(self.world, scenario.beside, service=scenery.service, revision=revision)
        self.wall = Wall(self.loop, self._began, scenario.clock_steps)
        self.living, self.dead = LivingHook(), DeadHook()
        says = Verdict.FAIL if scenario.webhook_says_fail else Verdict.PASS
        self.systems = TeamsSystems(self.world, seed=scenario.seed, says=says)
        self._alive: list[Process] = []
        self.doors = Doors(self._view(None), self.clock, engines=self._engines, struck=self.struck.add)

    @property
    def rollout(self) -> RolloutId:
        """The rollout that the scenario is about."""
        return self.main.id

    @property
    def oracle(self) -> Oracle:
        """Its oracle."""
        return self.main.oracle

    @property
    def row(self) -> Rollout:
        """Its row as committed."""
        return self.main.row

    # before the first tick ------------------------------------------------------------------------------------------

    def _traffic(self, scenery: Scenery, rate: float, seed: int) -> VirtualTraffic | None:
        if not rate:
            return None
        return VirtualTraffic(self.world, scenery.listeners[0], rate, path="/", seed=seed)

    def _revision(self, scenery: Scenery, environment: object) -> TaskDefinitionArn:
        given = cast(dict[str, str], environment)
        return TaskDefinitionArn(register(self.world, family=scenery.service, environment=given))

    def _add(
        self,
        file: Scenario,
        scenery: Scenery,
        revision: TaskDefinitionArn,
        traffic: VirtualTraffic | None,
        *,
        alarms: tuple[str, ...] = (),
        at: float = 0.0,
    ) -> None:
        name = RolloutId(f"{scenery.service}-{self.scenario.seed & 0xFFFFFFFF:08x}")
        view, log = WorldView.of(self.world, name)
        ledger = cast(MemoryStore, self.ledger)  # of a store the oracle asks for what is committed alone
        others = self._names - {scenery.service}
        truth = TruthAmongOthers(self.world, others) if others else Truth(self.world)
        oracle = Oracle(view, ledger, name, scenery, revision, file, truth)
        oracle.traffic, oracle.alarms = traffic, alarms
        part = Part(name, file, scenery, spec_of(file, scenery, revision, alarms), oracle, at)
        part.test_rules = {arn: oracle.truth.rule(arn) for arn in scenery.test_rules}
        self._calls.add(name, scenery, log)
        self.parts.append(part)

    def _view(self, process: Process | None) -> Store:
        """The store as a process has it open; None: as the doors do, which hold no lease."""
        if isinstance(self.kept, MemoryStore):
            return cast(Store, DiskedMemory(self.kept, self.disk, self.loop))
        locks = SimulatedLocks(self.host, process) if process is not None else None
        return DiskedSqlStore(self.kept, self.disk, self.loop, locks)

    def _engines(self) -> Iterator[Worker]:
        """Those that work now."""
        for process in self._alive:
            if process.worker is not None and not process.is_over:
                yield process.worker

    # while it plays -------------------------------------------------------------------------------------------------

    def _moved(self, seconds: float) -> None:
        self.world.advance(self._began + timedelta(seconds=seconds))
        self._calls.go_on(None)
        is_disturbed = self.disk.is_in_the_way() or not any(one.is_awake for one in self._alive)
        for part in self.parts:
            if part.is_started:
                if is_disturbed:
                    part.oracle.disturbed()
                part.oracle.look()
        self.fate.green, self.fate.has_traffic = self.oracle.green or "", self.oracle.most > 0

    def _hears(self, process: Process | None) -> None:
        """A call arrives at the World, or (None) was made."""
        name = TICKED.get()
        caller = next((part for part in self.parts if part.id == name), None)
        if process is not None:
            self._calls.go_on(None)
            self._is_late = process.sends_late
            if caller is not None:
                caller.oracle.hears(process)
            return
        self._calls.go_on(name, is_late=self._is_late)
        for part in self.parts:
            if part.is_started:
                part.oracle.hears(None)

    def play(self) -> Played:
        """Everything from the start to a minute after the end."""
        try:
            self.loop.run_until_complete(self._play())
        finally:
            close(self.loop)
        for part in self.parts:
            if part.row.phase.is_final:
                part.oracle.end()
                self._end_of_test_rules(part)
            else:
                part.oracle.unended()
        self._check_told()
        self.struck |= self._struck_at_the_end()
        return Played(
            seed=self.scenario.seed,
            phase=self.row.phase,
            story="\n\n".join(self._story(part) for part in self.parts),
            broken=[one for part in self.parts for one in self._broken(part)],
            seconds=self.loop.seconds,
            calls=len(self.world.log),
            ticks=sum(self.ledger._rows[part.id].version for part in self.parts),
            rollouts=len(self.parts),
            struck=frozenset(self.struck),
        )

    def _broken(self, part: Part) -> Iterator[Broken]:
        for one in part.oracle.broken:
            yield one if part is self.main else replace(one, how=f"{part.id}: {one.how}")

    def _story(self, part: Part) -> str:
        told = [seen.event for seen in self.ledger._rows[part.id].events]
        lines = [f"{e.at:%H:%M:%S.%f} {e.kind}: {e.message}" for e in told]
        return "\n".join(([] if part is self.main else [f"{part.id}:"]) + lines)

    async def _play(self) -> None:
        stop = asyncio.Event()
        await self._start(self.main)
        self._script()
        async with asyncio.TaskGroup() as group:
            for number in range(self.scenario.workers):
                group.create_task(self._lives(number, stop))
            for part in self.parts:
                group.create_task(self._give_commands(part))
            for part in self.parts[1:]:
                group.create_task(self._start_later(part))
            group.create_task(self._starts())
            for closed in self.scenario.closed:
                group.create_task(self._close(closed))
            group.create_task(self._take_back(stop))
            try:
                await self._until_end()
                await asyncio.sleep(AFTERWARDS.total_seconds())
                await self._until_told()
            finally:
                stop.set()

    async def _start_later(self, part: Part) -> None:
        await asyncio.sleep(part.at)
        await self._start(part)

    async def _start(self, part: Part) -> None:
        now = self.clock.now()
        row = Rollout(id=part.id, spec=part.spec, author=AUTHOR, created_at=now, phase_since=now)
        claims = frozenset({f"service {row.spec.service}"})
        store, key = self._view(None), f"start of {part.id}"
        while True:
            try:
                await store.create(row, claims=claims, key=key, events=(), wake_at=now)
                break
            except Unwritable:  # the same start again, with the same key
                await asyncio.sleep(4)
        part.is_started = True
        if part is not self.main:
            self.struck.add("several rollouts")

    def _script(self) -> None:
        """Arm everything that goes wrong, and its end."""
        scenario, kernel = self.scenario, self.world.kernel
        faults = self.world.faults = CountedFaults(kernel)
        faults.on_strike = self._struck_by
        for fault in scenario.faults:
            faults.add(fault)
        for outage in scenario.outages:
            kernel.after(timedelta(seconds=outage.at), partial(self._fail_all, outage))
        for number, edit in enumerate(scenario.edits):
            faults.before(edit.before, edit.nth, partial(self._rival, edit, self._draw(f"edit {number}")))
        for number, mishap in enumerate(scenario.mishaps):
            draw = self._draw(f"mishap {number}")
            kernel.after(timedelta(seconds=mishap.at), partial(self._befall, mishap, draw))
        for by_hand in scenario.by_hand:
            kernel.after(timedelta(seconds=by_hand.at), partial(self._set_by_hand, by_hand))
        for step in scenario.clock_steps:
            kernel.after(timedelta(seconds=step.at), self._step_clock)
        self.fate.begin()
        kernel.after(QUIET_AFTER, self._calm)
        if scenario.blue_in_settling != "good":
            kernel.after(timedelta(seconds=1), self._spoil_blue)

    def _draw(self, of: str) -> Random:
        """Chance of one thing's own, so that what else happens does not move it."""
        return Random(f"{self.scenario.seed} {of}")

    def _note(self, name: str) -> None:
        """Trouble that struck, if it was not over by then."""
        if not self.row.phase.is_final:
            self.struck.add(name)

    def _meets(self, name: str) -> None:
        """Somebody met trouble of the disk's."""
        self.struck.add(name)
        self._disturb()

    def _step_clock(self) -> None:
        self._note("clock stepped")
        self._disturb()
        for part in self.parts:
            part.oracle.clock_error = min(self.wall.error(), LATE_TO_AWS)

    def _disturb(self) -> None:
        """Whatever is owed in time is owed from now on."""
        for part in self.parts:
            if part.is_started:
                part.oracle.disturbed()

    def _struck_by(self, fault: Fault) -> None:
        is_scripted = any(fault is one for one in self.scenario.faults)
        self.struck.add(name_of_fault(fault) if is_scripted else "outage")

    def _calm(self) -> None:
        self.world.faults.clear()
        self.world.capacity.limit = None
        self.fate.is_calm = True

    def _fail_all(self, outage: Outage) -> None:
        until = self.world.now + timedelta(seconds=outage.lasts)
        self.world.faults.outage("all", until=until, kind=outage.kind)

    def _rival(self, edit: Edit, draw: Random, _: World) -> None:
        self._note(f"somebody {edit.what}")
        act(self.oracle, edit.what, draw)

    def _befall(self, mishap: Mishap, draw: Random) -> None:
        self._note(f"blue {mishap.what}")
        befall(self.oracle, mishap.what, draw)

    def _set_by_hand(self, by_hand: ByHand) -> None:
        self._note("alarm state by hand")
        given = {
            "AlarmName": self.main.scenery.alarms[0],
            "StateValue": by_hand.state,
            "StateReason": "by hand",
        }
        self.world._perform("cloudwatch", "SetAlarmState", given)

    def _spoil_blue(self) -> None:
        """From settling on, the revision that green runs cannot start any more."""
        if self.row.phase is Phase.SETTLING:
            self.struck.add("blue in settling")
            name = self.oracle.revision.rsplit("/", 1)[1]
            self.world.behaviour.start_failures[name] = "CannotPullContainerError: the image is gone"
        elif not self.row.phase.is_final:
            self.world.kernel.after(timedelta(seconds=0.3), self._spoil_blue)

    # engines --------------------------------------------------------------------------------------------------------

    async def _lives(self, number: int, stop: asyncio.Event) -> None:
        """One engine after another: killed somewhere, or ended for a newer one, but for the last."""
        deaths = list(self.scenario.deaths if number == 0 else ())
        upgrades = sorted(self.scenario.upgrades if number == 0 else ())
        plan = StopPlan([one for one in self.scenario.stops if one.engine == number], self.struck.add)
        draw, life = self._draw(f"engine {number}"), 0
        while True:
            dies_at = deaths.pop(0) if deaths else None
            process = Process(f"engine {number}, life {life}", dies_at, stops=self._stops(plan), plan=plan)
            self._alive = [one for one in self._alive if not one.is_over] + [process]
            end = asyncio.Event()
            until = asyncio.ensure_future(self._ends(end, stop, upgrades[0] if upgrades else None))
            await run_process(
                process,
                world=self.world,
                store=self._view(process),
                clock=self.clock,
                draw=draw,
                stop=end,
                called=self._hears,
                failed=self._failed,
                furniture=self._furniture(),
            )
            until.cancel()
            if stop.is_set():
                return
            life += 1
            if process.is_dead:
                self._note("killed")
                await asyncio.sleep(self.scenario.away)
                continue
            if dies_at is not None:
                deaths.insert(0, dies_at)
            upgrades.pop(0)
            self._note("upgrade")
            if isinstance(self.kept, Kept):
                self.kept.open_again()

    async def _ends(self, end: asyncio.Event, stop: asyncio.Event, upgrade: float | None) -> None:
        """Set `end` at the stop, or at an upgrade."""
        with suppress(TimeoutError):
            async with asyncio.timeout(None if upgrade is None else max(0.0, upgrade - self.loop.seconds)):
                await stop.wait()
        end.set()

    def _stops(self, plan: StopPlan) -> Stops | None:
        if not isinstance(self.loop, StoppingLoop):
            return None
        return plan.stops_of(self.loop)

    def _furniture(self) -> Furniture:
        scenario = self.scenario
        sinks = (self.living,) if scenario.is_told else ()
        return Furniture(
            outward=self.systems if {"probe", "webhook"} & {*scenario.gates} else None,
            sinks=(*sinks, self.dead) if scenario.dead_hook else sinks,
            machine=self.wall.now if scenario.clock_steps else None,
            boot=self.loop.time,
            begins=True,
        )

    def _failed(self, error: Exception) -> None:
        where = "".join(traceback.format_exception(error)[-4:])
        self.oracle.breaks(12, f"a tick failed by itself: {where}")

    # people ---------------------------------------------------------------------------------------------------------

    async def _give_commands(self, part: Part) -> None:
        draw = self._draw(f"commands of {part.id}")
        for planned in part.file.commands:
            await asyncio.sleep(max(0.0, planned.at - self.loop.seconds))
            if part.is_started:
                self.struck.add(f"command: {planned.kind}")
                await self.doors.order(part.oracle, part.id, planned, draw, OPERATOR)

    async def _take_back(self, stop: asyncio.Event) -> None:
        """A rollback while blue takes the revision over, or has just taken it."""
        after = self.scenario.beside.taken_back_after
        while after is not None and not stop.is_set():
            await asyncio.sleep(1)
            if self.oracle.touched_at is not None:
                break
        if after is not None and not stop.is_set():
            await asyncio.sleep(after)
            by = Actor(name="a doubter")
            taken = Command(key="taken back", kind=CommandKind.ROLLBACK, by=by, at=self.clock.now())
            await self.doors.give(self.oracle, self.rollout, taken)

    async def _close(self, closed: Closed) -> None:
        """Put a freeze into the calendar."""
        await asyncio.sleep(closed.at)
        now = self.clock.now()
        freeze = Freeze(begins=now, ends=now + timedelta(seconds=closed.lasts), reason="the sale")
        with suppress(Unwritable):
            await self._view(None).keep_freezes((freeze,))
            self._note("freeze")

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
            with suppress(Conflict, Unwritable):
                await self._view(None).create(
                    beside, claims=frozenset({claim}), key=other, events=(), wake_at=now
                )
                self.oracle.breaks(5, f"{other} was started beside this rollout: {claim} was free")

    async def _until_end(self) -> None:
        """Wait for the end; once all is quiet, an operator does what a person is asked to do."""
        is_attended = self.scenario.is_attended
        end = self.clock.now() + (LONGEST if is_attended else LONGEST_ALONE)
        looked = self.clock.now() + QUIET_AFTER
        while not self._is_over() and self.clock.now() < end:
            await asyncio.sleep(1)
            if is_attended and self.clock.now() >= looked:
                looked = self.clock.now() + LOOKED_AFTER
                for part in self.parts:
                    await self._operate(part)

    def _is_over(self) -> bool:
        return all(
            part.is_started and (part.row.phase.is_final or part.oracle.ends.stands()) for part in self.parts
        )

    async def _operate(self, part: Part) -> None:
        row, age = part.row, self.clock.now() - self._began
        draw = self._draw(f"operator of {part.id} at {self.loop.seconds}")
        waits = {hold.kind for hold in row.waiting.holds}
        kind: CommandKind | None = None
        if row.phase.is_final:
            return
        if row.pause.paused_by is not None:
            kind = CommandKind.RESUME
        elif HoldKind.APPROVAL in waits:
            kind = CommandKind.APPROVE
        elif waits & {HoldKind.BLUE, HoldKind.FAILED} and draw.random() < 0.3:
            self.world.behaviour.start_failures.clear()
            kind = CommandKind.RESUME
        elif age > timedelta(minutes=15) and row.phase is not Phase.ROLLING_BACK:
            kind = CommandKind.ROLLBACK
        if kind is not None:
            by = Actor(name=f"operator {draw.randrange(10**6)}")
            command = Command(key=f"{age}", kind=kind, by=by, at=self.clock.now())
            await self.doors.give(part.oracle, part.id, command)

    # at the end -----------------------------------------------------------------------------------------------------

    async def _until_told(self) -> None:
        """Wait until the hook that lives was told all."""
        if not self.scenario.is_told:
            return
        end = self.clock.now() + TOLD_WITHIN
        while self.clock.now() < end and any(self._untold(part) for part in self.parts):
            await self._pause(5)

    async def _pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def _untold(self, part: Part) -> str:
        """What the living hook was not told of a rollout, or not in its order; empty: it was."""
        told = list(dict.fromkeys(self.living.told.get(part.id, ())))
        last = len(self.ledger._rows[part.id].events)
        if not told:
            return f"none of {last} events" if last else ""
        wanted = list(range(told[0], last + 1))
        return "" if told == wanted else f"{told[:1]} to {told[-1:]} of {last} events, {len(told)} of them"

    def _check_told(self) -> None:
        for part in self.parts if self.scenario.is_told else ():
            if untold := self._untold(part):
                part.oracle.breaks(11, f"the hook that lives was told {untold}")

    def _struck_at_the_end(self) -> set[str]:
        """Of what a scenario has from the start: what came to anything."""
        told = [seen.event for seen in self.ledger._rows[self.rollout].events]
        phases = {dict(event.facts).get("end", "") for event in told}
        has_traffic = any(event.kind is EventKind.WEIGHT_VERIFIED for event in told)
        asks = {f"gate: {gate}" for gate in self.scenario.gates} - {"gate: webhook", "gate: probe"}
        found = {
            "dead hook": bool(self.dead.asked),
            "a hook is told": bool(self.living.told),
            "gate: webhook": bool(self.systems.questions),
            "gate: probe": bool(self.systems.sent),
            "one way": any("only a person may roll back" in event.message for event in told),
            "green stays": "retiring" in phases,
        }
        if has_traffic:
            asks |= {"plan auto", "test rule", "sticky base", "no room"}
            found |= dict.fromkeys(asks, True)
        always = {"SQL store", "two engines", "reads go back", "another start"}
        return always | {name for name, is_so in found.items() if is_so}

    def _end_of_test_rules(self, part: Part) -> None:
        """Promise 7: rules that pointed at green before any user did are as they were."""
        if part.row.phase is Phase.ABANDONED or part.row.spec.ending.is_swap:
            return
        for arn, before in part.test_rules.items():
            if (now := part.oracle.truth.rule(arn)) != before:
                part.oracle.breaks(7, f"the test rule {arn} was {before} and is {now}")


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
