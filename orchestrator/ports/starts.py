"""How a rollout begins."""

from datetime import datetime, timedelta
from typing import Protocol

from orchestrator.core.domain.events import Event
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.ports.freezes import FreezeCalendar
from orchestrator.ports.rollouts import ActiveRollout, RolloutPages, Stored

KEYS_HOLD = timedelta(hours=24)
"""How long an idempotency key stands for what it first did."""


class Starts(Protocol):
    """Adds rollouts."""

    async def create(
        self,
        rollout: Rollout,
        *,
        claims: frozenset[str],
        key: str,
        events: tuple[Event, ...],
        wake_at: datetime,
    ) -> Stored:
        """Add a rollout and take its claims (service, rules), which it holds until it ends.

        The same `key` again, within KEYS_HOLD of the creation of the rollout it made, returns that rollout. Later it
        is free: it makes another rollout and stands for that one. Raises Conflict naming the holder if another active
        rollout holds a claim.
        """
        ...

    async def started_by(self, key: str, *, now: datetime) -> Stored | None:
        """The rollout that this key stands for (see `create`), whatever became of it."""
        ...


class StartStore(Starts, ActiveRollout, RolloutPages, FreezeCalendar, Protocol):
    """What a start needs: who holds the service, the other rollouts and the calendar; then the row is added."""
