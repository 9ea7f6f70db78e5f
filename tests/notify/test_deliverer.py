"""What is committed is told: in order, at least once, to each receiver whatever becomes of the others."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from orchestrator.core.domain.errors import Lost, Rejected
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.phases import Phase
from orchestrator.notify import delivery_line
from orchestrator.notify.sink import Gone, Later
from orchestrator.ports.outbox import Delivery
from orchestrator.ports.store import Store
from orchestrator.store.memory.store import MemoryStore
from tests.contract.store_doors import Play
from tests.contract.store_values import TTL, a_decision
from tests.notify.stage import MINUTE, Down, Recorder, Stage
from tests.support.virtual import LoopClock, VirtualLoop
from tests.support.virtual import play as in_virtual_time

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
LEASE_OVER = delivery_line.LEASE + SECOND


def test_events_are_told_in_order_and_once(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        sink = Recorder()
        stage = Stage(store, sink)
        await stage.open()
        rollout = await stage.start()
        await stage.happen(rollout, "one", "two")
        await stage.round()
        await stage.happen(rollout, "three", phase=Phase.SUCCEEDED)
        await stage.round()
        await stage.round()
        assert sink.told == ["r1 starts", "one", "two", "three"]

    play(script)


def test_a_sink_gets_as_many_events_at_once_as_it_takes_and_its_own_state_back(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        sink = Recorder(at_once=3)
        stage = Stage(store, sink)
        await stage.open()
        rollout = await stage.start()
        await stage.happen(rollout, "one", "two", "three", "four")
        await stage.round()
        assert sink.batches == [("r1 starts", "one", "two"), ("three", "four")]
        assert sink.states == ["", "3 told"]
        assert await store.delivery_state("recorder", rollout) == "5 told"

    play(script)


def test_events_that_a_sink_does_not_want_count_as_told(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        sink = Recorder(kinds={EventKind.ENDED})
        stage = Stage(store, sink)
        await stage.open()
        rollout = await stage.start()
        await stage.happen(rollout, *(f"{n}" for n in range(delivery_line.PAGE * 2)))
        await stage.round()
        assert (sink.attempts, await due(stage)) == (0, 0)
        await stage.happen(rollout, stage.event("over", EventKind.ENDED), phase=Phase.SUCCEEDED)
        await stage.round()
        assert sink.told == ["over"]

    play(script)


def test_the_row_that_is_told_has_the_events_in_it(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        sink = Recorder()
        stage = Stage(store, sink)
        await stage.open()
        rollout = await stage.start()
        await stage.happen(rollout, "over", phase=Phase.SUCCEEDED)
        await stage.round()
        assert [row.rollout.phase for row in sink.rows] == [Phase.SUCCEEDED, Phase.SUCCEEDED]

    play(script)


def test_nothing_is_told_of_a_decision_that_was_not_committed(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        sink = Recorder()
        stage = Stage(store, sink)
        await stage.open()
        rollout = await stage.start()
        (stale,) = await store.lease_due(
            owner="frozen", now=stage.clock.now(), ttl=TTL, limit=1, only=rollout
        )
        stage.clock.move(TTL)
        await stage.happen(rollout, "by another process")
        with pytest.raises(Lost):
            await store.commit(stale, a_decision(stale, events=(stage.event("never happened"),)))
        await stage.round()
        assert sink.told == ["r1 starts", "by another process"]

    play(script)


def test_a_crash_between_telling_and_committing_tells_the_same_again_and_loses_nothing(
    play: Play[None],
) -> None:
    async def script(store: Store) -> None:
        sink = Recorder()
        stage = Stage(store, sink)
        await stage.open()
        rollout = await stage.start()
        await stage.happen(rollout, "one")
        with dying_before_commit(store):
            await stage.round()
        assert sink.told == ["r1 starts"]
        await stage.round(stage.anew())
        assert sink.told == ["r1 starts"]  # whoever died may only be slow: its lease is kept to
        stage.clock.move(LEASE_OVER)
        await stage.round(stage.anew())
        assert sink.told == ["r1 starts", "r1 starts", "one"]

    play(script)


def test_a_receiver_that_was_away_for_an_hour_gets_everything_in_order(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        sink = Recorder()
        stage = Stage(store, sink)
        await stage.open()
        rollouts = [await stage.start(name) for name in ("r1", "r2")]
        sink.trouble = Down()
        for minute in range(60):
            for rollout in rollouts:
                await stage.happen(rollout, f"{rollout} minute {minute}")
            await stage.later(MINUTE)
        assert sink.told == []
        assert sink.attempts < 40  # of 2 rollouts in an hour: it was not hammered
        sink.trouble = None
        await stage.later(10 * MINUTE)
        for rollout in rollouts:
            mine = [message for message in sink.told if message.startswith(rollout)]
            assert mine == [f"{rollout} starts", *(f"{rollout} minute {minute}" for minute in range(60))]

    play(script)


@pytest.mark.long
def test_pauses_double_up_to_ten_minutes(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        sink = Recorder()
        sink.trouble = Down()
        stage = Stage(store, sink)
        await stage.open()
        await stage.start()
        assert [await next_attempt(stage, sink) for _ in range(13)] == [
            0, 1, 2, 3, 6, 12, 24, 48, 96, 192, 384, 450, 450,
        ]  # fmt: skip

    play(script)


def test_a_receiver_that_says_no_is_asked_again_slowly(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        sink = Recorder()
        sink.trouble = Rejected(what="no")
        stage = Stage(store, sink)
        await stage.open()
        await stage.start()
        assert [await next_attempt(stage, sink) for _ in range(5)] == [0, 45, 90, 180, 360]

    play(script)


def test_a_receiver_that_asks_for_time_gets_it_from_every_rollout(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        sink = Recorder()
        stage = Stage(store, sink)
        await stage.open()
        await stage.start("r1")
        sink.trouble = Later(what="busy", after=timedelta(minutes=30))
        await stage.round()
        sink.trouble = None
        await stage.start("r2")
        await stage.later(29 * MINUTE)
        assert sink.attempts == 1
        await stage.later(MINUTE)
        assert sorted(sink.told) == ["r1 starts", "r2 starts"]

    play(script)


def test_a_receiver_that_wants_to_hear_no_more_is_asked_again_by_the_next_process_alone(
    play: Play[None],
) -> None:
    async def script(store: Store) -> None:
        sink = Recorder()
        stage = Stage(store, sink)
        await stage.open()
        await stage.start()
        sink.trouble = Gone(what="unsubscribed")
        await stage.round()
        sink.trouble = None
        await stage.later(HOUR)
        assert sink.attempts == 1
        await stage.round(stage.anew())
        assert sink.told == ["r1 starts"]

    play(script)


def test_events_of_three_days_ago_are_given_up_and_later_ones_are_told(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        sink = Recorder()
        sink.trouble = Down()
        stage = Stage(store, sink)
        await stage.open()
        rollout = await stage.start()
        await stage.happen(rollout, "old")
        await stage.later(timedelta(days=2))
        await stage.happen(rollout, "young")
        await stage.later(timedelta(days=1) - 20 * MINUTE)
        await stage.later(20 * MINUTE)
        sink.trouble = None
        await stage.later(20 * MINUTE)
        assert sink.told == ["young"]

    play(script)


def test_one_receiver_s_outage_delays_no_other() -> None:
    async def main(loop: VirtualLoop) -> None:
        well, ill, stuck = Recorder("well"), Recorder("ill"), Recorder("stuck")
        ill.trouble, stuck.stuck = RuntimeError("a bug in Teal"), asyncio.Event()
        stage = Stage(MemoryStore(), well, ill, stuck)
        stage.clock = LoopClock(loop, stage.clock.now())  # type: ignore[assignment]
        stop = asyncio.Event()
        await stage.open()
        async with asyncio.TaskGroup() as group:
            group.create_task(stage.anew().run(stop))
            rollout = await stage.start()
            for n in range(20):
                await stage.happen(rollout, f"{n}")
                await asyncio.sleep(2)
                assert well.told[-1] == f"{n}"
            stop.set()
        assert ill.attempts > 3
        assert loop.seconds < 50  # whoever is stuck holds the end up for a few seconds, not for ever

    in_virtual_time(main)


def test_a_receiver_that_is_away_is_asked_with_one_rollout_and_told_all_once_it_is_back() -> None:
    async def main(loop: VirtualLoop) -> None:
        sink = Recorder()
        sink.trouble = Down()
        stage = Stage(MemoryStore(), sink)
        stage.clock = LoopClock(loop, stage.clock.now())  # type: ignore[assignment]
        stop = asyncio.Event()
        await stage.open()
        async with asyncio.TaskGroup() as group:
            group.create_task(stage.anew().run(stop))
            for n in range(100):
                await stage.start(f"r{n}", service=f"shop-{n}")
            await asyncio.sleep(600)
            assert sink.attempts < 8 + 20, "eight at once found out, then one a minute"
            sink.trouble = None
            await asyncio.sleep(61)
            assert len(sink.told) >= 75, "those that were not tried meanwhile have nothing to wait for"
            await asyncio.sleep(600)
            assert sorted(sink.told) == sorted(f"r{n} starts" for n in range(100))
            stop.set()

    in_virtual_time(main)


def test_a_hint_tells_at_once_what_the_store_would_be_asked_for_a_second_later() -> None:
    async def main(loop: VirtualLoop) -> None:
        sink = Recorder()
        stage = Stage(MemoryStore(), sink)
        stage.clock = LoopClock(loop, stage.clock.now())  # type: ignore[assignment]
        deliverer, stop = stage.anew(), asyncio.Event()
        await stage.open()
        async with asyncio.TaskGroup() as group:
            group.create_task(deliverer.run(stop))
            rollout = await stage.start()
            await asyncio.sleep(1.5)
            await stage.happen(rollout, "hinted")
            deliverer.hint()
            await asyncio.sleep(0.001)
            assert sink.told == ["r1 starts", "hinted"]
            stop.set()

    in_virtual_time(main)


def test_two_processes_tell_each_event_once_and_in_order() -> None:
    async def main(loop: VirtualLoop) -> None:
        sink = Recorder()
        stage = Stage(MemoryStore(), sink)
        stage.clock = LoopClock(loop, stage.clock.now())  # type: ignore[assignment]
        stop = asyncio.Event()
        await stage.open()
        async with asyncio.TaskGroup() as group:
            for owner in ("one", "other"):
                group.create_task(stage.anew(owner).run(stop))
            rollout = await stage.start()
            for n in range(30):
                await stage.happen(rollout, f"{n}")
                await asyncio.sleep(0.7)
            stop.set()
        assert sink.told == ["r1 starts", *(f"{n}" for n in range(30))]

    in_virtual_time(main)


def test_a_store_that_is_away_stops_no_line_for_good() -> None:
    async def main(loop: VirtualLoop) -> None:
        sink = Recorder()
        store = MemoryStore()
        stage = Stage(store, sink)
        stage.clock = LoopClock(loop, stage.clock.now())  # type: ignore[assignment]
        deliverer, stop = stage.anew(), asyncio.Event()
        await stage.open()
        async with asyncio.TaskGroup() as group:
            with away(store):
                group.create_task(deliverer.run(stop))
                await stage.start()
                await asyncio.sleep(60)
            assert sink.told == []
            await asyncio.sleep(10)
            assert sink.told == ["r1 starts"]
            stop.set()

    in_virtual_time(main)


async def due(stage: Stage) -> int:
    """How many rollouts wait to be told, should somebody ask an hour from now."""
    found = await stage.store.lease_deliveries(
        stage.sinks[0].name, owner="asker", now=stage.clock.now() + HOUR, ttl=SECOND, limit=100
    )
    stage.clock.move(HOUR + SECOND)
    return len(found)


async def next_attempt(stage: Stage, sink: Recorder) -> int:
    """Seconds until the sink is asked again."""
    before = sink.attempts
    for seconds in range(1000):
        await stage.round()
        if sink.attempts > before:
            return seconds
        stage.clock.move(SECOND)
    raise TimeoutError


@contextmanager
def dying_before_commit(store: Store) -> Iterator[None]:
    """While it lasts, whatever was told is not committed, as if the process had died."""
    real = store.delivered

    async def dead(delivery: Delivery, **_: object) -> None:
        raise Lost(what=f"{delivery.sink} died")

    store.delivered = dead  # type: ignore[method-assign]
    try:
        yield
    finally:
        store.delivered = real  # type: ignore[method-assign]


@contextmanager
def away(store: Store) -> Iterator[None]:
    """While it lasts, the store's outbox cannot be asked."""
    real = store.lease_deliveries, store.open_sink

    async def silent(*_: object, **__: object) -> None:
        raise Down

    store.lease_deliveries = store.open_sink = silent  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        store.lease_deliveries, store.open_sink = real  # type: ignore[method-assign]
