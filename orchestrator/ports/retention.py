"""What is forgotten after a time, so that a store does not grow for ever, and what earlier versions did not keep."""

from datetime import datetime
from typing import Protocol

from orchestrator.ports.rollouts import ServiceStore


class RetentionStore(ServiceStore, Protocol):
    """What a server needs that forgets."""

    async def forget_rollouts(self, service: str, *, before: datetime, limit: int) -> int:
        """Remove up to `limit` rollouts of a service that have ended and were begun before then, the oldest first.

        All that belongs to them goes too: events, records, commands, what is still to be delivered of them. Returns how
        many were removed. Active ones stay, however old.
        """
        ...

    async def forget_calls(self, *, before: datetime, limit: int) -> int:
        """Remove up to `limit` entries of the log of calls from before then, the oldest first; how many they were."""
        ...

    async def keep_shown(self, *, after: str, limit: int) -> str:
        """Keep what doors show of up to `limit` rows of earlier versions, which kept nothing: those after `after`.

        Returns the last row that was looked at; empty: there are no more. A row that cannot be read stays as it is.
        """
        ...
