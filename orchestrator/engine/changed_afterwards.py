"""What was found changed after a rollout's end: how it is told and kept, and what of it is known."""

import json
from datetime import datetime
from typing import TYPE_CHECKING

from orchestrator.core.domain.events import Event, EventKind, Record
from orchestrator.ports.rollouts import RecordLog

if TYPE_CHECKING:
    from orchestrator.core.rollout.rollout import Rollout

KIND = "afterwards"  # of records


async def changed(store: RecordLog, row: "Rollout") -> str:
    """What is not as an ended rollout left it, as far as a server has looked; empty: nothing is known."""
    records = await store.records(row.id, kind=KIND)
    return words_of(records[-1].body if records else "")


def words_of(body: str) -> str:
    """What the newest record says has changed; empty: there is none, or everything is again as it was left."""
    return "; ".join(json.loads(body)) if body else ""


def event_of(found: tuple[str, ...], now: datetime) -> Event:
    """What was found, for people; empty: everything is again as the rollout left it."""
    words = "; ".join(found)
    message = (
        f"somebody changed what this rollout left: {words}; it is left as it is"
        if found
        else "what this rollout left is there again"
    )
    facts = (("changes", words),)
    return Event(kind=EventKind.CHANGED_AFTERWARDS, at=now, message=message, facts=facts)


def record_of(found: tuple[str, ...], now: datetime) -> Record:
    """What was found, as `changed` reads it."""
    return Record(key=f"{KIND} {now.isoformat()}", at=now, kind=KIND, body=json.dumps(found))
