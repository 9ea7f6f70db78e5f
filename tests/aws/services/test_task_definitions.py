import json
from typing import Any

import botocore.session
from botocore.validate import ParamValidator

from orchestrator.aws.services import clone_fields, task_definitions
from orchestrator.aws.services.clone_fields import Fate, of_fate

MODELS = botocore.session.get_session().get_service_model("ecs")
REGISTER = MODELS.operation_model("RegisterTaskDefinition").input_shape


def described(**changes: object) -> dict[str, Any]:
    """A task definition as DescribeTaskDefinition shows it, its tags beside it."""
    definition: dict[str, Any] = {
        "taskDefinitionArn": "arn:aws:ecs:eu-west-1:1:task-definition/checkout:42",
        "family": "checkout",
        "revision": 42,
        "status": "ACTIVE",
        "registeredBy": "arn:aws:iam::1:user/somebody",
        "compatibilities": ["EC2", "FARGATE"],
        "requiresAttributes": [{"name": "ecs.capability.task-eni"}],
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": "256",
        "memory": "512",
        "taskRoleArn": "arn:aws:iam::1:role/task",
        "executionRoleArn": "arn:aws:iam::1:role/execution",
        "volumes": [],
        "runtimePlatform": {"cpuArchitecture": "ARM64"},
        "ephemeralStorage": {"sizeInGiB": 30},
        "containerDefinitions": [
            {
                "name": "app",
                "image": "app:1",
                "environment": [{"name": "TEAL_COLOUR", "value": "blue"}, {"name": "A", "value": "b"}],
                "secrets": [{"name": "S", "valueFrom": "arn:secret"}],
            },
            {"name": "sidecar", "image": "proxy:3"},
        ],
        "tags": [
            {"key": "team", "value": "shop"},
            {"key": "teal:rollout", "value": "earlier"},
            {"key": "aws:x", "value": "y"},
        ],
    }
    return {**definition, **changes}


def test_a_template_is_what_register_task_definition_accepts_and_says_nothing_of_the_registration() -> None:
    template = task_definitions.template(described())
    assert not ParamValidator().validate(template, REGISTER).has_errors()
    assert set(template) <= set(clone_fields.DEFINITION)
    assert template["tags"] == [{"key": "team", "value": "shop"}]
    assert json.loads(json.dumps(template)) == template


def test_everything_that_a_definition_shows_and_can_be_registered_is_copied() -> None:
    shown = set(MODELS.shape_for("TaskDefinition").members)
    takes = set(REGISTER.members) - {"containerDefinitions", "family", "tags"}
    assert set(of_fate(clone_fields.DEFINITION, Fate.COPIED)) == shown & takes == takes
    assert MODELS.shape_for("TaskDefinition").members["containerDefinitions"].name == (
        REGISTER.members["containerDefinitions"].name
    )


def test_only_the_images_that_are_named_change() -> None:
    changed = task_definitions.with_images(described(), (("app", "app:2"), ("nobody", "x")))
    app, sidecar = described()["containerDefinitions"]
    assert changed == described(containerDefinitions=[{**app, "image": "app:2"}, sidecar])


def test_every_container_is_told_that_it_is_green_and_nothing_else_changes() -> None:
    changed = task_definitions.with_colour(described(), "TEAL_COLOUR")
    green = {"name": "TEAL_COLOUR", "value": "green"}
    app, sidecar = described()["containerDefinitions"]
    assert changed == described(
        family="checkout-green",
        containerDefinitions=[
            {**app, "environment": [{"name": "A", "value": "b"}, green]},
            {**sidecar, "environment": [green]},
        ],
    )


def test_a_family_of_greens_own_fits_where_a_familys_name_does() -> None:
    assert task_definitions.family_of_green("a" * 255) == "a" * 249 + "-green"
