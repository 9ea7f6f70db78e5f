"""A log that cannot be flooded: what strangers cause is written so many times a second, and the rest is counted."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

STRANGERS_PER_SECOND, KNOWN_PER_SECOND, FAULTS_PER_SECOND = 10.0, 200.0, 10.0
BURST_SECONDS = 5.0
REFUSED = 400
FAULTS = frozenset({"error", "exception", "critical"})
TOLD_EVERY_SECONDS = 10.0


@dataclass(slots=True)
class Bucket:
    """Tokens that refill with time; `now` gives seconds."""

    per_second: float
    burst: float
    now: Callable[[], float] = time.monotonic
    _left: float = field(init=False)
    _at: float = field(init=False)

    def __post_init__(self) -> None:
        self._left, self._at = self.burst, self.now()

    def take(self) -> bool:
        """True if a token was left."""
        now = self.now()
        self._left = min(self.burst, self._left + (now - self._at) * self.per_second)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True

    @property
    def is_full(self) -> bool:
        """True if it was not asked for so long that it is as new."""
        return self._left + (self.now() - self._at) * self.per_second >= self.burst


class Flood:
    """Lines in bounds: structlog's processor, and a filter of the standard library's handlers.

    A change that somebody known has made is always written; faults of Teal's own have room of their own.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._strangers, self._known, self._faults = (
            Bucket(rate, BURST_SECONDS * rate, now)
            for rate in (STRANGERS_PER_SECOND, KNOWN_PER_SECOND, FAULTS_PER_SECOND)
        )
        self._left_out = 0
        self._told_at = now()

    def __call__(
        self, logger: object, method: str, line: structlog.typing.EventDict
    ) -> structlog.typing.EventDict:
        """The line, with how many were left out before it. Raises DropEvent for one too many."""
        is_known = bool(line.get("actor"))
        is_done = is_known and 0 < line.get("status", 0) < REFUSED
        is_change = is_done and line.get("method") not in ("GET", "HEAD", "OPTIONS")
        bucket = self._faults if method in FAULTS else self._known if is_known else self._strangers
        if not is_change and not bucket.take():
            self._left_out += 1
            raise structlog.DropEvent
        if self._left_out and self._now() - self._told_at >= TOLD_EVERY_SECONDS:
            line["lines_left_out"], self._left_out, self._told_at = self._left_out, 0, self._now()
        return line

    def filter(self, record: logging.LogRecord) -> bool:
        """False for a line too many of another library's."""
        if self._strangers.take():
            return True
        self._left_out += 1
        return False
