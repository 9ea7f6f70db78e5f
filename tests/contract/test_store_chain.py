"""What every store promises of the events' chain and of idempotency keys; run over each store."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator.core.domain.errors import Conflict, Refused
from orchestrator.core.domain.event_chain import first_broken
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.ports.rollouts import EventSeen, Filter, Stored
from orchestrator.ports.starts import KEYS_HOLD
from orchestrator.ports.store import Store
from tests.contract.store_doors import R1, SECOND, Play, end, ids, in_memory, lease, on_sqlite, start
from tests.contract.store_values import NOON, a_command, a_decision, a_rollout, allow, an_event, an_outcome

DAY_LATER = NOON + KEYS_HOLD


# --- the chain ---


def broken(log: tuple[EventSeen, ...]) -> int | None:
    return first_broken((seen.rollout, seen.number, seen.event, seen.chain) for seen in log)


async def three_commits(store: Store) -> tuple[EventSeen, ...]:
    """The log of a rollout with events in its start and commits, with a quiet commit in between."""
    await start(store)
    leased = await lease(store)
    for events in ((an_event("a"), an_event("b")), (), (an_event("c"),)):
        leased = await store.commit(leased, a_decision(leased, events=events))
    return await store.events(R1)


def test_each_event_is_linked_to_the_one_before_it(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        log = await three_commits(store)
        assert [seen.event.message for seen in log] == ["it began", "a", "b", "c"]
        assert len({seen.chain for seen in log}) == 4
        assert broken(log) is None

    play(script)


def test_a_part_of_the_log_carries_the_links_of_the_whole(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        log = await three_commits(store)
        assert await store.events(R1, after=1, limit=2) == log[1:3]

    play(script)


def test_the_event_of_a_command_that_came_too_late_is_linked_too(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await start(store)
        leased = await lease(store)
        await store.add_command(R1, a_command(), check=allow)
        await store.commit(leased, a_decision(leased, phase=Phase.ROLLED_BACK, wake_at=None))
        log = await store.events(R1)
        assert (len(log), broken(log)) == (2, None)

    play(script)


def test_the_same_events_get_the_same_links_in_every_store(tmp_path: Path) -> None:
    logs = []
    for make in (in_memory, on_sqlite):
        store = make(tmp_path)
        logs.append(asyncio.run(three_commits(store)))
        asyncio.run(store.close())
    assert logs[0] == logs[1]


def test_two_rollouts_have_chains_of_their_own(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        for name in ("r1", "r2"):
            await start(store, name)
        one, other = await store.events(R1), await store.events(RolloutId("r2"))
        assert (broken(one), broken(other)) == (None, None)
        assert one[0].chain != other[0].chain

    play(script)


def test_an_event_that_was_changed_after_the_fact_shows(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        log = list(await three_commits(store))
        log[1] = replace(log[1], event=replace(log[1].event, message="nothing happened"))
        assert broken(tuple(log)) == 2

    play(script)


# --- keys that start ---


async def start_later(store: Store, name: str, *, key: str = "key r1", after: timedelta) -> Stored:
    rollout = a_rollout(name, created_at=NOON + after)
    return await store.create(rollout, claims=frozenset({name}), key=key, events=(), wake_at=NOON)


def test_a_start_key_stands_for_its_rollout_for_a_day(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await start(store)
        again = await start_later(store, "r2", after=KEYS_HOLD - SECOND)
        assert again.rollout.id == R1
        assert await store.started_by("key r1", now=DAY_LATER - SECOND) == again
        assert await store.started_by("key r1", now=DAY_LATER) is None

    play(script)


def test_a_start_key_makes_another_rollout_a_day_later_and_stands_for_that(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await start(store)
        made = await start_later(store, "r2", after=KEYS_HOLD)
        assert made.rollout.id == "r2"
        assert await store.started_by("key r1", now=DAY_LATER) == made
        assert (await start_later(store, "r3", after=KEYS_HOLD + SECOND)).rollout.id == "r2"
        assert (await start_later(store, "r4", after=2 * KEYS_HOLD)).rollout.id == "r4"
        assert sorted(ids((await store.list(Filter()))[0])) == ["r1", "r2", "r4"]

    play(script)


def test_a_start_key_is_released_only_if_the_new_rollout_is_made(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await start(store, claims=frozenset({"r2"}))
        with pytest.raises(Conflict, match="r2 is taken"):
            await start_later(store, "r2", after=KEYS_HOLD)
        found = await store.started_by("key r1", now=DAY_LATER - SECOND)
        assert found is not None
        assert found.rollout.id == R1

    play(script)


def test_a_start_key_from_a_clock_that_is_behind_still_finds_its_rollout(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await start(store)
        assert (await start_later(store, "r2", after=-SECOND)).rollout.id == R1

    play(script)


# --- keys of commands ---


async def with_an_answered_command(store: Store) -> None:
    await start(store)
    await store.add_command(R1, a_command(), check=allow)
    leased = await lease(store)
    done = await store.commit(leased, a_decision(leased, outcomes=(an_outcome(),)))
    await store.release(done)


def test_a_command_key_stands_for_its_command_for_a_day(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await with_an_answered_command(store)
        again = a_command(at=DAY_LATER - SECOND)
        seen = await store.add_command(R1, again, check=allow)
        assert (seen.command, seen.text) == (a_command(), "paused")

    play(script)


def test_a_command_key_gives_another_command_a_day_later(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await with_an_answered_command(store)
        other, again = a_command("c0", at=DAY_LATER - SECOND), a_command(at=DAY_LATER)
        for command in (other, again):
            assert (await store.add_command(R1, command, check=allow)).command == command
        assert (await store.command(R1, "c1")).command == again
        leased = await lease(store, now=DAY_LATER)
        assert leased.commands == (other, again)
        await store.commit(leased, a_decision(leased, outcomes=(an_outcome("c0"), an_outcome())))
        assert (await store.command(R1, "c1")).text == "paused"

    play(script)


def test_a_command_key_is_released_only_if_the_new_command_is_accepted(play: Play[None]) -> None:
    async def refuse(store: Store) -> None:
        def check(_: Stored) -> None:
            raise Refused(what="it was refused")

        await with_an_answered_command(store)
        with pytest.raises(Refused, match="it was refused"):
            await store.add_command(R1, a_command(at=DAY_LATER), check=check)
        assert (await store.command(R1, "c1")).command == a_command()

    play(refuse)


def test_a_command_that_still_waits_keeps_its_key_for_longer(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await start(store)
        await store.add_command(R1, a_command(), check=allow)
        again = await store.add_command(R1, a_command(at=NOON + 3 * KEYS_HOLD), check=allow)
        assert again.command == a_command()
        assert (await lease(store)).commands == (a_command(),)

    play(script)


# --- services ---


def test_services_are_listed_by_name_each_once_and_in_pages(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        assert await store.services() == ((), "")
        for number, service in enumerate(["cart", "checkout", "cart", "billing", "cart"]):
            rollout = a_rollout(f"r{number}", service=service)
            await store.create(rollout, claims=frozenset(), key=str(number), events=(), wake_at=NOON)
            await end(store)
        assert await store.services() == (("prod/billing", "prod/cart", "prod/checkout"), "")
        assert await store.services(limit=3) == (("prod/billing", "prod/cart", "prod/checkout"), "")
        assert await store.services(limit=2) == (("prod/billing", "prod/cart"), "prod/cart")
        assert await store.services(after="prod/cart", limit=2) == (("prod/checkout",), "")
        assert await store.services(after="prod/caz") == (("prod/checkout",), "")

    play(script)
