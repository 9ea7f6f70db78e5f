"""Cases 41 and 42: commands that come twice or in the middle of a write, and other tools that deploy either colour."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.core.domain.commands import CommandKind, CommandState
from orchestrator.core.domain.errors import Refused
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import RolloutId, Tenths
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import Plan, Step
from sandbox.world.kernel.faults import Fault
from sandbox.world.world import World
from tests.cases.looks import green_of, shifting
from tests.cases.rule_stage import green_group, weights_of
from tests.support.rehearsal import MINUTE, Rehearsal


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    with Rehearsal() as rehearsal:
        yield rehearsal


def with_approval(stage: Rehearsal) -> RolloutId:
    steps = (
        Step(weight=Tenths(100), bake=2 * MINUTE, approval=True),
        Step(weight=Tenths(1000), bake=3 * MINUTE),
    )
    return stage.start(stage.spec(stage.revision(), plan=Plan(name="custom", steps=steps)))


def update(stage: Rehearsal, service: str, revision: str) -> None:
    asked = {"cluster": stage.scenery.cluster, "service": service, "taskDefinition": revision}
    stage.world.call("ecs", "UpdateService", asked)


def test_case_41_a_second_approval_of_the_same_step_is_refused(stage: Rehearsal) -> None:
    rollout = with_approval(stage)
    stage.until(rollout, Phase.SHIFTING)
    stage.command(rollout, CommandKind.APPROVE, step=0)
    stage.let_run(timedelta(seconds=2))
    with pytest.raises(Refused, match="operator has already approved this step"):
        stage.command(rollout, CommandKind.APPROVE, step=0)
    stage.until(rollout, Phase.WATCHING)
    with pytest.raises(Refused, match="it was given for step 1, and the rollout is at step 2"):
        stage.command(rollout, CommandKind.APPROVE, step=0)


def test_case_41_the_same_approval_sent_twice_is_one(stage: Rehearsal) -> None:
    rollout = with_approval(stage)
    stage.until(rollout, Phase.SHIFTING)
    first = stage.command(rollout, CommandKind.APPROVE, key="click")
    again = stage.command(rollout, CommandKind.APPROVE, key="click")
    assert first.command == again.command
    stage.until(rollout, Phase.WATCHING)
    assert len(stage.events(rollout, EventKind.COMMAND_APPLIED)) == 1


@pytest.mark.parametrize(
    ("kind", "first", "then", "words"),
    [
        (CommandKind.APPROVE, {"step": 0}, {"step": 1}, "approve of step 1"),
        (CommandKind.PROMOTE, {}, {"full": True}, "promote"),
        (CommandKind.PROMOTE, {}, {"step": 0}, "promote"),
    ],
)
def test_case_41_a_key_that_comes_again_with_another_command_is_refused_by_what_it_was_used_for(
    stage: Rehearsal, kind: CommandKind, first: dict[str, Any], then: dict[str, Any], words: str
) -> None:
    rollout = with_approval(stage)
    stage.until(rollout, Phase.SHIFTING)
    stage.command(rollout, kind, key="click", **first)
    with pytest.raises(Refused) as refused:
        stage.command(rollout, kind, key="click", **then)
    assert refused.value.what == f"key `click` was already used for {words}"


def test_case_41_an_approval_after_the_rollback_began_is_refused_and_one_before_it_is_overtaken(
    stage: Rehearsal,
) -> None:
    rollout = with_approval(stage)
    stage.until(rollout, Phase.SHIFTING)
    stage.command(rollout, CommandKind.ROLLBACK)
    late = stage.command(rollout, CommandKind.APPROVE)
    stage.until(rollout, Phase.ROLLING_BACK)
    (told,) = stage.events(rollout, EventKind.COMMAND_OVERTAKEN)
    assert dict(told.event.facts)["key"] == late.command.key
    assert late.state is CommandState.ACCEPTED
    with pytest.raises(Refused, match="approve is not accepted while the rollout is rolling_back"):
        stage.command(rollout, CommandKind.APPROVE)


def test_case_41_a_pause_in_the_middle_of_a_write_lets_it_be_read_back_first(stage: Rehearsal) -> None:
    """The write is lost in sight of nobody: the pause comes between it and its reading back, which still happens."""
    rollout = shifting(stage)

    writes: list[World] = []
    stage.world.faults.before("ModifyRule", 1, writes.append)
    stage.world.faults.add(Fault(operation="ModifyRule", when="after"))
    while not writes:
        stage.let_run(timedelta(milliseconds=250))
    stage.command(rollout, CommandKind.PAUSE)
    stage.let_run(timedelta(seconds=30))
    row = stage.row(rollout)
    assert row.green_weight == 1000, stage.story(rollout)
    assert weights_of(stage)[green_group(stage)] == 999
    assert row.pause.paused_by is not None
    stage.let_run(timedelta(minutes=5))
    assert stage.row(rollout).phase is Phase.WATCHING, "it does not go on"
    stage.command(rollout, CommandKind.RESUME)
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)


@pytest.mark.parametrize("colour", ["blue", "green"])
def test_case_42_a_deployment_of_another_tool_holds_and_a_rollback_is_taken(
    stage: Rehearsal, colour: str
) -> None:
    rollout = shifting(stage)
    service = "checkout" if colour == "blue" else green_of(stage, rollout)
    update(stage, service, stage.revision({"TEAL_DEMO_LATENCY": "1"}))
    stage.let_run(8 * MINUTE)
    row = stage.row(rollout)
    assert (row.phase, row.green_weight) == (Phase.SHIFTING, 100), stage.story(rollout)
    said = "somebody deploys checkout:3" if colour == "blue" else "somebody gave green another revision"
    assert any(said in hold.reason for hold in row.waiting.holds), row.waiting.holds
    stage.command(rollout, CommandKind.ROLLBACK)
    assert stage.until(rollout).phase is Phase.ROLLED_BACK
