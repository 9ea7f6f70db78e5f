"""The time."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """The time, as an aware UTC datetime."""

    def now(self) -> datetime:
        """The present moment."""
        ...
