"""A service that scales: green gets everything of it before traffic, and nothing of it is left on any way out."""

import pytest

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.phases import Phase
from sandbox.scenarios.scenery_scaling import KINDS, scale_by
from tests.cases.scaling_stage import scaling_of
from tests.support.rehearsal import Rehearsal


def scaled(stage: Rehearsal, *kinds: str) -> Rehearsal:
    scale_by(stage.world, stage.scenery, *(kinds or KINDS))
    return stage


@pytest.mark.parametrize("ends", [Phase.SUCCEEDED, Phase.ROLLED_BACK])
def test_everything_of_scaling_is_the_same_before_and_after(ends: Phase) -> None:
    with Rehearsal() as stage:
        scaled(stage)
        before = scaling_of(stage)
        rollout = stage.start(stage.spec(stage.revision()))
        row = stage.until(rollout, Phase.SHIFTING)
        assert row.phase is Phase.SHIFTING, stage.story(rollout)
        during = scaling_of(stage)
        assert len(during["targets"]) == 2
        assert len(during["policies"]) == 10
        assert len(during["actions"]) == 2
        if ends is Phase.ROLLED_BACK:
            stage.command(rollout, CommandKind.ROLLBACK)
        row = stage.until(rollout)
        assert row.phase is ends, stage.story(rollout)
        assert scaling_of(stage) == before, stage.story(rollout)
