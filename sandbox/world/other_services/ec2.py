"""Amazon EC2, as far as tasks take addresses from its subnets."""

from sandbox.world.ecs.state import Containers
from sandbox.world.elb.state import Balancing
from sandbox.world.kernel.errors import AwsRefusal, Json, not_here
from sandbox.world.kernel.operation import Operation, operation

RESERVED = 5  # of every subnet's addresses, by AWS
DEFAULT = 256
VPC = "vpc-0a1b2c3d"  # the account's only one


class Addresses:
    """The account's subnets: those that a load balancer or a service was given. `sizes`: of other sizes than a /24."""

    def __init__(self, containers: Containers, balancing: Balancing) -> None:
        self._containers = containers
        self._balancing = balancing
        self.sizes: dict[str, int] = {}

    def operations(self) -> dict[str, Operation]:
        """The operations by their AWS names."""
        return {"DescribeSubnets": operation(self.describe, "SubnetIds")}

    def describe(self, params: Json) -> Json:
        """DescribeSubnets by id; each task with an interface of its own holds one address."""
        wanted = params.get("SubnetIds")
        if not wanted:
            raise not_here("DescribeSubnets without SubnetIds")
        zones = self._zones()
        missing = [subnet for subnet in wanted if subnet not in zones]
        if missing:
            raise AwsRefusal(
                "InvalidSubnetID.NotFound", f"The subnet ID '{', '.join(missing)}' does not exist"
            )
        return {"Subnets": [self._view(subnet, zones[subnet]) for subnet in wanted]}

    def _zones(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for service in self._containers.services.values():
            found = self._balancing.zones_of(service.subnets) | found
        return found | self._balancing.subnets

    def _view(self, subnet: str, zone: str) -> Json:
        taken = sum(
            task.zone == zone and task.last != "STOPPED"
            for service in self._containers.services.values()
            if service.settings.get("networkConfiguration")
            for task in service.tasks.values()
        )
        free = self.sizes.get(subnet, DEFAULT) - RESERVED - taken
        return {
            "SubnetId": subnet,
            "VpcId": VPC,
            "AvailabilityZone": zone,
            "AvailableIpAddressCount": max(0, free),
            "State": "available",
        }
