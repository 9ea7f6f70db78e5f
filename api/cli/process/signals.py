"""What Ctrl-C and SIGTERM mean to `deploy`.

Ctrl-C stops watching and leaves the weights as they are; a second one within five seconds, or SIGTERM where no
person sits at a terminal (a cancelled CI job), rolls back, unless the command was told to leave.
"""

import asyncio
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

SECOND_WITHIN_SECONDS = 5.0


class OnInterrupt(StrEnum):
    """What an interrupt that is meant does to the rollout."""

    ROLLBACK = "rollback"
    LEAVE = "leave"


class Signals:
    """The signals that came, as events a coroutine can wait for."""

    def __init__(self, *, on_interrupt: OnInterrupt, has_terminal: bool) -> None:
        self._leave = on_interrupt is OnInterrupt.LEAVE
        self._has_terminal = has_terminal
        self.stop = asyncio.Event()
        """Stop watching."""
        self.rollback = asyncio.Event()
        """Roll back; `stop` is set too."""
        self.enough = asyncio.Event()
        """A further signal after that: stop watching the way back as well."""

    def interrupt(self) -> None:
        """Ctrl-C came."""
        if self.rollback.is_set():
            self.enough.set()
        elif self.stop.is_set() and not self._leave:
            self.rollback.set()
        self.stop.set()

    def terminate(self) -> None:
        """SIGTERM came."""
        if self.rollback.is_set():
            return  # already doing what it asks for
        if not self._leave and not self._has_terminal:
            self.rollback.set()
        self.stop.set()

    @property
    def may_still_roll_back(self) -> bool:
        """True while a second Ctrl-C would roll back."""
        return self.stop.is_set() and not self.rollback.is_set() and not self._leave

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Hear SIGINT and SIGTERM in the running loop."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, self.interrupt)
        loop.add_signal_handler(signal.SIGTERM, self.terminate)
        try:
            yield
        finally:
            loop.remove_signal_handler(signal.SIGINT)
            loop.remove_signal_handler(signal.SIGTERM)


def has_terminal() -> bool:
    """True if a person may sit at a terminal of this process."""
    return any(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))
