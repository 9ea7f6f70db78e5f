"""What every store promises of forgetting; run over each store."""

from datetime import timedelta

import pytest

from orchestrator.core.domain.errors import NotFound
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.ports.calls import Call
from orchestrator.ports.rollouts import Filter
from orchestrator.ports.store import Store
from tests.contract.store_doors import Play, ids, lease, start
from tests.contract.store_values import NOON, a_decision, a_record, a_rollout, an_event

DAY = timedelta(days=1)
SERVICE = str(a_rollout().spec.service)


async def ended(store: Store, name: str) -> None:
    await start(store, name)
    leased = await lease(store)
    over = a_decision(
        leased, phase=Phase.ROLLED_BACK, wake_at=None, events=(an_event(),), records=(a_record("k"),)
    )
    await store.commit(leased, over)


def test_what_ended_long_ago_goes_with_all_that_belongs_to_it_and_what_is_active_stays(
    play: Play[None],
) -> None:
    async def script(store: Store) -> None:
        await store.open_sink("slack", now=NOON)
        for name in ("r1", "r2"):
            await ended(store, name)
        await start(store, "r3")
        assert await store.forget_rollouts(SERVICE, before=NOON - DAY, limit=9) == 0, "none is so old"
        assert await store.forget_rollouts("prod/other", before=NOON + DAY, limit=9) == 0
        assert await store.forget_rollouts(SERVICE, before=NOON + DAY, limit=1) == 1
        assert await store.forget_rollouts(SERVICE, before=NOON + DAY, limit=9) == 1
        rows, _ = await store.list(Filter())
        assert [row.rollout.id for row in rows] == ["r3"]
        with pytest.raises(NotFound):
            await store.load(RolloutId("r1"))
        with pytest.raises(NotFound):
            await store.events(RolloutId("r1"))
        due = await store.lease_deliveries("slack", owner="one", now=NOON + DAY, ttl=DAY, limit=9)
        assert [delivery.stored.rollout.id for delivery in due] in ([], ["r3"])
        assert ids(await store.lease_due(owner="one", now=NOON + DAY, ttl=DAY, limit=9)) == ["r3"]

    play(script)


def test_calls_go_from_the_oldest_on(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        for days in range(4):
            call = Call(
                at=NOON + days * DAY,
                actor="operator",
                source="http",
                address="",
                call="pause",
                target=f"r{days}",
                outcome="ok",
                request="",
            )
            await store.add_call(call)
        assert await store.forget_calls(before=NOON + 2 * DAY, limit=1) == 1
        assert await store.forget_calls(before=NOON + 2 * DAY, limit=9) == 1
        left, _ = await store.calls()
        assert [call.target for call in left] == ["r3", "r2"]

    play(script)
