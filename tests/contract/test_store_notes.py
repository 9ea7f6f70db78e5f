"""What every store promises of facts about rollouts that have ended; run over each store."""

from datetime import timedelta

import pytest

from orchestrator.core.domain.errors import NotFound
from orchestrator.core.domain.ids import RolloutId
from orchestrator.ports.store import Store
from tests.contract.store_doors import R1, Play, end, start
from tests.contract.store_values import NOON, a_record, an_event
from tests.contract.test_store_outbox import due, due_one, opened

KIND, LEASE = "afterwards", timedelta(seconds=30)


def test_a_fact_about_an_ended_rollout_is_its_newest_event_and_its_newest_record(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await start(store)
        await end(store)
        before = await store.events(R1)
        note = a_record("n1", body='["gone"]', kind=KIND)
        assert await store.add_note(R1, an_event("it is gone"), note)
        events = await store.events(R1)
        assert events[:-1] == before
        assert (events[-1].number, events[-1].event.message) == (len(before) + 1, "it is gone")
        assert await store.records(R1, kind=KIND) == (note,)
        assert await store.find_active("prod/r1") is None, "it is over as before"

    play(script)


def test_the_same_fact_is_added_once_until_another_one_has_come(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await start(store)
        await end(store)
        bodies = ['["gone"]', '["gone"]', "[]", '["gone"]']
        notes = [a_record(f"n{number}", body=body, kind=KIND) for number, body in enumerate(bodies)]
        added = [await store.add_note(R1, an_event(note.body), note) for note in notes]
        assert added == [True, False, True, True]
        assert [note.body for note in await store.records(R1, kind=KIND)] == ['["gone"]', "[]", '["gone"]']

    play(script)


def test_nothing_is_added_while_a_rollout_is_active(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await start(store)
        assert not await store.add_note(R1, an_event("early"), a_record("n1", kind=KIND))
        assert await store.records(R1, kind=KIND) == ()

    play(script)


def test_a_fact_about_an_unknown_rollout_is_refused(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        with pytest.raises(NotFound):
            await store.add_note(RolloutId("none"), an_event("?"), a_record("n1", kind=KIND))

    play(script)


def test_whoever_was_told_of_the_rollout_is_told_and_others_are_not(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await opened(store, "r1")
        ended = await end(store)
        sent = len(await store.events(ended.stored.rollout.id))
        await store.delivered(await due_one(store), sent=sent, state="")
        await store.open_sink("late", now=NOON)
        await store.add_note(R1, an_event("it is gone"), a_record("n1", kind=KIND))
        (delivery,) = await due(store)
        assert delivery.sent == sent
        assert await store.lease_deliveries("late", owner="x", now=NOON, ttl=LEASE, limit=5) == ()

    play(script)


def test_a_record_that_is_known_by_its_key_is_not_told_anew(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await start(store)
        await end(store)
        assert await store.add_note(R1, an_event("a"), a_record("n1", body="a", kind=KIND))
        assert not await store.add_note(R1, an_event("b"), a_record("n1", body="b", kind=KIND))
        assert len(await store.records(R1, kind=KIND)) == 1

    play(script)
