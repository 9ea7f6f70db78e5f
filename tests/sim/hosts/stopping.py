"""An event loop in which a process can be stopped, as by SIGSTOP, between any two steps of its own, and goes on later.

Nothing of a stopped process runs: its timers come due and wait like all else. When it goes on, what it was in the
middle of comes first, and what came due meanwhile afterwards, as it is with a real loop.
"""

import asyncio
from collections.abc import Callable
from contextvars import Context, ContextVar

from tests.support.virtual import VirtualLoop

OF_PROCESS: ContextVar["Stops | None"] = ContextVar("of_process", default=None)
"""Of which process a step is; None: of none that can be stopped."""


class _Step:
    """One callback of a process, and whether it may run now."""

    __slots__ = ("_args", "_callback", "_stops", "context", "handle")

    def __init__(
        self,
        stops: "Stops",
        callback: Callable[..., object],
        args: tuple[object, ...],
        context: Context | None,
    ) -> None:
        self._stops, self._callback, self._args, self.context = stops, callback, args, context
        self.handle: asyncio.Handle | None = None

    def __call__(self) -> None:
        if self.handle is not None and self.handle.cancelled():
            return  # while it waited, something that came before it made an end of it
        if not self._stops.holds(self):
            self._callback(*self._args)


class Stops:
    """Whether a process is stopped, and what waits until it goes on."""

    def __init__(self, loop: "StoppingLoop", *, at_step: int | None = None, lasts: float = 0.0) -> None:
        """`at_step`: the n-th step of the process at which it stops by itself, for so many seconds."""
        self._loop, self._left, self._lasts = loop, at_step, lasts
        self.is_stopped = False
        self._waiting: list[_Step] = []
        self.on_stop: Callable[[], None] = lambda: None

    def holds(self, step: _Step) -> bool:
        """True if this step must wait."""
        if self._left is not None and not self.is_stopped:
            self._left -= 1
            if self._left <= 0:
                self._left = None
                self.begin(self._lasts)
        if self.is_stopped:
            self._waiting.append(step)
        return self.is_stopped

    def begin(self, seconds: float) -> None:
        """Stop before the next step, for so long."""
        if not self.is_stopped:
            self.is_stopped = True
            self.on_stop()
            self._loop.outside(seconds, self._go_on)

    def _go_on(self) -> None:
        self.is_stopped = False
        waiting, self._waiting = self._waiting, []
        for step in waiting:
            self._loop.again(step)


class StoppingLoop(VirtualLoop):
    """Runs the steps of processes that are not stopped."""

    def call_soon(
        self, callback: Callable[..., object], *args: object, context: Context | None = None
    ) -> asyncio.Handle:
        """As every loop does, unless the step's process is stopped by then."""
        stops = OF_PROCESS.get() if context is None else context.get(OF_PROCESS)
        if stops is None:
            return super().call_soon(callback, *args, context=context)
        step = _Step(stops, callback, args, context)
        step.handle = super().call_soon(step, context=context)
        return step.handle

    def call_soon_threadsafe(
        self, callback: Callable[..., object], *args: object, context: Context | None = None
    ) -> asyncio.Handle:
        """There are no threads."""
        return self.call_soon(callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[..., object], *args: object, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """As every loop does, unless the timer's process is stopped by then."""
        stops = OF_PROCESS.get() if context is None else context.get(OF_PROCESS)
        if stops is None:
            return super().call_at(when, callback, *args, context=context)
        step = _Step(stops, callback, args, context)
        timer = super().call_at(when, step, context=context)
        step.handle = timer
        return timer

    def outside(self, seconds: float, callback: Callable[[], object]) -> None:
        """A timer of no process."""
        super().call_at(self.time() + seconds, callback, context=Context())

    def again(self, step: _Step) -> None:
        """Run a step that waited."""
        super().call_soon(step, context=step.context)
