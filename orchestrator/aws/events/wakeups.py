"""Wake-ups: what ECS and CloudWatch push through EventBridge into a queue has the rollout it concerns look at once.

An event says when to look, never what is there: the tick reads everything anew. So events may come twice, late, in
another order or not at all; whoever loses every one of them loses time only, since rollouts look by themselves too.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import structlog

from orchestrator.aws.client.call import Caller, Patience
from orchestrator.aws.events.eventbridge import NOBODY, key_of, keys_of
from orchestrator.aws.services import sqs
from orchestrator.core.domain.errors import NotFound, TealError
from orchestrator.core.domain.ids import RolloutId
from orchestrator.ports.clock import Clock
from orchestrator.ports.leases import WakeupStore
from orchestrator.ports.rollouts import Filter

A_PAGE = 500
APART = timedelta(seconds=1)  # between two wake-ups of one rollout: a burst of events is one reason to look
FRESH_SECONDS = 2.0  # so long is known which rollouts there are
SHARE = 20  # of the time that passes, at most one part of so many is spent on finding that out
PAUSE_SECONDS = 0.25  # after an empty answer that did not wait, as a queue's own wait would
BACK_OFF_LAST_SECONDS = 30.0
_REGION = re.compile(r"https?://(?:sqs\.([a-z0-9-]+)\.|([a-z0-9-]+)\.queue\.)")

log = structlog.get_logger()


class Wakeups:
    """Reads a queue and wakes the rollouts that its messages concern. `hint` tells the worker that one is due."""

    def __init__(
        self, call: Caller, queue: str, *, store: WakeupStore, clock: Clock, hint: Callable[[], None]
    ) -> None:
        self._call, self._queue = call, queue
        self._store, self._clock, self._hint = store, clock, hint
        self._known: dict[str, frozenset[RolloutId]] = {}  # rollouts by what concerns them
        self._stale_at = float("-inf")
        self._woken: dict[RolloutId, datetime] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Read until `stop` is set. What was received and not dealt with by then comes again, to whoever reads next."""
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(self._read_on())
            await stop.wait()
            reading.cancel()

    async def _read_on(self) -> None:
        failures, loop = 0, asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                is_any = await self.read()
            except TealError as why:
                if not failures:
                    log.error("events_unread", queue=self._queue, why=str(why))
                failures += 1
                await asyncio.sleep(min(2.0 ** (failures - 1), BACK_OFF_LAST_SECONDS))
                continue
            if failures:
                log.info("events_read_again", queue=self._queue, after_failures=failures)
            failures = 0
            if not is_any and loop.time() - began < PAUSE_SECONDS:
                await asyncio.sleep(PAUSE_SECONDS)

    async def read(self) -> bool:
        """Take what is in the queue, at most ten messages; False: it was empty. Raises Outside, or what the store does.

        A message is deleted once the rollouts it concerns are due; one that is no event at once.
        """
        messages = await sqs.receive(self._call, self._queue)
        if not messages:
            return False
        keys = {key for one in messages if (key := _key(one)) != NOBODY}
        if keys:
            await self._wake(keys)
        await sqs.delete(self._call, self._queue, messages)
        return True

    async def _wake(self, keys: set[str]) -> None:
        await self._learn()
        now = self._clock.now()
        for rollout in {one for key in keys for one in self._known.get(key, ())}:
            at = max(now, self._woken.get(rollout, now - APART) + APART)
            try:
                await self._store.wake(rollout, at=at)
            except NotFound:
                continue
            self._woken[rollout] = at
        self._hint()

    async def _learn(self) -> None:
        """Know which rollouts are active, and what concerns each."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        if began < self._stale_at:
            return
        known: dict[str, set[RolloutId]] = {}
        cursor, active = "", set[RolloutId]()
        while True:
            rows, cursor = await self._store.list(Filter(is_active=True), before=cursor, limit=A_PAGE)
            for row in (stored.rollout for stored in rows):
                active.add(row.id)
                for key in keys_of(row):
                    known.setdefault(key, set()).add(row.id)
            if not cursor:
                break
        self._known = {key: frozenset(rollouts) for key, rollouts in known.items()}
        self._woken = {one: at for one, at in self._woken.items() if one in active}
        self._stale_at = loop.time() + max(FRESH_SECONDS, SHARE * (loop.time() - began))


def _key(message: sqs.Message) -> str:
    """What a message is about; one that is no event is told of, and passed over for good."""
    try:
        return key_of(message.body)
    except ValueError as why:
        log.warning("event_unreadable", why=str(why), begins=message.body[:80])
        return NOBODY


@asynccontextmanager
async def open_wakeups(
    queue: str, *, store: WakeupStore, clock: Clock, hint: Callable[[], None]
) -> AsyncIterator[Wakeups]:
    """Wake-ups from a queue by its URL, with the environment's credentials; nothing is called yet.

    Raises Denied where AWS's configuration is broken.
    """
    from orchestrator.aws.client.botocore import open_queue_wire
    from orchestrator.aws.session import region_of_environment

    async with open_queue_wire(region_in(queue) or region_of_environment()) as transport:
        patience = Patience(timeout=sqs.LONG_POLL_SECONDS + 10, attempts=1)
        yield Wakeups(Caller(transport, patience=patience), queue, store=store, clock=clock, hint=hint)


def region_in(queue: str) -> str:
    """The region that a queue's URL names; empty if it names none."""
    found = _REGION.match(queue)
    return (found.group(1) or found.group(2) or "") if found else ""
