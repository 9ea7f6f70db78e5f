"""A Lambda function beside blue in a rule: a target group without port, network and tasks, which is left as it is."""

from collections.abc import Iterator

import pytest

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.phases import Phase
from tests.cases.rule_stage import call, green_group, rule_of, weights_of
from tests.support.rehearsal import Rehearsal

FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:search"


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    """A quarter of the rule's requests goes to the function."""
    with Rehearsal(requests_per_second=20) as rehearsal:
        made = call(rehearsal, "CreateTargetGroup", Name="search", TargetType="lambda")["TargetGroups"][0]
        group = made["TargetGroupArn"]
        call(rehearsal, "RegisterTargets", TargetGroupArn=group, Targets=[{"Id": FUNCTION}])
        groups = [
            {"TargetGroupArn": rehearsal.scenery.target_group, "Weight": 3},
            {"TargetGroupArn": group, "Weight": 1},
        ]
        actions = [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]
        call(rehearsal, "ModifyRule", RuleArn=rehearsal.scenery.rules[0], Actions=actions)
        rehearsal.let_run(rehearsal.world.minute)
        yield rehearsal


def function_of(stage: Rehearsal) -> str:
    (group,) = [arn for arn in weights_of(stage) if ":targetgroup/search/" in arn]
    return group


def test_case_07_a_function_beside_blue_keeps_its_share_and_the_rule_is_as_it_was(stage: Rehearsal) -> None:
    """Its weight stands in the same proportion all the way, and the rule is as it was at the end."""
    before, function = rule_of(stage), function_of(stage)
    rollout = stage.start(stage.spec(stage.revision()))
    stage.until(rollout, Phase.WATCHING)
    weights = weights_of(stage)
    assert weights[function] * 3 == weights[green_group(stage)]
    row = stage.until(rollout)
    assert row.phase is Phase.SUCCEEDED, stage.story(rollout)
    assert rule_of(stage) == before


def test_case_07_a_rollback_leaves_a_function_beside_blue_as_it_was(stage: Rehearsal) -> None:
    before = rule_of(stage)
    rollout = stage.start(stage.spec(stage.revision()))
    stage.until(rollout, Phase.SHIFTING)
    stage.let_run(stage.world.minute)
    stage.command(rollout, CommandKind.ROLLBACK)
    assert stage.until(rollout).phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert rule_of(stage) == before
