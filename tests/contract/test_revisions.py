"""Task definitions that a rollout registers, at the port and over the wire."""

import json
from dataclasses import replace

from orchestrator.core.cloud.effects import DeregisterRevision, RegisterRevision
from orchestrator.core.cloud.forward_action import canonical
from orchestrator.core.cloud.resources import ImageSeen, RevisionSeen
from orchestrator.core.cloud.survey import NewRevision
from orchestrator.core.rollout.needs import RevisionsNeed
from tests.contract.cloud import Stage

IMAGES = (("checkout", "example.com/checkout:2"),)
OWN = (("teal:rollout", "checkout-0a1b2c3d"),)


def registered(stage: Stage, family: str, after: int) -> tuple[RevisionSeen, ...]:
    found = stage.observe(revisions=(RevisionsNeed(family=family, after=after),)).revisions[family]
    assert isinstance(found, tuple)
    return found


def test_a_survey_says_what_is_to_be_registered(stage: Stage) -> None:
    found = stage.survey(task_definition="", images=IMAGES, colour_variable="TEAL_COLOUR")
    plain, greens = found.new_revisions
    assert (plain.family, plain.newest, plain.is_greens_own) == ("checkout", 1, False)
    assert (greens.family, greens.newest, greens.is_greens_own) == ("checkout-green", 0, True)
    assert found.revision is not None
    assert found.revision.images == IMAGES
    (container,) = json.loads(greens.template)["containerDefinitions"]
    assert container["environment"] == [{"name": "TEAL_COLOUR", "value": "green"}]
    assert container["image"] == "example.com/checkout:2"


def test_without_images_and_colour_nothing_is_to_be_registered(stage: Stage) -> None:
    assert stage.survey().new_revisions == ()


def test_what_was_registered_says_what_the_survey_said_and_is_found_by_its_tags(stage: Stage) -> None:
    (new,) = stage.survey(task_definition="", images=IMAGES).new_revisions
    assert registered(stage, "checkout", new.newest) == ()
    stage.perform(RegisterRevision(family=new.family, template=new.template, tags=OWN))
    (seen,) = registered(stage, "checkout", new.newest)
    assert dict(seen.tags) == dict(OWN)
    assert template_of(stage, seen.arn) == new


def template_of(stage: Stage, revision: str) -> NewRevision:
    """What registering a revision once more, with its own images, would send."""
    definition = stage.call("ecs", "DescribeTaskDefinition", taskDefinition=revision)["taskDefinition"]
    images = tuple((c["name"], c["image"]) for c in definition["containerDefinitions"])
    scenery = stage.scenery
    stage.call(
        "ecs", "UpdateService", cluster=scenery.cluster, service=scenery.service, taskDefinition=revision
    )
    (again,) = stage.survey(task_definition="", images=images).new_revisions
    return replace(again, newest=again.newest - 1)


def test_a_revision_that_is_deregistered_is_seen_no_more_and_twice_is_once(stage: Stage) -> None:
    template = canonical(
        {"family": "other", "containerDefinitions": [{"name": "a", "image": "b", "memory": 128}]}
    )
    stage.perform(RegisterRevision(family="other", template=template, tags=OWN))
    (seen,) = registered(stage, "other", 0)
    for _ in range(2):
        stage.perform(DeregisterRevision(revision=seen.arn))
    assert registered(stage, "other", 0) == ()
    described = stage.call("ecs", "DescribeTaskDefinition", taskDefinition=seen.arn)["taskDefinition"]
    assert described["status"] == "INACTIVE"


def test_only_revisions_of_the_family_itself_are_looked_through(stage: Stage) -> None:
    for family in ("other", "other-green"):
        template = canonical(
            {"family": family, "containerDefinitions": [{"name": "a", "image": "b", "memory": 128}]}
        )
        stage.perform(RegisterRevision(family=family, template=template, tags=OWN))
    assert [seen.arn.rpartition("/")[2] for seen in registered(stage, "other", 0)] == ["other:1"]


def test_the_images_of_a_service_come_with_the_digests_that_ecs_resolved(stage: Stage) -> None:
    found = stage.observe(images="checkout").images
    assert isinstance(found, tuple)
    (image,) = found
    assert isinstance(image, ImageSeen)
    assert (image.container, image.image) == ("checkout", "example.com/checkout:latest")
    assert image.digest.startswith("sha256:")


def test_a_service_that_is_not_there_has_no_images(stage: Stage) -> None:
    assert stage.observe(images="nothing").images == ()
