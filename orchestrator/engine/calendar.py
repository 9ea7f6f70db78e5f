"""The operators' calendar of freezes: what this process's settings say, and what a server keeps in the store.

A server writes its settings' calendar into the store when it starts, so that every engine of the store keeps it,
whatever that engine's own settings say.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from orchestrator.core.domain.calendar import Freeze
from orchestrator.core.rollout.spec import ServiceName
from orchestrator.ports.clock import Clock
from orchestrator.ports.freezes import FreezeCalendar

ASK_AGAIN = timedelta(seconds=10)  # a calendar that was changed is known this long afterwards


class Calendar:
    """The freezes that hold."""

    def __init__(self, store: FreezeCalendar, clock: Clock, own: Sequence[Freeze] | None = None) -> None:
        """`own`: those of this process's settings; None: they say nothing of them."""
        self._store, self._clock, self._own = store, clock, own
        self._known: tuple[Freeze, ...] = ()
        self._asked_at: datetime | None = None

    async def publish(self) -> None:
        """Make the settings' calendar that of every engine of the store, if they have one."""
        if self._own is not None:
            await self._store.keep_freezes(tuple(self._own))
            self._asked_at = None

    async def of(self, service: ServiceName) -> tuple[Freeze, ...]:
        """The freezes of a service that are not over, the first to begin first."""
        now = self._clock.now()
        if self._asked_at is None or not timedelta(0) <= now - self._asked_at < ASK_AGAIN:
            every = {*(self._own or ()), *await self._store.freezes()}
            self._known = tuple(sorted(every, key=lambda one: (one.begins, one.ends, one.reason)))
            self._asked_at = now
        return tuple(one for one in self._known if one.ends > now and one.covers(str(service)))
