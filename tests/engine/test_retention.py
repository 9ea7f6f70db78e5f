"""A server forgets old rollouts, and nothing that the present rests on."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.spec import Ending
from orchestrator.engine import service_of_record, undo
from orchestrator.engine.retention import Retention
from orchestrator.ports.rollouts import Filter
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
