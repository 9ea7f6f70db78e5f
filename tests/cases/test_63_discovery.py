"""Service discovery knows no weights: whoever answers there is called, in proportion to its tasks."""

from collections.abc import Iterator
from typing import Any

import pytest

from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.spec import Discovery
from orchestrator.engine import commands
from sandbox.scenarios.scenery import until_steady
from tests.cases.looks import service_of
from tests.support.rehearsal import Rehearsal

REGISTRY = {"registryArn": "arn:aws:servicediscovery:eu-west-1:123456789012:service/srv-checkout"}


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    """A service that is also found by name in Cloud Map."""
    with Rehearsal() as rehearsal:
        scenery = rehearsal.scenery
        asked = {"cluster": scenery.cluster, "service": scenery.service, "serviceRegistries": [REGISTRY]}
        rehearsal.world.call("ecs", "UpdateService", asked)
        until_steady(rehearsal.world, scenery)
        rehearsal.let_run(rehearsal.world.minute)
        yield rehearsal


def found(stage: Rehearsal, discovery: Discovery) -> dict[str, str]:
    """What preflight finds, by code."""
    spec = stage.spec(stage.revision(), discovery=discovery)
    seen = stage.run(commands.look_before(spec, cloud=stage.cloud, clock=stage.clock))
    return {finding.code: f"{finding.what}; {finding.why}" for finding in seen.findings}


def green_of(stage: Rehearsal, discovery: Discovery) -> dict[str, Any]:
    rollout = stage.start(stage.spec(stage.revision(), discovery=discovery))
    row = stage.until(rollout, Phase.SHIFTING)
    assert row.green is not None
    return service_of(stage, row.green.name)


def test_case_63_green_does_not_answer_in_service_discovery_and_preflight_says_so(stage: Rehearsal) -> None:
    """Stripped by default: callers by name stay on blue until it takes the new revision over."""
    assert green_of(stage, Discovery.STRIP)["serviceRegistries"] == []
    assert service_of(stage)["serviceRegistries"] == [REGISTRY]
    assert "green does not" in found(stage, Discovery.STRIP)["discovery-stripped"]


def test_case_63_green_answers_there_where_the_file_asks_for_it_and_the_share_is_said(
    stage: Rehearsal,
) -> None:
    """`discovery: keep`: preflight says which share of those calls reaches green at weight 0."""
    assert green_of(stage, Discovery.KEEP)["serviceRegistries"] == [REGISTRY]
    assert "about 50 %" in found(stage, Discovery.KEEP)["discovery-kept"]
