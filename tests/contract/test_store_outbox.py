"""What every store promises of the outbox; run over each store."""

from datetime import datetime, timedelta

import pytest

from orchestrator.core.domain.errors import Lost
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.ports.leases import Leased
from orchestrator.ports.outbox import Delivery
from orchestrator.ports.store import Store
from tests.contract.store_doors import R1, SECOND, Play, end, lease, start
from tests.contract.store_values import NOON, TTL, a_decision, a_rollout, an_event

LATER = NOON + timedelta(hours=1)


async def due(
    store: Store, *, owner: str = "one", now: datetime = NOON, limit: int = 10, sink: str = "slack"
) -> tuple[Delivery, ...]:
    return await store.lease_deliveries(sink, owner=owner, now=now, ttl=TTL, limit=limit)


async def due_one(store: Store, *, owner: str = "one", now: datetime = NOON) -> Delivery:
    (delivery,) = await due(store, owner=owner, now=now)
    return delivery


def places(deliveries: tuple[Delivery, ...]) -> list[tuple[str, int]]:
    return [(delivery.stored.rollout.id, delivery.sent) for delivery in deliveries]


async def opened(store: Store, *names: str) -> None:
    """A sink that is open, then a rollout by each name."""
    await store.open_sink("slack", now=NOON)
    for name in names:
        await start(store, name)


async def more(store: Store, leased: Leased, *messages: str, at: datetime = NOON) -> Leased:
    events = tuple(an_event(message, at=at) for message in messages)
    return await store.commit(leased, a_decision(leased, events=events))


# --- what is due ---


