"""Rollouts as far as somebody's services reach: what lies beyond is answered as if it were not there."""

from typing import Annotated

from fastapi import Path, Query

from api.http.request.context import Visit
from api.http.request.server_state import Door
from orchestrator.core.domain.roles import Principal
from orchestrator.engine import commands
from orchestrator.ports.rollouts import Filter, RolloutPages, Stored

LOOKED_THROUGH_MAX = (
    5_000  # rollouts that one page of a list reads for somebody who may see only some of them
)

NUMBER_MAX = 2**53  # what JSON's readers and every store hold exactly
PLAIN = r"^[^\x00-\x1f\x7f]*$"  # no control characters: a database may refuse them, and a terminal obey them
PLAIN_SOME = r"^[^\x00-\x1f\x7f]+$"
SAYABLE = r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]*$"  # what a terminal would obey is nothing that a person says

Cursor = Annotated[
    str,
    Query(
        max_length=300,
        pattern=PLAIN,
        description="`next` of the page before; absent: the first page.",
        examples=["checkout-3f9a1c07"],
    ),
]
Name = Annotated[
    str,
    Path(
        alias="id",
        min_length=1,
        max_length=300,
        pattern=PLAIN_SOME,
        description="A rollout's id, or a service (its name, or cluster/service): its active rollout.",
        examples=["checkout-3f9a1c07", "prod/checkout"],
    ),
]


async def reached(door: Door, visit: Visit, name: str) -> Stored:
    """The rollout of this name, if whoever asks may see its service. Raises NotFound, else also if they may not."""
    visit.target = name
    stored = await commands.resolve(name, store=door.engine.store, reaches=visit.principal.reaches)
    visit.target = stored.rollout.id
    return stored


def etag(stored: Stored) -> str:
    """A rollout's ETag: its version."""
    return f'"{stored.version}"'


async def page_for(
    who: Principal, which: Filter, *, store: RolloutPages, before: str, limit: int
) -> tuple[tuple[Stored, ...], str]:
    """A page of those rollouts that somebody may see, and the next page's cursor.

    For somebody limited to a few services among many, a page may be shorter than its limit and still have a next one.
    """
    if not who.services:
        return await store.list(which, before=before, limit=limit)
    found: list[Stored] = []
    for _ in range(0, LOOKED_THROUGH_MAX, limit):
        rows, before = await store.list(which, before=before, limit=limit)
        for row in rows:
            if who.reaches(str(row.rollout.spec.service)):
                found.append(row)
            if len(found) == limit:
                is_last = row is rows[-1] and not before
                return tuple(found), "" if is_last else row.rollout.id
        if not before:
            break
    return tuple(found), before
