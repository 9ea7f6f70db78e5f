"""What every store promises of the log of calls; run over each store."""

import pytest

from orchestrator.core.domain.errors import Invalid
from orchestrator.ports.calls import Call
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
