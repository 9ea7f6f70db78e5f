"""Case 72: what a rollout would go back to is cleaned up while it is under way."""

import json
from collections.abc import Iterator

import pytest

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from sandbox.world.kernel.faults import Fault
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


@pytest.mark.parametrize("phase", [Phase.SHIFTING, Phase.WATCHING])
def test_case_72_the_new_revision_that_was_deregistered_is_registered_again_before_blue_takes_it(
    stage: Rehearsal, phase: Phase
) -> None:
    """Green runs on by it, so it would show only with all users on green: it is looked at before, and told once."""
    revision = stage.revision({"TEAL_DEMO_LATENCY": "1"})
    was = definition_of(stage, revision)["containerDefinitions"]
    rollout = stage.start(stage.spec(revision))
    stage.until(rollout, phase)
    stage.world.call("ecs", "DeregisterTaskDefinition", {"taskDefinition": revision})
    row = stage.until(rollout)
    assert row.phase is Phase.SUCCEEDED, stage.story(rollout)
    now = service_of(stage)["taskDefinition"]
    assert now != revision
    assert active_revisions(stage, "checkout") == ["checkout:1", now.rpartition("/")[2]]
    assert definition_of(stage, now)["containerDefinitions"] == was
    (told,) = stage.events(rollout, EventKind.REVISION_REGISTERED)
    assert "in place of checkout:2, for blue to take over" in told.event.message
    assert not stage.events(rollout, EventKind.PAGED)
    assert not stage.events(rollout, EventKind.EFFECT_FAILED)
    assert (stage.traffic.totals.rejected, stage.traffic.totals.unanswered.total()) == (0, 0)


def test_case_72_a_revision_that_goes_right_before_blue_takes_it_is_registered_again_while_green_serves(
    stage: Rehearsal,
) -> None:
    revision = stage.revision()
    rollout = stage.start(stage.spec(revision))
    stage.until(rollout, Phase.WATCHING)
    gone = {"taskDefinition": revision}
    stage.world.faults.before(
        "UpdateService", 1, lambda world: world.call("ecs", "DeregisterTaskDefinition", gone)
    )
    row = stage.until(rollout)
    assert row.phase is Phase.SUCCEEDED, stage.story(rollout)
    assert service_of(stage)["taskDefinition"] != revision
    assert len(stage.events(rollout, EventKind.REVISION_REGISTERED)) == 1
    assert len(stage.events(rollout, EventKind.EFFECT_FAILED)) <= 2
    assert not stage.events(rollout, EventKind.PAGED)


def test_case_72_what_was_registered_again_goes_with_a_rollback(stage: Rehearsal) -> None:
    revision = stage.revision()
    rollout = stage.start(stage.spec(revision))
    stage.until(rollout, Phase.SHIFTING)
    stage.world.call("ecs", "DeregisterTaskDefinition", {"taskDefinition": revision})
    while not stage.events(rollout, EventKind.REVISION_REGISTERED):
        stage.let_run(MINUTE / 4)
    stage.command(rollout, CommandKind.ROLLBACK)
    assert stage.until(rollout).phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert active_revisions(stage, "checkout") == ["checkout:1"]


def test_case_72_a_registration_that_aws_refuses_is_one_hold_for_as_long_as_it_does(stage: Rehearsal) -> None:
    revision = stage.revision()
    rollout = stage.start(stage.spec(revision))
    stage.until(rollout, Phase.SHIFTING)
    stage.world.faults.add(Fault(operation="RegisterTaskDefinition", kind="denied", times=8))
    stage.world.call("ecs", "DeregisterTaskDefinition", {"taskDefinition": revision})
    row = stage.until(rollout)
    assert row.phase is Phase.SUCCEEDED, stage.story(rollout)
    words = "AWS accepts: register_revision checkout"
    held = [seen.event for seen in stage.events(rollout, EventKind.HELD)]
    held = [event for event in held if dict(event.facts)["clears_when"] == words]
    assert len(held) == 1
    assert "checkout:2, which blue is to take over, was deregistered" in held[0].message
    assert len(stage.events(rollout, EventKind.EFFECT_FAILED)) <= 1
