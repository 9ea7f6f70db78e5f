"""Steady load on a listener, from a process of its own: what a user of the service would feel."""

import asyncio
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Self

import sandbox
from sandbox.plane.clients.load_process import BEAT, BEAT_SECONDS, LINGER_SECONDS, STOP, Plan
from sandbox.plane.clients.tally import Culprit, LoadSeen, Wire

LINE_BYTES_MAX = 4_000_000
SLOWEST = 3  # times as slow as it should be, a machine still ends a load
ROOT = str(Path(sandbox.__file__).resolve().parents[1])
PROCESS = "sandbox.plane.clients.load_process"


def nobody(_host: str, _port: int) -> str | None:
    """A culprit who knows of no task that died by itself."""
    return None


class Load:
    """Open-loop load at a constant rate, as a context manager that ends it.

    ``rate`` is requests a second; it stops by itself after ``count`` requests or ``seconds``, whichever is first.
    ``users`` ask in turn, and each keeps the cookie of group stickiness; 0: nobody keeps any.
    With ``in_flight`` requests unanswered, those that come due are counted as ``unsent`` instead. A request is
    given up after ``timeout_seconds`` in which both its process and this one had their turns. ``culprit``
    names the revision of a task that died of its own fault at an address, so that what was lost on it counts as
    the revision's failure; everything else that failed without naming a revision counts as the shift's.
    """

    def __init__(
        self,
        url: str,
        *,
        rate: float,
        count: int = 10_000_000,
        seconds: float = 3600.0,
        in_flight: int = 256,
        timeout_seconds: float = 10.0,
        users: int = 0,
        culprit: Culprit = nobody,
    ) -> None:
        self._plan = Plan(
            url=url,
            rate=rate,
            count=count,
            seconds=seconds,
            in_flight=in_flight,
            timeout_seconds=timeout_seconds,
            users=users,
        )
        self._culprit = culprit
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._beating: asyncio.Task[None] | None = None
        self._last: Wire | None = None

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            PROCESS,
            json.dumps(asdict(self._plan)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=LINE_BYTES_MAX,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join((ROOT, os.environ.get("PYTHONPATH", "")))},
        )
        self._reading = asyncio.create_task(self._read(), name="load's counts")
        self._beating = asyncio.create_task(self._beat(), name="load's beats")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        process, reading, beating = self._process, self._reading, self._beating
        assert process is not None
        assert reading is not None
        assert beating is not None
        beating.cancel()
        self.kill()
        await process.wait()
        await reading

    def kill(self) -> None:
        """End the load's process at once."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    def seen(self) -> LoadSeen:
        """What has been counted up to a fifth of a second ago."""
        return LoadSeen() if self._last is None else LoadSeen.of(self._last, self._culprit)

    async def ended(self) -> LoadSeen:
        """The final counts, once the load has ended by itself. Raises RuntimeError if its process died."""
        assert self._reading is not None
        await asyncio.shield(self._reading)
        if self._last is None or not self._last["done"]:
            raise RuntimeError("the load's process ended before its time; its reason is on standard error")
        return self.seen()

    async def finish(self) -> LoadSeen:
        """Send nothing more, wait for what is in flight, and return the final counts.

        Raises RuntimeError if the load's process died or does not end.
        """
        process = self._process
        assert process is not None
        assert process.stdin is not None
        if process.returncode is None:
            process.stdin.write(STOP)
        try:
            async with asyncio.timeout(SLOWEST * (self._plan.timeout_seconds + 2 * LINGER_SECONDS)):
                seen = await self.ended()
                await process.wait()  # a signal to a process that is just going would take its exit code away
                return seen
        except TimeoutError:
            raise RuntimeError("the load's process does not end") from None

    async def _beat(self) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        while not self._process.stdin.is_closing():
            await asyncio.sleep(BEAT_SECONDS)
            self._process.stdin.write(BEAT)

    async def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            wire: Wire = json.loads(line)
            self._last = wire
