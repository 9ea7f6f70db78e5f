"""AWS's own documented examples, through botocore on one side and the skin on the other."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import botocore.loaders
import pytest
from botocore.awsrequest import prepare_request_dict
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from botocore.utils import parse_timestamp

from sandbox.wire import documents, query
from sandbox.wire.skin import Skin
from sandbox.world.kernel import service_models
from tests.sandbox.wire.clients import Wire, calm_world

SERVICES = ("elbv2", "ecs", "sts", "application-autoscaling")


def examples(part: str) -> Iterator[Any]:
    loader = botocore.loaders.Loader()
    for service in SERVICES:
        for operation, entries in loader.load_service_model(service, "examples-1")["examples"].items():
            for number, entry in enumerate(entries):
                if part == "input" or entry.get(part) is not None:
                    value = entry.get(part) or {}
                    yield pytest.param(service, operation, value, id=f"{service}-{operation}-{number}")


def moments(value: Wire, shape: Wire) -> Wire:  # noqa: PLR0911 - one per type
    """The example with its timestamps as moments: the examples write them in many ways."""
    if shape is None:
        return value
    match shape.type_name:
        case "structure":
            return {name: moments(inner, shape.members[name]) for name, inner in value.items()}
        case "list":
            return [moments(item, shape.member) for item in value]
        case "map":
            return {key: moments(inner, shape.value) for key, inner in value.items()}
        case "timestamp":
            moment: datetime = parse_timestamp(value)
            return moment.astimezone(parse_timestamp(0).tzinfo)
        case "blob" if isinstance(value, str):
            return value.encode()
        case "float" | "double":
            return float(value)
        case "integer" | "long":
            return int(value)
        case "boolean" if isinstance(value, str):
            return value == "true"
    return value


def sent(protocol: str, service: str, operation: str, params: Wire) -> tuple[dict[str, str], bytes]:
    model = service_models.operation_model(service, operation)
    assert model is not None
    request = create_serializer(protocol, include_validation=False).serialize_to_request(params, model)
    prepare_request_dict(request, endpoint_url="http://127.0.0.1")
    body = request["body"]
    fields = {key: str(value) for key, value in body.items()} if isinstance(body, dict) else {}
    return fields, body if isinstance(body, bytes) else str(body).encode()


@pytest.mark.parametrize(("service", "operation", "example"), list(examples("input")))
def test_example_input_arrives_as_it_was_sent(service: str, operation: str, example: Wire) -> None:
    model = service_models.operation_model(service, operation)
    assert model is not None
    protocol = service_models.model(service).resolved_protocol
    given = moments(example, model.input_shape)
    fields, body = sent(protocol, service, operation, given)
    if protocol == "query":
        arrived = query.decode(fields, model.input_shape)
    else:
        arrived = documents.decode_json(body, model.input_shape)
    assert arrived == given


@pytest.mark.parametrize(("service", "operation", "example"), list(examples("output")))
def test_example_output_reads_back_as_it_was_said(service: str, operation: str, example: Wire) -> None:
    model = service_models.operation_model(service, operation)
    assert model is not None
    protocol = service_models.model(service).resolved_protocol
    given = moments(example, model.output_shape)
    response = Skin(calm_world()).encode(protocol, service, operation, given)
    wire = {"status_code": response.status, "headers": response.headers, "body": response.body}
    parsed = create_parser(protocol).parse(wire, model.output_shape)
    assert parsed.pop("ResponseMetadata")["RequestId"] == response.headers["x-amzn-requestid"]
    assert parsed == given


def test_every_example_botocore_ships_is_covered() -> None:
    assert (len(list(examples("input"))), len(list(examples("output")))) == (86, 76)


def test_no_example_is_sent_as_json_with_unknown_members() -> None:
    body = json.dumps({"cluster": "prod", "surprise": 1}).encode()
    model = service_models.operation_model("ecs", "ListServices")
    assert model is not None
    assert documents.decode_json(body, model.input_shape)["surprise"] == 1  # kept for the validator to name
