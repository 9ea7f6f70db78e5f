"""Amazon ECR: is an image there to be pulled? Source: Amazon ECR API Reference, DescribeImages."""

import re
from collections.abc import Iterable

from orchestrator.aws.client.call import Caller
from orchestrator.aws.client.transport import Answer
from orchestrator.core.domain.errors import Missing
from orchestrator.core.preflight.environment import Presence

# By partition: aws and aws-us-gov, aws-cn, aws-eusc, and the four that are apart. Source: botocore's partitions.
_CLASSIC = (
    *("amazonaws.com", "amazonaws.com.cn", "amazonaws.eu"),
    *("c2s.ic.gov", "sc2s.sgov.gov", "cloud.adc-e.uk", "csp.hci.ic.gov"),
)
_DUAL_STACK = (
    *("aws", "amazonwebservices.com.cn", "amazonwebservices.eu"),
    *("aws.ic.gov", "aws.scloud", "cloud-aws.adc-e.uk", "aws.hci.ic.gov"),
)


def _one_of(ends: Iterable[str]) -> str:
    return "|".join(map(re.escape, ends))


# The host with addresses of IPv4 alone, and the dual-stack one. Source: "Making requests to Amazon ECR registries".
_PRIVATE = re.compile(
    r"(?P<account>\d{12})\."
    rf"(?:dkr\.ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.(?:{_one_of(_CLASSIC)})"
    rf"|dkr-ecr(?:-fips)?\.(?P<dual>[a-z0-9-]+)\.on\.(?:{_one_of(_DUAL_STACK)}))/"
    r"(?P<repository>[^:@]+)(?::(?P<tag>[^@]+))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)


async def presence(call: Caller, image: str, region: str) -> Presence:
    """Whether an image is in its repository; ELSEWHERE: it is no repository of ECR in this region. Raises Outside."""
    found = _PRIVATE.fullmatch(image)
    if found is None or (found["region"] or found["dual"]) != region:
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
