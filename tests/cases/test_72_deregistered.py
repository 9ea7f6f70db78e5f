"""Case 72: what a rollout would go back to is cleaned up while it is under way."""

import json
from collections.abc import Iterator

import pytest

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from tests.cases.looks import active_revisions, definition_of, groups_of, service_of
from tests.support.rehearsal import MINUTE, Rehearsal


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    with Rehearsal() as rehearsal:
        yield rehearsal


def returning_to_blue(stage: Rehearsal) -> RolloutId:
    """A rollout that has given blue its new revision and a part of the traffic."""
    rollout = stage.start(stage.spec(stage.revision()))
    stage.until(rollout, Phase.SETTLING)
    while not stage.row(rollout).handover.is_homeward or stage.row(rollout).green_weight > 900:
        stage.let_run(MINUTE / 4)
    return rollout


def test_case_72_a_former_revision_that_was_deregistered_is_registered_again_by_its_digests(
    stage: Rehearsal,
) -> None:
    """ECS gives no service an INACTIVE revision: blue goes back to one like it, which runs the images that ran."""
    former = stage.scenery.task_definition
    was = definition_of(stage, former)["containerDefinitions"][0]
    rollout = returning_to_blue(stage)
    stage.world.call("ecs", "DeregisterTaskDefinition", {"taskDefinition": former})
    stage.command(rollout, CommandKind.ROLLBACK, reason="a test")
    row = stage.until(rollout)
    assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
    now = service_of(stage)["taskDefinition"]
    assert now != former
    assert now.rpartition("/")[2] in active_revisions(stage, "checkout")
    container = definition_of(stage, now)["containerDefinitions"][0]
    assert container["image"].partition("@")[2].startswith("sha256:"), container["image"]
    assert {**container, "image": ""} == {**was, "image": ""}
    (told,) = stage.events(rollout, EventKind.REVISION_REGISTERED)
    assert "is registered in place of checkout:1" in told.event.message
    assert groups_of(stage) == [stage.scenery.target_group]
    assert (stage.traffic.totals.rejected, stage.traffic.totals.unanswered.total()) == (0, 0)


def test_case_72_the_whole_former_definition_and_its_digests_are_kept_before_anything_is_made(
    stage: Rehearsal,
) -> None:
    rollout = stage.start(stage.spec(stage.revision()))
    stage.until(rollout, Phase.PREPARING)
    blue = stage.row(rollout).blue
    assert blue is not None
    kept = json.loads(blue.former_template)
    (container,) = kept["containerDefinitions"]
    assert "@sha256:" in container["image"]
    assert kept["family"] == "checkout"
