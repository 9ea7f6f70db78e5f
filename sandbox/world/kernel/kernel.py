"""Time, chance and names of one World: the parts that everything in it shares."""

import heapq
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random

from sandbox.world.kernel.settings import WorldSettings

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Timer:
    """One event on the heap; `cancel` takes it off."""

    __slots__ = ("at", "run")

    def __init__(self, at: datetime, run: Callable[[], object]) -> None:
        self.at = at
        self.run: Callable[[], object] | None = run

    def cancel(self) -> None:
        """The event will not happen."""
        self.run = None


class Kernel:
    """The clock with its ordered heap of events, seeded randomness, and the account's ARNs and ids."""

    def __init__(
        self,
        *,
        start: datetime,
        seed: int,
        minute: timedelta,
        account: str,
        region: str,
        settings: WorldSettings,
    ) -> None:
        if start.tzinfo is None:
            raise ValueError("the World starts at an aware time")
        self.now = start.astimezone(UTC)
        self.minute = minute
        self.account = account
        self.region = region
        self.settings = settings
        self.seed = seed
        self.random = Random(seed)
        self.names = Random(seed ^ 0x7EA1)  # apart, so that a new event does not rename everything after it
        self._heap: list[tuple[datetime, int, Timer]] = []
        self._sequence = 0

    def at(self, when: datetime, run: Callable[[], object]) -> Timer:
        """Have `run` called when the clock reaches `when` (at once due if that has passed)."""
        timer = Timer(max(when, self.now), run)
        self._sequence += 1
        heapq.heappush(self._heap, (timer.at, self._sequence, timer))
        return timer

    def after(self, delay: timedelta, run: Callable[[], object]) -> Timer:
        """Have `run` called after `delay`."""
        return self.at(self.now + delay, run)

    def next_due(self) -> datetime | None:
        """The time of the next event, or None."""
        while self._heap and self._heap[0][2].run is None:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def run_until(self, until: datetime) -> None:
        """Run every event due until then, in order of time and of being set; the clock ends at `until`."""
        while (due := self.next_due()) is not None and due <= until:
            _, _, timer = heapq.heappop(self._heap)
            self.now = max(self.now, due)
            run, timer.run = timer.run, None
            assert run is not None  # next_due dropped the cancelled ones
            run()
        self.now = max(self.now, until)

    def floor(self, when: datetime, step: timedelta) -> datetime:
        """The latest multiple of `step` since 1970 that is not after `when`."""
        return when - (when - EPOCH) % step

    def hex_id(self, digits: int) -> str:
        """A fresh lower-case hexadecimal id."""
        return f"{self.names.getrandbits(4 * digits):0{digits}x}"

    def uuid(self) -> str:
        """A fresh id in the form of a UUID."""
        plain = self.hex_id(32)
        return "-".join((plain[:8], plain[8:12], plain[12:16], plain[16:20], plain[20:]))

    def decimal_id(self) -> str:
        """A fresh 19-digit id, as ECS gives its deployments."""
        return str(self.names.randrange(10**18, 10**19))

    def arn(self, service: str, resource: str) -> str:
        """An ARN of this account and region."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"
