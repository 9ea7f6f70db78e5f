"""Task definitions of the World, as the Amazon ECS API Reference says ECS keeps them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.scenarios.scenery import furnish, register, until_steady
from sandbox.world import AwsRefusal, World, quiet_world


@pytest.fixture
def world() -> World:
    return quiet_world(datetime(2026, 3, 1, 12, tzinfo=UTC))


def listed(world: World, **asked: object) -> list[str]:
    answer: dict[str, Any] = world.call("ecs", "ListTaskDefinitions", dict(asked))
    return [arn.rpartition("/")[2] for arn in answer["taskDefinitionArns"]]


def test_revisions_are_listed_by_the_whole_name_of_their_family_in_either_order(world: World) -> None:
    for family in ("web", "web", "web-green"):
        register(world, family=family)
    assert listed(world, familyPrefix="web") == ["web:1", "web:2"]
    assert listed(world, familyPrefix="web", sort="DESC", maxResults=1) == ["web:2"]
    assert listed(world) == ["web:1", "web:2", "web-green:1"]


def test_a_deregistered_revision_is_inactive_and_its_number_is_not_given_again(world: World) -> None:
    arn = register(world, family="web")
    for _ in range(2):
        answer = world.call("ecs", "DeregisterTaskDefinition", {"taskDefinition": arn})
        assert answer["taskDefinition"]["status"] == "INACTIVE"
    assert listed(world, familyPrefix="web") == []
    assert listed(world, familyPrefix="web", status="INACTIVE") == ["web:1"]
    assert register(world, family="web").endswith("web:2")


def test_a_service_goes_on_by_a_deregistered_revision_and_scales_but_no_other_takes_it(world: World) -> None:
    built = furnish(world, desired=1)
    until_steady(world, built)
    world.call("ecs", "DeregisterTaskDefinition", {"taskDefinition": built.task_definition})
    asked = {"cluster": built.cluster, "service": built.service}
    answer = world.call("ecs", "UpdateService", {**asked, "desiredCount": 2})
    assert answer["service"]["desiredCount"] == 2
    with pytest.raises(AwsRefusal, match="inactive"):
        world.call("ecs", "UpdateService", {**asked, "taskDefinition": built.task_definition})


@pytest.mark.parametrize("given", ["web:9", "nothing:1", "web"])
def test_what_does_not_exist_cannot_be_deregistered(world: World, given: str) -> None:
    register(world, family="web")
    with pytest.raises(AwsRefusal):
        world.call("ecs", "DeregisterTaskDefinition", {"taskDefinition": given})


def test_a_digest_is_known_once_a_task_of_the_revision_has_pulled_the_image(world: World) -> None:
    built = furnish(world, desired=1)
    asked = {"cluster": built.cluster, "services": [built.service]}

    def shown() -> dict[str, Any]:
        arns = [
            entry["arn"]
            for entry in world.call("ecs", "DescribeServices", asked)["services"][0][
                "currentServiceRevisions"
            ]
        ]
        answer = world.call("ecs", "DescribeServiceRevisions", {"serviceRevisionArns": arns})
        image: dict[str, Any] = answer["serviceRevisions"][0]["containerImages"][0]
        return image

    assert "imageDigest" not in shown()
    until_steady(world, built)
    assert shown()["imageDigest"].startswith("sha256:")
