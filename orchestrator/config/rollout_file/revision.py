"""What is to run, in a rollout file: a registered task definition, or blue's own with other images."""

import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from orchestrator.config.text.fields import Revision, reader, refusal, written_as
from orchestrator.config.text.quantities import shown
from orchestrator.config.text.yaml_document import Value
from orchestrator.core.rollout.spec import Spec

IMAGES_MAX = 10  # containers of a task definition (Amazon ECS service quotas)
TASKS_MAX = 5000  # of one service (Amazon ECS service quotas)
_CONTAINER = re.compile(r"[A-Za-z0-9_-]{1,255}", re.ASCII)
_IMAGE = re.compile(r"[\w./:@+-]{1,255}", re.ASCII)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}", re.ASCII)
_EXAMPLE = {"app": "registry.example.com/checkout:1.4.2"}


def _images(value: object) -> dict[str, object]:
    if not isinstance(value, dict) or not value:
        raise refusal(f"{shown(value)} is no image for a container", "write images: {container: image}")
    if len(value) > IMAGES_MAX:
        raise refusal(f"{len(value)} images are too many", f"write at most {IMAGES_MAX}, one a container")
    return value


def _container(value: object) -> str:
    if isinstance(value, str) and _CONTAINER.fullmatch(value):
        return value
    raise refusal(f"{shown(value)} is no container's name", "write it as blue's task definition has it")


def _image(value: object) -> str:
    if isinstance(value, str) and _IMAGE.fullmatch(value):
        return value
    raise refusal(f"{shown(value)} is no image", "write repository:tag, or repository@sha256:…")


def _variable(value: object) -> str:
    if isinstance(value, str) and _VARIABLE.fullmatch(value):
        return value
    raise ValueError(f"{shown(value)} is no variable's name", "write one such as TEAL_COLOUR")


def _tasks(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= TASKS_MAX:
        return value
    raise ValueError(f"{shown(value)} is no number of tasks", f"write a whole number from 1 to {TASKS_MAX}")


Images = Annotated[
    dict[Annotated[str, BeforeValidator(_container)], Annotated[str, BeforeValidator(_image)]],
    BeforeValidator(_images),
    WithJsonSchema(
        {
            "type": "object",
            "propertyNames": {"pattern": f"^{_CONTAINER.pattern}$"},
            "additionalProperties": {"type": "string", "pattern": r"^\S+$", "maxLength": 255},
            "minProperties": 1,
            "maxProperties": IMAGES_MAX,
            "examples": [_EXAMPLE],
        }
    ),
]
Variable = Annotated[str, reader(_variable), written_as(_VARIABLE.pattern, "TEAL_COLOUR")]
Tasks = Annotated[
    int, reader(_tasks), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": TASKS_MAX})
]


class RevisionModel(BaseModel):
    """What to run: `task_definition` or `images`."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"oneOf": [{"required": ["task_definition"]}, {"required": ["images"]}]},
    )

    task_definition: Revision | None = Field(
        default=None,
        description="family:revision of a registered task definition, or its ARN.",
        json_schema_extra={"default": None},
    )
    images: Images | None = Field(
        default=None,
        description="Images by container: blue's own task definition is registered anew with these, and differs in "
        "nothing else.",
    )
    colour_variable: Variable | None = Field(
        default=None,
        description="An environment variable that says green to green's containers, by a task definition of its own; "
        "blue takes over the one without it. Default: nothing tells them.",
    )


class FirstDeploymentModel(BaseModel):
    """A service that runs no task yet: nothing is compared, and there is nothing to go back to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tasks: Tasks = Field(description="How many tasks it is to have.")


def revision_document(spec: Spec) -> Mapping[str, Value]:
    """The section `revision` as the file has it."""
    what: dict[str, Value] = {"task_definition": spec.task_definition}
    if spec.images:
        what = {"images": dict(spec.images)}
    return what | ({"colour_variable": spec.colour_variable} if spec.colour_variable else {})


def task_document(spec: Spec) -> Mapping[str, Value]:
    """What the file says of green's tasks and of blue's first ones."""
    first: dict[str, Value] = {"first_deployment": {"tasks": spec.first_tasks}} if spec.first_tasks else {}
    return {
        "capacity": {"green": spec.capacity.value},
        "background": spec.background.value,
        "discovery": spec.discovery.value,
        **first,
    }
