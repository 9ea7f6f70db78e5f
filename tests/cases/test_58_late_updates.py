"""Case 58: a call of Teal's own is carried out long after it was sent, when a rollback is over."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.spec import Ending
from sandbox.ports import ForwardView
from sandbox.world.kernel.faults import Fault
from tests.cases.looks import live_services, service_of
from tests.support.rehearsal import Rehearsal

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    with Rehearsal() as rehearsal:
        yield rehearsal


def rolled_back_in_settling(
    stage: Rehearsal, delay: timedelta, *, ahead: timedelta = 0 * SECOND
) -> tuple[RolloutId, str]:
    """A rollout whose first update of blue lands so late, rolled back meanwhile; and blue's former revision.

    `ahead`: of AWS's clock, the one that signed it.
    """
    former = service_of(stage)["taskDefinition"]
    rollout = stage.start(stage.spec(stage.revision()))
    stage.until(rollout, Phase.WATCHING)
    stage.world.faults.add(Fault(operation="UpdateService", when="late", delay=delay, ahead=ahead))
    stage.until(rollout, Phase.SETTLING)
    stage.let_run(10 * SECOND)
    stage.command(rollout, CommandKind.ROLLBACK)
    return rollout, former


@pytest.mark.parametrize("seconds", [25, 36, 60, 90, 150, 299])
def test_case_58_an_update_of_blue_that_lands_after_the_rollback_is_undone_before_the_rollout_ends(
    stage: Rehearsal, seconds: int
) -> None:
    rollout, former = rolled_back_in_settling(stage, seconds * SECOND)
    row = stage.until(rollout, within=HOUR)
    assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
    stage.let_run(HOUR / 4)
    assert service_of(stage)["taskDefinition"] == former, stage.story(rollout)
    assert live_services(stage) == ["checkout"]


@pytest.mark.parametrize("seconds", [360, 430, 495])
def test_case_58_an_update_that_a_clock_ahead_of_aws_s_has_signed_is_taken_for_longer_and_undone_as_well(
    stage: Rehearsal, seconds: int
) -> None:
    rollout, former = rolled_back_in_settling(stage, seconds * SECOND, ahead=200 * SECOND)
    row = stage.until(rollout, within=HOUR)
    assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
    stage.let_run(HOUR / 4)
    assert service_of(stage)["taskDefinition"] == former, stage.story(rollout)


def test_case_58_people_are_told_in_plain_words_that_an_own_update_was_carried_out_late(
    stage: Rehearsal,
) -> None:
    rollout, _ = rolled_back_in_settling(stage, 150 * SECOND)
    stage.until(rollout, within=HOUR)
    paged = [seen.event.message for seen in stage.events(rollout, EventKind.PAGED)]
    assert any(
        "AWS has carried out an update of blue late that Teal had sent before the rollback" in one
        for one in paged
    ), stage.story(rollout)


def test_case_58_a_call_whose_signature_is_too_old_is_refused_and_nothing_is_told(stage: Rehearsal) -> None:
    rollout, former = rolled_back_in_settling(stage, 301 * SECOND)
    stage.until(rollout, within=HOUR)
    stage.let_run(HOUR / 4)
    assert service_of(stage)["taskDefinition"] == former
    assert not stage.events(rollout, EventKind.PAGED)


@pytest.mark.parametrize("seconds", [60, 150, 299])
@pytest.mark.parametrize("ending", [Ending.KEEP, Ending.DELETE])
def test_case_58_a_write_of_a_rule_that_lands_late_finds_blue_with_its_tasks_where_green_stays(
    stage: Rehearsal, ending: Ending, seconds: int
) -> None:
    """It would give all traffic to a blue that has none any more."""
    rollout = stage.start(stage.spec(stage.revision(), ending=ending))
    stage.world.faults.add(Fault(operation="ModifyRule", when="late", delay=seconds * SECOND))
    row = stage.until(rollout, within=HOUR)
    assert row.phase is Phase.SUCCEEDED, stage.story(rollout)
    stage.let_run(HOUR / 4)
    assert row.green is not None
    (view, *_) = stage.world.traffic.listeners()
    action = view.rules[0].action
    assert isinstance(action, ForwardView)
    assert [arn for arn, weight in action.weights if weight] == [pair.green for pair in row.pairs], (
        stage.story(rollout)
    )
    totals = stage.traffic.totals
    assert (totals.rejected, totals.unanswered.total(), totals.errors.total()) == (0, 0, 0), stage.story(
        rollout
    )
