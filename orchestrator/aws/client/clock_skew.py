"""How far this machine's clock is from AWS's, by the ``Date`` of AWS's answers (RFC 9110, 6.6.1: whole seconds)."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

KEPT_WITHIN = timedelta(seconds=5)  # a header says whole seconds, of some moment of the call: less is no news


class Skew:
    """Learns it from every answer; `now` is this machine's clock."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self.ahead = timedelta(0)
        """AWS's clock minus this machine's; nothing until an answer has come."""

    def hear(self, answer: Mapping[str, Any]) -> None:
        """Take an answer, or an error's, as botocore gives them."""
        headers = (answer.get("ResponseMetadata") or {}).get("HTTPHeaders") or {}
        try:
            theirs = parsedate_to_datetime(headers["date"])
        except (KeyError, TypeError, ValueError):
            return
        ahead = theirs.astimezone(UTC) - self._now()
        if abs(ahead - self.ahead) > KEPT_WITHIN:
            self.ahead = ahead
