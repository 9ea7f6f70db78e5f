"""A service behind two load balancers: every target group of blue gets one of green, and all rules move together."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.phases import Phase
from sandbox.scenarios.scenery import until_steady
from sandbox.world.kernel.faults import Fault
from tests.cases.looks import groups_of, rules_of, service_of
from tests.cases.second_balancer import on_a_second_load_balancer
from tests.support.rehearsal import Rehearsal


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    """A service with two rules on one load balancer and one on another, of two target groups."""
    with Rehearsal(rules=2) as rehearsal:
        _, rule = on_a_second_load_balancer(rehearsal)
        rehearsal.scenery = replace(rehearsal.scenery, rules=(*rehearsal.scenery.rules, rule))
        rehearsal.let_run(rehearsal.world.minute)
        yield rehearsal


def test_case_06_each_target_group_gets_its_green_one_and_every_rule_moves_in_the_same_step(
    stage: Rehearsal,
) -> None:
    """One green group for each of blue's, on its own load balancer; no step is left before all rules are at it."""
    before, groups = rules_of(stage), groups_of(stage)
    rollout = stage.start(stage.spec(stage.revision()))
    row = stage.until(rollout, Phase.WATCHING)
    assert {rule.verified for rule in row.rules} == {1000}
    assert (len(row.rules), len(row.pairs)) == (3, 2)
    assert row.green is not None
    green = service_of(stage, row.green.name)
    assert {entry["targetGroupArn"] for entry in green["loadBalancers"]} == {pair.green for pair in row.pairs}
    row = stage.until(rollout)
    assert row.phase is Phase.SUCCEEDED, stage.story(rollout)
    assert (rules_of(stage), groups_of(stage)) == (before, groups)


def test_case_06_a_rule_that_cannot_be_written_keeps_the_step_and_a_rollback_takes_all_back(
    stage: Rehearsal,
) -> None:
    """Half-shifted rules converge: the missing write is made again, or every rule goes back to blue."""
    before, groups = rules_of(stage), groups_of(stage)
    rollout = stage.start(stage.spec(stage.revision()))
    stage.until(rollout, Phase.SHIFTING)
    stage.world.faults.add(Fault(operation="ModifyRule", nth=2, kind="throttle", times=6))
    stage.let_run(stage.world.minute / 2)
    stage.command(rollout, CommandKind.ROLLBACK)
    row = stage.until(rollout)
    assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert (rules_of(stage), groups_of(stage)) == (before, groups)


def test_case_06_two_ports_of_one_service_may_share_a_target_group(stage: Rehearsal) -> None:
    """A group that two entries name gets one green group, not two."""
    scenery = stage.scenery
    entries = [*service_of(stage)["loadBalancers"], service_of(stage)["loadBalancers"][0]]
    asked = {"cluster": scenery.cluster, "service": scenery.service, "loadBalancers": entries}
    stage.world.call("ecs", "UpdateService", asked)
    until_steady(stage.world, scenery)
    rollout = stage.start(stage.spec(stage.revision()))
    row = stage.until(rollout, Phase.PROVISIONING)
    assert len(row.pairs) == 2
