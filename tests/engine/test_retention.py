"""A server forgets old rollouts, and nothing that the present rests on."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator.bootstrap import SystemClock
from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.spec import Ending
from orchestrator.engine import service_of_record, undo
from orchestrator.engine.retention import AT_ONCE, Retention
from orchestrator.engine.views.keeping import text_of
from orchestrator.ports.glance import NotKept
from orchestrator.ports.rollouts import Filter, Stored
from orchestrator.store.glance import glance
from orchestrator.store.opening import open_store
from tests.contract.store_values import NOON, a_rollout
from tests.support.rehearsal import Rehearsal

SERVICE = "prod/checkout"


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    with Rehearsal() as rehearsal:
        yield rehearsal


def play(stage: Rehearsal, key: str, *, is_bad: bool = False, swaps: bool = False) -> RolloutId:
    more = {"ending": Ending.KEEP} if swaps else {}
    rollout = stage.start(stage.spec(stage.revision(), **more), key=key)
    if is_bad:
        stage.until(rollout, Phase.SHIFTING)
        stage.command(rollout, CommandKind.ROLLBACK)
    stage.until(rollout)
    return rollout


def left_after_forgetting(stage: Rehearsal) -> list[RolloutId]:
    everything_is_old = Retention(stage.store, stage.clock, lasts=timedelta(seconds=0))
    stage.run(everything_is_old.forget())
    rows, _ = stage.run(stage.store.list(Filter(service=SERVICE)))
    return [row.rollout.id for row in reversed(rows)]


@pytest.mark.long
def test_the_last_that_succeeded_and_all_since_stay_and_can_be_undone(stage: Rehearsal) -> None:
    play(stage, "one")
    play(stage, "two", is_bad=True)
    three = play(stage, "three")
    four = play(stage, "four", is_bad=True)
    assert left_after_forgetting(stage) == [three, four]
    assert stage.run(service_of_record.known(stage.store, SERVICE)) == "checkout"
    stored = stage.run(undo.ended(SERVICE, store=stage.store))
    assert stage.run(undo.undoing(stored, store=stage.store)).task_definition.endswith("checkout:2")


def test_a_service_that_never_had_a_success_keeps_all_and_an_active_rollout_is_never_forgotten(
    stage: Rehearsal,
) -> None:
    one = play(stage, "one", is_bad=True)
    two = stage.start(stage.spec(stage.revision()), key="two")
    assert left_after_forgetting(stage) == [one, two]
    assert stage.until(two).phase is Phase.SUCCEEDED, stage.story(two)
    assert left_after_forgetting(stage) == [two]


@pytest.mark.long
def test_a_green_that_stayed_rests_on_the_rollouts_back_to_one_in_place(stage: Rehearsal) -> None:
    play(stage, "one")
    two = play(stage, "two")
    three = play(stage, "three", swaps=True)
    assert left_after_forgetting(stage) == [two, three]


def test_rows_that_an_earlier_version_wrote_are_kept_to_be_shown_once_a_server_runs(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'teal.db'}"

    async def script(*, shown: Callable[[Stored], str] | None, begins: bool) -> None:
        store = open_store(url, shown=shown)
        for number in range(AT_ONCE + 3 if begins else 0):
            row = a_rollout(f"r{number}", service=f"s{number}")
            await store.create(row, claims=frozenset(), key=row.id, events=(), wake_at=NOON)
        if not begins:
            await Retention(store, SystemClock(), lasts=timedelta(days=400)).keep_shown()
        await store.close()

    def kept() -> int:
        with glance(url) as found:
            rows, _ = found.list(Filter(), limit=500)
            return len(rows)

    asyncio.run(script(shown=None, begins=True))
    with pytest.raises(NotKept):
        kept()
    asyncio.run(script(shown=text_of, begins=False))
    assert kept() == AT_ONCE + 3
