"""Until when whoever holds a lease may write: on a clock that no one sets, looked at last before the bytes leave.

A process that was frozen, or a machine that slept, wakes in the middle of a call: what was right when the call was
decided is another's to decide by then. The wall clock does not tell, since it can be set back meanwhile.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Seconds = Callable[[], float]


def boot_seconds() -> float:
    """Seconds since the machine started, those in which it slept among them where the system counts them."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


_LIMIT: ContextVar[tuple[float, Seconds] | None] = ContextVar("right_to_act", default=None)


@contextmanager
def acting_until(seconds: float, *, clock: Seconds = boot_seconds) -> Iterator[None]:
    """What is sent inside must be on its way by then. Without it, nothing bounds a call: it is nobody's lease."""
    token = _LIMIT.set((seconds, clock))
    try:
        yield
    finally:
        _LIMIT.reset(token)


def has_passed() -> bool:
    """True once whoever asks may not write any more."""
    limit = _LIMIT.get()
    return limit is not None and limit[1]() > limit[0]
