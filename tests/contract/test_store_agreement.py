"""Whatever is done in whatever order, every store answers the same: random scripts, played on all of them."""

import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.core.domain.commands import CommandState
from orchestrator.core.domain.errors import TealError
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.ports.leases import Leased
from orchestrator.ports.outbox import Delivery
from orchestrator.ports.rollouts import Filter
from orchestrator.ports.starts import KEYS_HOLD
from orchestrator.ports.store import Store
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

MUCH_LATER = NOON + timedelta(days=9)
NAMES = ("r1", "r2", "r3")
PHASES = (*[Phase.PREPARING, Phase.WATCHING] * 5, Phase.SUCCEEDED)  # most go on

name = st.sampled_from(NAMES)
moment = st.integers(min_value=-2, max_value=5).map(lambda n: NOON + n * timedelta(seconds=15))
claims = st.frozensets(st.sampled_from(["a", "b", "c"]), max_size=2)
command_key = st.sampled_from(["c1", "c2"])
phase = st.sampled_from(PHASES)
held = st.integers(min_value=0, max_value=3)  # which of the leases got so far, modulo their number
days = st.sampled_from([timedelta(0), timedelta(0), KEYS_HOLD])  # later, for keys that are let go

Answer = object  # compared, and nothing else


@dataclass
class Got:
    """What a script got so far, to go on with."""

    leases: list[Leased] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)


Step = Callable[[Store, Got], Awaitable[Answer]]


def create(rollout: str, claimed: frozenset[str], key: str, at: datetime, later: timedelta) -> Step:
    made = a_rollout(rollout, service=rollout, created_at=NOON + later)
    return lambda store, _: store.create(made, claims=claimed, key=key, events=(an_event(at=at),), wake_at=at)


def claim(rollout: str, claimed: frozenset[str]) -> Step:
    return lambda store, _: store.claim(RolloutId(rollout), claimed)


def lease(owner: str, now: datetime, limit: int) -> Step:
    async def step(store: Store, got: Got) -> Answer:
        leases = await store.lease_due(owner=owner, now=now, ttl=TTL, limit=limit)
        got.leases.extend(leases)
        return leases

    return step


def commit(which: int, phase: Phase, at: datetime | None, answered: str) -> Step:
    async def step(store: Store, got: Got) -> Answer:
        if not got.leases:
            return None
        leased = got.leases[which % len(got.leases)]
        decision = a_decision(
            leased,
            phase=phase,
            wake_at=at,
            events=tuple(an_event(f"commit {which}.{n}") for n in range(which)),
            records=(a_record(f"k{which}"), a_record("k")),
            outcomes=(an_outcome(answered, CommandState.APPLIED),),
        )
        got.leases[which % len(got.leases)] = done = await store.commit(leased, decision)
        return done

    return step


def renew(which: int, now: datetime) -> Step:
    async def step(store: Store, got: Got) -> Answer:
        leases = got.leases
        return await store.renew(leases[which % len(leases)], now=now, ttl=TTL) if leases else None

    return step


def release(which: int) -> Step:
    async def step(store: Store, got: Got) -> None:
        if got.leases:
            await store.release(got.leases[which % len(got.leases)])

    return step


def wake(rollout: str, at: datetime) -> Step:
    return lambda store, _: store.wake(RolloutId(rollout), at=at)


def add_command(rollout: str, key: str, at: datetime, later: timedelta) -> Step:
    return lambda store, _: store.add_command(RolloutId(rollout), a_command(key, at=at + later), check=allow)


def open_sink(sink: str) -> Step:
    return lambda store, _: store.open_sink(sink, now=NOON)


def lease_deliveries(sink: str, owner: str, now: datetime, limit: int) -> Step:
    async def step(store: Store, got: Got) -> Answer:
        leased = await store.lease_deliveries(sink, owner=owner, now=now, ttl=TTL, limit=limit)
        got.deliveries.extend(leased)
        return leased

    return step


def tell(which: int, more: int) -> Step:
    async def step(store: Store, got: Got) -> None:
        if not got.deliveries:
            return
        delivery = got.deliveries[-1 - which % len(got.deliveries)]
        log = await store.events(delivery.stored.rollout.id, after=delivery.sent)
        sent = delivery.sent + min(more, len(log))
        await store.delivered(delivery, sent=sent, state=f"told {sent}")

    return step


def fail_to_tell(which: int, again_at: datetime) -> Step:
    async def step(store: Store, got: Got) -> None:
        if not got.deliveries:
            return
        delivery = got.deliveries[-1 - which % len(got.deliveries)]
        await store.not_delivered(delivery, again_at=again_at, why="down")

    return step


owner = st.sampled_from(["one", "two"])
step = {  # each with how often it comes
    st.builds(create, name, claims, st.sampled_from(["k1", "k2", "k3"]), moment, days): 1,
    st.builds(claim, name, claims): 1,
    st.builds(lease, owner, moment, st.integers(min_value=1, max_value=3)): 2,
    st.builds(commit, held, phase, st.none() | moment, command_key): 8,
    st.builds(renew, held, moment): 1,
    st.builds(release, held): 1,
    st.builds(wake, name, moment): 3,
    st.builds(add_command, name, command_key, moment, days): 3,
    st.builds(open_sink, st.sampled_from(["slack", "hook"])): 1,
    st.builds(lease_deliveries, st.just("slack"), owner, moment, st.integers(min_value=1, max_value=3)): 3,
    st.builds(tell, held, st.integers(min_value=0, max_value=2)): 3,
    st.builds(fail_to_tell, held, moment): 1,
}
steps = st.sampled_from([one for one, often in step.items() for _ in range(often)]).flatmap(lambda one: one)


# Most scripts would otherwise be about rollouts that are not there.
BEGINNING = [
    create("r1", frozenset({"a"}), "k1", NOON, timedelta(0)),
    open_sink("slack"),
    create("r2", frozenset({"b"}), "k2", NOON, timedelta(0)),
    lease("one", NOON, 2),
    lease_deliveries("slack", "one", NOON, 2),
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
    found += [await store.services(limit=2)]
    for sink in ("slack", "hook"):
        found.append(await store.lease_deliveries(sink, owner="last", now=MUCH_LATER, ttl=TTL, limit=9))
        found += [await store.delivery_state(sink, rollout) for rollout in ids]
    for key in ("k1", "k2", "k3"):
        found += [await store.started_by(key, now=NOON + later) for later in (timedelta(0), KEYS_HOLD)]
    for rollout in ids:
        found += [await answer(store.events(rollout)), await store.records(rollout)]
        found += [await answer(store.command(rollout, key)) for key in ("c1", "c2")]
    return found


def outcome(store: Store, script: list[Step]) -> list[Answer]:
    async def whole(store: Store) -> list[Answer]:
        got = Got()
        answers = []
        for step in [*BEGINNING, *script]:
            answers += [await answer(step(store, got)), await store.next_due()]
        return answers + await everything(store)

    return played(store, whole)


@pytest.mark.long
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(steps, min_size=10, max_size=40))
def test_stores_answer_the_same_to_the_same_script(script: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert outcome(on_sqlite(Path(folder)), script) == outcome(in_memory(Path(folder)), script)
