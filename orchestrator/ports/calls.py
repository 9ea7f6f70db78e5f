"""The audit log of calls: what was asked for at a door, also where it was refused."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

REFUSED_KEPT = 1000
"""Refused calls of nobody known are kept to about so many, the newest; all others for ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call that was to change something, at any door: who, what, and how it was answered."""

    at: datetime
    actor: str  # empty: nobody, since no identity could be established
    source: str  # http | slack | cli
    address: str  # of the client
    call: str  # what was called: POST /v1/rollouts/{id}/approve
    target: str  # rollout, service or token it was about; empty: none
    outcome: str  # ok, or the code of the error it was refused with
    request: str  # the request's id, as in the log
    token: str = ""  # the id of the token that was shown; empty: none of Teal's

    @property
    def is_strangers(self) -> bool:
        """True for a call that was refused to nobody known: anybody can make as many as they like."""
        return not self.actor and self.outcome != "ok"


class CallRecorder(Protocol):
    """Writes it."""

    async def add_call(self, call: Call) -> None:
        """Add one call. Of strangers' calls the oldest go beyond `REFUSED_KEPT`, some dozens at a time."""
        ...


class CallPages(Protocol):
    """Reads it."""

    async def calls(self, *, before: str = "", limit: int = 50) -> tuple[tuple[Call, ...], str]:
        """A page of calls, the last added first, and the cursor of the next page (empty at the end).

        Raises Invalid for a cursor that no page returned.
        """
        ...
