"""What preflight tells of a real account at the first look, and what the World then does to a rollout."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.rollout import HoldKind
from sandbox.world.kernel.errors import AwsRefusal
from sandbox.world.kernel.settings import WorldSettings
from tests.cases.looks import paged, service_of
from tests.cases.starts import preflight, refused
from tests.support.rehearsal import MINUTE, Rehearsal

PAUSE = [{"targetType": "PAUSE", "lifecycleStages": ["PRE_SCALE_UP"]}]
MANY = [{"Key": f"tag-{number}", "Value": "x"} for number in range(48)]


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    with Rehearsal(requests_per_second=10) as rehearsal:
        yield rehearsal


def rehearsal_with_hooks(does: Any) -> Rehearsal:  # noqa: ANN401 - a Literal of the settings
    """A service whose deployment configuration has a hook, in a World that does this with it."""
    settings = replace(WorldSettings.kind(), rolling_hooks=does)
    stage = Rehearsal(requests_per_second=10, settings=settings)
    stage.world.call(
        "ecs",
        "UpdateService",
        {
            "cluster": stage.scenery.cluster,
            "service": stage.scenery.service,
            "deploymentConfiguration": {"lifecycleHooks": PAUSE},
        },
    )
    return stage


def test_hooks_that_a_rolling_deployment_ignores_are_told_and_change_nothing() -> None:
    with rehearsal_with_hooks("ignored") as stage:
        spec = stage.spec(stage.revision())
        finding = preflight(stage, spec)["lifecycle-hooks"]
        assert "a pause at PRE_SCALE_UP" in finding.what
        rollout = stage.start(spec)
        assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
        assert service_of(stage)["deploymentConfiguration"]["lifecycleHooks"] == PAUSE


@pytest.mark.parametrize("does", ["wait", "fail"])
def test_a_hook_that_stops_settling_leaves_green_serving_and_does_not_stop_the_way_back(does: str) -> None:
    """A rollback takes the hooks off blue for its way back and gives them back after it.

    People are paged at once where a hook fails; one that waits is as slow as any update, until `limits.settle`.
    """
    with rehearsal_with_hooks(does) as stage:
        former = service_of(stage)["taskDefinition"]
        rollout = stage.start(stage.spec(stage.revision()))
        stage.until(rollout, Phase.SETTLING)
        stage.let_run(20 * MINUTE)
        row = stage.row(rollout)
        assert row.phase is Phase.SETTLING
        assert row.green_weight == 1000
        if does == "fail":
            assert any(hold.kind is HoldKind.BLUE for hold in row.waiting.holds)
            assert "blue did not take checkout:2" in paged(stage, rollout)[0]
        stage.command(rollout, CommandKind.ROLLBACK, reason="a hook")
        assert stage.until(rollout).phase is Phase.ROLLED_BACK, stage.story(rollout)
        blue = service_of(stage)
        assert blue["taskDefinition"] == former
        assert blue["deploymentConfiguration"]["lifecycleHooks"] == PAUSE
        totals = stage.traffic.totals
        assert (totals.rejected, totals.unanswered.total(), totals.errors.total()) == (0, 0, 0)


def test_a_target_group_without_room_for_teals_tags_is_refused_before_anything_is_made(
    stage: Rehearsal,
) -> None:
    group = stage.scenery.target_group
    stage.world.call("elbv2", "AddTags", {"ResourceArns": [group], "Tags": MANY})
    words = refused(stage, stage.spec(stage.revision()))
    assert "target group checkout-blue has 48 tags" in words
    tags = [*MANY, *({"Key": f"teal:{n}", "Value": ""} for n in range(3))]
    made = {"Name": "x", "Protocol": "HTTP", "Port": 80, "VpcId": "vpc-1", "TargetType": "ip", "Tags": tags}
    with pytest.raises(AwsRefusal, match="TooManyTags"):
        stage.world.call("elbv2", "CreateTargetGroup", made)


def test_a_service_without_room_for_teals_tags_is_refused_before_anything_is_made(stage: Rehearsal) -> None:
    tags = [{"key": tag["Key"], "value": "x"} for tag in MANY]
    stage.world.call("ecs", "TagResource", {"resourceArn": stage.scenery.service_arn, "tags": tags})
    assert "service checkout has 49 tags" in refused(stage, stage.spec(stage.revision()))


def test_a_revision_behind_app_meshs_proxy_is_refused_and_told_the_way_out(stage: Rehearsal) -> None:
    asked = {"taskDefinition": stage.scenery.task_definition}
    like = json.loads(
        json.dumps(stage.world.call("ecs", "DescribeTaskDefinition", asked)["taskDefinition"], default=str)
    )
    kept = ("family", "networkMode", "requiresCompatibilities", "cpu", "memory", "containerDefinitions")
    proxy = {"type": "APPMESH", "containerName": "envoy", "properties": []}
    envoy = {"name": "envoy", "image": "example.com/envoy:1", "essential": True}
    body = {name: like[name] for name in kept} | {"proxyConfiguration": proxy}
    body["containerDefinitions"] = [*body["containerDefinitions"], envoy]
    meshed = stage.world.call("ecs", "RegisterTaskDefinition", body)["taskDefinition"]["taskDefinitionArn"]
    words = refused(stage, stage.spec(meshed))
    assert "container envoy of checkout:2 is App Mesh's proxy" in words
    assert "Service Connect" in words


OPTED_OUT = replace(WorldSettings.kind(), short_arns=True)


def test_a_service_of_an_old_account_is_rolled_out_once_the_account_takes_long_arns() -> None:
    """Blue keeps its short ARN and has no tags; green has a long one; tasks of both forms are read."""
    with Rehearsal(requests_per_second=10, settings=OPTED_OUT) as stage:
        assert service_of(stage)["serviceArn"].endswith(":service/checkout")
        for name in ("serviceLongArnFormat", "taskLongArnFormat"):
            stage.world.call("ecs", "PutAccountSetting", {"name": name, "value": "enabled"})
        revision = stage.revision()
        spec = stage.spec(revision)
        assert "put-account-setting-default" in preflight(stage, spec)["short-service-arn"].next_step
        rollout = stage.start(spec)
        assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
        assert service_of(stage)["serviceArn"].endswith(":service/checkout")
        assert service_of(stage)["taskDefinition"] == revision


def test_an_account_that_never_opted_in_is_told_beforehand_and_loses_nothing() -> None:
    with Rehearsal(requests_per_second=10, settings=OPTED_OUT) as stage:
        spec = stage.spec(stage.revision())
        assert "could not be made" in preflight(stage, spec)["short-service-arn"].why
        rollout = stage.start(spec)
        assert stage.until(rollout).phase is Phase.ROLLED_BACK, stage.story(rollout)
        assert "new ARN and resource ID format" in stage.story(rollout)
        assert stage.traffic.totals.rejected == 0
