"""Task definitions that a rollout registers: requests from what ECS describes, and the calls about them.

What becomes of each field stands in `fields.DEFINITION`: a new revision differs in what the file names, and in
nothing else.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.aws.client.call import Caller
from orchestrator.aws.client.transport import Answer
from orchestrator.aws.services.clone_fields import DEFINITION, Fate, of_fate
from orchestrator.aws.services.clone_requests import own_tags
from orchestrator.core.cloud import effects
from orchestrator.core.cloud.forward_action import canonical
from orchestrator.core.cloud.resources import Absent, DefinitionSeen, ImageSeen, RevisionSeen
from orchestrator.core.cloud.survey import NewRevision
from orchestrator.core.domain.errors import Missing, Unreachable
from orchestrator.core.domain.ids import TaskDefinitionArn
from orchestrator.core.tick.needs import RevisionsNeed

GREEN = "green"  # what the colour variable says
LOOKED_AT_MAX = 50  # revisions of one family that others may register while a rollout is under way
FAMILY_MAX = 255


async def describe(call: Caller, name: str) -> Answer | None:
    """A task definition and its tags, by ARN or ``family:revision``; None: ECS knows none. Raises Outside."""
    asked = {"taskDefinition": name, "include": ["TAGS"]}
    try:
        answer = await call.read("ecs", "DescribeTaskDefinition", asked, has="taskDefinition")
    except Missing:
        return None
    return {**answer["taskDefinition"], "tags": answer.get("tags", [])}


async def definition_seen(call: Caller, name: str) -> DefinitionSeen | Absent:
    """Whether a service can be given a revision, and what registers it again. Raises Outside."""
    found = await describe(call, name)
    if found is None:
        return Absent()
    return DefinitionSeen(
        arn=TaskDefinitionArn(found["taskDefinitionArn"]),
        status=found.get("status", ""),
        template=canonical(template(found)),
    )


async def registered_since(call: Caller, need: RevisionsNeed) -> tuple[RevisionSeen, ...]:
    """A family's ACTIVE revisions after a known one, oldest first, with their tags. Raises Outside."""
    found = []
    for arn in await _newer(call, need):
        definition = await describe(call, arn)
        if definition is not None:
            tags = {tag["key"]: tag.get("value", "") for tag in definition["tags"]}
            found.append(RevisionSeen(arn=TaskDefinitionArn(arn), tags=tags))
    return tuple(reversed(found))


async def _newer(call: Caller, need: RevisionsNeed) -> list[str]:
    asked = {"familyPrefix": need.family, "status": "ACTIVE", "sort": "DESC", "maxResults": LOOKED_AT_MAX + 1}
    answer = await call.read("ecs", "ListTaskDefinitions", asked, has="taskDefinitionArns")
    arns = [arn for arn in answer["taskDefinitionArns"] if f"/{need.family}:" in arn]
    newer = [arn for arn in arns if number_of(arn) > need.after]
    if len(newer) > LOOKED_AT_MAX:
        raise Unreachable(
            what=f"the revisions of {need.family}",
            why=f"more than {LOOKED_AT_MAX} were registered since revision {need.after}",
            next_step="deregister those that nothing needs; Teal's own carry the tag teal:rollout",
        )
    return newer


async def newest(call: Caller, family: str) -> int:
    """The number of a family's newest ACTIVE revision; 0: it has none. Raises Outside."""
    asked = {"familyPrefix": family, "status": "ACTIVE", "sort": "DESC", "maxResults": 1}
    answer = await call.read("ecs", "ListTaskDefinitions", asked, has="taskDefinitionArns")
    arns = [arn for arn in answer["taskDefinitionArns"] if f"/{family}:" in arn]
    return number_of(arns[0]) if arns else 0


def number_of(arn: str) -> int:
    """The number of a revision."""
    return int(arn.rpartition(":")[2])


async def register(call: Caller, effect: effects.RegisterRevision) -> None:
    """Register a revision. Twice makes two: whoever asks looks first. Raises Outside."""
    template = json.loads(effect.template)
    tags = {tag["key"]: tag.get("value", "") for tag in template.pop("tags", ())} | dict(effect.tags)
    shown = [{"key": key, "value": value} for key, value in tags.items()]
    await call.write("ecs", "RegisterTaskDefinition", {**template, "tags": shown})


async def deregister(call: Caller, effect: effects.DeregisterRevision) -> None:
    """Make a revision INACTIVE; tasks that run by it go on, and nothing new can be made of it. Raises Outside."""
    await call.write("ecs", "DeregisterTaskDefinition", {"taskDefinition": effect.revision})


# requests ---------------------------------------------------------------------------------------------------------


def with_images(definition: Mapping[str, Any], images: Sequence[tuple[str, str]]) -> Answer:
    """A task definition as ECS describes it, with other images; one that it has no container for changes nothing."""
    wanted = dict(images)
    containers = [
        {**container, "image": wanted.get(container["name"], container.get("image", ""))}
        for container in definition.get("containerDefinitions", ())
    ]
    return {**definition, "containerDefinitions": containers}


def pinned(image: ImageSeen) -> str:
    """An image by its digest, whatever its tag is moved to: ``repository@sha256:…``."""
    repository, _, rest = image.image.partition("@")[0].rpartition(":")
    is_tagged = bool(repository) and "/" not in rest  # a port may follow a registry's name
    return f"{repository if is_tagged else image.image.partition('@')[0]}@{image.digest}"


def with_colour(definition: Mapping[str, Any], variable: str) -> Answer:
    """A task definition as ECS describes it, with a variable in every container that says green."""

    def coloured(container: Mapping[str, Any]) -> Answer:
        others = [entry for entry in container.get("environment", ()) if entry.get("name") != variable]
        return {**container, "environment": [*others, {"name": variable, "value": GREEN}]}

    return {
        **definition,
        "containerDefinitions": [coloured(c) for c in definition.get("containerDefinitions", ())],
        "family": family_of_green(definition["family"]),
    }


def family_of_green(family: str) -> str:
    """The family of the revisions that only green runs: nobody who asks for the service's newest finds one."""
    return f"{family[: FAMILY_MAX - len(GREEN) - 1]}-{GREEN}"


def template(definition: Mapping[str, Any]) -> Answer:
    """RegisterTaskDefinition's parameters that register the same again, without Teal's tags."""
    kept = (*of_fate(DEFINITION, Fate.COPIED), "containerDefinitions", "family")
    request: Answer = {
        name: definition[name] for name in kept if name in definition and definition[name] not in ([], None)
    }
    tags = own_tags(definition.get("tags", ()), key="key")
    return request | ({"tags": tags} if tags else {})


async def new_revisions(
    call: Caller, definition: Mapping[str, Any], *, is_new: bool, variable: str
) -> tuple[NewRevision, ...]:
    """What is to be registered so that blue can take `definition` over and green can run it. Raises Outside.

    `is_new`: nobody has registered it yet. `variable`: what tells green its colour; empty: nothing does.
    """
    wanted = [(definition, False)] if is_new else []
    if variable:
        wanted.append((with_colour(definition, variable), True))
    return tuple(
        [
            NewRevision(
                family=shown["family"],
                newest=await newest(call, shown["family"]),
                template=canonical(template(shown)),
                is_greens_own=is_greens_own,
            )
            for shown, is_greens_own in wanted
        ]
    )
