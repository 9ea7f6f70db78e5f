"""Idempotency keys of starts, each its caller's own and for one service.

So that nobody is told of a rollout by guessing, or by chance choosing, the key that somebody else used.
"""

from datetime import datetime

from orchestrator.core.domain.commands import Actor
from orchestrator.core.rollout.spec import ServiceName
from orchestrator.ports.rollouts import Stored
from orchestrator.ports.starts import Starts


def kept(key: str, author: Actor, service: ServiceName) -> str:
    """A key as the store keeps it."""
    return f"{key}\n{author.identity}\n{service}"


async def started_by(
    key: str, author: Actor, service: ServiceName, *, store: Starts, now: datetime
) -> Stored | None:
    """The rollout that an author's key stands for; also one of an earlier version, which kept keys as they came."""
    found = await store.started_by(kept(key, author, service), now=now)
    if found is not None:
        return found
    found = await store.started_by(key, now=now)
    is_theirs = (
        found is not None
        and found.rollout.author.identity == author.identity
        and found.rollout.spec.service == service
    )
    return found if is_theirs else None
