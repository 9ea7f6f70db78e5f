"""AWS STS: who makes the calls. Source: AWS STS API Reference, GetCallerIdentity."""

from orchestrator.aws.client.call import Caller


async def caller(call: Caller) -> str:
    """The ARN of whoever makes the calls. Raises Outside."""
    answer = await call.read("sts", "GetCallerIdentity", {}, has="Arn")
    return str(answer["Arn"])
