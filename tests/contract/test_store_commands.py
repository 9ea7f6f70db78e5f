"""What every store promises of commands; run over each store."""

import pytest

from orchestrator.core.domain.commands import CommandKind, CommandState
from orchestrator.core.domain.errors import NotFound, Refused
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.ports.rollouts import Stored
from orchestrator.ports.store import Store
from tests.contract.store_doors import R1, SECOND, Play, lease, start
from tests.contract.store_values import NOON, TICK, TTL, a_command, a_decision, allow, an_event, an_outcome


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


def test_commands_wait_until_a_tick_answers_them_also_while_somebody_holds_the_row(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        other = RolloutId("r2")
        for name in ("r1", "r2"):
            await start(store, name)
        held = {
            one.stored.rollout.id: one
            for one in await store.lease_due(owner="one", now=NOON, ttl=TTL, limit=2)
        }
        assert dict(await store.waiting([R1, other, RolloutId("nobody")])) == {}
        for key in ("c2", "c1"):
            await store.add_command(R1, a_command(key), check=allow)
        assert dict(await store.waiting([R1, other])) == {R1: (a_command("c2"), a_command("c1"))}
        await store.commit(held[R1], a_decision(held[R1], outcomes=(an_outcome("c2"),)))
        assert dict(await store.waiting([R1])) == {R1: (a_command("c1"),)}

    play(script)
