"""An engine that is killed: how long until the next one goes on."""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from statistics import median

from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.rollout.rollout import Decision
from orchestrator.engine.tick import LEASE
from orchestrator.ports.clock import Clock
from orchestrator.ports.leases import Leased
from orchestrator.store.memory.store import MemoryStore
from tests.bench.account import Account
from tests.bench.lines import line, ratio
from tests.sim.hosts.process import Process, run_process

POINTS_MOST = 150  # a life ends after at most so many calls to store and AWS, counted before and after each
SEED = 3


class Diary(MemoryStore):
    """A store that notes who committed when, and when the row wants to be looked at next."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self.holders: set[str] = set()
        self.entries: list[tuple[datetime, str]] = []
        self.wake_at: datetime | None = None
        self.ended = asyncio.Event()

    async def lease_due(
        self, *, owner: str, now: datetime, ttl: timedelta, limit: int, only: RolloutId | None = None
    ) -> tuple[Leased, ...]:
        """As the store in memory."""
        leased = await super().lease_due(owner=owner, now=now, ttl=ttl, limit=limit, only=only)
        self.holders |= {one.owner for one in leased}
        return leased

    async def commit(self, leased: Leased, decision: Decision) -> Leased:
        """As the store in memory."""
        committed = await super().commit(leased, decision)
        self.entries.append((self._clock.now(), leased.owner))
        self.wake_at = committed.stored.wake_at
        if self.wake_at is None:
            self.ended.set()
        return committed


def measure() -> Iterator[str]:
    """Killed between any two lines, again and again; another engine stands by and takes over."""
    with Account(SEED) as account:
        diary = Diary(account.clock)
        account.store = diary
        rollout = account.start(account.canary(account.revision()))
        delays = account.run(_lives(account, diary, Random(SEED)))
        assert account.row(rollout).phase.is_final
    at_once = sum(delay < 1 for delay in delays)
    yield line("kills", len(delays), digits=0)
    yield line("takeover_seconds_median", median(delays), digits=2)
    yield line("takeover_seconds_max", max(delays), digits=2)
    yield line("takeover_within_1_s_share", at_once / len(delays), digits=2)
    yield ratio("takeover_seconds_max", max(delays), LEASE.total_seconds(), to="lease")


async def _lives(account: Account, diary: Diary, draw: Random) -> list[float]:
    """One life after another until the rollout ends; seconds from when a tick was due and nobody lived to do it."""
    delays: list[float] = []
    died = account.clock.now()  # when the last one died that ever held the row
    while not diary.ended.is_set():
        due, known = diary.wake_at, len(diary.entries)
        process = Process(f"life from {account.clock.now()}", draw.randrange(1, POINTS_MOST))
        await run_process(
            process,
            world=account.world,
            store=diary,
            clock=account.clock,
            draw=draw,
            stop=diary.ended,
            called=lambda _: None,
            failed=_failed,
        )
        own = [at for at, owner in diary.entries[known:] if owner == process.owner]
        if own and due is not None:
            delays.append((own[0] - max(died, due)).total_seconds())
        if process.owner in diary.holders:
            died = account.clock.now()
    return delays


def _failed(error: Exception) -> None:
    raise AssertionError("a tick failed by itself") from error
