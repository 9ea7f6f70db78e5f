"""Break glass where an earlier swap left a green as the service of record."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from orchestrator.aws.client.errors import iam_action
from orchestrator.aws.permissions import DIRECT
from orchestrator.core.break_glass.snapshot import Place
from orchestrator.core.domain.errors import Missing
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.spec import Ending, ServiceName
from orchestrator.engine.direct_rollback import DirectRun
from tests.cases.looks import service_of
from tests.cases.swap_stage import swap, swapped, until_recorded
from tests.direct.test_in_trouble import AFTER_A_SWAP
from tests.support.rehearsal import Rehearsal

RECORD = ServiceName(cluster="prod", service="checkout")


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    with Rehearsal(scalable=False) as rehearsal:
        yield rehearsal


def look(stage: Rehearsal) -> Place:
    return stage.run(stage.cloud.direct().look(RECORD))


@pytest.mark.parametrize("ending", [Ending.KEEP, Ending.DELETE])
def test_the_green_that_stayed_is_blue_of_the_next_rollout_and_gets_all_traffic_back(
    stage: Rehearsal, ending: Ending
) -> None:
    serves = swapped(stage, ending).green
    assert serves is not None
    rollout = swap(stage, Ending.DELETE, key="next")
    for phase in (Phase.SHIFTING, Phase.WATCHING):
        stage.until(rollout, phase)
        place = look(stage)
        green = stage.row(rollout).green
        assert green is not None
        assert place.blue.name == serves.name
        assert [guest.name for guest in place.guests] == [green.name]
    assert stage.run(stage.cloud.direct().find(cluster="prod", service="checkout")) == RECORD
    assert stage.run(stage.cloud.direct().find(cluster="prod", service=serves.name)) == RECORD
    begins = len(stage.world.log)
    run = DirectRun(stage.cloud.direct(), RECORD, clock=stage.clock, tell=lambda _: None)
    assert stage.run(run.run(by="operator")).has_acted
    made = {iam_action(call.service, call.operation) for call in list(stage.world.log)[begins:]}
    assert AFTER_A_SWAP <= made <= set(DIRECT)
    place = look(stage)
    assert all(place.green_part(rule) == 0 for rule in place.rules)
    assert stage.until(rollout).phase is Phase.ROLLED_BACK, "the engine takes it for a rollback"
    assert service_of(stage, serves.name)["runningCount"] == 3


def test_after_a_swap_there_is_nothing_to_take_back(stage: Rehearsal) -> None:
    """Also where a stack update has given the kept service tasks again, which no rule leads to."""
    green = swapped(stage, Ending.KEEP).green
    assert green is not None
    assert (look(stage).blue.name, look(stage).guests) == (green.name, ())
    asked = {"cluster": "prod", "service": "checkout", "desiredCount": 2}
    stage.world.call("ecs", "UpdateService", asked)
    stage.let_run(timedelta(minutes=1))
    assert (look(stage).blue.name, look(stage).guests) == (green.name, ())


def test_while_blue_is_being_retired_it_is_said_how_to_go_back(stage: Rehearsal) -> None:
    rollout = swap(stage, Ending.DELETE)
    until_recorded(stage, rollout, EventKind.BLUE_DRAINED)
    stage.let_run(timedelta(seconds=1))
    with pytest.raises(Missing) as caught:
        look(stage)
    assert f"`teal rollback {rollout}` gives that one its tasks" in caught.value.next_step
