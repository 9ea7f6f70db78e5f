"""Reads of many callers meet in few calls, and none of them can hurt another."""

import asyncio
from collections.abc import Mapping

import pytest

from orchestrator.aws.client.batching import WINDOW, Gatherer
from orchestrator.aws.client.errors import unanswered
from orchestrator.core.cloud.resources import Unread
from orchestrator.core.domain.errors import Throttled
from tests.aws.clock import run_in_no_time

Value = str | Unread


class Shelf:
    """Reads that note what was read together; each takes a while."""

    def __init__(self, *, seconds: float = 1.0, fails: frozenset[str] = frozenset()) -> None:
        self.seconds, self.fails = seconds, fails
        self.reads: list[tuple[str, tuple[str, ...]]] = []
        self.cancelled = 0

    async def read(self, group: str, keys: tuple[str, ...]) -> Mapping[str, Value]:
        self.reads.append((group, keys))
        try:
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if group in self.fails:
            raise unanswered("cloudwatch", "DescribeAlarms", why="no answer")
        return {key: f"{group}/{key}" for key in keys}

    def gatherer(self, **more: object) -> Gatherer[str, str, Value]:
        given = {"most": 3, "window": WINDOW, **more}
        return Gatherer(self.read, **given)  # type: ignore[arg-type] # the parameters of Gatherer


def test_what_several_ask_for_within_the_window_is_one_read_and_each_thing_is_asked_once() -> None:
    shelf = Shelf()

    async def main() -> None:
        gatherer = shelf.gatherer()
        async with asyncio.TaskGroup() as group:
            first = group.create_task(gatherer.get("", ("a", "b")))
            await asyncio.sleep(WINDOW / 2)
            second = group.create_task(gatherer.get("", ("b", "c")))
        assert first.result() == {"a": "/a", "b": "/b"}
        assert second.result() == {"b": "/b", "c": "/c"}

    run_in_no_time(main())
    assert shelf.reads == [("", ("a", "b", "c"))]


def test_without_a_window_the_same_turn_of_the_loop_is_gathered_and_no_time_passes() -> None:
    shelf = Shelf(seconds=0)

    async def main() -> None:
        gatherer = shelf.gatherer(window=0.0)
        before = asyncio.get_running_loop().time()
        async with asyncio.TaskGroup() as group:
            for key in "abc":
                group.create_task(gatherer.get("", (key,)))
        assert asyncio.get_running_loop().time() == before

    run_in_no_time(main())
    assert shelf.reads == [("", ("a", "b", "c"))]


def test_a_full_batch_is_read_at_once_and_the_rest_goes_into_the_next() -> None:
    shelf = Shelf(seconds=0)

    async def main() -> float:
        began = asyncio.get_running_loop().time()
        found = await shelf.gatherer().get("", "abcdefg")
        assert found == {key: f"/{key}" for key in "abcdefg"}
        return asyncio.get_running_loop().time() - began

    assert run_in_no_time(main()) == pytest.approx(WINDOW)
    assert [keys for _, keys in shelf.reads] == [("a", "b", "c"), ("d", "e", "f"), ("g",)]


def test_groups_never_share_a_read() -> None:
    shelf = Shelf()

    async def main() -> None:
        gatherer = shelf.gatherer()
        async with asyncio.TaskGroup() as group:
            for name in ("prod", "test"):
                group.create_task(gatherer.get(name, ("a",)))

    run_in_no_time(main())
    assert sorted(shelf.reads) == [("prod", ("a",)), ("test", ("a",))]


def test_who_asks_while_a_read_is_under_way_gets_a_read_of_its_own() -> None:
    shelf = Shelf()

    async def main() -> None:
        gatherer = shelf.gatherer()
        async with asyncio.TaskGroup() as group:
            group.create_task(gatherer.get("", ("a",)))
            await asyncio.sleep(WINDOW * 2)
            group.create_task(gatherer.get("", ("a",)))

    run_in_no_time(main())
    assert len(shelf.reads) == 2


def test_a_failed_read_is_unread_to_those_who_asked_for_it_and_costs_others_nothing() -> None:
    shelf = Shelf(fails=frozenset({"gone"}))

    async def main() -> None:
        gatherer = shelf.gatherer()
        async with asyncio.TaskGroup() as group:
            bad = group.create_task(gatherer.get("gone", ("a",)))
            good = group.create_task(gatherer.get("prod", ("a",)))
        assert isinstance(bad.result()["a"], Unread)
        assert good.result() == {"a": "prod/a"}

    run_in_no_time(main())


def test_a_cancelled_caller_leaves_the_read_to_the_others() -> None:
    shelf = Shelf()

    async def main() -> None:
        gatherer = shelf.gatherer()
        first = asyncio.ensure_future(gatherer.get("", ("a",)))
        second = asyncio.ensure_future(gatherer.get("", ("b",)))
        await asyncio.sleep(WINDOW * 2)
        first.cancel()
        assert await second == {"b": "/b"}
        assert first.cancelled()

    run_in_no_time(main())
    assert shelf.cancelled == 0


def test_a_read_that_nobody_waits_for_any_more_is_given_up() -> None:
    shelf = Shelf()

    async def main() -> None:
        gatherer = shelf.gatherer()
        waiting = asyncio.ensure_future(gatherer.get("", ("a",)))
        await asyncio.sleep(WINDOW * 2)
        waiting.cancel()
        await asyncio.sleep(0.1)
        assert await gatherer.get("", ("b",)) == {"b": "/b"}

    run_in_no_time(main())
    assert shelf.cancelled == 1


def test_a_batch_whose_only_caller_left_before_it_was_read_is_never_read() -> None:
    shelf = Shelf()

    async def main() -> None:
        gatherer = shelf.gatherer()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(WINDOW / 2):
                await gatherer.get("", ("a",))
        await asyncio.sleep(1)

    run_in_no_time(main())
    assert shelf.reads == []


def test_more_than_it_may_hold_is_refused_at_once_and_what_waits_is_still_read() -> None:
    shelf = Shelf()

    async def main() -> None:
        gatherer = shelf.gatherer(waiting_max=4)
        waiting = asyncio.ensure_future(gatherer.get("", "abc"))
        await asyncio.sleep(0)
        with pytest.raises(Throttled, match="3 others"):
            await gatherer.get("", "de")
        assert len(await waiting) == 3
        assert await gatherer.get("", "de") == {"d": "/d", "e": "/e"}

    run_in_no_time(main())
