"""Keeps the doors' process: starts it, starts it again when it ends, and stops it before the engine stops."""

import asyncio
import socket
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import structlog

from api.serving import child
from api.serving.channel import ORDER, READY, EngineEnd, News, Opening
from orchestrator.core.domain.errors import Refused

MODULE = "api.serving.doors"
STOPPED_WITHIN_SECONDS = 25.0  # requests under way have 20 s
AGAIN_FIRST_SECONDS, AGAIN_LAST_SECONDS = 0.1, 10.0
STEADY_SECONDS = 60.0  # doors that lived so long are started again at once

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Doors:
    """One life of the doors."""

    process: Process
    end: EngineEnd
    since: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ears:
    """Who is told what the doors say."""

    on_ready: Callable[[], None]  # once
    hint: Callable[[], None]  # when a command came
    on_order: Callable[[bytes], None]  # a line of `orders`


class Keeper:
    """Doors on a listener. They are opened with what `opening` gives, whenever they are started."""

    def __init__(self, listener: socket.socket, opening: Callable[[], Opening]) -> None:
        self._listener, self._opening = listener, opening
        self._doors: _Doors | None = None
        self._was_ready = False

    def say(self, news: News) -> None:
        """Tell the doors, if they live and listen."""
        if self._doors is not None:
            self._doors.end.say(news)

    @asynccontextmanager
    async def started(self) -> AsyncIterator[None]:
        """The first doors' process loads its code; whichever runs when the context ends is ended."""
        first = await self._start()
        try:
            yield
        finally:
            await self._end(self._doors or first)

    async def keep(self, stop: asyncio.Event, ears: Ears) -> None:
        """Keep doors open until `stop` is set and those who were served have their answers.

        Raises Refused if the first doors never opened.
        """
        pause = AGAIN_FIRST_SECONDS
        while not stop.is_set():
            doors = self._doors or await self._start()
            doors.end.say(self._opening())
            await self._attend(doors, stop, ears)
            if stop.is_set():
                return
            code = await doors.process.wait()
            doors.end.close()
            self._doors = None
            if not self._was_ready:
                raise Refused(
                    what="the server's doors could not be opened",
                    why=f"their process ended with {code}",
                    next_step="its log above says why",
                )
            if _now() - doors.since >= STEADY_SECONDS:
                pause = AGAIN_FIRST_SECONDS
            log.error("doors_ended", code=code, again_in_seconds=pause)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause)
            pause = min(2 * pause, AGAIN_LAST_SECONDS)

    async def _attend(self, doors: _Doors, stop: asyncio.Event, ears: Ears) -> None:
        """Hear what these doors say until they are gone; once `stop` is set, see to it that they go."""
        hearing = asyncio.create_task(self._hear(doors, ears), name="doors")
        stopping = asyncio.create_task(stop.wait(), name="stop")
        try:
            await asyncio.wait((hearing, stopping), return_when=asyncio.FIRST_COMPLETED)
            if stop.is_set():
                # Whoever connects from now on is refused and does not wait for an answer that never comes.
                self._listener.close()
                _signal(doors.process.terminate)
                with suppress(TimeoutError):
                    await asyncio.wait_for(asyncio.shield(hearing), STOPPED_WITHIN_SECONDS)
        finally:
            hearing.cancel()
            stopping.cancel()

    async def _hear(self, doors: _Doors, ears: Ears) -> None:
        while said := await doors.end.heard():
            if READY in said and not self._was_ready:
                self._was_ready = True
                ears.on_ready()
            for word in said:
                if word.startswith(ORDER):
                    ears.on_order(word.removeprefix(ORDER))
            ears.hint()

    async def _start(self) -> _Doors:
        ours, theirs = socket.socketpair()
        with theirs:
            descriptors = (self._listener.fileno(), theirs.fileno())
            process = await asyncio.create_subprocess_exec(
                *child.command(MODULE, *map(str, descriptors)), stdin=PIPE, pass_fds=descriptors
            )
        self._doors = _Doors(process, await EngineEnd.over(ours), _now())
        return self._doors

    async def _end(self, doors: _Doors) -> None:
        _signal(doors.process.kill)
        await doors.process.wait()
        doors.end.close()


def _signal(send: Callable[[], None]) -> None:
    with suppress(ProcessLookupError):
        send()


def _now() -> float:
    return asyncio.get_running_loop().time()
