"""The operators' calendar of freezes, one for all engines of a store."""

from typing import Protocol

from orchestrator.core.domain.calendar import Freeze


class FreezeCalendar(Protocol):
    """Keeps the calendar."""

    async def keep_freezes(self, calendar: tuple[Freeze, ...]) -> None:
        """Keep this calendar in place of the one before."""
        ...

    async def freezes(self) -> tuple[Freeze, ...]:
        """The calendar, as it was kept."""
        ...
