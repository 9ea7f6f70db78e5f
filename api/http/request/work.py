"""What takes too long for the loop that answers everybody: done elsewhere, in bounds of time.

A caller has one piece of it at a time, so that nobody keeps others from theirs.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from api.http.request.turns import Turns
from api.problems import Simulating

T = TypeVar("T")

READ_SECONDS, SIMULATE_SECONDS = 5, 120  # of a core's time
LOOKS_AT_ONCE = 2


class Worker(Protocol):
    """Does what it is given, one after the other."""

    async def do(self, job: Callable[[], T], *, seconds: int) -> T:
        """What a job returns. Raises what it raises, and Busy for one that takes more seconds of a core's time."""
        ...


class InPlace:
    """A worker where the caller is: for tests, and servers whose callers are all friends."""

    async def do(self, job: Callable[[], T], *, seconds: int) -> T:
        """What a job returns."""
        return job()


@dataclass(slots=True, kw_only=True)
class Work:
    """The work of one server's doors."""

    reader: Worker = field(default_factory=InPlace)
    simulator: Worker = field(default_factory=InPlace)
    reading: Turns = field(default_factory=lambda: Turns(what="having a file read"))
    simulating: Turns = field(
        default_factory=lambda: Turns(what="a simulation", patience=300.0, of_one_max=4, refusal=Simulating)
    )
    looking: Turns = field(
        default_factory=lambda: Turns(what="a look at AWS", at_once=LOOKS_AT_ONCE, patience=120.0)
    )

    async def read(self, caller: str, job: Callable[[], T]) -> T:
        """Have something small read or computed: seconds at most."""
        async with self.reading.of(caller):
            return await self.reader.do(job, seconds=READ_SECONDS)

    async def simulate(self, caller: str, job: Callable[[], T]) -> T:
        """Have something simulated: minutes at most."""
        async with self.simulating.of(caller):
            return await self.simulator.do(job, seconds=SIMULATE_SECONDS)
