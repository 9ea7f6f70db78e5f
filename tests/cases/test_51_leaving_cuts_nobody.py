"""Case 51: whoever is still answered by a colour that leaves has its target group's whole delay to come to an end."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from sandbox.world.kernel.settings import WorldSettings
from tests.cases.looks import green_of
from tests.cases.rule_stage import call, green_group, make_sticky, rule_of, weights_of
from tests.support.rehearsal import Rehearsal

DELAY = timedelta(minutes=3)
LIFE = 3600


@pytest.fixture(params=["kind", "tricky"])
def stage(request: pytest.FixtureRequest) -> Iterator[Rehearsal]:
    settings = WorldSettings.kind() if request.param == "kind" else WorldSettings()
    with Rehearsal(settings=settings, draining=DELAY) as rehearsal:
        yield rehearsal


def told_to_stop(stage: Rehearsal, service: str) -> list[datetime]:
    """When each task of a service got its SIGTERM."""
    asked = {"cluster": stage.scenery.cluster, "serviceName": service, "desiredStatus": "STOPPED"}
    arns = stage.world.call("ecs", "ListTasks", asked)["taskArns"]
    found = stage.world.call("ecs", "DescribeTasks", {"cluster": stage.scenery.cluster, "tasks": arns})
    return [task["stoppedAt"] - stage.world.behaviour.stops_in for task in found["tasks"]]


def rolled_back(stage: Rehearsal) -> tuple[RolloutId, str, datetime]:
    """A rollback with everybody on green: the rollout, green's name, and when all traffic was on blue."""
    rollout = stage.start(stage.spec(stage.revision()))
    stage.until(rollout, Phase.WATCHING)
    stage.let_run(timedelta(seconds=20))
    green = green_of(stage, rollout)
    stage.command(rollout, CommandKind.ROLLBACK)
    while (end := stage.row(rollout).end) is None or end.traffic_on_blue_at is None:
        stage.let_run(timedelta(seconds=1))
    return rollout, green, end.traffic_on_blue_at


def test_case_51_green_stays_in_the_rule_at_weight_0_until_its_tasks_are_drained(stage: Rehearsal) -> None:
    """A target group in no rule is unused, and AWS skips its delay: so green leaves the rule last."""
    before = json.dumps(rule_of(stage), sort_keys=True)
    rollout, green, home = rolled_back(stage)
    group = green_group(stage)
    stage.let_run(DELAY)
    assert weights_of(stage)[group] == 0, "green is still in the rule while its tasks drain"
    row = stage.until(rollout)
    assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
    stops = told_to_stop(stage, green)
    assert len(stops) == 3
    assert min(stops) >= home + DELAY, [str(at - home) for at in stops]
    assert json.dumps(rule_of(stage), sort_keys=True) == before


def test_case_51_green_leaves_a_sticky_rule_at_once_and_its_tasks_wait_out_the_delay(
    stage: Rehearsal,
) -> None:
    """A cookie must keep nobody on green; what it answers still goes on, since its tasks are stopped a delay later."""
    make_sticky(stage, life=LIFE)
    stage.let_run(stage.world.minute)
    before = json.dumps(rule_of(stage), sort_keys=True)
    rollout, green, home = rolled_back(stage)
    assert json.dumps(rule_of(stage), sort_keys=True) == before, "no cookie leads to green any more"
    row = stage.until(rollout)
    assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
    stops = told_to_stop(stage, green)
    assert min(stops) >= home + DELAY, [str(at - home) for at in stops]


def test_case_51_at_settlings_end_green_is_drained_too(stage: Rehearsal) -> None:
    """Green's last requests are whoever was on it when blue took everything back: nobody is cut there either."""
    before = json.dumps(rule_of(stage), sort_keys=True)
    rollout = stage.start(stage.spec(stage.revision()))
    stage.until(rollout, Phase.SETTLING)
    green = green_of(stage, rollout)
    row = stage.until(rollout)
    assert row.phase is Phase.SUCCEEDED, stage.story(rollout)
    home = row.way_out.on_blue_since
    assert home is not None
    stops = told_to_stop(stage, green)
    assert min(stops) >= home + DELAY, [str(at - home) for at in stops]
    assert json.dumps(rule_of(stage), sort_keys=True) == before


def test_case_51_green_that_somebody_took_out_of_the_rule_waits_out_its_delay(stage: Rehearsal) -> None:
    """Its group is unused then as well: AWS would stop the tasks at once."""
    rollout, green, _ = rolled_back(stage)
    rule = rule_of(stage)
    actions = [{"Type": "forward", "TargetGroupArn": stage.scenery.target_group}]
    call(stage, "ModifyRule", RuleArn=rule["RuleArn"], Actions=actions)
    taken_out = stage.clock.now()
    row = stage.until(rollout)
    assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
    stops = told_to_stop(stage, green)
    assert min(stops) >= taken_out + DELAY, [str(at - taken_out) for at in stops]


def test_case_51_green_without_any_traffic_is_waited_for_by_nobody(stage: Rehearsal) -> None:
    """Nothing was ever answered by it: the rule gets its first list at once, and no delay is waited for."""
    before = json.dumps(rule_of(stage), sort_keys=True)
    rollout = stage.start(stage.spec(stage.revision()))
    stage.until(rollout, Phase.PROVISIONING)
    began = stage.clock.now()
    stage.command(rollout, CommandKind.ROLLBACK)
    row = stage.until(rollout)
    assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert stage.clock.now() - began < DELAY
    assert json.dumps(rule_of(stage), sort_keys=True) == before


def test_case_51_the_wait_ends_although_targets_never_leave(stage: Rehearsal) -> None:
    """What is registered by another hand stays in green's group for ever: the rule is restored all the same."""
    rollout, _, home = rolled_back(stage)
    group = green_group(stage)
    call(stage, "RegisterTargets", TargetGroupArn=group, Targets=[{"Id": "10.1.2.3", "Port": 80}])
    row = stage.until(rollout)
    assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert stage.clock.now() - home < 2 * DELAY + timedelta(minutes=3)
