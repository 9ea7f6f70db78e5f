"""What every store promises: one suite, run over each of them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from orchestrator.core.commands import CommandKind, CommandState
from orchestrator.core.errors import Conflict, Invalid, Lost, NotFound, Refused
from orchestrator.core.events import EventKind
from orchestrator.core.ids import RolloutId
from orchestrator.core.phases import Phase
from orchestrator.ports import Filter, Leased, Store, Stored
from tests.contract.store_doors import STORES, Play, Script, played
from tests.contract.store_values import (
    NOON,
    TICK,
    TTL,
    a_command,
    a_decision,
    a_record,
    a_rollout,
    allow,
    an_event,
    an_outcome,
)

R1 = RolloutId("r1")
SECOND = timedelta(seconds=1)


@pytest.fixture(params=STORES)
def play(request: pytest.FixtureRequest, tmp_path: Path) -> Play[None]:
    make: Callable[[Path], Store] = request.param

    def run(script: Script[None]) -> None:
        played(make(tmp_path), script)

    return run


async def start(
    store: Store, name: str = "r1", *, claims: frozenset[str] | None = None, wake_at: datetime = NOON
) -> Stored:
    held = frozenset({f"service {name}"}) if claims is None else claims
    return await store.create(
        a_rollout(name), claims=held, key=f"key {name}", events=(an_event(),), wake_at=wake_at
    )


async def lease(store: Store, *, owner: str = "one", now: datetime = NOON, limit: int = 10) -> Leased:
    (leased,) = await store.lease_due(owner=owner, now=now, ttl=TTL, limit=limit)
    return leased


async def end(store: Store, *, phase: Phase = Phase.SUCCEEDED) -> Leased:
    leased = await lease(store)
    return await store.commit(leased, a_decision(leased, phase=phase, wake_at=None))


def ids(found: tuple[Stored, ...] | tuple[Leased, ...]) -> list[str]:
    return [(one.stored if isinstance(one, Leased) else one).rollout.id for one in found]


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
        assert await store.started_by("key r1") is None
        await start(store)
        ended = await end(store)
        assert await store.started_by("key r1") == ended.stored

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


# --- leases ---


def test_only_due_rows_are_leased_the_most_overdue_first(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        for name, late in (("r1", 1), ("r2", 3), ("r3", 2), ("r4", -1), ("r5", 0)):
            await start(store, name, wake_at=NOON - late * SECOND)
        first = await store.lease_due(owner="one", now=NOON, ttl=TTL, limit=2)
        second = await store.lease_due(owner="one", now=NOON, ttl=TTL, limit=9)
        assert (ids(first), ids(second)) == (["r2", "r3"], ["r1", "r5"])

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


# --- commands ---


def test_a_command_makes_its_row_due_at_once_and_comes_with_the_lease(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await start(store, wake_at=NOON + TTL)
        first, second = a_command("c2"), a_command("c1", kind=CommandKind.RESUME)
        accepted = await store.add_command(R1, first, check=allow)
        await store.add_command(R1, second, check=allow)
        assert (accepted.command, accepted.state, accepted.text) == (first, CommandState.ACCEPTED, "")
        assert (await lease(store)).commands == (first, second)

    play(script)


def test_a_command_during_a_tick_is_not_lost_by_its_commit(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await start(store)
        await store.add_command(R1, a_command("c1"), check=allow)
        leased = await lease(store)
        late = a_command("c2", kind=CommandKind.ROLLBACK, at=NOON + SECOND)
        await store.add_command(R1, late, check=allow)
        decision = a_decision(leased, wake_at=NOON + TTL, outcomes=(an_outcome("c1"),))
        done = await store.commit(leased, decision)
        assert (done.stored.wake_at, done.commands) == (NOON + SECOND, (late,))
        await store.release(done)
        assert (await lease(store, now=NOON + SECOND)).commands == (late,)

    play(script)


def test_the_next_tick_under_the_same_lease_has_the_command_and_sets_the_time(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await start(store)
        leased = await lease(store)
        await store.add_command(R1, a_command(), check=allow)
        first = await store.commit(leased, a_decision(leased, wake_at=NOON + TICK))
        assert (first.stored.wake_at, first.commands) == (NOON, (a_command(),))
        second = a_decision(first, wake_at=NOON + TICK, outcomes=(an_outcome(),))
        last = await store.commit(first, second)
        assert (last.stored.wake_at, last.commands) == (NOON + TICK, ())

    play(script)


def test_a_command_that_a_tick_saw_and_left_does_not_make_the_row_due(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await start(store)
        await store.add_command(R1, a_command(), check=allow)
        leased = await lease(store)
        done = await store.commit(leased, a_decision(leased, wake_at=NOON + TICK))
        assert (done.stored.wake_at, done.commands) == (NOON + TICK, (a_command(),))

    play(script)


def test_the_same_key_returns_the_first_command_without_asking_again(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        def refuse(_: Stored) -> None:
            raise Refused(what="not in this phase")

        await start(store)
        await store.add_command(R1, a_command(), check=allow)
        leased = await lease(store)
        await store.commit(leased, a_decision(leased, outcomes=(an_outcome(),)))
        other = a_command("c1", kind=CommandKind.ROLLBACK)
        again = await store.add_command(R1, other, check=refuse)
        assert (again.command, again.state) == (a_command(), CommandState.APPLIED)
        assert again == await store.command(R1, "c1")

    play(script)


def test_a_commit_writes_what_became_of_commands_once(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await start(store)
        await store.add_command(R1, a_command("c1"), check=allow)
        await store.add_command(R1, a_command("c2"), check=allow)
        leased = await lease(store)
        outcomes = (an_outcome("c1"), an_outcome("c2", CommandState.OVERTAKEN), an_outcome("unknown"))
        leased = await store.commit(leased, a_decision(leased, outcomes=outcomes))
        assert leased.commands == ()
        second = a_decision(leased, outcomes=(an_outcome("c1", CommandState.OVERTAKEN),))
        await store.commit(leased, second)
        seen = [await store.command(R1, key) for key in ("c1", "c2")]
        assert [one.state for one in seen] == [CommandState.APPLIED, CommandState.OVERTAKEN]
        assert seen[0].text == "paused"

    play(script)


def test_a_refused_command_leaves_nothing(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        looked: list[Stored] = []

        def refuse(stored: Stored) -> None:
            looked.append(stored)
            raise Refused(what="not in this phase")

        made = await start(store, wake_at=NOON + TTL)
        with pytest.raises(Refused, match="not in this phase"):
            await store.add_command(R1, a_command(), check=refuse)
        assert looked == [made] == [await store.load(R1)]
        with pytest.raises(NotFound, match="c1"):
            await store.command(R1, "c1")

    play(script)


def test_a_command_that_came_while_the_rollout_ended_is_overtaken_and_told(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await start(store)
        leased = await lease(store)
        await store.add_command(R1, a_command(), check=allow)
        await store.commit(leased, a_decision(leased, phase=Phase.SUCCEEDED, events=(an_event("it ended"),)))
        seen = await store.command(R1, "c1")
        assert seen.state is CommandState.OVERTAKEN
        assert "ended (succeeded)" in seen.text
        last = (await store.events(R1))[-1]
        assert (last.number, last.event.kind) == (3, EventKind.COMMAND_OVERTAKEN)

    play(script)


def test_commands_of_an_unknown_rollout_are_not_found(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        with pytest.raises(NotFound, match="no rollout r1"):
            await store.add_command(R1, a_command(), check=allow)
        with pytest.raises(NotFound, match="no rollout r1"):
            await store.command(R1, "c1")

    play(script)


def test_the_same_key_is_another_command_for_another_rollout(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await start(store, "r1")
        await start(store, "r2")
        await store.add_command(R1, a_command(), check=allow)
        other = a_command(kind=CommandKind.ROLLBACK)
        assert (await store.add_command(RolloutId("r2"), other, check=allow)).command == other

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
        with pytest.raises(Invalid, match="no page ends at 'r9'"):
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
