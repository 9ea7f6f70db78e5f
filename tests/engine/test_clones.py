"""Green as AWS shows it beside blue, made through the whole engine from a service that uses nearly everything."""

from collections.abc import Iterator
from typing import Any

import pytest

from orchestrator.aws.services.clone_fields import SERVICE, Fate, of_fate
from orchestrator.core.domain.phases import Phase
from sandbox.scenarios.scenery import until_steady
from tests.cases.looks import service_of
from tests.support.rehearsal import Rehearsal

ROLE = "arn:aws:iam::123456789012:role/ecs-volumes"
RICH: dict[str, Any] = {
    "capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT", "weight": 3, "base": 1}],
    "enableECSManagedTags": True,
    "enableExecuteCommand": True,
    "healthCheckGracePeriodSeconds": 77,
    "platformVersion": "1.4.0",
    "propagateTags": "SERVICE",
    "serviceConnectConfiguration": {"enabled": True, "namespace": "shop"},
    "volumeConfigurations": [
        {"name": "scratch", "managedEBSVolume": {"roleArn": ROLE, "sizeInGiB": 20, "volumeType": "gp3"}}
    ],
    "monitoring": {"metricConfigurations": [{"metricNames": ["CPUUtilization"], "resolutionSeconds": 20}]},
}


def revision_of(stage: Rehearsal, service: dict[str, Any]) -> dict[str, Any]:
    """A service's newest revision, the only place that shows some of it."""
    arns = [service["currentServiceRevisions"][0]["arn"]]
    answer = stage.world.call("ecs", "DescribeServiceRevisions", {"serviceRevisionArns": arns})
    shown: dict[str, Any] = answer["serviceRevisions"][0]
    return shown


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    with Rehearsal() as rehearsal:
        scenery = rehearsal.scenery
        asked = {"cluster": scenery.cluster, "service": scenery.service}
        providers = {
            "cluster": scenery.cluster,
            "capacityProviders": ["FARGATE", "FARGATE_SPOT"],
            "defaultCapacityProviderStrategy": [],
        }
        rehearsal.world.call("ecs", "PutClusterCapacityProviders", providers)
        rehearsal.world.call("ecs", "UpdateService", asked | RICH)
        until_steady(rehearsal.world, scenery)
        rehearsal.let_run(rehearsal.world.minute)
        yield rehearsal


def test_green_has_every_field_that_is_copied(stage: Rehearsal) -> None:
    rollout = stage.start(stage.spec(stage.revision()))
    row = stage.until(rollout, Phase.SHIFTING)
    assert row.green is not None
    blue, green = service_of(stage), service_of(stage, row.green.name)
    blues, greens = revision_of(stage, blue), revision_of(stage, green)
    for name in of_fate(SERVICE, Fate.COPIED):
        shown = [{**revision, **service} for revision, service in ((blues, blue), (greens, green))]
        assert shown[0].get(name) == shown[1].get(name), name
    for name in ("healthCheckGracePeriodSeconds", "propagateTags", "availabilityZoneRebalancing"):
        assert green[name] == blue[name], name
    for name in ("monitoring", "volumeConfigurations", "serviceConnectConfiguration"):
        assert greens[name] == RICH[name], name
    tags = {tag["key"]: tag["value"] for tag in green["tags"]}
    assert tags["team"] == "shop"
    assert green["deploymentConfiguration"]["deploymentCircuitBreaker"]["rollback"] is False
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
