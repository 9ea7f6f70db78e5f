"""Whatever is done in whatever order, every store answers the same: random scripts, played on all of them."""

import tempfile
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.core.commands import CommandState
from orchestrator.core.errors import TealError
from orchestrator.core.ids import RolloutId
from orchestrator.core.phases import Phase
from orchestrator.ports import Filter, Leased, Store
from tests.contract.store_doors import in_memory, on_sqlite, played
from tests.contract.store_values import (
    NOON,
    TTL,
    a_command,
    a_decision,
    a_record,
    a_rollout,
    allow,
    an_event,
    an_outcome,
)

NAMES = ("r1", "r2", "r3")
PHASES = (*[Phase.PREPARING, Phase.WATCHING] * 5, Phase.SUCCEEDED)  # most go on

name = st.sampled_from(NAMES)
moment = st.integers(min_value=-2, max_value=5).map(lambda n: NOON + n * timedelta(seconds=15))
claims = st.frozensets(st.sampled_from(["a", "b", "c"]), max_size=2)
command_key = st.sampled_from(["c1", "c2"])
phase = st.sampled_from(PHASES)
held = st.integers(min_value=0, max_value=3)  # which of the leases got so far, modulo their number

Answer = object  # compared, and nothing else
Step = Callable[[Store, list[Leased]], Awaitable[Answer]]


def create(rollout: str, claimed: frozenset[str], key: str, at: object) -> Step:
    return lambda store, _: store.create(
        a_rollout(rollout), claims=claimed, key=key, events=(an_event(),), wake_at=at
    )


def claim(rollout: str, claimed: frozenset[str]) -> Step:
    return lambda store, _: store.claim(RolloutId(rollout), claimed)


def lease(owner: str, now: object, limit: int) -> Step:
    async def step(store: Store, leases: list[Leased]) -> Answer:
        got = await store.lease_due(owner=owner, now=now, ttl=TTL, limit=limit)
        leases.extend(got)
        return got

    return step


def commit(which: int, phase: Phase, at: object, answered: str) -> Step:
    async def step(store: Store, leases: list[Leased]) -> Answer:
        if not leases:
            return None
        leased = leases[which % len(leases)]
        decision = a_decision(
            leased,
            phase=phase,
            wake_at=at,
            events=(an_event(f"commit {which}"),),
            records=(a_record(f"k{which}"), a_record("k")),
            outcomes=(an_outcome(answered, CommandState.APPLIED),),
        )
        leases[which % len(leases)] = done = await store.commit(leased, decision)
        return done

    return step


def renew(which: int, now: object) -> Step:
    async def step(store: Store, leases: list[Leased]) -> Answer:
        return await store.renew(leases[which % len(leases)], now=now, ttl=TTL) if leases else None

    return step


def release(which: int) -> Step:
    async def step(store: Store, leases: list[Leased]) -> Answer:
        return await store.release(leases[which % len(leases)]) if leases else None

    return step


def wake(rollout: str, at: object) -> Step:
    return lambda store, _: store.wake(RolloutId(rollout), at=at)


def wish(rollout: str, key: str, at: object) -> Step:
    return lambda store, _: store.add_command(RolloutId(rollout), a_command(key, at=at), check=allow)


owner = st.sampled_from(["one", "two"])
step = {  # each with how often it comes
    st.builds(create, name, claims, st.sampled_from(["k1", "k2", "k3"]), moment): 1,
    st.builds(claim, name, claims): 1,
    st.builds(lease, owner, moment, st.integers(min_value=1, max_value=3)): 2,
    st.builds(commit, held, phase, st.none() | moment, command_key): 8,
    st.builds(renew, held, moment): 1,
    st.builds(release, held): 1,
    st.builds(wake, name, moment): 3,
    st.builds(wish, name, command_key, moment): 3,
}
steps = st.sampled_from([one for one, often in step.items() for _ in range(often)]).flatmap(lambda one: one)


# Most scripts would otherwise be about rollouts that are not there.
BEGINNING = [
    create("r1", frozenset({"a"}), "k1", NOON),
    create("r2", frozenset({"b"}), "k2", NOON),
    lease("one", NOON, 2),
]


async def answer(made: Awaitable[Answer]) -> Answer:
    """What was returned, or the error as its kind and words."""
    try:
        return await made
    except TealError as error:
        return type(error).__name__, str(error)


async def everything(store: Store) -> list[Answer]:
    """All that a store says of itself."""
    ids = [RolloutId(rollout) for rollout in NAMES]
    found: list[Answer] = [await store.list(Filter(), limit=2), await store.next_due()]
    for rollout in ids:
        found += [await answer(store.events(rollout)), await store.records(rollout)]
        found += [await answer(store.command(rollout, key)) for key in ("c1", "c2")]
    return found


def outcome(store: Store, script: list[Step]) -> list[Answer]:
    async def whole(store: Store) -> list[Answer]:
        leases: list[Leased] = []
        answers = []
        for step in [*BEGINNING, *script]:
            answers += [await answer(step(store, leases)), await store.next_due()]
        return answers + await everything(store)

    return played(store, whole)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(steps, min_size=10, max_size=40))
def test_stores_answer_the_same_to_the_same_script(script: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert outcome(on_sqlite(Path(folder)), script) == outcome(in_memory(Path(folder)), script)
