"""Cases 33 to 36: green, or everything, does badly while it bakes; and nobody can say how it does."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.core.domain.phases import Phase
from orchestrator.core.gates.alarms import AlarmsSpec
from orchestrator.core.gates.compare import CompareSpec
from orchestrator.core.gates.guard import GuardSpec
from orchestrator.core.gates.registry import GatesSpec
from tests.cases.looks import green_of, reason_of, service_of, tasks_of
from tests.support.rehearsal import Rehearsal

HEALTH_ALONE = GatesSpec(guard=GuardSpec(on=False), alarms=AlarmsSpec(), compare=CompareSpec(on=False))


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    with Rehearsal() as rehearsal:
        yield rehearsal


def test_case_33_a_green_that_degrades_in_the_watch_is_taken_back_while_blue_has_its_full_size(
    stage: Rehearsal,
) -> None:
    rollout = stage.start(stage.spec(stage.revision()))
    stage.until(rollout, Phase.WATCHING)
    for task in tasks_of(stage, green_of(stage, rollout)):
        stage.world.virtual_tasks.change(task, error_rate=0.5)
    stage.until(rollout, Phase.ROLLING_BACK)
    blue = service_of(stage)
    assert (blue["desiredCount"], blue["runningCount"]) == (3, 3)
    row = stage.until(rollout)
    assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert reason_of(stage, rollout).startswith(("guard", "compare"))


def test_case_34_a_green_whose_targets_are_all_unhealthy_is_taken_back_once_two_looks_agree_without_metrics(
    stage: Rehearsal,
) -> None:
    rollout = stage.start(stage.spec(stage.revision(), gates=HEALTH_ALONE))
    stage.until(rollout, Phase.SHIFTING)
    stage.let_run(timedelta(seconds=2))
    for task in tasks_of(stage, green_of(stage, rollout)):
        stage.world.virtual_tasks.change(task, never_healthy=True)
    row = stage.until(rollout)
    assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert "takes traffic and none of 3 targets is healthy" in reason_of(stage, rollout)


def test_case_34_an_empty_green_is_taken_back_at_once(stage: Rehearsal) -> None:
    """A group without targets answers 503 for its share: nothing in the group's own metrics shows it."""
    rollout = stage.start(stage.spec(stage.revision(), gates=HEALTH_ALONE))
    stage.until(rollout, Phase.SHIFTING)
    stage.let_run(timedelta(seconds=2))
    began = stage.clock.now()
    for task in tasks_of(stage, green_of(stage, rollout)):
        stage.world.virtual_tasks.crash(task)
    row = stage.until(rollout)
    assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert row.end is not None
    assert row.end.traffic_on_blue_at is not None
    assert row.end.traffic_on_blue_at - began < row.spec.metrics.poll + timedelta(seconds=2)


def test_case_35_when_nothing_of_either_colour_is_healthy_nobody_is_blamed(stage: Rehearsal) -> None:
    """What all depend on is away, so every health check fails: taking green back would help nobody."""
    rollout = stage.start(stage.spec(stage.revision(), gates=HEALTH_ALONE))
    stage.until(rollout, Phase.SHIFTING)
    stage.let_run(timedelta(seconds=2))
    until = stage.clock.now() + 6 * stage.world.minute
    stage.world.virtual_tasks.fail_checks(until)
    stage.let_run(5 * stage.world.minute)
    row = stage.row(rollout)
    assert row.phase is Phase.SHIFTING, stage.story(rollout)
    assert "neither is blue's" in stage.story(rollout)
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)


def test_case_35_an_outage_of_both_colours_is_sat_out_and_costs_one_look_at_a_smaller_weight(
    stage: Rehearsal,
) -> None:
    """Both colours fail alike: the weights do not go to and fro, and the rollout goes on when it is over."""
    spec = stage.spec(stage.revision())
    spec = replace(spec, limits=replace(spec.limits, hold=timedelta(hours=2)))
    rollout = stage.start(spec)
    stage.until(rollout, Phase.SHIFTING)
    stage.let_run(2 * stage.world.minute)
    until = stage.clock.now() + 8 * stage.world.minute
    stage.world.virtual_tasks.fail_all(0.5, until=until)
    row = stage.until(rollout)
    assert row.phase is Phase.SUCCEEDED, stage.story(rollout)


def test_case_36_silence_for_a_whole_step_is_never_a_pass(stage: Rehearsal) -> None:
    """Nobody sends a request: no datapoint comes, which holds as long as the file allows and then goes back."""
    spec = stage.spec(stage.revision())
    rollout = stage.start(replace(spec, limits=replace(spec.limits, hold=timedelta(minutes=3))))
    stage.until(rollout, Phase.SHIFTING)
    stage.traffic.stop()
    stage.let_run(timedelta(minutes=2))
    row = stage.row(rollout)
    assert (row.phase, row.green_weight) == (Phase.SHIFTING, 100), stage.story(rollout)
    assert row.waiting.holds
    row = stage.until(rollout)
    assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert reason_of(stage, rollout).startswith("held for 3 min: ")
