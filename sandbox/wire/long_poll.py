"""The wait of a long poll: the World answers at once, and whoever carries the answer waits for a first message."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.world.kernel.errors import Json
from sandbox.world.world import World

_SHORTEST = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Hunger:
    """A ReceiveMessage that got nothing and may wait until then (on the World's clock) for a first message."""

    world: World
    url: str
    until: datetime

    @classmethod
    def of(cls, world: World, params: Json, answer: Json) -> "Hunger | None":
        """What is left to wait for after a ReceiveMessage; None if it has messages, or does not wait."""
        wait = world.queues.wait_of(params)
        if answer.get("Messages") or not wait:
            return None
        return cls(world, params["QueueUrl"], world.now + wait)

    async def wait(self, before: Callable[[], None] = lambda: None) -> None:
        """Return when a message has come, or the time is up. `before` brings the World's clock up to date."""
        arrived = asyncio.Event()
        forget = self.world.queues.call_on_arrival(self.url, arrived.set)
        try:
            while not arrived.is_set() and self.world.now < self.until:
                due = min(self.until, self.world.next_due() or self.until)
                pause = max(due - self.world.now, _SHORTEST)
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause.total_seconds()):
                        await arrived.wait()
                before()
        finally:
            forget()


async def receive(world: World, params: Json, *, by: str = "") -> Json:
    """ReceiveMessage with its wait, for callers that have no wire between them and the World. Raises AwsRefusal."""
    answer = world.call("sqs", "ReceiveMessage", params, by=by)
    hunger = Hunger.of(world, params, answer)
    while hunger and not answer.get("Messages") and world.now < hunger.until:
        await hunger.wait()
        answer = world.call("sqs", "ReceiveMessage", params, by=by)
    return answer
