"""The stores that the contract suite runs over, each new and empty, and the moves that most tests begin with."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest

from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.ports.leases import Leased
from orchestrator.ports.rollouts import Stored
from orchestrator.ports.store import Store
from orchestrator.store.memory.store import MemoryStore
from orchestrator.store.opening import open_store
from tests.contract.store_values import NOON, TTL, a_decision, a_rollout, an_event

R1 = RolloutId("r1")
SECOND = timedelta(seconds=1)
T = TypeVar("T")
Script = Callable[[Store], Awaitable[T]]
Play = Callable[[Script[T]], T]  # runs a script on a new store and closes it


def in_memory(_: Path) -> Store:
    return MemoryStore()


def on_sqlite(folder: Path) -> Store:
    return open_store(f"sqlite:///{folder}/teal.db")


STORES = [pytest.param(in_memory, id="memory"), pytest.param(on_sqlite, id="sqlite")]


def played(store: Store, script: Script[T]) -> T:
    """What a script returns; the store is closed whatever happens."""

    async def whole() -> T:
        try:
            return await script(store)
        finally:
            await store.close()

    return asyncio.run(whole())


async def start(
    store: Store, name: str = "r1", *, claims: frozenset[str] | None = None, wake_at: datetime = NOON
) -> Stored:
    held = frozenset({f"service {name}"}) if claims is None else claims
    return await store.create(
        a_rollout(name), claims=held, key=f"key {name}", events=(an_event(),), wake_at=wake_at
    )


async def lease(store: Store, *, owner: str = "one", now: datetime = NOON, limit: int = 10) -> Leased:
    (leased,) = await store.lease_due(owner=owner, now=now, ttl=TTL, limit=limit)
    return leased


async def end(store: Store, *, phase: Phase = Phase.SUCCEEDED) -> Leased:
    leased = await lease(store)
    return await store.commit(leased, a_decision(leased, phase=phase, wake_at=None))


def ids(found: tuple[Stored, ...] | tuple[Leased, ...]) -> list[str]:
    return [(one.stored if isinstance(one, Leased) else one).rollout.id for one in found]
