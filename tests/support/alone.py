"""Refuses sockets and processes to whoever is to be alone, so that a quick test cannot become a slow one unnoticed."""

import sys
from multiprocessing import util
from types import TracebackType
from typing import NoReturn

import pytest

NEEDS = {
    "socket.bind": "a socket that listens",
    "socket.connect": "a socket that connects",
    "subprocess.Popen": "a process",
    "os.fork": "a process",
    "os.forkpty": "a process",
    "os.posix_spawn": "a process",
    "os.system": "a process",
}
"""What Python audits as it happens, in any thread, and what that is. A pair of connected sockets is neither."""


class Alone:
    """While entered, what needs the machine fails the test there and then."""

    def __init__(self) -> None:
        self._is_on = False
        self._told: list[str] = []
        self._spawn = util.spawnv_passfds
        sys.addaudithook(self._hear)  # it stays as long as this process: audit hooks cannot be taken away

    def __enter__(self) -> None:
        self._is_on = True
        util.spawnv_passfds = self._refuse_worker  # a pool's workers are started without being audited

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_on = False
        util.spawnv_passfds = self._spawn

    def told(self) -> list[str]:
        """What was refused since this was last asked."""
        told, self._told = self._told, []
        return told

    def _hear(self, event: str, args: tuple[object, ...]) -> None:
        if self._is_on and event in NEEDS:
            self._refuse(f"{NEEDS[event]} ({event} {args[1:] or args!r})")

    def _refuse_worker(self, path: object, args: object, passfds: object) -> NoReturn:
        self._refuse("a process (a worker of a pool)")

    def _refuse(self, words: str) -> NoReturn:
        self._told.append(words)
        pytest.fail(f"this test is not marked `machine` and needs {words}")


ALONE = Alone()
