"""Turns at something that few may do at once: whoever comes waits, and callers are served one after the other."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from api.problems import Busy, TooMany
from orchestrator.core.domain.errors import TealError

WAITING_MAX, OF_ONE_MAX = 200, 50
PATIENCE_SECONDS = 60.0


@dataclass(slots=True, kw_only=True)
class Turns:
    """`at_once` callers at a time, and never twice the same one. ``what``: what it is a turn at, for people."""

    what: str
    at_once: int = 1
    patience: float = PATIENCE_SECONDS
    of_one_max: int = OF_ONE_MAX  # that wait
    refusal: type[TealError] = TooMany  # of one more
    _at_it: set[str] = field(default_factory=set)
    _lines: dict[str, deque[asyncio.Future[None]]] = field(default_factory=dict)  # whose turn is next, first

    @property
    def waiting(self) -> int:
        """How many wait."""
        return sum(map(len, self._lines.values()))

    @asynccontextmanager
    async def of(self, caller: str) -> AsyncIterator[None]:
        """This caller's turn, while the context lasts.

        Raises TooMany where too many of this caller's wait, Busy where all together do, or where it takes too long.
        """
        if self._lines or not self._may(caller):
            await self._wait(caller)
        else:
            self._at_it.add(caller)
        try:
            yield
        finally:
            self._at_it.discard(caller)
            if caller in self._lines:
                self._lines[caller] = self._lines.pop(caller)  # behind the others
            self._next()

    def _may(self, caller: str) -> bool:
        return len(self._at_it) < self.at_once and caller not in self._at_it

    async def _wait(self, caller: str) -> None:
        if len(self._lines.get(caller, ())) >= self.of_one_max:
            raise self.refusal(
                what=f"{self.of_one_max} of {caller}'s requests wait for {self.what} already",
                next_step="wait for their answers",
            )
        if self.waiting >= WAITING_MAX:
            raise Busy(what=f"{WAITING_MAX} requests wait for {self.what}", next_step="ask again in a minute")
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lines.setdefault(caller, deque()).append(turn)
        self._next()
        try:
            async with asyncio.timeout(self.patience):
                await turn
        except BaseException as error:
            self._give_up(caller, turn)
            if isinstance(error, TimeoutError):
                raise Busy(
                    what=f"no turn at {self.what} came within {self.patience:g} s",
                    next_step="ask again in a minute",
                ) from None
            raise

    def _give_up(self, caller: str, turn: "asyncio.Future[None]") -> None:
        if turn.done() and not turn.cancelled():
            self._at_it.discard(caller)  # it came at the same moment
        elif turn in self._lines.get(caller, ()):
            self._lines[caller].remove(turn)
            if not self._lines[caller]:
                del self._lines[caller]
        self._next()

    def _next(self) -> None:
        """Give turns to those that wait, as far as there are any."""
        for caller in tuple(self._lines):
            if len(self._at_it) >= self.at_once:
                return
            if caller in self._at_it:
                continue
            line = self._lines.pop(caller)
            turn = line.popleft()
            if line:
                self._lines[caller] = line
            if turn.cancelled():
                continue
            self._at_it.add(caller)
            turn.set_result(None)
