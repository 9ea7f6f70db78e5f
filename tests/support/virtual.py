"""Time that costs nothing: an event loop that jumps to its next timer, with a World's clock in step with it."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")
FileObject = Any  # what selectors calls a file object: a descriptor, or anything that has one


class Standstill(RuntimeError):
    """Everything waits for something that no timer will bring."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop that never sleeps: where it would wait for a timer, it moves its time there.

    `moved` is told every new time, in seconds since the loop began. Nothing outside the process can wake it.
    """

    def __init__(self, moved: Callable[[float], None] | None = None) -> None:
        self.seconds = 0.0
        self.moved = moved
        super().__init__(_Jumping(self))
        self._clock_resolution = 1e-9  # timers are met exactly, not a few ticks of a real clock early

    def time(self) -> float:
        """Virtual seconds since the loop began."""
        return self.seconds

    def jump(self, seconds: float) -> None:
        """Move time on, and tell whoever lives by it."""
        self.seconds += seconds
        if self.moved is not None:
            self.moved(self.seconds)


class _Jumping(selectors.BaseSelector):
    """A selector that has nothing to wait for: it turns a wait into a jump."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self._keys: dict[FileObject, selectors.SelectorKey] = {}

    def register(self, fileobj: FileObject, events: int, data: Any = None) -> selectors.SelectorKey:  # noqa: ANN401
        key = selectors.SelectorKey(
            fileobj, fileobj if isinstance(fileobj, int) else fileobj.fileno(), events, data
        )
        self._keys[fileobj] = key
        return key

    def unregister(self, fileobj: FileObject) -> selectors.SelectorKey:
        return self._keys.pop(fileobj)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Standstill("nothing is due and no timer is set")
        if timeout > 0:
            self._loop.jump(timeout)
        return []

    def get_map(self) -> Mapping[FileObject, selectors.SelectorKey]:
        return self._keys


class LoopClock:
    """The Clock port on a virtual loop: `start` and the loop's seconds since."""

    def __init__(self, loop: VirtualLoop, start: datetime) -> None:
        self._loop, self._start = loop, start

    def now(self) -> datetime:
        """The present moment."""
        return self._start + timedelta(seconds=self._loop.seconds)


def play(main: Callable[[VirtualLoop], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine to its end in virtual time; everything it left running is cancelled."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(main(loop))
    finally:
        close(loop)


def close(loop: VirtualLoop) -> None:
    """Cancel what still runs on a loop, let it end, and close the loop."""
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    loop.close()
