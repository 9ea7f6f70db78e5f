"""Case 57: Teal is killed while it writes scaling: what is there is compared, and written only if nobody else did."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.phases import Phase
from sandbox.world.kernel.faults import Fault
from tests.cases.killed import made, until_killed
from tests.cases.scaling_stage import bounds_of, may_scale_in, scaled, scaling_of, somebody, target_of
from tests.support.rehearsal import Rehearsal

OF_GREEN = (
    ("PutScalingPolicy", 1),
    ("PutScalingPolicy", 3),
    ("PutScheduledAction", 1),
    ("PutMetricAlarm", 1),
)
IN_ALL = {"PutScalingPolicy": 5, "PutScheduledAction": 1, "PutMetricAlarm": 1}


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    with Rehearsal() as rehearsal:
        yield scaled(rehearsal)


def test_case_57_a_suspension_written_right_before_a_kill_is_found_and_lifted_at_the_end(
    stage: Rehearsal,
) -> None:
    before = scaling_of(stage)
    rollout = stage.start(stage.spec(stage.revision()))
    until_killed(stage, "RegisterScalableTarget")
    assert not may_scale_in(stage)
    assert stage.row(rollout).blue_scaling.is_scaling_touched, "on disk before it was written"
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
    assert scaling_of(stage) == before


@pytest.mark.parametrize(("operation", "nth"), OF_GREEN)
def test_case_57_what_green_was_given_before_a_kill_is_adopted_and_goes_with_it(
    stage: Rehearsal, operation: str, nth: int
) -> None:
    before, already = scaling_of(stage), made(stage.world, operation)
    rollout = stage.start(stage.spec(stage.revision()))
    until_killed(stage, operation, nth)
    row = stage.until(rollout, Phase.SHIFTING)
    assert row.phase is Phase.SHIFTING, stage.story(rollout)
    assert made(stage.world, operation) == already + IN_ALL[operation], "nothing was made twice"
    stage.command(rollout, CommandKind.ROLLBACK)
    assert stage.until(rollout).phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert scaling_of(stage) == before


@pytest.mark.parametrize("operation", ["DeregisterScalableTarget", "DeleteAlarms"])
def test_case_57_a_kill_while_greens_scaling_is_taken_away_leaves_nothing(
    stage: Rehearsal, operation: str
) -> None:
    before = scaling_of(stage)
    rollout = stage.start(stage.spec(stage.revision()))
    stage.until(rollout, Phase.SHIFTING)
    stage.command(rollout, CommandKind.ROLLBACK)
    until_killed(stage, operation)
    assert stage.until(rollout).phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert scaling_of(stage) == before


def test_case_57_a_restoration_whose_answer_was_lost_is_not_written_over_a_later_change(
    stage: Rehearsal,
) -> None:
    rollout = stage.start(stage.spec(stage.revision()))
    stage.until(rollout, Phase.WATCHING)
    stage.command(rollout, CommandKind.ROLLBACK)
    count = made(stage.world, "RegisterScalableTarget")
    until_killed(stage, "RegisterScalableTarget")
    assert made(stage.world, "RegisterScalableTarget") == count + 1
    assert may_scale_in(stage)
    somebody(stage, MaxCapacity=30, SuspendedState={"DynamicScalingInSuspended": True})
    assert stage.until(rollout).phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert bounds_of(stage) == (2, 30)


@pytest.mark.parametrize("when", ["after", "late"])
@pytest.mark.parametrize("operation", ["RegisterScalableTarget", "PutScalingPolicy", "PutMetricAlarm"])
def test_case_57_a_write_without_an_answer_is_looked_for_and_leaves_nothing(
    stage: Rehearsal, operation: str, when: str
) -> None:
    before = scaling_of(stage)
    rollout = stage.start(stage.spec(stage.revision()))
    delay = timedelta(seconds=20)
    for nth in (1, 2):
        stage.world.faults.add(Fault(operation=operation, nth=nth, when=when, kind="timeout", delay=delay))  # type: ignore[arg-type] # When
    stage.until(rollout, Phase.PROVISIONING)
    stage.let_run(timedelta(seconds=12))
    stage.command(rollout, CommandKind.ROLLBACK)
    assert stage.until(rollout).phase is Phase.ROLLED_BACK, stage.story(rollout)
    stage.let_run(timedelta(seconds=40))
    assert scaling_of(stage) == before
    assert target_of(stage, f"checkout-{rollout[-8:]}") == {}
