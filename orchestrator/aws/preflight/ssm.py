"""AWS Systems Manager: is a parameter there? Its value is never read. Source: its API Reference, DescribeParameters."""

from orchestrator.aws.client.call import Caller
from orchestrator.aws.client.transport import Answer
from orchestrator.core.preflight.environment import Presence


async def presence(call: Caller, parameter: str) -> Presence:
    """Whether a parameter of this name exists. Raises Outside."""
    asked: Answer = {"ParameterFilters": [{"Key": "Name", "Option": "Equals", "Values": [parameter]}]}
    found = await call.pages("ssm", "DescribeParameters", asked, items="Parameters", token="NextToken")
    return Presence.PRESENT if found else Presence.MISSING


def parameter_of(source: str) -> str:
    """A parameter's name in what a task definition says: a name, or ``arn:…:parameter/name``.

    The ARN of ``/shop/key`` ends in ``parameter/shop/key``, and so does that of ``shop/key``; a name with slashes
    begins with one. Source: AWS Systems Manager, "About parameter names".
    """
    if not source.startswith("arn:"):
        return source
    name = source.partition(":parameter/")[2]
    return f"/{name}" if "/" in name else name
