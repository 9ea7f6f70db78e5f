"""Takes due rollouts from the store and ticks them, until it is told to stop.

Wake-ups are hints: a command in this process wakes it at once, one from another process is found by asking the
store a few times a second. Losing a hint costs latency, never correctness.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from orchestrator.core.domain.errors import Lost, TealError, Unwritable, first_of
from orchestrator.core.domain.events import Event, EventKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.rollout.rollout import Decision
from orchestrator.core.tick.seen import Results
from orchestrator.engine.tick import LEASE, NOTHING_KNOWN, Overtaken, Ticked, Ticker
from orchestrator.engine.unwritable_store import SafetyWatch
from orchestrator.ports.leases import Leased, Leases

ASK_STORE = timedelta(milliseconds=250)
AT_ONCE = 200  # rollouts ticked at the same time in one process
ASK_DOUBLED = 4  # times that the interval is doubled while the store does not answer: 4 s
UNWRITABLE_DOUBLED = 2  # and while it takes no writes: 1 s, since rollouts are looked at as often
IN_A_ROW = 20  # ticks of one rollout under one lease before others get their turn
BACK_OFF_LAST = timedelta(seconds=15)
UNWRITABLE_PAUSE = timedelta(seconds=1)
STUMBLES_PAGED = (
    5  # ticks of one rollout that failed in a row, about half a minute: from then on people should know
)
WORDS_MOST = 300  # of what went wrong, in a page

log = structlog.get_logger()


class Worker:
    """Ticks every due rollout of a store."""

    def __init__(self, ticker: Ticker, *, owner: str, ask_store: timedelta = ASK_STORE) -> None:
        self.ticker = ticker
        self.owner = owner
        self._ask_store = ask_store  # how often the store is asked for what no hint told of
        self.only: RolloutId | None = None
        """Tick this rollout alone; None: every one. Others of the store may belong to another account or region."""
        self.on_news: Callable[[], None] = lambda: None
        """Called once events were committed, so that whoever tells them need not wait until they ask."""
        self.on_unwritable: Callable[[str], None] = lambda why: None
        """Called with why whenever the store took no write; `on_written` whenever it took a tick's."""
        self.on_written: Callable[[], None] = lambda: None
        self._hint = asyncio.Event()
        self._is_told = False  # somebody gave a hint since the store was asked for commands
        self._asks_again = 0.0  # when it is asked without one, by the loop's clock
        self._busy: set[RolloutId] = set()
        self._unreadable = 0  # times in a row that the store did not say what is due
        self._results: dict[RolloutId, Results] = {}
        self._stumbles: dict[RolloutId, int] = {}
        self._paged: set[RolloutId] = set()
        self.safety = SafetyWatch(ticker, owner=owner)

    @property
    def store(self) -> Leases:
        """Where the rows are."""
        return self.ticker.store

    def hint(self) -> None:
        """Something may be due now."""
        self._is_told = True
        self._hint.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Tick what is due until `stop` is set; ticks under way are finished, so nothing is left half done."""
        async with asyncio.TaskGroup() as group:
            stopping = group.create_task(self._hint_at(stop))
            while not stop.is_set():
                try:
                    leased = await self._lease()
                    self._unreadable = 0
                    await self.safety.over()
                    await self._overtake()
                except Unwritable as why:
                    self._unreadable += 1
                    log.error("store_unwritable", why=str(why), times=self._unreadable)
                    leased = ()
                    await self.safety.look(self._busy, self.only)
                    self.on_unwritable(why.why)
                except TealError as why:
                    self._unreadable += 1
                    log.error("store_unreadable", why=str(why), times=self._unreadable)
                    leased = ()
                for one in leased:
                    self._busy.add(one.stored.rollout.id)
                    group.create_task(self._work(one, stop))
                if not leased:
                    await self._wait(stop)
            stopping.cancel()

    async def _lease(self) -> Sequence[Leased]:
        free = AT_ONCE - len(self._busy)
        if free <= 0:
            return ()
        now = self.ticker.clock.now()
        return await self.store.lease_due(owner=self.owner, now=now, ttl=LEASE, limit=free, only=self.only)

    async def _overtake(self) -> None:
        """End looks at rollouts that somebody has asked to roll back since: that waits for none of what they read."""
        now = asyncio.get_running_loop().time()
        if not self.ticker.looking_at or not (self._is_told or now >= self._asks_again):
            return
        self._is_told, self._asks_again = False, now + self._ask_store.total_seconds()
        with suppress(TealError):  # it is said where rows are leased
            self.ticker.hear(await self.store.waiting(tuple(self.ticker.looking_at)))

    async def _hint_at(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._hint.set()

    async def _wait(self, stop: asyncio.Event) -> None:
        """Until a hint, the stop, or the next time to ask the store."""
        self._hint.clear()
        if stop.is_set():
            return
        with suppress(TimeoutError):
            doubled = UNWRITABLE_DOUBLED if self.safety.is_on else ASK_DOUBLED
            again = self._ask_store * 2 ** min(self._unreadable, doubled)
            async with asyncio.timeout(again.total_seconds()):
                await self._hint.wait()

    async def _work(self, leased: Leased, stop: asyncio.Event) -> None:
        rollout = leased.stored.rollout.id
        try:
            leased = await self._tick_while_due(leased)
            self._stumbles.pop(rollout, None)
            self._paged.discard(rollout)
        except Lost as why:
            log.warning("lease_lost", rollout=rollout, why=str(why))
        except Unwritable as why:
            log.error("store_unwritable", rollout=rollout, why=str(why))
            self.on_unwritable(why.why)
            await self._pause(UNWRITABLE_PAUSE, stop)
        except Exception as error:  # the tick's edge: one rollout's fault never stops the others
            log.exception("tick_failed", rollout=rollout)
            if self._stumbles.get(rollout, 0) + 1 >= STUMBLES_PAGED and rollout not in self._paged:
                leased = await self._page(leased, error)
            await self._back_off(rollout, stop)
        finally:
            self._busy.discard(rollout)
            with suppress(TealError):
                await self.store.release(leased)
            self._hint.set()

    async def _tick_while_due(self, leased: Leased) -> Leased:
        """Tick on under the same lease while there is something to look at right now."""
        rollout, asked = leased.stored.rollout.id, frozenset[str]()
        for _ in range(IN_A_ROW):
            results = self._results.pop(rollout, NOTHING_KNOWN)
            try:
                ticked = await self.ticker.tick(leased, results, self.safety.done(rollout))
            except Overtaken as by:
                self._results[rollout] = results
                leased = replace(leased, commands=by.commands)
                continue
            leased = ticked.leased
            self.safety.note(rollout, ticked)
            if not ticked.is_recorded:
                raise Unwritable(what="the store cannot be written", why="a decision was not kept")
            self.on_written()
            if ticked.decision.events:
                self.on_news()
            if ticked.decision.wake_at is None:
                return leased
            if ticked.results != NOTHING_KNOWN:
                self._results[rollout] = ticked.results
            keys = frozenset(effect.key for effect in ticked.decision.effects)
            if not _is_due(ticked, self.ticker.clock.now()) and (
                not keys or keys == asked or ticked.results.failures
            ):
                return leased
            # What was just written is read back at once, but the same write is not hurried twice.
            asked = keys
        return leased

    async def _page(self, leased: Leased, error: Exception) -> Leased:
        """Page people: nothing is decided for this rollout any more, and it stays where it is."""
        row, now = leased.stored.rollout, self.ticker.clock.now()
        words = f"Teal fails at every look at this rollout, and it stays as it is: {_in_words(error)}"
        message = (
            f"{words}. `teal rollback {row.id}` may still take it back; `--direct` does without Teal's server"
        )
        told = Decision(
            rollout=row,
            wake_at=leased.stored.wake_at,
            events=(Event(kind=EventKind.PAGED, at=now, message=message),),
        )
        with suppress(TealError):
            leased = await self.store.commit(leased, told)
            self._paged.add(row.id)
            self.on_news()
        return leased

    async def _back_off(self, rollout: RolloutId, stop: asyncio.Event) -> None:
        """Keep the lease a while, so that a tick that fails by itself does not spin."""
        count = self._stumbles[rollout] = self._stumbles.get(rollout, 0) + 1
        await self._pause(min(timedelta(seconds=2.0 ** min(count - 1, 4)), BACK_OFF_LAST), stop)

    async def _pause(self, duration: timedelta, stop: asyncio.Event) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(duration.total_seconds()):
                await stop.wait()


def _in_words(error: BaseException) -> str:
    first = first_of(error)
    return " ".join(f"{type(first).__name__}: {first}".split())[:WORDS_MOST].rstrip(": ")


def _is_due(ticked: Ticked, now: datetime) -> bool:
    wake_at = ticked.decision.wake_at
    return wake_at is not None and wake_at <= now
