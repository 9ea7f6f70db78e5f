"""Case 45: a zone fails, or requests are shifted away from it. Neither is green's doing."""

from collections.abc import Iterator

import pytest

from orchestrator.core.domain.phases import Phase
from tests.cases.looks import green_of, shifting, tasks_of
from tests.support.rehearsal import MINUTE, Rehearsal


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    with Rehearsal() as rehearsal:
        yield rehearsal


def in_zone(stage: Rehearsal, zone: str, service: str = "") -> list[str]:
    """The running ECS tasks of a service that are in a zone."""
    asked = {"cluster": stage.scenery.cluster, "tasks": tasks_of(stage, service)}
    found = stage.world.call("ecs", "DescribeTasks", asked)["tasks"]
    return [task["taskArn"] for task in found if task["availabilityZone"] == zone]


def test_case_45_a_zonal_shift_holds_and_is_named(stage: Rehearsal) -> None:
    rollout = shifting(stage)
    stage.world.shift_zone("eu-west-1a")
    stage.let_run(6 * MINUTE)
    row = stage.row(rollout)
    assert (row.phase, row.green_weight) == (Phase.SHIFTING, 100), stage.story(rollout)
    assert any("a zonal shift keeps requests from" in hold.reason for hold in row.holds), row.holds
    stage.world.shift_zone("eu-west-1a", is_over=True)
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)


def test_case_45_targets_that_go_bad_in_a_shifted_zone_convict_nobody(stage: Rehearsal) -> None:
    """Requests were shifted away since the zone fails: every task in it, of both colours, is ill."""
    rollout = shifting(stage)
    stage.world.shift_zone("eu-west-1a")
    ill = [*in_zone(stage, "eu-west-1a"), *in_zone(stage, "eu-west-1a", green_of(stage, rollout))]
    assert ill
    for task in ill:
        stage.world.virtual_tasks.change(task, never_healthy=True)
    stage.let_run(8 * MINUTE)
    assert stage.row(rollout).phase is Phase.SHIFTING, stage.story(rollout)
    stage.world.shift_zone("eu-west-1a", is_over=True)
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)


def test_case_45_a_zone_that_fails_without_a_shift_holds_until_ecs_has_replaced_its_tasks(
    stage: Rehearsal,
) -> None:
    rollout = shifting(stage)
    for service in ("", green_of(stage, rollout)):
        for task in in_zone(stage, "eu-west-1a", service):
            stage.world.virtual_tasks.change(task, never_healthy=True)
    stage.let_run(MINUTE)
    row = stage.row(rollout)
    assert row.phase is Phase.SHIFTING, stage.story(rollout)
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
