"""The stores that the contract suite runs over, each new and empty."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from orchestrator.ports import Store
from orchestrator.store.memory import MemoryStore
from orchestrator.store.opening import open_store

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
