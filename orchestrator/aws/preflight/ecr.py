"""Amazon ECR: is an image there to be pulled? Source: Amazon ECR API Reference, DescribeImages."""

import re

from orchestrator.aws.client.call import Caller
from orchestrator.aws.client.transport import Answer
from orchestrator.core.domain.errors import Missing
from orchestrator.core.preflight.environment import Presence

_PRIVATE = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/"
    r"(?P<repository>[^:@]+)(?::(?P<tag>[^@]+))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)


async def presence(call: Caller, image: str, region: str) -> Presence:
    """Whether an image is in its repository; ELSEWHERE: it is no repository of ECR in this region. Raises Outside."""
    found = _PRIVATE.fullmatch(image)
    if found is None or found["region"] != region:
        return Presence.ELSEWHERE
    which = {"imageDigest": found["digest"]} if found["digest"] else {"imageTag": found["tag"] or "latest"}
    asked: Answer = {
        "registryId": found["account"],
        "repositoryName": found["repository"],
        "imageIds": [which],
    }
    try:
        answer = await call.read("ecr", "DescribeImages", asked, has="imageDetails")
    except Missing:
        return Presence.MISSING
    return Presence.PRESENT if answer["imageDetails"] else Presence.MISSING
