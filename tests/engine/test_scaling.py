"""A service that scales: green gets everything of it before traffic, and nothing of it is left on any way out."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.aws.client.errors import refused
from orchestrator.aws.client.transport import Answer
from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.spec import ApprovalSpec, Background
from sandbox.scenarios.scenery_scaling import KINDS, scale_by
from sandbox.world.kernel.errors import AwsRefusal, CallLost
from tests.cases.scaling_stage import scaling_of
from tests.support.direct_transport import DirectTransport
from tests.support.rehearsal import Rehearsal


def scaled(stage: Rehearsal, *kinds: str) -> Rehearsal:
    scale_by(stage.world, stage.scenery, *(kinds or KINDS))
    return stage


class OneWriteATarget:
    """An AWS whose answers take their time, and whose scalable targets take one write at a time, as AWS's do."""

    def __init__(self, beneath: DirectTransport) -> None:
        self._beneath = beneath
        self._written: set[str] = set()
        self.refused: list[str] = []

    async def call(self, service: str, operation: str, params: Mapping[str, Any]) -> Answer:
        is_write = service == "application-autoscaling" and not operation.startswith(("Describe", "List"))
        target = str(params.get("ResourceId", "")) if is_write else ""
        if target in self._written:
            self.refused.append(f"{operation} {target}")
            raise refused(service, operation, code="ConcurrentUpdateException", message="pending", status=400)
        self._written |= {target} - {""}
        try:
            await asyncio.sleep(0.2)
            return await self._beneath.call(service, operation, params)
        finally:
            self._written.discard(target)


@pytest.mark.parametrize("ends", [Phase.SUCCEEDED, Phase.ROLLED_BACK])
def test_a_scalable_target_is_written_once_at_a_time(ends: Phase) -> None:
    """AWS refuses a write beside another with ConcurrentUpdateException, and each refusal costs a call."""
    with Rehearsal() as stage:
        scaled(stage)
        before = scaling_of(stage)
        slow = OneWriteATarget(DirectTransport(stage.world.call, refusal=AwsRefusal, lost=CallLost))
        stage.cloud = stage.cloud_of(slow)
        rollout = stage.start(stage.spec(stage.revision()))
        stage.until(rollout, Phase.SHIFTING)
        if ends is Phase.ROLLED_BACK:
            stage.command(rollout, CommandKind.ROLLBACK)
        row = stage.until(rollout)
        assert row.phase is ends, stage.story(rollout)
        assert scaling_of(stage) == before, stage.story(rollout)
        assert not slow.refused


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


def test_who_waits_for_an_approval_before_green_has_its_scaling_looks_no_more_often_than_others() -> None:
    def looks(background: Background) -> int:
        with Rehearsal() as stage:
            scaled(stage, "cpu")
            approval = ApprovalSpec(before_traffic=True)
            rollout = stage.start(stage.spec(stage.revision(), approval=approval, background=background))
            stage.let_run(timedelta(minutes=2))
            before = stage.run(stage.store.load(rollout)).version
            stage.let_run(timedelta(minutes=1))
            return stage.run(stage.store.load(rollout)).version - before

    assert looks(Background.SAFE) == looks(Background.NONE)


def test_green_has_its_scaling_before_traffic_though_its_tasks_grow_only_after_an_approval() -> None:
    with Rehearsal() as stage:
        scaled(stage, "cpu")
        spec = stage.spec(
            stage.revision(), approval=ApprovalSpec(before_traffic=True), background=Background.SAFE
        )
        rollout = stage.start(spec)
        stage.let_run(timedelta(minutes=2))
        assert len(scaling_of(stage)["targets"]) == 1
        stage.command(rollout, CommandKind.APPROVE)
        stage.until(rollout, Phase.SHIFTING)
        assert len(scaling_of(stage)["targets"]) == 2, stage.story(rollout)
