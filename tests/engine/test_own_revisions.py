"""Rollouts that register what they run: other images, and tasks that know that they are green."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.errors import Unfit
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.spec import Spec
from sandbox.world.kernel.faults import Fault, When
from sandbox.world.kernel.settings import WorldSettings
from tests.cases.looks import active_revisions, definition_of, live_services, service_of
from tests.support.rehearsal import Rehearsal

IMAGE = "example.com/checkout:1.4.2"
REGISTRATION = {"taskDefinitionArn", "revision", "registeredAt", "registeredBy", "tags", "family"}


@pytest.fixture(params=["kind", "tricky"])
def stage(request: pytest.FixtureRequest) -> Iterator[Rehearsal]:
    """A service in a World without surprises, and in one with all of AWS's traps."""
    settings = WorldSettings.kind() if request.param == "kind" else WorldSettings()
    with Rehearsal(settings=settings) as rehearsal:
        yield rehearsal


@pytest.fixture
def kind() -> Iterator[Rehearsal]:
    with Rehearsal() as rehearsal:
        yield rehearsal


def with_image(stage: Rehearsal, **changes: Any) -> Spec:  # noqa: ANN401 - the fields of Spec
    return replace(stage.spec(""), images=(("checkout", IMAGE),), **changes)


def says(definition: dict[str, Any]) -> dict[str, Any]:
    """What a definition's tasks run by."""
    return {name: value for name, value in definition.items() if name not in REGISTRATION}


def test_images_make_a_revision_like_blues_that_blue_takes_over_and_keeps(stage: Rehearsal) -> None:
    rollout = stage.start(with_image(stage))
    row = stage.until(rollout)
    assert row.phase is Phase.SUCCEEDED, stage.story(rollout)
    taken = service_of(stage)["taskDefinition"]
    former, new = definition_of(stage, "checkout:1"), definition_of(stage, taken)
    assert new["containerDefinitions"] == [{**former["containerDefinitions"][0], "image": IMAGE}]
    assert says({**new, "containerDefinitions": 0}) == says({**former, "containerDefinitions": 0})
    assert new["tags"]["teal:rollout"] == rollout
    assert active_revisions(stage, "checkout") == ["checkout:1", taken.rpartition("/")[2]]


def test_the_digest_that_ecs_resolved_is_kept(kind: Rehearsal) -> None:
    rollout = kind.start(with_image(kind))
    row = kind.until(rollout, Phase.SHIFTING)
    (image,) = row.revisions.images
    assert (image.container, image.image) == ("checkout", IMAGE)
    assert image.digest.startswith("sha256:")
    (event,) = kind.events(rollout, EventKind.IMAGES_RESOLVED)
    assert dict(event.event.facts)["digest.checkout"] == image.digest


def test_a_rollback_takes_the_registered_revision_away_again(stage: Rehearsal) -> None:
    rollout = stage.start(with_image(stage, colour_variable="TEAL_COLOUR"))
    stage.until(rollout, Phase.SHIFTING)
    assert len(active_revisions(stage, "checkout")) == 2
    stage.command(rollout, CommandKind.ROLLBACK)
    row = stage.until(rollout)
    assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert active_revisions(stage, "checkout") == ["checkout:1"]
    assert active_revisions(stage, "checkout-green") == []
    assert service_of(stage)["taskDefinition"].endswith("checkout:1")


@pytest.mark.long
@pytest.mark.parametrize("when", ["before", "after", "late"])
def test_a_registration_whose_answer_is_lost_is_found_or_made_and_none_is_left_over(
    kind: Rehearsal, when: When
) -> None:
    kind.world.faults.add(Fault(operation="RegisterTaskDefinition", when=when))
    rollout = kind.start(with_image(kind))
    row = kind.until(rollout)
    assert row.phase is Phase.SUCCEEDED, kind.story(rollout)
    assert len(active_revisions(kind, "checkout")) == 2


def test_a_family_that_somebody_else_registers_in_is_asked_again(kind: Rehearsal) -> None:
    kind.world.faults.add(Fault(operation="RegisterTaskDefinition", kind="busy", times=2))
    rollout = kind.start(with_image(kind))
    row = kind.until(rollout)
    assert row.phase is Phase.SUCCEEDED, kind.story(rollout)
    told = kind.events(rollout, EventKind.EFFECT_FAILED)
    assert [dict(each.event.facts)["is_final"] for each in told] == [False, False]
    assert "change what AWS names" not in " ".join(each.event.message for each in told)


def test_a_revision_registered_twice_by_a_late_call_leaves_one(kind: Rehearsal) -> None:
    rollout = kind.start(with_image(kind))
    row = kind.until(rollout, Phase.SHIFTING)
    assert row.green is not None
    own = definition_of(kind, row.green.task_definition)
    tags = [{"key": key, "value": value} for key, value in own["tags"].items()]
    sent = ("family", "containerDefinitions", "networkMode", "requiresCompatibilities", "cpu", "memory")
    again = {name: own[name] for name in sent} | {"tags": tags}
    kind.world.call("ecs", "RegisterTaskDefinition", again)
    row = kind.until(rollout)
    assert row.phase is Phase.SUCCEEDED, kind.story(rollout)
    assert active_revisions(kind, "checkout") == ["checkout:1", "checkout:2"]


def test_revisions_that_others_register_meanwhile_are_left_alone(kind: Rehearsal) -> None:
    rollout = kind.start(with_image(kind))
    kind.until(rollout, Phase.SHIFTING)
    others = kind.revision()
    kind.command(rollout, CommandKind.ROLLBACK)
    kind.until(rollout)
    assert active_revisions(kind, "checkout") == ["checkout:1", others.rpartition("/")[2]]


def test_green_alone_is_told_its_colour(stage: Rehearsal) -> None:
    revision = stage.revision({"SIZE": "9"})
    rollout = stage.start(stage.spec(revision, colour_variable="TEAL_COLOUR"))
    row = stage.until(rollout, Phase.SHIFTING)
    assert row.green is not None
    greens = definition_of(stage, service_of(stage, row.green.name)["taskDefinition"])
    assert greens["family"] == "checkout-green"
    assert {"name": "TEAL_COLOUR", "value": "green"} in greens["containerDefinitions"][0]["environment"]
    plain = definition_of(stage, revision)
    coloured = greens["containerDefinitions"][0]
    without = [entry for entry in coloured["environment"] if entry["name"] != "TEAL_COLOUR"]
    assert plain["containerDefinitions"] == [{**coloured, "environment": without}]
    row = stage.until(rollout)
    assert row.phase is Phase.SUCCEEDED, stage.story(rollout)
    assert service_of(stage)["taskDefinition"] == revision
    assert active_revisions(stage, "checkout-green") == []
    assert live_services(stage) == ["checkout"]


def test_a_container_that_blue_does_not_have_is_refused_by_name(kind: Rehearsal) -> None:
    spec = replace(kind.spec(""), images=(("chekout", IMAGE),))
    with pytest.raises(Unfit) as caught:
        kind.start(spec)
    assert "has no container chekout" in str(caught.value)
