"""Workers as the doors use them: a process each, killed when a job takes too long and started again for the next."""

import asyncio
import pickle
import socket
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import structlog

from api.problems import Busy
from api.serving import child
from api.serving.worker import SIZE, begin

T = TypeVar("T")

MODULE = "api.serving.worker"
STARTS_WITHIN_SECONDS = 120.0  # a process may wait long for a core
LOADS_SECONDS = 30  # of a core's time
PATIENCE_SECONDS, PATIENCE = 30.0, 2  # so long, and so many times its own time, a job may wait for a core too

_Failure = tuple[type[BaseException], tuple[object, ...], dict[str, object]]  # type, args, state

log = structlog.get_logger()


@dataclass(slots=True)
class _Life:
    process: Process
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def end(self) -> None:
        self.writer.close()
        with suppress(ProcessLookupError):
            self.process.kill()


class ProcessWorker:
    """One process. Jobs are given one after the other: whoever shares it takes turns.

    It loads `modules` as urgent as the doors, then is `less_urgent` than they, in steps of Linux's nice.
    """

    def __init__(self, name: str, *, modules: tuple[str, ...], less_urgent: int) -> None:
        self._name = name
        self._begin = partial(begin, modules, less_urgent)
        self._life: _Life | None = None

    async def do(self, job: Callable[[], T], *, seconds: int) -> T:
        """What a job returns. Raises what it raises, and Busy for one that takes more seconds of a core's time."""
        life = self._life or await self._start()
        self._life = None  # a job that is given up takes the process with it
        try:
            async with asyncio.timeout(PATIENCE_SECONDS + PATIENCE * seconds):
                answer, failed = await _asked(life, job, seconds)
        except BaseException as error:
            life.end()
            if isinstance(error, TimeoutError | EOFError | ConnectionError):
                log.warning("work_given_up", worker=self._name, seconds=seconds)
                raise Busy(
                    what=f"{self._name} took more than {seconds} s of a core's time, and was given up",
                    next_step="ask for less at once, or try again later",
                ) from error
            raise
        self._life = life
        if failed is not None:
            kind, args, state = failed
            raised = kind.__new__(kind, *args)
            raised.__dict__.update(state)
            raise raised
        return answer

    def close(self) -> None:
        """End the process."""
        if self._life is not None:
            self._life.end()

    async def _start(self) -> _Life:
        ours, theirs = socket.socketpair()
        with theirs:
            process = await asyncio.create_subprocess_exec(
                *child.command(MODULE, str(theirs.fileno())), stdin=PIPE, pass_fds=(theirs.fileno(),)
            )
        life = _Life(process, *await asyncio.open_connection(sock=ours))
        try:
            async with asyncio.timeout(STARTS_WITHIN_SECONDS):
                await _asked(life, self._begin, LOADS_SECONDS)
        except (TimeoutError, EOFError, ConnectionError) as error:
            life.end()
            raise Busy(what=f"{self._name} does not start", next_step="try again in a minute") from error
        return life


async def _asked(life: _Life, job: Callable[[], T], seconds: int) -> tuple[T, _Failure | None]:
    body = pickle.dumps((job, seconds))
    life.writer.write(SIZE.pack(len(body)) + body)
    (size,) = SIZE.unpack(await life.reader.readexactly(SIZE.size))
    answer: tuple[T, _Failure | None] = pickle.loads(await life.reader.readexactly(size))
    return answer
