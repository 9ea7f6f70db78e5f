"""Amazon EC2: the subnets that tasks get their addresses from. Source: Amazon EC2 API Reference, DescribeSubnets."""

from collections.abc import Iterable

from orchestrator.aws.client.call import Caller
from orchestrator.core.preflight.environment import SubnetSeen


async def subnets(call: Caller, ids: Iterable[str]) -> tuple[SubnetSeen, ...]:
    """These subnets with the addresses that are free in each, in the order of their ids. Raises Outside."""
    wanted = sorted(set(ids))
    if not wanted:
        return ()
    asked = {"SubnetIds": wanted}
    found = await call.pages("ec2", "DescribeSubnets", asked, items="Subnets", token="NextToken")
    seen = (
        SubnetSeen(
            id=subnet["SubnetId"],
            zone=subnet.get("AvailabilityZone", ""),
            free=subnet["AvailableIpAddressCount"],
        )
        for subnet in found
    )
    return tuple(sorted(seen, key=lambda subnet: subnet.id))
