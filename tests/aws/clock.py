"""Runs a coroutine on time that jumps: waiting takes no time, and the loop's clock says how long it would have."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Jump(selectors.SelectSelector):
    """Instead of waiting for input, moves the clock to where the wait would have ended."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.now += timeout or 0.0
        return super().select(0)


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jump = _Jump()
        super().__init__(self._jump)

    def time(self) -> float:
        return self._jump.now


def run_in_no_time(main: Coroutine[Any, Any, T]) -> T:
    """What `main` returns; its sleeps and timeouts pass at once."""
    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(main)