def test_a_new_rollout_is_to_be_told_from_its_first_event(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await opened(store, "r1")
        delivery = await due_one(store)
        assert delivery == Delivery(
            sink="slack",
            stored=await store.load(R1),
            sent=0,
            state="",
            attempts=0,
            owner="one",
            until=NOON + TTL,
        )

    play(script)


def test_what_was_taken_is_not_told_again_and_state_is_kept(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await opened(store, "r1")
        assert await store.delivery_state("slack", R1) == ""
        await store.delivered(await due_one(store), sent=1, state='{"message": 7}')
        assert await due(store, now=LATER) == ()
        assert await store.delivery_state("slack", R1) == '{"message": 7}'

    play(script)


def test_further_events_are_told_after_the_last_one_taken_with_the_state_of_then(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await opened(store, "r1")
        await store.delivered(await due_one(store), sent=1, state="s")
        await more(store, await lease(store), "a", "b")
        delivery = await due_one(store)
        assert (delivery.sent, delivery.state, delivery.stored.version) == (1, "s", 2)

    play(script)


def test_a_commit_without_events_makes_nothing_due(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await opened(store, "r1")
        await store.delivered(await due_one(store), sent=1, state="")
        await more(store, await lease(store))
        assert await due(store, now=LATER) == ()

    play(script)


def test_an_event_that_comes_while_others_are_told_is_due_at_once_afterwards(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await opened(store, "r1")
        delivery = await due_one(store)
        await more(store, await lease(store), "meanwhile")
        assert await due(store) == ()  # somebody tells this rollout: order is kept
        await store.delivered(delivery, sent=1, state="")
        assert places(await due(store)) == [("r1", 1)]

    play(script)


def test_a_part_that_was_told_is_taken_and_the_rest_is_due_at_once(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await opened(store, "r1")
        await more(store, await lease(store), "a", "b")
        await store.delivered(await due_one(store), sent=2, state="half")
        delivery = await due_one(store)
        assert (delivery.sent, delivery.state) == (2, "half")

    play(script)


def test_the_end_of_a_rollout_is_told_and_then_nothing_more(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await opened(store, "r1")
        leased = await lease(store)
        await store.commit(leased, a_decision(leased, phase=Phase.SUCCEEDED, events=(an_event("end"),)))
        delivery = await due_one(store)
        assert delivery.stored.rollout.phase is Phase.SUCCEEDED
        await store.delivered(delivery, sent=2, state="")
        assert await due(store, now=LATER) == ()

    play(script)


def test_a_decision_that_was_not_committed_is_told_to_nobody(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await opened(store, "r1")
        await store.delivered(await due_one(store), sent=1, state="")
        stale = await lease(store)
        await lease(store, owner="two", now=NOON + TTL)
        with pytest.raises(Lost):
            await more(store, stale, "never happened")
        assert await due(store, now=LATER) == ()

    play(script)


def test_the_oldest_come_first_and_no_more_than_asked_for(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await store.open_sink("slack", now=NOON)
        for name, age in (("r1", 1), ("r2", 3), ("r3", 2), ("r4", 3)):
            event = an_event(at=NOON - age * SECOND)
            await store.create(a_rollout(name), claims=frozenset(), key=name, events=(event,), wake_at=NOON)
        assert places(await due(store, limit=3)) == [("r2", 0), ("r4", 0), ("r3", 0)]
        assert places(await due(store, limit=3)) == [("r1", 0)]

    play(script)


# --- leases ---


def test_of_two_only_one_tells_a_rollout(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await opened(store, "r1", "r2")
        first = await due(store, limit=1)
        second = await due(store, owner="two")
        assert (places(first), places(second)) == ([("r1", 0)], [("r2", 0)])
        assert await due(store, owner="three") == ()

    play(script)


def test_a_lease_that_ran_out_passes_on_and_is_lost_to_its_first_holder(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await opened(store, "r1")
        stale = await due_one(store)
        assert await due(store, now=NOON + TTL - SECOND) == ()
        fresh = await due_one(store, owner="two", now=NOON + TTL)
        with pytest.raises(Lost, match="the right to deliver to slack of rollout r1 is lost"):
            await store.delivered(stale, sent=1, state="stale")
        with pytest.raises(Lost):
            await store.not_delivered(stale, again_at=LATER, why="stale")
        await store.delivered(fresh, sent=1, state="fresh")
        assert await store.delivery_state("slack", R1) == "fresh"

    play(script)


def test_a_lease_that_ran_out_and_nobody_took_still_counts(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await opened(store, "r1")
        await store.delivered(await due_one(store), sent=1, state="late")
        assert await due(store, now=LATER) == ()

    play(script)


def test_what_was_let_go_is_lost_even_if_the_same_owner_has_it_again(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await opened(store, "r1")
        await more(store, await lease(store), "a")
        before = await due_one(store)
        await store.delivered(before, sent=1, state="")
        again = await due_one(store)  # the same owner, at the same moment
        with pytest.raises(Lost):
            await store.delivered(before, sent=1, state="")
        await store.not_delivered(again, again_at=NOON, why="down")
        third = await due_one(store)
        with pytest.raises(Lost):
            await store.not_delivered(again, again_at=LATER, why="down")
        await store.delivered(third, sent=2, state="")

    play(script)


def test_a_holder_that_died_before_it_reported_is_followed_by_one_that_tells_again(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await opened(store, "r1")
        await due_one(store)
        delivery = await due_one(store, owner="two", now=NOON + TTL)
        assert (delivery.sent, delivery.state) == (0, "")

    play(script)


# --- failed attempts ---


def test_a_failed_attempt_waits_for_its_time_and_is_counted(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await opened(store, "r1")
        for attempt in range(3):
            now = NOON + attempt * TTL
            delivery = await due_one(store, now=now)
            assert (delivery.attempts, delivery.sent) == (attempt, 0)
            await store.not_delivered(delivery, again_at=now + TTL, why="503" * 1000)
            assert await due(store, now=now + TTL - SECOND) == ()
        await store.delivered(await due_one(store, now=LATER), sent=1, state="")
        await more(store, await lease(store), "a")
        assert (await due_one(store)).attempts == 0

    play(script)


def test_events_that_come_during_a_pause_wait_for_its_end(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await opened(store, "r1")
        await store.not_delivered(await due_one(store), again_at=LATER, why="down")
        await more(store, await lease(store), "a")
        assert await due(store, now=LATER - SECOND) == ()
        assert places(await due(store, now=LATER)) == [("r1", 0)]

    play(script)


def test_a_failed_attempt_keeps_the_state_of_the_last_success(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await opened(store, "r1")
        await more(store, await lease(store), "a")
        await store.delivered(await due_one(store), sent=1, state="message 7")
        await store.not_delivered(await due_one(store), again_at=NOON, why="down")
        delivery = await due_one(store)
        assert (delivery.state, delivery.attempts) == ("message 7", 1)

    play(script)


# --- sinks ---


def test_each_sink_goes_its_own_way(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        for sink in ("slack", "hook"):
            await store.open_sink(sink, now=NOON)
        await start(store)
        await store.delivered(await due_one(store), sent=1, state="of slack")
        (hook,) = await due(store, sink="hook")
        assert (hook.sink, hook.sent, hook.state) == ("hook", 0, "")
        assert await store.delivery_state("hook", R1) == ""

    play(script)


def test_a_sink_that_is_opened_later_is_told_of_active_rollouts_from_their_next_event(
    play: Play[None],
) -> None:
    async def script(store: Store) -> None:
        await start(store, "over")
        await end(store)
        await start(store, "r1")
        await store.open_sink("slack", now=NOON)
        assert await due(store, now=LATER) == ()
        await more(store, await lease(store), "next")
        assert places(await due(store)) == [("r1", 1)]

    play(script)


def test_a_sink_that_is_opened_again_keeps_its_place(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await opened(store, "r1", "r2")
        await store.delivered((await due(store, limit=1))[0], sent=1, state="s")
        await store.open_sink("slack", now=LATER)
        assert places(await due(store, now=LATER)) == [("r2", 0)]
        assert await store.delivery_state("slack", R1) == "s"

    play(script)


def test_a_sink_that_was_never_opened_is_told_nothing(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await start(store)
        assert await due(store) == ()
        assert await store.delivery_state("slack", R1) == ""
        assert await store.delivery_state("slack", RolloutId("unknown")) == ""

    play(script)


def test_a_report_of_a_delivery_that_never_was_is_lost(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        stored = await start(store)
        made_up = Delivery(sink="slack", stored=stored, sent=0, state="", attempts=0, owner="one", until=NOON)
        with pytest.raises(Lost):
            await store.delivered(made_up, sent=1, state="")

    play(script)
