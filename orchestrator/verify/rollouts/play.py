"""One rollout from start to end, with the engine in this process over the run's own store."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from orchestrator.core.domain.commands import Actor, CommandKind
from orchestrator.core.domain.errors import TealError
from orchestrator.core.domain.ids import RolloutId, Tenths, metric_dimension
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import Plan, Step
from orchestrator.core.gates.alarms import AlarmSpec, AlarmsSpec
from orchestrator.core.gates.compare import CompareSpec
from orchestrator.core.gates.guard import GuardSpec
from orchestrator.core.gates.registry import GatesSpec
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.rollout.spec import Limits, MetricsSpec, Spec
from orchestrator.engine import commands
from orchestrator.engine.direct_rollback import DirectRun
from orchestrator.verify.means import Engine, Tally
from orchestrator.verify.scene import Scene

BLINK = 0.05  # seconds between looks at the row: shorter than a tick takes
AUTHOR = Actor(name="teal verify-account")
ORDER = (
    Phase.PENDING,
    Phase.PREPARING,
    Phase.PROVISIONING,
    Phase.SHIFTING,
    Phase.WATCHING,
    Phase.SETTLING,
)
LONGEST = 90  # minutes that a rollout may take


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFact:
    """An event of the rollout's log."""

    seconds: float  # since its start
    kind: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What came of one rollout."""

    name: str
    wanted: str  # the end that was asked for
    phase: str  # the end that came; empty: none
    seconds: float
    given_in: str = ""  # the phase in which the rollback was given; empty: none was
    seconds_to_blue: float | None = None  # of a direct rollback, until all traffic was read back on blue
    answered: int | None = None  # requests of this machine meanwhile; None: none reached the service
    failed: int | None = None
    why: str = ""  # of another end than the wanted one
    events: tuple[EventFact, ...] = field(default=())

    @property
    def is_as_wanted(self) -> bool:
        """True if it ended as it was to end."""
        return self.phase == self.wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A rollout to play: of what, how it is to end, and when it is taken back. `after`: None: by nobody."""

    name: str
    revision: str
    wanted: Phase
    after: Phase | None = None
    is_direct: bool = False
    is_forced: bool = False


def spec_of(scene: Scene, script: Script) -> Spec:
    """The shortest plan in which every phase has its time, judged by all that can be seen."""
    minute, is_seen = scene.wanted.minute, scene.users is not None or not scene.wanted.is_throw_away
    return Spec(
        service=scene.place.service,
        task_definition=script.revision,
        is_forced=script.is_forced,
        plan=Plan(
            name="custom",
            steps=(
                Step(weight=Tenths(100), bake=2 * minute),
                Step(weight=Tenths(1000), bake=2 * minute),
            ),
        ),
        gates=GatesSpec(
            guard=GuardSpec(on=is_seen),
            compare=CompareSpec(on=is_seen),
            alarms=AlarmsSpec(alarms=tuple(AlarmSpec(name=name) for name in scene.place.alarms)),
        ),
        metrics=MetricsSpec(period=minute, lag=2 * minute),
        limits=Limits(
            provision=max(10 * minute, timedelta(seconds=30)),
            hold=max(15 * minute, timedelta(seconds=45)),
            settle=max(20 * minute, timedelta(seconds=60)),
        ),
    )


async def play(scene: Scene, script: Script, tally: Tally | None) -> Played:
    """Play it to its end, whatever that is. Raises what stops the run: Refusal never, TealError at the start."""
    loop, engine = asyncio.get_running_loop(), scene.means.engine
    began, before = loop.time(), tally.copy() if tally else None
    scene.journal.rolling()
    begun = await commands.start(
        spec_of(scene, script),
        author=AUTHOR,
        key=secrets.token_hex(8),
        store=engine.store,
        cloud=engine.cloud,
        clock=engine.clock,
    )
    rollout = begun.stored.rollout.id
    given_in, to_blue, why = "", None, ""
    try:
        async with asyncio.timeout(LONGEST * scene.minute + 60):
            if script.after is not None:
                given_in, to_blue = await _take_back(scene, script, rollout)
            async with running(engine, rollout):
                row = await until(engine, rollout, lambda row: row.phase.is_final)
    except TimeoutError:
        row = (await engine.store.load(rollout)).rollout
        why = f"it was still {row.phase}: {row.waiting.waiting_for or 'waiting'}"
    _learn(scene, row)
    since = tally.since(before) if tally and before else None
    events = await engine.store.events(rollout, limit=10_000)
    if not why and row.phase is not script.wanted:
        why = events[-1].event.message if events else ""
    return Played(
        name=script.name,
        wanted=script.wanted.value,
        phase=row.phase.value if row.phase.is_final else "",
        seconds=round(loop.time() - began, 1),
        given_in=given_in,
        seconds_to_blue=to_blue,
        answered=since.answered if since else None,
        failed=since.failed if since else None,
        why=why,
        events=tuple(
            EventFact(
                seconds=round((seen.event.at - begun.stored.rollout.created_at).total_seconds(), 1),
                kind=seen.event.kind.value,
                message=seen.event.message,
            )
            for seen in events
        ),
    )


