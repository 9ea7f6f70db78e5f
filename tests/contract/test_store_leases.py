"""What every store promises of leases, commits and wake-ups; run over each store."""

from dataclasses import replace
from datetime import datetime

import pytest

from orchestrator.core.domain.errors import Lost
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.ports.store import Store
from tests.contract.store_doors import R1, SECOND, Play, ids, lease, start
from tests.contract.store_values import NOON, TICK, TTL, a_decision, a_record, an_event

# --- leases ---


def test_only_due_rows_are_leased_the_most_overdue_first(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        for name, late in (("r1", 1), ("r2", 3), ("r3", 2), ("r4", -1), ("r5", 0)):
            await start(store, name, wake_at=NOON - late * SECOND)
        first = await store.lease_due(owner="one", now=NOON, ttl=TTL, limit=2)
        second = await store.lease_due(owner="one", now=NOON, ttl=TTL, limit=9)
        assert (ids(first), ids(second)) == (["r2", "r3"], ["r1", "r5"])

    play(script)


def test_one_row_alone_is_leased_where_it_was_asked_for_and_only_if_it_is_due(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        for name, late in (("r1", 1), ("r2", 3), ("r3", -1)):
            await start(store, name, wake_at=NOON - late * SECOND)
        for name, leased in (("r1", ["r1"]), ("r1", []), ("r3", []), ("nobody", [])):
            found = await store.lease_due(owner="one", now=NOON, ttl=TTL, limit=9, only=RolloutId(name))
            assert ids(found) == leased
        assert ids(await store.lease_due(owner="one", now=NOON, ttl=TTL, limit=9)) == ["r2"]

    play(script)


def test_a_leased_row_is_nobody_elses_until_the_lease_has_passed(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await start(store)
        first = await lease(store, owner="one")
        assert await store.lease_due(owner="two", now=NOON + TTL - SECOND, ttl=TTL, limit=9) == ()
        second = await lease(store, owner="two", now=NOON + TTL)
        assert (first.fence, second.fence) == (1, 2)
        assert second.until == NOON + 2 * TTL

    play(script)


def test_a_lease_that_a_clock_ahead_wrote_lasts_no_longer_than_a_lease_from_now_on(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await start(store)
        ahead = await lease(store, owner="one", now=NOON + 100 * TTL)
        assert await store.lease_due(owner="two", now=NOON, ttl=TTL, limit=9) == ()
        assert await store.lease_due(owner="two", now=NOON + TTL - SECOND, ttl=TTL, limit=9) == ()
        second = await lease(store, owner="two", now=NOON + TTL)
        assert second.fence == ahead.fence + 1

    play(script)


def test_whoever_begins_has_every_active_row_looked_at(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        for name in ("r1", "r2"):
            await start(store, name, wake_at=NOON + 100 * TTL)
        assert await store.lease_due(owner="one", now=NOON, ttl=TTL, limit=9) == ()
        await store.wake_all(now=NOON)
        assert ids(await store.lease_due(owner="one", now=NOON, ttl=TTL, limit=9)) == ["r1", "r2"]

    play(script)


def test_rows_can_be_looked_at_as_they_are_without_a_right_to_them(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        for name, late in (("r1", 1), ("r2", -5)):
            await start(store, name, wake_at=NOON - late * SECOND)
        held = await lease(store, owner="one")

        async def look(
            phase: Phase = Phase.PENDING, but: tuple[RolloutId, ...] = (), limit: int = 9
        ) -> list[str]:
            seen = await store.look_active(owner="two", now=NOON, phases=(phase,), but=but, limit=limit)
            assert all(one.until == NOON for one in seen)
            return ids(seen)

        assert await look() == ["r1", "r2"]
        assert await look(limit=1) == ["r1"]
        assert await look(but=(R1,)) == ["r2"]
        assert await look(Phase.SHIFTING) == []
        await store.commit(held, a_decision(held))  # looking took nothing

    play(script)


def test_a_commit_on_an_old_fence_is_lost_and_writes_nothing(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await start(store)
        old = await lease(store, owner="one")
        await lease(store, owner="two", now=NOON + TTL)
        before = await store.load(R1)
        with pytest.raises(Lost, match="lease of rollout r1"):
            await store.commit(old, a_decision(old, events=(an_event(),), records=(a_record("k"),)))
        assert await store.load(R1) == before
        assert len(await store.events(R1)) == 1
        assert await store.records(R1) == ()

    play(script)


def test_the_same_owners_older_lease_is_lost_too(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await start(store)
        old = await lease(store)
        new = await lease(store, now=NOON + TTL)
        with pytest.raises(Lost):
            await store.commit(old, a_decision(old))
        await store.commit(new, a_decision(new))

    play(script)


def test_a_commit_on_an_old_version_is_lost(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await start(store)
        leased = await lease(store)
        await store.commit(leased, a_decision(leased))
        with pytest.raises(Lost, match="outdated"):
            await store.commit(leased, a_decision(leased, phase=Phase.PROVISIONING))
        assert (await store.load(R1)).rollout.phase is Phase.PREPARING

    play(script)


def test_a_commit_keeps_the_lease_and_its_result_commits_again(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await start(store)
        leased = await lease(store)
        again = await store.commit(leased, a_decision(leased, wake_at=NOON))
        assert await store.lease_due(owner="two", now=NOON, ttl=TTL, limit=9) == ()
        last = await store.commit(again, a_decision(again, phase=Phase.PROVISIONING))
        assert last.stored == await store.load(R1)
        assert last.stored.version > again.stored.version > leased.stored.version

    play(script)


def test_a_commit_within_a_lease_that_ran_out_but_was_not_passed_on_succeeds(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await start(store)
        leased = await lease(store)
        renewed = await store.renew(leased, now=NOON + 2 * TTL, ttl=TTL)
        assert renewed == replace(leased, until=NOON + 3 * TTL)
        assert (await store.commit(renewed, a_decision(renewed))).stored.version == 2

    play(script)


def test_renewing_keeps_others_out_for_longer(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await start(store)
        leased = await lease(store)
        await store.renew(leased, now=NOON + 10 * SECOND, ttl=TTL)
        assert await store.lease_due(owner="two", now=NOON + TTL, ttl=TTL, limit=9) == ()
        await lease(store, owner="two", now=NOON + 10 * SECOND + TTL)
        with pytest.raises(Lost):
            await store.renew(leased, now=NOON + 2 * TTL, ttl=TTL)

    play(script)


def test_a_released_row_is_free_and_its_lease_is_lost(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await start(store)
        first = await lease(store, owner="one")
        await store.release(first)
        second = await lease(store, owner="two")
        await store.release(first)  # it has passed on: the new holder is not disturbed
        with pytest.raises(Lost):
            await store.commit(first, a_decision(first))
        await store.commit(second, a_decision(second))

    play(script)


def test_a_released_lease_can_neither_commit_nor_be_renewed(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await start(store)
        leased = await lease(store)
        await store.release(leased)
        with pytest.raises(Lost):
            await store.commit(leased, a_decision(leased))
        with pytest.raises(Lost):
            await store.renew(leased, now=NOON, ttl=TTL)

    play(script)


@pytest.mark.parametrize("phase", [phase for phase in Phase if phase.is_final])
def test_a_rollout_that_has_ended_is_never_due_again(play: Play[None], phase: Phase) -> None:
    async def script(store: Store) -> None:
        await start(store)
        leased = await lease(store)
        ended = await store.commit(leased, a_decision(leased, phase=phase, wake_at=NOON))
        assert ended.stored.wake_at is None
        await store.wake(R1, at=NOON)
        assert await store.next_due() is None
        assert await store.lease_due(owner="two", now=NOON + 9 * TTL, ttl=TTL, limit=9) == ()
        with pytest.raises(Lost):
            await store.commit(ended, a_decision(ended))

    play(script)


# --- waking ---


def test_a_decision_says_when_its_row_is_due_next(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await start(store)
        leased = await lease(store)
        await store.release(await store.commit(leased, a_decision(leased, wake_at=NOON + TICK)))
        assert await store.next_due() == NOON + TICK
        assert await store.lease_due(owner="two", now=NOON + TICK - SECOND, ttl=TTL, limit=9) == ()
        await lease(store, now=NOON + TICK)

    play(script)


def test_a_row_that_is_never_to_be_looked_at_again_is_due_when_it_is_woken(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await start(store)
        leased = await lease(store)
        await store.release(await store.commit(leased, a_decision(leased, wake_at=None)))
        assert await store.next_due() is None
        await store.wake(R1, at=NOON + TICK)
        assert await store.next_due() == NOON + TICK

    play(script)


def test_waking_makes_a_row_due_sooner_never_later_and_leaves_its_version(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        before = await start(store, wake_at=NOON + TICK)
        await store.wake(R1, at=NOON + 2 * TICK)
        assert await store.load(R1) == before
        await store.wake(R1, at=NOON)
        assert await store.load(R1) == replace(before, wake_at=NOON)
        await store.wake(RolloutId("unknown"), at=NOON)  # a hint about nothing

    play(script)


@pytest.mark.parametrize("early", [NOON, NOON + 5 * SECOND])
def test_a_wake_up_during_a_tick_survives_its_commit(play: Play[None], early: datetime) -> None:
    async def script(store: Store) -> None:
        await start(store)
        leased = await lease(store)
        await store.wake(R1, at=early)
        done = await store.commit(leased, a_decision(leased, wake_at=NOON + TICK))
        assert done.stored.wake_at == early

    play(script)


def test_a_wake_up_before_a_tick_does_not_outlive_it(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await start(store)
        await store.wake(R1, at=NOON - SECOND)
        leased = await lease(store)
        done = await store.commit(leased, a_decision(leased, wake_at=NOON + TICK))
        assert done.stored.wake_at == NOON + TICK

    play(script)


def test_next_due_is_the_earliest_row_that_can_be_leased(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        assert await store.next_due() is None
        await start(store, "r1", wake_at=NOON)
        await start(store, "r2", wake_at=NOON + TTL + TICK)
        assert await store.next_due() == NOON
        await lease(store)
        assert await store.next_due() == NOON + TTL  # when r1's holder is gone for good

    play(script)
