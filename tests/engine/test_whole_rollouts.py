"""Whole rollouts in virtual time, by the real engine and adapters on the World."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.phases import Phase
from sandbox.world.kernel.settings import WorldSettings
from tests.support.rehearsal import Rehearsal

BAD = {"TEAL_DEMO_ERROR_RATE": "0.4"}


@pytest.fixture(params=["kind", "tricky"])
def stage(request: pytest.FixtureRequest) -> Iterator[Rehearsal]:
    """A service in a World without surprises, and in one with all of AWS's traps."""
    settings = WorldSettings.kind() if request.param == "kind" else WorldSettings()
    with Rehearsal(settings=settings) as rehearsal:
        yield rehearsal


def rule_of(stage: Rehearsal) -> str:
    found = stage.world.call("elbv2", "DescribeRules", {"RuleArns": [stage.scenery.rules[0]]})
    return json.dumps(found["Rules"][0], sort_keys=True)


def service_of(stage: Rehearsal, name: str = "") -> dict[str, Any]:
    asked = {
        "cluster": stage.scenery.cluster,
        "services": [name or stage.scenery.service],
        "include": ["TAGS"],
    }
    services: list[dict[str, Any]] = stage.world.call("ecs", "DescribeServices", asked)["services"]
    return services[0] if services else {}


def scaling_of(stage: Rehearsal) -> str:
    name = f"service/{stage.scenery.cluster}/{stage.scenery.service}"
    asked = {"ServiceNamespace": "ecs", "ResourceIds": [name]}
    found = stage.world.call("application-autoscaling", "DescribeScalableTargets", asked)["ScalableTargets"]
    return json.dumps(found, sort_keys=True, default=str)


def groups_of(stage: Rehearsal) -> list[str]:
    found = stage.world.call("elbv2", "DescribeTargetGroups", {})["TargetGroups"]
    return [group["TargetGroupArn"] for group in found]


def test_a_good_revision_is_taken_to_everything_and_home(stage: Rehearsal) -> None:
    before = rule_of(stage), scaling_of(stage)
    revision = stage.revision()
    rollout = stage.start(stage.spec(revision))
    row = stage.until(rollout)
    assert row.phase is Phase.SUCCEEDED, stage.story(rollout)
    assert service_of(stage)["taskDefinition"] == revision
    assert (rule_of(stage), scaling_of(stage)) == before
    assert groups_of(stage) == [stage.scenery.target_group]
    assert row.green is not None
    assert service_of(stage, row.green.name).get("status") == "INACTIVE"


def test_a_good_rollout_loses_no_request(stage: Rehearsal) -> None:
    rollout = stage.start(stage.spec(stage.revision()))
    assert stage.until(rollout).phase is Phase.SUCCEEDED
    totals = stage.traffic.totals
    assert (totals.rejected, totals.unanswered.total(), totals.errors.total()) == (0, 0, 0)


def test_a_revision_that_fails_requests_is_rolled_back(stage: Rehearsal) -> None:
    before = rule_of(stage), scaling_of(stage)
    rollout = stage.start(stage.spec(stage.revision(BAD)))
    row = stage.until(rollout)
    assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert row.end is not None
    assert row.end.reason.startswith("guard: ")
    assert service_of(stage)["taskDefinition"] == stage.scenery.task_definition
    assert (rule_of(stage), scaling_of(stage)) == before
    assert groups_of(stage) == [stage.scenery.target_group]


@pytest.mark.parametrize(
    "environment",
    [
        pytest.param({"TEAL_DEMO_CRASH_AFTER": "0"}, id="crashes"),
        pytest.param({"TEAL_DEMO_UNHEALTHY": "1"}, id="never healthy"),
    ],
)
def test_a_revision_that_does_not_start_never_gets_traffic(
    stage: Rehearsal, environment: dict[str, str]
) -> None:
    rollout = stage.start(stage.spec(stage.revision(environment)))
    row = stage.until(rollout)
    assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert not stage.events(rollout, EventKind.STEP_STARTED)
    assert groups_of(stage) == [stage.scenery.target_group]


@pytest.mark.long
@pytest.mark.parametrize("phase", [Phase.PENDING, Phase.PROVISIONING, Phase.SHIFTING, Phase.WATCHING])
def test_a_rollback_until_the_watch_has_passed_leaves_everything_as_it_was(
    stage: Rehearsal, phase: Phase
) -> None:
    before = rule_of(stage), scaling_of(stage)
    rollout = stage.start(stage.spec(stage.revision()))
    if phase is not Phase.PENDING:
        stage.until(rollout, phase)
    stage.command(rollout, CommandKind.ROLLBACK, reason="a test")
    row = stage.until(rollout)
    assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert (rule_of(stage), scaling_of(stage)) == before
    assert groups_of(stage) == [stage.scenery.target_group]
    assert service_of(stage)["taskDefinition"] == stage.scenery.task_definition


def test_a_rollback_while_traffic_returns_gives_blue_its_former_revision_first(stage: Rehearsal) -> None:
    before = rule_of(stage), scaling_of(stage)
    rollout = stage.start(stage.spec(stage.revision()))
    stage.until(rollout, Phase.SETTLING)
    while not stage.row(rollout).handover.is_homeward or stage.row(rollout).green_weight > 900:
        stage.let_run(stage.world.minute / 4)
    stage.command(rollout, CommandKind.ROLLBACK, reason="a test")
    row = stage.until(rollout)
    assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert (rule_of(stage), scaling_of(stage)) == before
    assert service_of(stage)["taskDefinition"] == stage.scenery.task_definition
    assert groups_of(stage) == [stage.scenery.target_group]
    totals = stage.traffic.totals
    assert (totals.rejected, totals.unanswered.total()) == (0, 0)
