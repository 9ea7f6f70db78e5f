"""Rollbacks that no store takes: a door hands them to the engine's process, which does them at once or says why not.

The engine unpickles nothing of the doors: an order is a line of JSON, bounded, and read member by member.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from orchestrator.core.domain.commands import Actor, Command, CommandKind
from orchestrator.core.domain.errors import TealError, Unwritable
from orchestrator.core.domain.ids import RolloutId
from orchestrator.ports.clock import Clock

LINE_MAX = 8192  # bytes; a reason has a thousand characters at most
KEPT = 100  # outcomes that are told again every second, so that none is lost with one news
ANSWERED_WITHIN_SECONDS = 15.0  # the engine gives up after ten

Do = Callable[[RolloutId, Command], Awaitable[None]]
log = structlog.get_logger()


def line_of(rollout: RolloutId, command: Command) -> bytes:
    """An order as a line. Raises Unwritable for one that is too long to be handed on."""
    by = command.by
    members = {
        "rollout": rollout,
        "key": command.key,
        "reason": command.reason,
        "name": by.name,
        "source": by.source,
    }
    line = json.dumps(members).encode() + b"\n"
    if len(line) > LINE_MAX:
        raise _undone("its reason is too long for that: say less")
    return line


def read(line: bytes, *, now: datetime) -> tuple[RolloutId, Command]:
    """The rollback that a line orders, given now. Raises ValueError."""
    members = json.loads(line)
    if not isinstance(members, dict) or not all(isinstance(text, str) for text in members.values()):
        raise ValueError("an order is an object of texts")
    try:
        by = Actor(name=members["name"], source=members["source"])
        rollout, key, reason = members["rollout"], members["key"], members["reason"]
    except KeyError as missing:
        raise ValueError(f"an order has no {missing}") from None
    command = Command(key=key, kind=CommandKind.ROLLBACK, by=by, at=now, reason=reason)
    return RolloutId(rollout), command


class Taken:
    """The engine's side: what became of orders, by their keys; empty words: it was done."""

    def __init__(self, do: Do, clock: Clock) -> None:
        self._do, self._clock = do, clock
        self._outcomes: dict[str, str] = {}
        self._under_way: set[asyncio.Task[None]] = set()

    @property
    def outcomes(self) -> tuple[tuple[str, str], ...]:
        """The newest, each by its key."""
        return tuple(self._outcomes.items())

    def take(self, line: bytes) -> None:
        """Begin to do what a line orders; one that cannot be read is only logged."""
        try:
            rollout, command = read(line, now=self._clock.now())
        except ValueError as error:
            log.error("order_unreadable", why=str(error))
            return
        task = asyncio.create_task(self._attempt(rollout, command), name="order")
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _attempt(self, rollout: RolloutId, command: Command) -> None:
        words = ""
        try:
            await self._do(rollout, command)
        except TealError as error:
            words = error.why or error.what
        self._outcomes.pop(command.key, None)
        self._outcomes[command.key] = words
        while len(self._outcomes) > KEPT:
            del self._outcomes[next(iter(self._outcomes))]


@dataclass(slots=True)
class Orders:
    """The doors' side: hands orders on, and waits for what becomes of them. `say` sends a line."""

    say: Callable[[bytes], None]
    _waiting: dict[str, "asyncio.Future[str]"] = field(default_factory=dict)

    async def give(self, rollout: RolloutId, command: Command) -> None:
        """Have the engine roll back without a record. Raises Unwritable where it has not said in time that it did."""
        line = line_of(rollout, command)
        waiting = self._waiting.setdefault(command.key, asyncio.get_running_loop().create_future())
        self.say(line)
        try:
            async with asyncio.timeout(ANSWERED_WITHIN_SECONDS):
                words = await asyncio.shield(waiting)
        except TimeoutError:
            words = "the engine has not said that it was done"
        finally:
            self._waiting.pop(command.key, None)
        if words:
            raise _undone(words)

    def hear(self, outcomes: tuple[tuple[str, str], ...]) -> None:
        """What the engine tells of orders."""
        for key, words in outcomes:
            waiting = self._waiting.get(key)
            if waiting is not None and not waiting.done():
                waiting.set_result(words)


def _undone(why: str) -> Unwritable:
    return Unwritable(
        what="the store cannot be written, and it is not known that traffic is on blue",
        why=why,
        next_step="make room on the store's disk, or roll back with `teal rollback --direct`",
    )
