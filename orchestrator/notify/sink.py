"""What a receiver of events must be able to do: take committed events of one rollout, in order, at least once."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from orchestrator.core.domain.errors import Rejected, Throttled
from orchestrator.ports.rollouts import EventSeen, Stored


@dataclass(frozen=True, slots=True, kw_only=True)
class StorePage:
    """What people are told of the store itself, which no event can tell: it could not be kept."""

    at: datetime
    since: datetime
    words: str
    why: str
    is_over: bool


class Sink(Protocol):
    """One receiver. What it must know to go on (the message it updates) is text that the store keeps for it."""

    @property
    def name(self) -> str:
        """Its name in the outbox and the log; another name is another receiver, which has been told nothing."""
        ...

    @property
    def at_once(self) -> int:
        """How many events one `tell` gets at most. 1 where each event is a request of its own, so that one that
        was taken is not told again because the next one failed."""
        ...

    def wants(self, stored: Stored, seen: EventSeen) -> bool:
        """True if it is to be told this event; the others count as told."""
        ...

    async def tell(self, stored: Stored, events: tuple[EventSeen, ...], state: str) -> str:
        """Tell these events, which it wants, oldest first; returns the state that is committed with them.

        ``stored``: the row with at least these events in it. ``state``: what the last call for this rollout
        returned; empty the first time. It may be called again with events that were told before, if the process
        ended before that could be committed. Raises Outside to be called again later: Later if the receiver said
        when, Rejected if it said no, Gone if it takes no more events.
        """
        ...

    async def page(self, page: StorePage) -> None:
        """Tell those who are paged of the store itself. Raises Outside; it may be called again with the same."""
        ...


class Later(Throttled):
    """The receiver asks to be left alone for a while; no rollout is told to it until then."""

    def __init__(self, *, what: str, why: str = "", next_step: str = "", after: timedelta) -> None:
        self.after = after
        super().__init__(what=what, why=why, next_step=next_step)


class Gone(Rejected):
    """The receiver takes no more events; nothing is sent to it until the process starts again."""
