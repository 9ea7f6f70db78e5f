"""Services as doors show them, from a store with rollouts in every state."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.core.domain.errors import NotFound, Refused
from orchestrator.core.domain.ids import TaskDefinitionArn
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.changes import changed
from orchestrator.core.rollout.colours import Colours, Green
from orchestrator.core.rollout.rollout import Decision, Rollout
from orchestrator.core.rollout.spec import ServiceName
from orchestrator.engine.views.services import PastView, service, services
from orchestrator.ports.store import Store
from orchestrator.store.memory.store import MemoryStore
from tests.contract.store_values import NOON, TTL, a_rollout
from tests.core.stages import blue

HOUR = timedelta(hours=1)
Script = Callable[[Store], Coroutine[Any, Any, None]]


def play(script: Script) -> None:
    asyncio.run(script(MemoryStore()))


async def past(
    store: Store,
    number: int,
    phase: Phase,
    *,
    name: str = "prod/checkout",
    revision: str = "",
    former: str = "",
) -> Rollout:
    """A rollout that began at hour `number` and came to a phase half an hour later."""
    cluster, own = name.split("/")
    begun = a_rollout(f"{own}-{number}", created_at=NOON + number * HOUR)
    spec = replace(
        begun.spec,
        service=ServiceName(cluster=cluster, service=own),
        task_definition=revision or f"{own}:{number}",
    )
    begun = replace(begun, spec=spec)
    await store.create(begun, claims=frozenset(), key=begun.id, events=(), wake_at=begun.created_at)
    (leased,) = await store.lease_due(owner="one", now=begun.created_at, ttl=TTL, limit=1)
    reached = changed(begun, phase=phase, phase_since=begun.created_at + HOUR / 2)
    if former:
        green = Green(
            name=f"{own}-green", task_definition=TaskDefinitionArn(spec.task_definition), desired=3, token=""
        )
        reached = changed(reached, colours=Colours(blue=blue(former=former), green=green))
    await store.release(await store.commit(leased, Decision(rollout=reached, wake_at=None)))
    return reached


def test_a_service_shows_its_rollouts_the_newest_first() -> None:
    async def script(store: Store) -> None:
        await past(store, 1, Phase.SUCCEEDED)
        await past(store, 2, Phase.SHIFTING, former="checkout:1")
        seen = await service("prod/checkout", store=store)
        assert (seen.name, seen.active, seen.active_phase) == ("prod/checkout", "checkout-2", "shifting")
        assert seen.history == (
            PastView(
                id="checkout-2",
                phase="shifting",
                revision="checkout:2",
                started_at=NOON + 2 * HOUR,
                ended_at=None,
                author="author",
            ),
            PastView(
                id="checkout-1",
                phase="succeeded",
                revision="checkout:1",
                started_at=NOON + HOUR,
                ended_at=NOON + 1.5 * HOUR,
                author="author",
            ),
        )

    play(script)


S, R, A, P, W = Phase.SUCCEEDED, Phase.ROLLED_BACK, Phase.ABANDONED, Phase.PENDING, Phase.WATCHING


@pytest.mark.parametrize(
    ("turns", "serves", "succeeded"),
    [
        ([(S, "")], "checkout:1", "checkout:1"),
        ([(S, "checkout:0"), (R, "checkout:1")], "checkout:1", "checkout:1"),
        ([(R, "checkout:0")], "checkout:0", ""),
        ([(R, "")], "", ""),
        ([(S, ""), (R, "")], "checkout:1", "checkout:1"),
        ([(S, ""), (R, "by-hand:7")], "by-hand:7", "checkout:1"),
        ([(S, ""), (A, "checkout:1")], "", "checkout:1"),
        ([(S, ""), (W, "checkout:1")], "checkout:1", "checkout:1"),
        ([(S, ""), (P, "")], "checkout:1", "checkout:1"),
        ([(P, "")], "", ""),
    ],
)
def test_what_serves_is_what_the_newest_rollout_that_knows_says(
    turns: list[tuple[Phase, str]], serves: str, succeeded: str
) -> None:
    async def script(store: Store) -> None:
        for number, (phase, former) in enumerate(turns, start=1):
            await past(store, number, phase, former=former)
        seen = await service("prod/checkout", store=store)
        assert (seen.serves, seen.succeeded) == (serves, succeeded)

    play(script)


def test_a_success_older_than_the_history_is_still_found() -> None:
    async def script(store: Store) -> None:
        await past(store, 1, Phase.SUCCEEDED)
        for number in range(2, 24):
            await past(store, number, Phase.ROLLED_BACK, former="checkout:1")
        seen = await service("prod/checkout", store=store)
        assert (len(seen.history), seen.history[0].id, seen.succeeded) == (20, "checkout-23", "checkout:1")
        (short,), _ = await services(store, history=1)
        assert (len(short.history), short.succeeded) == (1, "checkout:1")
        (shortest,), _ = await services(store, history=0)
        assert (shortest.history, shortest.serves) == ((), "checkout:1")

    play(script)


def test_services_come_by_name_in_pages() -> None:
    async def script(store: Store) -> None:
        assert await services(store) == ((), "")
        for number, name in enumerate(["prod/web", "prod/api", "dev/web", "prod/web"]):
            await past(store, number, Phase.SUCCEEDED, name=name)
        whole, end = await services(store)
        assert ([one.name for one in whole], end) == (["dev/web", "prod/api", "prod/web"], "")
        first, cursor = await services(store, limit=2)
        rest, end = await services(store, after=cursor, limit=2)
        assert (first + rest, end) == (whole, "")

    play(script)


def test_services_out_of_reach_are_not_there_and_do_not_shorten_a_page() -> None:
    async def script(store: Store) -> None:
        for number in range(6):
            await past(store, number, Phase.SUCCEEDED, name=f"{'ab'[number % 2]}/s{number}")
        seen, cursor = await services(store, limit=2, reaches=lambda name: name.startswith("b/"))
        assert ([one.name for one in seen], cursor) == (["b/s1", "b/s3"], "b/s3")
        seen, cursor = await services(store, limit=3, reaches=lambda name: name.startswith("b/"))
        assert ([one.name for one in seen], cursor) == (["b/s1", "b/s3", "b/s5"], "")
        with pytest.raises(NotFound):
            await service("a/s0", store=store, reaches=lambda name: name.startswith("b/"))

    play(script)


def test_a_service_is_found_by_its_own_name_where_one_cluster_has_it() -> None:
    async def script(store: Store) -> None:
        await past(store, 1, Phase.SUCCEEDED, name="prod/web")
        assert (await service("web", store=store)).name == "prod/web"
        await past(store, 2, Phase.SUCCEEDED, name="dev/web")
        with pytest.raises(Refused, match=r"`web` means more than one service: dev/web, prod/web"):
            await service("web", store=store)
        own = await service("web", store=store, reaches=lambda name: name.startswith("dev/"))
        assert own.name == "dev/web"

    play(script)


@pytest.mark.parametrize("name", ["prod/nothing", "nothing", "", "/", "prod/"])
def test_a_service_that_never_had_a_rollout_is_not_found(name: str) -> None:
    async def script(store: Store) -> None:
        await past(store, 1, Phase.SUCCEEDED)
        with pytest.raises(NotFound, match="never had a rollout"):
            await service(name, store=store)

    play(script)
