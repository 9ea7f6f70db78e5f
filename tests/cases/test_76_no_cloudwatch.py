"""Case 76: CloudWatch itself is away, so nobody can judge the weight that green has."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import RolloutId, Tenths
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import NONE, Plan, Step
from orchestrator.core.rollout.spec import Limits
from sandbox.world.kernel.faults import Fault
from tests.cases.looks import reason_of
from tests.support.rehearsal import MINUTE, Rehearsal

STEPS = tuple(Step(weight=Tenths(weight), bake=2 * MINUTE) for weight in (100, 300, 600, 1000))
LIMITS = Limits(provision=timedelta(minutes=5), hold=timedelta(minutes=30), unseen=6 * MINUTE)


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    with Rehearsal() as rehearsal:
        yield rehearsal


def at_weight(stage: Rehearsal, weight: int, limits: Limits = LIMITS) -> RolloutId:
    """A rollout whose green has just got this weight."""
    rollout = stage.start(stage.spec(stage.revision(), plan=Plan(name="custom", steps=STEPS), limits=limits))
    while stage.row(rollout).green_weight < weight:
        stage.let_run(MINUTE / 4)
    return rollout


def test_case_76_green_goes_back_to_the_last_weight_that_passed_and_people_are_called(
    stage: Rehearsal,
) -> None:
    rollout = at_weight(stage, 600)
    began = stage.clock.now()
    stage.world.faults.outage(("cloudwatch",))
    stage.let_run(5 * MINUTE)
    assert stage.row(rollout).green_weight == 600, "a short outage is sat out"
    stage.let_run(4 * MINUTE)
    row = stage.row(rollout)
    assert (row.phase, row.green_weight) == (Phase.SHIFTING, 300), stage.story(rollout)
    (told,) = stage.events(rollout, EventKind.EVIDENCE_LOST)
    assert "green goes back to 30 %, the last weight at which every gate passed" in told.event.message
    assert told.event.at - began < 8 * MINUTE
    assert len(stage.events(rollout, EventKind.PAGED)) == 1
    stage.let_run(20 * MINUTE)
    assert stage.row(rollout).green_weight == 300, "it goes back once"
    stage.world.faults.end_outage()
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)


def test_case_76_green_has_no_traffic_where_no_weight_has_passed_yet(stage: Rehearsal) -> None:
    rollout = at_weight(stage, 100)
    stage.world.faults.outage(("cloudwatch",))
    stage.let_run(9 * MINUTE)
    row = stage.row(rollout)
    assert (row.phase, row.green_weight) == (Phase.SHIFTING, NONE), stage.story(rollout)
    stage.world.faults.end_outage()
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)


def test_case_76_the_watch_goes_back_too_and_a_weight_that_was_waived_has_not_passed(
    stage: Rehearsal,
) -> None:
    rollout = at_weight(stage, 300)
    stage.command(rollout, CommandKind.PROMOTE, full=True, reason="it is urgent")
    stage.until(rollout, Phase.WATCHING)
    stage.world.faults.outage(("cloudwatch",))
    stage.let_run(9 * MINUTE)
    row = stage.row(rollout)
    assert (row.phase, row.green_weight) == (Phase.SHIFTING, 100), stage.story(rollout)


def test_case_76_alarms_that_cannot_be_read_count_as_well(stage: Rehearsal) -> None:
    rollout = at_weight(stage, 300)
    stage.world.faults.add(Fault(operation="DescribeAlarms", kind="unavailable", times=10_000))
    stage.let_run(9 * MINUTE)
    assert stage.row(rollout).green_weight == 100, stage.story(rollout)


def test_case_76_a_hold_that_lasts_too_long_ends_at_blue_also_then(stage: Rehearsal) -> None:
    rollout = at_weight(stage, 300, replace(LIMITS, hold=20 * MINUTE))
    stage.world.faults.outage(("cloudwatch",))
    assert stage.until(rollout).phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert reason_of(stage, rollout).startswith("held for 3 min 20 s: ")
