"""How many ticks a second the stores carry: ``python -m tests.bench.store_ticks`` prints ``name: value`` lines.

A tick is what the store sees of one: its share of a lease of due rows, a commit with an event, and the row given back.
Rollouts tick beside each other, as a worker's do.
"""

import asyncio
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from orchestrator.core.domain.commands import Actor
from orchestrator.core.domain.events import Event, EventKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.plan import NAMED_PLANS
from orchestrator.core.rollout.rollout import Decision, Rollout
from orchestrator.core.rollout.spec import ServiceName, Spec
from orchestrator.engine.views.keeping import text_of
from orchestrator.ports.leases import Leased
from orchestrator.ports.store import Store
from orchestrator.store.memory.store import MemoryStore
from orchestrator.store.opening import open_store

_START = datetime(2026, 1, 1, tzinfo=UTC)
_TICK = timedelta(seconds=15)
_TTL = timedelta(seconds=30)
_BATCH = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How much a measurement does: so many rollouts, each ticked so many times."""

    rollouts: int = 100
    rounds: int = 20

    @property
    def ticks(self) -> int:
        """Ticks in all."""
        return self.rollouts * self.rounds


def measure(load: Load) -> dict[str, float]:
    """Ticks per second by name of the figure, on a new SQLite file and in memory."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"sqlite:///{Path(folder) / 'teal.db'}", shown=text_of)  # as an engine opens it
        sqlite = asyncio.run(_ticks_per_second(store, load))
    memory = asyncio.run(_ticks_per_second(MemoryStore(), load))
    return {"store_sqlite_ticks_per_second": sqlite, "store_memory_ticks_per_second": memory}


def main() -> None:
    """Print the figures."""
    for name, value in measure(Load()).items():
        print(f"{name}: {value:.0f}")


async def _ticks_per_second(store: Store, load: Load) -> float:
    try:
        for number in range(load.rollouts):
            await _start(store, number)
        began = time.perf_counter()
        for round_ in range(load.rounds):
            await _round(store, _START + round_ * _TICK)
        return load.ticks / (time.perf_counter() - began)
    finally:
        await store.close()


async def _start(store: Store, number: int) -> None:
    name = f"service-{number:05}"
    spec = Spec(
        service=ServiceName(cluster="bench", service=name),
        task_definition=f"{name}:1",
        plan=NAMED_PLANS["canary"],
    )
    rollout = Rollout(id=RolloutId(name), spec=spec, author=Actor(name="bench"), created_at=_START)
    await store.create(rollout, claims=frozenset({name}), key=name, events=(), wake_at=_START)


async def _round(store: Store, now: datetime) -> None:
    """One tick of every rollout."""
    while batch := await store.lease_due(owner="bench", now=now, ttl=_TTL, limit=_BATCH):
        async with asyncio.TaskGroup() as group:
            for leased in batch:
                group.create_task(_tick(store, leased, now))


async def _tick(store: Store, leased: Leased, now: datetime) -> None:
    await store.release(await store.commit(leased, _decision(leased, now)))


def _decision(leased: Leased, now: datetime) -> Decision:
    event = Event(kind=EventKind.GATE_ANSWERED, at=now, message="health is fine", facts=(("gate", "health"),))
    return Decision(rollout=leased.stored.rollout, wake_at=now + _TICK, events=(event,))


if __name__ == "__main__":
    main()
