"""An event as people and programs see it, whatever door it is shown at. Imports none of the core but words."""

from dataclasses import dataclass
from datetime import datetime

from orchestrator.core.domain.events import Fact
from orchestrator.ports.rollouts import EventSeen


@dataclass(frozen=True, slots=True, kw_only=True)
class EventView:
    """One fact of the audit log: in words for people, and as named facts for programs."""

    number: int  # 1, 2, 3 … within the rollout
    kind: str
    at: datetime
    message: str
    facts: dict[str, Fact]
    chain: str  # SHA-256 over the event and the chain of the one before it, hexadecimal


def event_view(seen: EventSeen) -> EventView:
    """An event as doors show it."""
    event = seen.event
    return EventView(
        number=seen.number,
        kind=event.kind.value,
        at=event.at,
        message=event.message,
        facts=dict(event.facts),
        chain=seen.chain,
    )
