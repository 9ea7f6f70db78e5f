"""A start's key is its caller's own: nobody is told of a rollout by choosing the key that somebody else used."""

from dataclasses import replace

import pytest

from orchestrator.core.domain.commands import Actor
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.engine import start_keys
from orchestrator.store.memory.store import MemoryStore
from tests.builders import NOON
from tests.core.stages import AUTHOR, OPERATOR, row, spec
from tests.support.virtual import VirtualLoop, play

SERVICE = spec().service
OTHER = replace(SERVICE, service="search")


def found(kept: str, key: str, author: Actor, *, of: str = SERVICE.service) -> RolloutId | None:
    """The rollout that this key of this caller stands for, where the author's was kept so."""

    async def script(_: VirtualLoop) -> RolloutId | None:
        store = MemoryStore()
        known = replace(row(Phase.SHIFTING, weight=0), created_at=NOON)
        await store.create(known, claims=frozenset(), key=kept, events=(), wake_at=NOON)
        seen = await start_keys.started_by(key, author, replace(SERVICE, service=of), store=store, now=NOON)
        return seen.rollout.id if seen else None

    return play(script)


@pytest.mark.parametrize(
    "kept", [start_keys.kept("k", AUTHOR, SERVICE), "k"], ids=["kept", "of an earlier version"]
)
def test_a_key_stands_for_its_own_caller_s_rollout_of_its_service(kept: str) -> None:
    assert found(kept, "k", AUTHOR) == row(Phase.SHIFTING).id
    assert found(kept, "k", Actor(name="AUTHOR")) == row(Phase.SHIFTING).id, "however a door spells the name"
    assert found(kept, "k", OPERATOR) is None
    assert found(kept, "k", AUTHOR, of=OTHER.service) is None
    assert found(kept, "another", AUTHOR) is None
