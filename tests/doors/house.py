"""One store, one AWS and one server for every door: rollouts that were played before, each under a name of its own.

The server has no worker, so a command stays as it was given, to be looked at.
"""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn

from api.app import create_app
from orchestrator.bootstrap import SystemClock, engine_of
from orchestrator.core.domain.commands import Command, CommandKind
from orchestrator.core.domain.events import Event
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import Plan, Step
from orchestrator.core.rollout.rollout import Decision, Rollout
from orchestrator.core.rollout.spec import ServiceName
from orchestrator.ports.leases import Leased
from orchestrator.ports.store import Store
from orchestrator.store.opening import open_store
from sandbox.wire.skin import Skin
from sandbox.wire.socket import serve as serve_aws
from tests.cli.terminal import Terminal
from tests.support.rehearsal import Rehearsal, quick_plan

KEEP = timedelta(seconds=30)
Played = tuple[Rollout, tuple[Event, ...]]


class House:
    """Where every door leads to. ``state`` of `holding`: which of the rehearsed rollouts."""

    def __init__(self, folder: Path, stage: Rehearsal, states: dict[str, Played]) -> None:
        self.terminal = Terminal(folder)
        self._stage, self._states = stage, states
        self.url, self.aws = "", ""
        self._loop = asyncio.new_event_loop()
        self._ready, self._stop = threading.Event(), asyncio.Event()

    @contextmanager
    def holding(self, state: str, name: str) -> Iterator[str]:
        """A copy of a rehearsed rollout, as `put`, which ends with the context: a rule has one writer."""
        rollout = self.put(state, name)
        try:
            yield rollout
        finally:
            self.end(rollout)

    def put(self, state: str, name: str) -> str:
        """A copy of a rehearsed rollout, for the service ``prod/NAME``; its id."""
        row, events = self._states[state]
        service = ServiceName(cluster="prod", service=name)
        row = replace(row, id=RolloutId(f"{name}-0000"), spec=replace(row.spec, service=service))

        async def keep(store: Store) -> None:
            claims = frozenset({f"service {service}"})
            now = datetime.now(UTC)
            began = replace(row, phase=Phase.PENDING)
            await store.create(began, claims=claims, key=row.id, events=events[:1], wake_at=now)
            await self._commit(store, row, events[1:])

        self.terminal.in_store(keep)
        return str(row.id)

    def commands(self, rollout: str) -> tuple[Command, ...]:
        """The commands that were accepted for a rollout and that nothing has applied."""

        async def look(store: Store) -> tuple[Command, ...]:
            (leased,) = await self._lease(store, rollout)
            await store.release(leased)
            return leased.commands

        return self.terminal.in_store(look)

    def end(self, rollout: str, phase: Phase = Phase.ABANDONED) -> None:
        """End a rollout, so that its service is free."""

        async def work(store: Store) -> None:
            row = (await store.load(RolloutId(rollout))).rollout
            await self._commit(store, replace(row, phase=phase, phase_since=datetime.now(UTC)), ())

        self.terminal.in_store(work)

    def file(self) -> str:
        """A rollout file that preflight finds nothing against."""
        scenery = self._stage.scenery
        revision = self._stage.revision().rpartition("/")[2]
        return (
            f"service: {scenery.cluster}/{scenery.service}\nrevision: {{task_definition: '{revision}'}}\n"
            "plan: [{weight: 10, bake: 20s}, {weight: 100, bake: 30s}]\n"
            "metrics: {period: 10s, lag: 2 periods}\n"
        )

    async def _lease(self, store: Store, rollout: str) -> tuple[Leased, ...]:
        due = datetime.now(UTC) + timedelta(days=1)
        return await store.lease_due(owner="test", now=due, ttl=KEEP, limit=1, only=RolloutId(rollout))

    async def _commit(self, store: Store, row: Rollout, events: tuple[Event, ...]) -> None:
        (leased,) = await self._lease(store, row.id)
        wake_at = None if row.phase.is_final else datetime.now(UTC)
        leased = await store.commit(leased, Decision(rollout=row, wake_at=wake_at, events=events))
        await store.release(leased)

    # the server ------------------------------------------------------------------------------------------------

    @contextmanager
    def served(self) -> Iterator["House"]:
        """The server and AWS answer while the context lasts, in a thread of their own."""
        thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))
        thread.start()
        assert self._ready.wait(30), "the server did not start"
        try:
            yield self
        finally:
            self._loop.call_soon_threadsafe(self._stop.set)
            thread.join()
            self._loop.close()

    async def _serve(self) -> None:
        async with serve_aws(Skin(self._stage.world)) as self.aws:
            store = open_store(self.terminal.url)
            engine = engine_of(store, self._stage.cloud, SystemClock())
            config = uvicorn.Config(
                create_app(engine), port=0, log_config=None, access_log=False, lifespan="off"
            )
            server = _Server(config, self._started)
            async with asyncio.TaskGroup() as group:
                group.create_task(server.serve())
                await self._stop.wait()
                server.should_exit = True
            await store.close()

    def _started(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._ready.set()


class _Server(uvicorn.Server):
    """A server that tells its port, and leaves signals to the main thread."""

    def __init__(self, config: uvicorn.Config, started: Callable[[int], None]) -> None:
        super().__init__(config)
        self._told = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._told(self.servers[0].sockets[0].getsockname()[1])

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def rehearsed(stage: Rehearsal) -> dict[str, Played]:
    """The states in which some command makes sense, from one rollout that is played through them."""
    first, last = quick_plan().steps
    plan = Plan(name="custom", steps=(Step(weight=first.weight, bake=first.bake, approval=True), last))
    rollout = stage.start(stage.spec(stage.revision(), plan=plan))
    states: dict[str, Played] = {}

    def keep(name: str) -> None:
        states[name] = (stage.row(rollout), tuple(seen.event for seen in stage.events(rollout)))

    stage.until(rollout, Phase.SHIFTING)
    for _ in range(400):
        stage.let_run(stage.world.minute / 20)
        if any(hold.kind == "approval" for hold in stage.row(rollout).waiting.holds):
            break
    keep("shifting")
    stage.command(rollout, CommandKind.PAUSE)
    stage.let_run(stage.world.minute / 5)
    keep("paused")
    stage.command(rollout, CommandKind.RESUME)
    stage.command(rollout, CommandKind.APPROVE)
    stage.until(rollout, Phase.WATCHING)
    keep("watching")
    return states
