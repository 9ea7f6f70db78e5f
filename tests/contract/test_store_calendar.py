"""What every store promises of the calendar of freezes; run over each store."""

from datetime import timedelta

from orchestrator.core.domain.calendar import Freeze
from orchestrator.ports.store import Store
from tests.contract.store_doors import Play
from tests.contract.store_values import NOON

DAY = timedelta(days=1)


def a_freeze(reason: str, *, after: int = 0) -> Freeze:
    begins = NOON + after * DAY
    return Freeze(
        begins=begins,
        ends=begins + DAY,
        reason=reason,
        zone="Europe/Berlin",
        services=("prod/*", "eu:prod/checkout"),
    )


def test_a_store_begins_without_a_calendar(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        assert await store.freezes() == ()

    play(script)


def test_a_calendar_comes_back_whole_and_in_order(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        kept = (a_freeze("year's end", after=9), a_freeze("the database moves"), a_freeze("x", after=3))
        await store.keep_freezes(kept)
        assert await store.freezes() == kept

    play(script)


def test_a_calendar_takes_the_place_of_the_one_before(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await store.keep_freezes((a_freeze("a"), a_freeze("b")))
        await store.keep_freezes((a_freeze("c"),))
        assert [one.reason for one in await store.freezes()] == ["c"]
        await store.keep_freezes(())
        assert await store.freezes() == ()

    play(script)
