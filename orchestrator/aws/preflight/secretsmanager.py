"""AWS Secrets Manager: is a secret there? Its value is never read. Source: its API Reference, DescribeSecret."""

from orchestrator.aws.client.call import Caller
from orchestrator.core.domain.errors import Missing
from orchestrator.core.preflight.environment import Presence


async def presence(call: Caller, secret: str) -> Presence:
    """Whether a secret (its ARN, without json key and version) can be read by whoever may. Raises Outside."""
    try:
        answer = await call.read("secretsmanager", "DescribeSecret", {"SecretId": secret}, has="ARN")
    except Missing:
        return Presence.MISSING
    return Presence.DELETED if answer.get("DeletedDate") else Presence.PRESENT


def secret_of(source: str) -> str:
    """A secret's ARN in what a task definition says: ``arn:…:secret:name[:json-key:stage:version]``.

    Source: Amazon ECS, "Pass Secrets Manager secrets through environment variables".
    """
    return ":".join(source.split(":")[:7])
