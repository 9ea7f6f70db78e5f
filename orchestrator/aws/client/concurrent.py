"""Reads that run side by side: as values, so that one that fails costs itself alone; or all of them or none."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import TypeVar, cast

from orchestrator.core.cloud.resources import Unread
from orchestrator.core.domain.errors import Denied, Outside

K = TypeVar("K")
T = TypeVar("T")


async def attempt(read: Awaitable[T]) -> T | Unread:
    """What `read` gives, or Unread with the reason.

    An answer in another shape than AWS's model promises counts as unread too: it must not take down its neighbours,
    and with them the reads of a rollback.
    """
    try:
        return await read
    except Outside as error:
        return Unread(why=str(error), is_denied=isinstance(error, Denied))
    except (LookupError, TypeError, ValueError) as error:
        return Unread(why=f"AWS's answer cannot be understood: {type(error).__name__} {error}")


async def each(keys: Iterable[K], read: Awaitable[Mapping[K, T]]) -> dict[K, T]:
    """What `read` gives for every key; all of them Unread if it fails. `T` is a union that Unread belongs to."""
    found = await attempt(read)
    if isinstance(found, Unread):
        # mypy cannot say "a union with Unread" of a type variable without losing the union's other members.
        return dict.fromkeys(keys, cast(T, found))
    left_out = cast(T, Unread(why="AWS's answer leaves it out"))
    return {key: found.get(key, left_out) for key in keys}


@asynccontextmanager
async def side_by_side() -> AsyncIterator[asyncio.TaskGroup]:
    """A group of reads of which none is of use without the others: the first that fails is raised, as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except BaseExceptionGroup as failed:
        first = failed.exceptions[0]
        raise first from first.__cause__
