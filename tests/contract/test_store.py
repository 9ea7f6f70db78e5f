"""What every store promises of rollouts, their claims, events and records; run over each store."""

from datetime import timedelta

import pytest

from orchestrator.core.domain.errors import Conflict, Invalid, Lost, NotFound, Refused
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.ports.rollouts import Filter
from orchestrator.ports.store import Store
from tests.contract.store_doors import R1, SECOND, Play, end, ids, lease, start
from tests.contract.store_values import NOON, a_decision, a_record, a_rollout, an_event

# --- starting and claiming ---


def test_what_was_created_is_loaded(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        made = await start(store)
        assert made == await store.load(R1)
        assert (made.rollout, made.wake_at) == (a_rollout("r1"), NOON)

    play(script)


def test_same_start_key_returns_the_rollout_it_made(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await start(store)
        again = await store.create(
            a_rollout("r2"), claims=frozenset({"service r1"}), key="key r1", events=(), wake_at=NOON
        )
        assert again.rollout.id == R1
        assert ids((await store.list(Filter()))[0]) == ["r1"]

    play(script)


def test_same_start_key_returns_the_rollout_it_made_after_its_end(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await start(store)
        await end(store)
        assert (await start(store)).rollout.phase is Phase.SUCCEEDED

    play(script)


def test_a_rollout_is_found_by_the_key_that_started_it(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        assert await store.started_by("key r1", now=NOON) is None
        await start(store)
        ended = await end(store)
        assert await store.started_by("key r1", now=NOON) == ended.stored

    play(script)


def test_conflict_names_the_holder_and_nothing_is_made(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await start(store, claims=frozenset({"prod/checkout", "rule 1"}))
        with pytest.raises(Conflict, match="rule 1 is taken") as caught:
            await start(store, "r2", claims=frozenset({"prod/cart", "rule 1"}))
        assert caught.value.holder == "r1"
        with pytest.raises(NotFound):
            await store.load(RolloutId("r2"))
        await start(store, "r3", claims=frozenset({"prod/cart"}))

    play(script)


def test_an_id_is_used_once(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await start(store)
        with pytest.raises(Conflict, match="there is a rollout r1 already"):
            await store.create(a_rollout("r1"), claims=frozenset(), key="other key", events=(), wake_at=NOON)

    play(script)


def test_claims_are_free_again_once_the_rollout_has_ended(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        for phase, name in ((Phase.SUCCEEDED, "r1"), (Phase.ROLLED_BACK, "r2"), (Phase.ABANDONED, "r3")):
            await start(store, name, claims=frozenset({"prod/checkout"}))
            await store.claim(RolloutId(name), frozenset({"rule 1"}))
            await end(store, phase=phase)

    play(script)


def test_further_claims_are_all_taken_or_none(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await start(store, "r1", claims=frozenset({"rule 2"}))
        await start(store, "r2")
        with pytest.raises(Conflict) as caught:
            await store.claim(RolloutId("r2"), frozenset({"rule 1", "rule 2"}))
        assert caught.value.holder == "r1"
        await store.claim(R1, frozenset({"rule 1", "rule 2"}))

    play(script)


def test_claiming_for_an_unknown_or_ended_rollout_is_refused(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        with pytest.raises(NotFound):
            await store.claim(R1, frozenset({"rule 1"}))
        await start(store)
        await end(store)
        with pytest.raises(Refused, match="has ended"):
            await store.claim(R1, frozenset({"rule 1"}))

    play(script)


# --- events and records ---


def test_events_are_numbered_without_gaps_also_around_a_lost_commit(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await start(store)
        leased = await lease(store)
        told = (an_event("a"), an_event("b"))
        done = await store.commit(leased, a_decision(leased, events=told))
        with pytest.raises(Lost):
            await store.commit(leased, a_decision(leased, events=(an_event("lost"),)))
        await store.commit(done, a_decision(done, events=(an_event("c"),)))
        seen = await store.events(R1)
        expected = [(1, "it began"), (2, "a"), (3, "b"), (4, "c")]
        assert [(one.number, one.event.message) for one in seen] == expected
        assert seen[1].event == told[0]

    play(script)


def test_events_are_read_on_from_where_a_reader_stopped(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await start(store)
        leased = await lease(store)
        await store.commit(leased, a_decision(leased, events=tuple(an_event(str(n)) for n in range(5))))
        page = await store.events(R1, after=2, limit=3)
        assert [one.number for one in page] == [3, 4, 5]
        assert await store.events(R1, after=6) == ()
        with pytest.raises(NotFound):
            await store.events(RolloutId("unknown"))

    play(script)


def test_a_record_is_kept_once_as_it_was_first_committed(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await start(store)
        leased = await lease(store)
        first = (a_record("z"), a_record("a", kind="stop"), a_record("z", body="[2]"))
        leased = await store.commit(leased, a_decision(leased, records=first))
        again = (a_record("a", body="[3]"), a_record("m"))
        await store.commit(leased, a_decision(leased, records=again))
        assert await store.records(R1) == (first[0], first[1], again[1])
        assert await store.records(R1, kind="stop") == (first[1],)
        assert await store.records(R1, limit=1) == (first[0],)

    play(script)


# --- finding ---


def test_the_active_rollout_of_a_service_is_found_until_it_ends(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        assert await store.find_active("prod/checkout") is None
        await start(store)
        found = await store.find_active("prod/checkout")
        assert found is not None
        assert found.rollout.id == R1
        assert await store.find_active("prod/cart") is None
        await end(store)
        assert await store.find_active("prod/checkout") is None

    play(script)


def test_pages_are_newest_first_and_join_without_gap_or_double(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        minutes = {"r1": 0, "r2": 2, "r3": 1, "r4": 1, "r5": 4}  # r3 and r4 in the same instant
        for name, minute in minutes.items():
            rollout = a_rollout(name, created_at=NOON + timedelta(minutes=minute))
            await store.create(rollout, claims=frozenset(), key=name, events=(), wake_at=NOON)
        pages, cursor = [], ""
        for _ in range(3):
            page, cursor = await store.list(Filter(), before=cursor, limit=2)
            pages.append(ids(page))
        assert (pages, cursor) == ([["r5", "r2"], ["r4", "r3"], ["r1"]], "")
        assert (await store.list(Filter(), limit=5))[1] == ""

    play(script)


def test_rollouts_are_filtered_by_service_phase_and_activity(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await start(store, "r1")
        await end(store)
        cart = a_rollout("r2", service="cart", created_at=NOON + SECOND)
        await store.create(cart, claims=frozenset(), key="k", events=(), wake_at=NOON)

        async def found(which: Filter) -> list[str]:
            return ids((await store.list(which))[0])

        assert await found(Filter()) == ["r2", "r1"]
        assert await found(Filter(service="prod/cart")) == ["r2"]
        assert await found(Filter(phases=frozenset({Phase.SUCCEEDED, Phase.WATCHING}))) == ["r1"]
        assert await found(Filter(is_active=True)) == ["r2"]
        assert await found(Filter(is_active=False)) == ["r1"]
        assert await found(Filter(service="prod/cart", is_active=False)) == []

    play(script)


def test_a_cursor_that_no_page_returned_is_invalid(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        with pytest.raises(Invalid, match="no page ends at `r9`"):
            await store.list(Filter(), before="r9")

    play(script)


def test_what_is_not_there_is_not_found(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        with pytest.raises(NotFound, match="no rollout r1"):
            await store.load(R1)
        assert await store.records(R1) == ()

    play(script)


def test_closing_twice_is_closing_once(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await start(store)
        await store.close()  # and again by whoever made it

    play(script)
