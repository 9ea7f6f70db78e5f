"""The store's disk is full, and somebody rolls back from Slack."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest

from api.slack.commands_from_slack import SlackCommand, give
from api.slack.slack_state import SlackDoor, door_of
from orchestrator.bootstrap import engine_of
from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.errors import Unwritable
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.roles import Principal, Role
from orchestrator.settings import Secret, Settings, Slack
from sandbox.world.kernel.faults import Fault
from tests.support.full_disk import FullDiskStage
from tests.support.rehearsal import quick_plan

OPERATOR = Principal(name="operator", role=Role.OPERATOR, source="slack")


class Office(FullDiskStage):
    """A server with Slack's door, whose disk is full from the first weight on."""

    def __init__(self) -> None:
        super().__init__()
        engine = engine_of(self.store, self.cloud, self.clock)
        slack = Slack(token=Secret("t"), signing_secret=Secret("s"), channel="#releases")
        self.worker = engine.worker
        door = door_of(engine, Settings(slack=slack))
        assert door is not None
        self.door: SlackDoor = door
        self.rollout = self.at_first_weight(plan=quick_plan(bake=3600))
        self.let_run(timedelta(seconds=5))
        self.store.is_full = True

    def give(self, kind: CommandKind) -> str:
        asked = SlackCommand(kind=kind, rollout=RolloutId(self.rollout), once="a click")

        async def given() -> str:
            async with self._worker():
                await asyncio.sleep(3)  # until the worker has found out
                return await give(self.door, OPERATOR, asked)

        return self.run(given())


@pytest.fixture
def office() -> Iterator[Office]:
    with Office() as office:
        yield office


def test_a_rollback_is_done_and_said_to_be_while_every_other_command_is_refused(office: Office) -> None:
    with pytest.raises(Unwritable):
        office.give(CommandKind.PAUSE)
    assert "is on blue" in office.give(CommandKind.ROLLBACK)
    assert office.share() == 0
    office.store.is_full = False
    row = office.until(office.rollout)
    assert row.phase is Phase.ROLLED_BACK
    assert row.end is not None
    assert (row.end.by.name, row.end.by.source) == ("operator", "slack")


def test_one_that_aws_does_not_take_at_once_is_said_to_be_under_way_and_goes_on(office: Office) -> None:
    office.world.faults.add(Fault(operation="ModifyRule", kind="throttle", times=1000))
    assert "is being taken to blue; it is not there yet" in office.give(CommandKind.ROLLBACK)
    office.world.faults.clear()
    office.let_run(timedelta(seconds=20))
    assert office.share() == 0
