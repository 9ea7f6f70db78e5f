"""Turns: nobody is refused who can wait, and nobody keeps others from theirs."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from api.http.request.turns import Turns
from api.problems import Busy, TooMany


def run(script: Coroutine[Any, Any, None]) -> None:
    asyncio.run(script)


async def work(turns: Turns, caller: str, done: list[str], most: list[int]) -> None:
    async with turns.of(caller):
        most.append(len(turns._at_it))
        await asyncio.sleep(0)
        done.append(caller)


def test_twenty_at_once_are_all_served_one_after_the_other() -> None:
    async def script() -> None:
        turns, done, most = Turns(what="a look", at_once=2), list[str](), list[int]()
        async with asyncio.TaskGroup() as group:
            for _ in range(20):
                group.create_task(work(turns, "ci", done, most))
        assert done == ["ci"] * 20
        assert max(most) == 1, "one caller has one turn at a time"
        assert not turns._at_it
        assert turns.waiting == 0

    run(script())


def test_somebody_with_one_request_waits_for_one_turn_of_a_caller_with_twenty() -> None:
    async def script() -> None:
        turns, done, most = Turns(what="a look"), list[str](), list[int]()
        async with asyncio.TaskGroup() as group:
            for _ in range(20):
                group.create_task(work(turns, "ci", done, most))
            await asyncio.sleep(0)
            group.create_task(work(turns, "operator", done, most))
        assert done.index("operator") <= 2

    run(script())


def test_two_callers_have_their_turns_beside_each_other_where_two_may() -> None:
    async def script() -> None:
        turns, done, most = Turns(what="a look", at_once=2), list[str](), list[int]()
        async with asyncio.TaskGroup() as group:
            for caller in ("one", "two", "three"):
                group.create_task(work(turns, caller, done, most))
        assert max(most) == 2

    run(script())


def test_one_caller_may_not_fill_the_line() -> None:
    async def script() -> None:
        turns = Turns(what="a look", of_one_max=1)
        async with turns.of("ci"):
            waiting = asyncio.create_task(work(turns, "ci", [], []))
            await asyncio.sleep(0)
            with pytest.raises(TooMany, match="1 of ci's requests wait for a look already"):
                async with turns.of("ci"):
                    pass
        await waiting

    run(script())


def test_who_gives_up_waiting_leaves_the_line_and_takes_no_turn() -> None:
    async def script() -> None:
        turns = Turns(what="a look", patience=0.0)
        async with turns.of("one"):
            with pytest.raises(Busy, match="no turn at a look came within 0 s"):
                async with turns.of("two"):
                    pass
            gone = asyncio.create_task(work(turns, "two", [], []))
            await asyncio.sleep(0)
            gone.cancel()
            await asyncio.gather(gone, return_exceptions=True)
            assert turns.waiting == 0
        async with turns.of("three"):
            assert turns._at_it == {"three"}

    run(script())
