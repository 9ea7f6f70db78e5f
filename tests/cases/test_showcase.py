"""A service as a team has it is after a rollout what it was before, in every answer of every Describe call."""

from contextlib import contextmanager

import pytest

from orchestrator.core.domain.phases import Phase
from tests.cases.rule_stage import teams_own
from tests.cases.showcase import SHOWS, look

READS = ("Describe", "List")
# What is not asked: what has happened, and what other answers show too.
LEFT_OUT = {
    "DescribeAlarmHistory",
    "DescribeServiceDeployments",
    "DescribeServiceRevisions",
    "DescribeClusters",
    "ListTagsForResource",
    "ListAlarmMuteRules",
    "DescribeAccountLimits",
}


@pytest.mark.parametrize("name", list(SHOWS))
def test_nothing_differs_after_a_rollout_but_what_any_deployment_changes(name: str) -> None:
    shown = SHOWS[name]()
    assert shown.phase is (Phase.ROLLED_BACK if name == "rollback" else Phase.SUCCEEDED)
    assert shown.others == ()
    assert shown.values > 400


def test_everything_that_can_be_described_is_compared() -> None:
    with contextmanager(teams_own)() as stage:
        begun = len(stage.world.log)
        look(stage)
        asked = {record.operation for record in stage.world.log[begun:]}
        services = ("ecs", "elbv2", "application-autoscaling", "cloudwatch")
        known = {each for service in services for each in stage.world.operations(service)}
    assert {each for each in known if each.startswith(READS)} - asked <= LEFT_OUT
