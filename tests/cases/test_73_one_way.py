"""Case 73: green migrates a database as it starts, so nobody but a person may send users back to blue."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.engine.commands import look_before
from sandbox.world.kernel.faults import Fault
from tests.cases.looks import green_of, paged, reason_of, tasks_of
from tests.support.rehearsal import MINUTE, Rehearsal


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    with Rehearsal() as rehearsal:
        yield rehearsal


def start(stage: Rehearsal, conduct: dict[str, str] | None = None) -> RolloutId:
    return stage.start(stage.spec(stage.revision(conduct), one_way=True))


@pytest.mark.long
def test_case_73_a_failing_green_holds_and_calls_people_instead_of_going_back(stage: Rehearsal) -> None:
    rollout = start(stage, {"TEAL_DEMO_ERROR_RATE": "0.4"})
    stage.until(rollout, Phase.SHIFTING)
    stage.let_run(timedelta(minutes=10))  # longer than limits.hold
    row = stage.row(rollout)
    assert (row.phase, row.green_weight) == (Phase.SHIFTING, 100), stage.story(rollout)
    (told,) = paged(stage, rollout)
    assert "guard: " in told
    assert told.endswith("one_way: green has started, so only a person may roll back")
    stage.command(rollout, CommandKind.ROLLBACK, reason="the old revision bears the new schema")
    assert stage.until(rollout).phase is Phase.ROLLED_BACK
    assert reason_of(stage, rollout).startswith("rollback by operator")


def test_case_73_a_green_that_does_not_start_holds_as_well(stage: Rehearsal) -> None:
    rollout = start(stage, {"TEAL_DEMO_UNHEALTHY": "1"})
    stage.let_run(timedelta(minutes=10))  # longer than limits.provision
    row = stage.row(rollout)
    assert row.phase is Phase.PROVISIONING, stage.story(rollout)
    (told,) = paged(stage, rollout)
    assert "one_way: green has started" in told


def test_case_73_a_person_who_has_mended_green_lets_it_go_on(stage: Rehearsal) -> None:
    rollout = start(stage)
    stage.until(rollout, Phase.SHIFTING)
    tasks = tasks_of(stage, green_of(stage, rollout))
    for task in tasks:
        stage.world.virtual_tasks.change(task, error_rate=0.6)
    stage.let_run(5 * MINUTE)
    assert stage.row(rollout).waiting.failed
    for task in tasks:
        stage.world.virtual_tasks.change(task, error_rate=0.0)
    stage.let_run(2 * MINUTE)
    stage.command(rollout, CommandKind.RESUME)
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)


def test_case_73_before_green_was_started_there_is_nothing_that_could_not_be_undone(
    stage: Rehearsal,
) -> None:
    """AWS does not make green's target group until the limit: nothing of green has run yet."""
    spec = stage.spec(stage.revision(), one_way=True)
    stage.world.faults.add(Fault(operation="CreateTargetGroup", kind="denied", times=10_000))
    rollout = stage.start(replace(spec, limits=replace(spec.limits, provision=MINUTE)))
    assert stage.until(rollout).phase is Phase.ROLLED_BACK, stage.story(rollout)


def test_case_73_preflight_says_what_one_way_means(stage: Rehearsal) -> None:
    spec = stage.spec(stage.revision(), one_way=True)
    found = stage.run(look_before(spec, cloud=stage.cloud, clock=stage.clock)).findings
    (told,) = [finding for finding in found if finding.code == "one-way"]
    assert "only a person sends users back to blue" in told.why
