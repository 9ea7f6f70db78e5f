"""When a call is sent again: what failed for a reason that passes, for a bounded time.

Every request may be sent twice: reads change nothing, and writes carry an idempotency key.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from api.client.failures import Failure, NoAnswer, Unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """Pauses between attempts: from `first` seconds, doubled each time up to `longest`, `within` seconds in all.

    Time counts from the first failure: what waited in vain for its answer is sent again too. A server's Retry-After
    is waited out where the time suffices. ``within=0``: never again.
    """

    within: float = 15.0
    first: float = 0.25
    longest: float = 5.0
    if_refused: bool = True  # again where nothing listens; False: say so at once

    def pause(self, failure: Failure, *, attempt: int, elapsed: float) -> float | None:
        """Seconds until the next attempt (`attempt` have failed, from 1); None: give up."""
        match failure:
            case NoAnswer() if failure.was_sent or self.if_refused:
                asked = 0.0
            case Unavailable():
                asked = failure.retry_after or 0.0
            case _:
                return None
        # Chance keeps clients that one restart cut off from coming back all at once.
        import random  # seldom needed, and not quick to import

        own = min(self.longest, self.first * 2 ** min(attempt - 1, 16)) * random.uniform(0.75, 1.0)
        pause = max(asked, own)
        return pause if elapsed + pause <= self.within else None


NEVER = Retries(within=0.0)


class Outage:
    """One run of failures: whether to go on, and after which pause. A success begins it anew."""

    def __init__(self, retries: Retries, *, now: Callable[[], float] = time.monotonic) -> None:
        self._retries, self._now = retries, now
        self.over()

    def over(self) -> None:
        """Something came: whatever fails next is the first failure again."""
        self._failed, self._since = 0, 0.0

    def pause_after(self, failure: Failure) -> float:
        """Seconds until the next attempt. Raises the failure once there is no use, or no time, in another."""
        if not self._failed:
            self._since = self._now()
        self._failed += 1
        elapsed = self._now() - self._since
        pause = self._retries.pause(failure, attempt=self._failed, elapsed=elapsed)
        if pause is None:
            raise failure
        return pause
