"""The commands of the AWS CLI that Teal prints, run as a shell would run them, against a World."""

import json
import shlex
from functools import cache
from typing import Any

from botocore import xform_name
from botocore.model import OperationModel, Shape
from botocore.session import get_session

from sandbox.world.world import World

WAITS = {("ecs", "services-stable")}


def run(world: World, command: str) -> bool:
    """Run one command; False for one that only waits, which is the caller's to do. Raises AwsRefusal."""
    program, service, word, *rest = shlex.split(command)
    assert program == "aws", command
    if word == "wait":
        assert (service, rest[0]) in WAITS, command
        return False
    operation = _operation(service, word)
    world.call(service, operation.name, dict(_params(operation, rest)))
    return True


@cache
def _operation(service: str, word: str) -> OperationModel:
    model = get_session().get_service_model(service)
    name = next(each for each in model.operation_names if xform_name(each, "-") == word)
    found: OperationModel = model.operation_model(name)
    return found


def _params(operation: OperationModel, words: list[str]) -> list[tuple[str, Any]]:
    shape = operation.input_shape
    assert shape is not None
    names = {f"--{xform_name(member, '-')}": member for member in shape.members}
    found: list[tuple[str, Any]] = []
    while words:
        member = names[words.pop(0)]
        values = []
        while words and not words[0].startswith("--"):
            values.append(words.pop(0))
        found.append((member, _value(shape.members[member], values)))
    return found


def _value(shape: Shape, values: list[str]) -> Any:  # noqa: ANN401 - JSON
    if shape.type_name == "boolean":
        assert not values
        return True
    if shape.type_name == "list" and not values[0].startswith("["):
        return values
    (value,) = values
    if shape.type_name in ("list", "structure", "map"):
        return json.loads(value)
    return int(value) if shape.type_name in ("integer", "long") else value
