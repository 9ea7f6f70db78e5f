"""What is still to be told to whom."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from orchestrator.core.domain.ids import RolloutId
from orchestrator.ports.rollouts import EventLog, RolloutById, Stored


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """The sole right, for a time, to tell one receiver (a sink) of one rollout's newest events.

    The log of events is the outbox: ``sent`` is the number of the last event that the sink has taken, and ``state``
    whatever the sink must know to go on (the message it updates), both committed together by `delivered`.
    """

    sink: str
    stored: Stored
    sent: int
    state: str
    attempts: int  # failed ones since the last success
    owner: str
    until: datetime


class Outbox(Protocol):
    """At least once: a crash between telling and committing tells again.

    A sink has something to be told of a rollout from the moment a transaction with an event of it is committed, never
    before, until `delivered` says that it has taken the last one. Of one rollout it is told by one holder at a time,
    who tells what comes after ``sent`` in order, so nothing is skipped. A lease ends with ``delivered``,
    ``not_delivered`` or its time; what a holder reports is taken for as long as nobody else was given the lease.
    """

    async def open_sink(self, sink: str, *, now: datetime) -> None:
        """Make a sink known, from `now` on; one that is known keeps its place, also if nobody told it for a while.

        The first time, what was committed before counts as told: a rollout that has ended is never told of, an active
        one from its next event on, so that a new receiver is not flooded with what is over.
        """
        ...

    async def lease_deliveries(
        self, sink: str, *, owner: str, now: datetime, ttl: timedelta, limit: int
    ) -> tuple[Delivery, ...]:
        """Lease rollouts of which the sink has not taken every committed event, whose time has come, oldest first.

        Their time is that of the first event the sink has not taken, after a failed attempt its ``again_at``. A sink
        that was never opened has nothing to be told.
        """
        ...

    async def delivered(self, delivery: Delivery, *, sent: int, state: str) -> None:
        """Note what was told, up to event ``sent``, and let go; failed attempts are forgotten.

        If there are more events by then the rollout is due at once. Raises Lost if the lease has passed on.
        """
        ...

    async def not_delivered(self, delivery: Delivery, *, again_at: datetime, why: str) -> None:
        """Note a failed attempt and let go until then; events that come meanwhile wait too.

        ``why`` is kept for whoever looks into the store. Raises Lost if the lease has passed on.
        """
        ...

    async def delivery_state(self, sink: str, rollout: RolloutId) -> str:
        """What the sink committed last for a rollout; empty: nothing yet."""
        ...


class DeliveryStore(Outbox, RolloutById, EventLog, Protocol):
    """What a delivery needs: its lease, the row as it is by now, and the events."""
