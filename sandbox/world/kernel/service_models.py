"""botocore's service models: which operation a request means, and whether values fit their shapes."""

from collections.abc import Hashable
from functools import cache
from typing import Any

import botocore.model
import botocore.session
from botocore.validate import ParamValidator

from sandbox.world.kernel.errors import AwsRefusal, Json

SERVICES = (
    "ecs",
    "elbv2",
    "cloudwatch",
    "application-autoscaling",
    "sts",
    "events",
    "sqs",
    "ecr",
    "iam",
    "secretsmanager",
    "service-quotas",
    "ssm",
    "ec2",  # last: its model is by far the largest, and is read only when somebody asks
)
Shape = Any  # botocore's models are not typed
_ERROR_NAMES = {
    "AWS.SimpleQueueService.NonExistentQueue": "QueueDoesNotExist",
    "QueueAlreadyExists": "QueueNameExists",
}
_WRONG_INPUT = {
    "elbv2": "ValidationError",
    "sts": "ValidationError",
    "cloudwatch": "ValidationError",
    "events": "ValidationException",
    "sqs": "InvalidParameterValue",
    "iam": "ValidationError",
    "service-quotas": "IllegalArgumentException",
}


@cache
def model(service: str) -> botocore.model.ServiceModel:
    """The model of a service by botocore's name."""
    return _session().get_service_model(service)


@cache
def _session() -> botocore.session.Session:
    return botocore.session.Session()


@cache
def by_signing_name(name: str) -> str | None:
    """The service whose credential scope has this name; None if it is not in the sandbox."""
    return next((service for service in SERVICES if model(service).signing_name == name), None)


@cache
def operation_model(service: str, operation: str) -> botocore.model.OperationModel | None:
    """The model of an operation; None if AWS has none of that name."""
    service_model = model(service)
    return service_model.operation_model(operation) if operation in service_model.operation_names else None


def error_name(code: str) -> str:
    """The shape of an error by its code; they differ where a service once spoke the query protocol."""
    return _ERROR_NAMES.get(code, code.removeprefix("AWS.SimpleQueueService."))


def plain(value: object) -> Json:
    """A decoded structure as a plain dict."""
    assert isinstance(value, dict)
    return value


class ShapeChecks:
    """Checks values by botocore's validator; the World takes one for its validating mode.

    A value of a form that was found right is right: botocore looks at names, types, lengths and whole numbers alone.
    """

    def __init__(self) -> None:
        self._validator = ParamValidator()
        self._right: set[Hashable] = set()

    def check_input(self, service: str, operation: str, params: Json) -> None:
        """Raises AwsRefusal ValidationError (or its name in JSON services) with every mismatch."""
        found = operation_model(service, operation)
        if found is None or found.input_shape is None:
            return
        form = (found.input_shape, _form(params))
        if form in self._right:
            return
        report = self._validator.validate(params, found.input_shape)
        if report.has_errors():
            raise AwsRefusal(_WRONG_INPUT.get(service, "InvalidParameterException"), report.generate_report())
        self._right.add(form)

    def check_output(self, service: str, operation: str, answer: Json) -> None:
        """Raises AssertionError if the answer has a member that the shape does not know, or a wrong type."""
        found = operation_model(service, operation)
        assert found is not None, f"AWS has no {service} {operation}"
        if found.output_shape is None:
            assert not answer, f"{service} {operation} answers nothing, but the World said {answer}"
            return
        form = (found.output_shape, _form(answer))
        if form in self._right:
            return
        report = self._validator.validate(answer, found.output_shape)
        assert not report.has_errors(), f"{service} {operation}: {report.generate_report()}"
        self._right.add(form)


def _form(value: Any) -> Hashable:  # noqa: ANN401 - whatever JSON holds
    """What botocore's validator looks at in a value."""
    kind = type(value)
    if kind is dict:
        return tuple([(key, _form(one)) for key, one in value.items()])
    if kind is list:
        return len(value), frozenset([_form(one) for one in value])
    if kind is str:
        return len(value)
    if kind is float:
        return kind, value < 0
    if isinstance(value, int):
        return kind, value
    return kind.__name__
