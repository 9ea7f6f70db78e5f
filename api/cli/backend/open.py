"""Opens what a command talks to: a server, or the store on this machine."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from api.cli.backend.backend import Door
from api.cli.backend.profiles import target


@asynccontextmanager
async def open_door() -> AsyncIterator[Door]:
    """The server that a profile or TEAL_SERVER names, else the store. Raises Invalid or Unusable if it cannot be."""
    there = target()
    if there.server:
        from api.cli.backend.server import ServerDoor

        yield ServerDoor(there.server, token=there.token, origin=there.origin)
        return
    async with open_store_door() as door:
        yield door


@asynccontextmanager
async def open_store_door() -> AsyncIterator[Door]:
    """The store that TEAL_STORE names, whatever server was chosen."""
    from api.cli.backend.store import StoreDoor
    from orchestrator import bootstrap

    async with bootstrap.open_store() as store:
        yield StoreDoor(store, bootstrap.SystemClock())
