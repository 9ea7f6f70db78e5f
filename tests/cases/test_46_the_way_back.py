"""Case 46: a rollback before green has traffic, and in the middle of a step."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.phases import Phase
from sandbox.world.world import World
from tests.cases.looks import groups_of, live_services
from tests.cases.rule_stage import teams_own, weights_of
from tests.support.rehearsal import Rehearsal

WRITES = frozenset({"ModifyRule", "ModifyListener", "UpdateService", "DeleteService", "DeleteTargetGroup"})


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    with Rehearsal() as rehearsal:
        yield rehearsal


def writes(stage: Rehearsal, since: int) -> list[str]:
    """What was written from this call on, in order."""
    return [record.operation for record in stage.world.log[since:] if record.operation in WRITES]


def test_case_46_before_any_traffic_green_is_stopped_and_removed_and_no_weight_is_moved(
    stage: Rehearsal,
) -> None:
    rollout = stage.start(stage.spec(stage.revision()))
    stage.until(rollout, Phase.PROVISIONING)
    stage.let_run(timedelta(seconds=3))
    since = len(stage.world.log)
    stage.command(rollout, CommandKind.ROLLBACK)
    assert stage.until(rollout).phase is Phase.ROLLED_BACK, stage.story(rollout)
    # The one write of the rule takes green's group, which had weight 0, out of it.
    assert writes(stage, since) == ["ModifyRule", "UpdateService", "DeleteService", "DeleteTargetGroup"]
    assert live_services(stage) == ["checkout"]
    assert groups_of(stage) == [stage.scenery.target_group]


def test_case_46_in_the_middle_of_a_step_every_rule_goes_to_blue_before_anything_else() -> None:
    """One of three rules has the step's new weight when the rollback comes: the step is not finished."""
    for stage in teams_own():
        rollout = stage.start(stage.spec(stage.revision()))
        stage.until(rollout, Phase.SHIFTING)
        moved: list[World] = []
        stage.world.faults.before("ModifyListener", 1, moved.append)
        while not moved:
            stage.let_run(timedelta(milliseconds=100))
        since = len(stage.world.log)
        stage.command(rollout, CommandKind.ROLLBACK)
        stage.until(rollout, Phase.ROLLING_BACK)
        stage.let_run(timedelta(seconds=2))
        first = writes(stage, since)[:3]
        assert sorted(first) == ["ModifyListener", "ModifyRule", "ModifyRule"]
        for arn in stage.scenery.rules:
            greens = [name for name in weights_of(stage, arn) if "/teal-" in name]
            assert not any(weights_of(stage, arn)[green] for green in greens)
        assert stage.until(rollout).phase is Phase.ROLLED_BACK, stage.story(rollout)