def _learn(scene: Scene, row: Rollout) -> None:
    """What the rollout made is named after the service, cut to length: none of it may stand in the report."""
    names = scene.means.names
    names.learn("green", row.green.name if row.green else "")
    for pair in row.pairs:
        names.learn("green group", pair.green_name)
        for arn in (pair.blue, pair.load_balancer):
            names.learn("name", metric_dimension(arn).partition("/")[2].split("/")[0])


async def _take_back(scene: Scene, script: Script, rollout: RolloutId) -> tuple[str, float | None]:
    """Let it come so far, and take it back there: by a command, or directly while no engine runs."""
    engine, wanted = scene.means.engine, script.after
    assert wanted is not None
    if not script.is_direct:
        if wanted is Phase.PENDING:
            return await _give(scene, rollout), None
        async with running(engine, rollout):
            return await _given_in(scene, rollout, wanted), None
    async with running(engine, rollout):
        await until(engine, rollout, lambda row: row.phase is wanted or row.phase.is_final)
    row = (await engine.store.load(rollout)).rollout
    bringing = DirectRun(
        scene.means.direct,
        scene.place.service,
        clock=engine.clock,
        tell=lambda words: scene.tell(f"  {words}"),
    )
    home = await bringing.run(by="teal verify-account: rollback --direct")
    return row.phase.value, round(home.on_blue_after.total_seconds(), 1)


async def _given_in(scene: Scene, rollout: RolloutId, wanted: Phase) -> str:
    """Give a rollback as soon as the row is in a phase; the phase that it was in.

    Some phases last for one call alone, so the row is looked at before each call that the engine makes. A phase that
    was missed all the same is not waited for: the rollout is taken back where it is.
    """
    given: list[str] = []
    is_looking, is_due = False, ORDER[ORDER.index(wanted) :]

    async def look() -> None:
        nonlocal is_looking
        if given or is_looking:
            return
        is_looking = True
        try:
            row = (await scene.means.engine.store.load(rollout)).rollout
            if row.phase in is_due or row.phase.is_final:
                given.append(await _give(scene, rollout))
        finally:
            is_looking = False

    scene.means.log.before = look
    try:
        while not given:
            await look()
            await asyncio.sleep(BLINK)
    finally:
        scene.means.log.before = None
    return given[0]


async def _give(scene: Scene, rollout: RolloutId) -> str:
    """Give a rollback; the phase that the row was in."""
    engine = scene.means.engine
    row = (await engine.store.load(rollout)).rollout
    command = commands.command(
        CommandKind.ROLLBACK, by=AUTHOR, clock=engine.clock, reason="to see the way back"
    )
    try:
        await commands.accept(rollout, command, store=engine.store)
        engine.worker.hint()
    except TealError as refused:
        scene.tell(f"  the rollback was not taken: {refused}")
        return ""
    return row.phase.value


@asynccontextmanager
async def running(engine: Engine, rollout: RolloutId) -> AsyncIterator[None]:
    """The engine beside what is done in the block; its ticks are finished before the block is left."""
    stop = asyncio.Event()
    engine.worker.only = rollout
    async with asyncio.TaskGroup() as group:
        group.create_task(engine.run(stop), name="engine")
        try:
            yield
        finally:
            stop.set()
            engine.worker.hint()


async def until(engine: Engine, rollout: RolloutId, is_there: Callable[[Rollout], bool]) -> Rollout:
    """Wait until the row is so; the row."""
    while True:
        row = (await engine.store.load(rollout)).rollout
        if is_there(row):
            return row
        await asyncio.sleep(BLINK)
