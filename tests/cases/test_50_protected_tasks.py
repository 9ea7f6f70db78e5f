"""Case 50: tasks of blue that have asked ECS not to stop them keep it from taking the new revision over."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.rollout import HoldKind
from tests.cases.looks import service_of, tasks_of
from tests.support.rehearsal import Rehearsal


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    with Rehearsal() as rehearsal:
        yield rehearsal


def protect(stage: Rehearsal, tasks: list[str], minutes: int) -> None:
    asked = {
        "cluster": stage.scenery.cluster,
        "tasks": tasks,
        "protectionEnabled": True,
        "expiresInMinutes": minutes,
    }
    stage.world.call("ecs", "UpdateTaskProtection", asked)


@pytest.mark.long
def test_case_50_blues_protected_tasks_are_waited_for_said_and_never_stopped(stage: Rehearsal) -> None:
    """Nothing moves for twenty minutes, twice as long as limits.settle: nobody is paged, and it then goes on."""
    kept = tasks_of(stage)[:2]
    protect(stage, kept, 25)
    until = stage.clock.now() + timedelta(minutes=25)
    spec = stage.spec(stage.revision())
    rollout = stage.start(replace(spec, limits=replace(spec.limits, settle=timedelta(minutes=5))))
    stage.until(rollout, Phase.SETTLING)
    stage.let_run(timedelta(minutes=15))
    row = stage.row(rollout)
    assert row.phase is Phase.SETTLING
    (hold,) = [hold for hold in row.waiting.holds if hold.kind is HoldKind.PROTECTED]
    assert (
        hold.reason
        == f"2 tasks of blue asked ECS not to be stopped, until {until:%Y-%m-%d %H:%M}Z at the latest"
    )
    assert set(kept) <= set(tasks_of(stage))
    assert not stage.events(rollout, EventKind.PAGED)
    row = stage.until(rollout)
    assert row.phase is Phase.SUCCEEDED, stage.story(rollout)
    assert stage.clock.now() > until
    assert "StopTask" not in {record.operation for record in stage.world.log}
    assert stage.traffic.totals.rejected == 0


def test_case_50_a_protection_that_is_lifted_early_lets_it_go_on(stage: Rehearsal) -> None:
    kept = tasks_of(stage)
    protect(stage, kept, 600)
    rollout = stage.start(stage.spec(stage.revision()))
    stage.until(rollout, Phase.SETTLING)
    stage.let_run(timedelta(minutes=2))
    asked = {"cluster": stage.scenery.cluster, "tasks": kept, "protectionEnabled": False}
    stage.world.call("ecs", "UpdateTaskProtection", asked)
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
    assert service_of(stage)["runningCount"] == 3
