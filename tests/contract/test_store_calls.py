"""What every store promises of the log of calls; run over each store."""

import asyncio
from dataclasses import replace

import pytest

from orchestrator.core.domain.errors import Invalid
from orchestrator.ports.calls import REFUSED_KEPT, Call
from orchestrator.ports.store import Store
from tests.contract.store_doors import SECOND, Play
from tests.contract.store_values import NOON


def a_call(request: str = "1", *, outcome: str = "ok") -> Call:
    return Call(
        at=NOON,
        actor="operator",
        source="http",
        address="192.0.2.7",
        call="POST /v1/rollouts/{id}/pause",
        target="r1",
        outcome=outcome,
        request=request,
        token="t-1",
    )


def test_calls_come_back_whole_the_last_added_first(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        assert await store.calls() == ((), "")
        added = [a_call("1"), a_call("2", outcome="forbidden")]
        for call in added:
            await store.add_call(call)
        assert await store.calls() == ((added[1], added[0]), "")

    play(script)


def test_calls_of_the_same_moment_and_words_are_each_kept(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        for _ in range(3):
            await store.add_call(a_call())
        assert len((await store.calls())[0]) == 3

    play(script)


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6])
def test_pages_of_calls_lose_none_and_double_none_while_others_are_added(
    play: Play[None], limit: int
) -> None:
    async def script(store: Store) -> None:
        for number in range(5):
            await store.add_call(a_call(str(number)))
        seen, cursor = await store.calls(limit=limit)
        while cursor:
            await store.add_call(a_call("late"))
            page, cursor = await store.calls(before=cursor, limit=limit)
            seen += page
        assert [call.request for call in seen] == ["4", "3", "2", "1", "0"]

    play(script)


@pytest.mark.parametrize("cursor", ["0", "3", "-1", "1.0", "one", " 1", "٣", "9" * 40, "1; DROP TABLE calls"])
def test_a_cursor_that_no_page_returned_is_refused(play: Play[None], cursor: str) -> None:
    async def script(store: Store) -> None:
        for at in (NOON, NOON + SECOND):
            await store.add_call(a_call(str(at)))
        with pytest.raises(Invalid, match="no page ends at"):
            await store.calls(before=cursor)

    play(script)


def test_strangers_refused_calls_go_with_time_and_nobody_elses_do(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        kept = [a_call("known, refused", outcome="forbidden"), replace(a_call("nobody, done"), actor="")]
        for call in kept:
            await store.add_call(call)
        strange = replace(a_call("strange", outcome="unauthenticated"), actor="")
        async with asyncio.TaskGroup() as group:
            for _ in range(REFUSED_KEPT + 300):
                group.create_task(store.add_call(strange))
        found, cursor = await store.calls(limit=500)
        while cursor:
            page, cursor = await store.calls(before=cursor, limit=500)
            found += page
        strangers = [call for call in found if call.is_strangers]
        assert REFUSED_KEPT <= len(strangers) <= REFUSED_KEPT + 32
        assert list(found[-2:]) == kept[::-1]

    play(script)


def test_a_page_goes_on_though_the_call_that_it_ended_with_is_gone(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await store.add_call(a_call("first"))
        strange = replace(a_call("strange", outcome="unauthenticated"), actor="")
        for _ in range(2):
            await store.add_call(strange)
        _, cursor = await store.calls(limit=2)
        async with asyncio.TaskGroup() as group:
            for _ in range(REFUSED_KEPT + 64):
                group.create_task(store.add_call(strange))
        (last,), cursor = await store.calls(before=cursor)
        assert (last.request, cursor) == ("first", "")

    play(script)
