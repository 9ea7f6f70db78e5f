"""A target group that some rule still forwards to cannot be deleted: it is left, and said who uses it."""

from collections.abc import Iterator

import pytest

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from tests.cases.looks import groups_of, live_services
from tests.cases.rule_stage import call, green_group
from tests.support.rehearsal import Rehearsal


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    with Rehearsal(scalable=False) as rehearsal:
        yield rehearsal


def used_elsewhere(stage: Rehearsal, group: str) -> str:
    """Somebody adds a rule that forwards to the group."""
    made = call(
        stage,
        "CreateRule",
        ListenerArn=stage.scenery.listeners[0],
        Priority=7,
        Conditions=[{"Field": "path-pattern", "Values": ["/try/*"]}],
        Actions=[{"Type": "forward", "TargetGroupArn": group}],
    )
    return str(made["Rules"][0]["RuleArn"])


def endings(stage: Rehearsal, rollout: RolloutId) -> str:
    return stage.events(rollout, EventKind.ENDED)[-1].event.message


def test_case_52_a_green_group_that_another_rule_uses_is_left_and_its_user_is_named(stage: Rehearsal) -> None:
    """The rollout ends, all the rest is gone, and the end says what is left and why."""
    rollout = stage.start(stage.spec(stage.revision()))
    stage.until(rollout, Phase.SHIFTING)
    group = green_group(stage)
    used_elsewhere(stage, group)
    stage.command(rollout, CommandKind.ROLLBACK)
    row = stage.until(rollout)
    assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert groups_of(stage) == [stage.scenery.target_group, group]
    assert live_services(stage) == [stage.scenery.service]
    told = [seen.event.message for seen in stage.events(rollout, EventKind.DRIFT_FOUND)]
    assert any("is left: rule 7 of load balancer prod-lb still forwards to it" in words for words in told), (
        told
    )
    assert f"left since a rule still uses it: {group.split('/')[1]}" in endings(stage, rollout)


def test_case_52_a_rule_that_lets_go_of_the_group_meanwhile_lets_it_be_deleted(stage: Rehearsal) -> None:
    """A refusal alone says nothing: only a group that a rule was seen to use is left behind."""
    rollout = stage.start(stage.spec(stage.revision()))
    stage.until(rollout, Phase.SHIFTING)
    rule = used_elsewhere(stage, green_group(stage))

    def let_go(_: object) -> None:
        call(stage, "DeleteRule", RuleArn=rule)

    stage.world.faults.before("DescribeListeners", 1, let_go)
    stage.command(rollout, CommandKind.ROLLBACK)
    row = stage.until(rollout)
    assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert groups_of(stage) == [stage.scenery.target_group]
    assert "nothing of green is left" in endings(stage, rollout)
