"""Those who wait for news of one rollout cost the store what one of them costs."""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

import pytest

from api.http.request.shared_looks import KEPT_MAX, SharedLooks
from orchestrator.core.domain.errors import Unreachable
from orchestrator.core.domain.ids import RolloutId
from orchestrator.ports.rollouts import Stored
from tests.contract.store_values import NOON, a_rollout
from tests.support.virtual import VirtualLoop, close

EVERY = timedelta(seconds=1)
R1 = RolloutId("r1")


class Rows:
    """A store whose row is another version each time it is read; reading takes `seconds`."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds, self.read, self.is_away = seconds, 0, False

    async def load(self, rollout: RolloutId) -> Stored:
        self.read += 1
        version = self.read
        await asyncio.sleep(self.seconds)
        if self.is_away:
            raise Unreachable(what="the store does not answer")
        return Stored(rollout=a_rollout(rollout), version=version, wake_at=NOON, events=0)


def played(script: Coroutine[Any, Any, None]) -> None:
    loop = VirtualLoop(lambda _: None)
    try:
        loop.run_until_complete(script)
    finally:
        close(loop)


def test_a_hundred_who_ask_four_times_a_second_read_the_row_once_a_second() -> None:
    async def script() -> None:
        rows = Rows()
        looks = SharedLooks(rows.load, EVERY)

        async def follow() -> None:
            for _ in range(40):
                await looks.of(R1)
                await asyncio.sleep(0.25)

        await asyncio.gather(*(follow() for _ in range(100)))
        assert 10 <= rows.read <= 11

    played(script())


def test_a_row_that_takes_long_to_read_is_read_by_one_at_a_time() -> None:
    async def script() -> None:
        rows = Rows(seconds=5)
        looks = SharedLooks(rows.load, EVERY)
        first = asyncio.ensure_future(looks.of(R1))
        await asyncio.sleep(3)
        second = asyncio.ensure_future(looks.of(R1))
        first.cancel()
        assert (await second).version == 1, "who gives up takes nothing from the others"
        assert rows.read == 1

    played(script())


def test_an_error_is_that_of_the_moment_and_the_next_reading_is_anew() -> None:
    async def script() -> None:
        rows = Rows()
        looks = SharedLooks(rows.load, EVERY)
        rows.is_away = True
        with pytest.raises(Unreachable):
            await looks.of(R1)
        rows.is_away = False
        await asyncio.sleep(1)
        assert (await looks.of(R1)).version == 2

    played(script())


def test_rollouts_that_nobody_waits_for_any_more_are_forgotten() -> None:
    async def script() -> None:
        looks = SharedLooks(Rows().load, EVERY)
        for number in range(3 * KEPT_MAX):
            await looks.of(RolloutId(f"r{number}"))
            await asyncio.sleep(0.01)
        assert len(looks._seen) <= KEPT_MAX

    played(script())
