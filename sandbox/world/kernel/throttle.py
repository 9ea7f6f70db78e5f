"""Token buckets per API family, as AWS publishes them.

Sources: "Request throttling for the Elastic Load Balancing API", "Request throttling for the Amazon ECS API",
"CloudWatch service quotas", "Amazon EventBridge quotas". Application Auto Scaling publishes none; its figures are a
guess on the careful side.
"""

from datetime import datetime

from sandbox.world.kernel.kernel import Kernel

# family -> (bucket size, refill per second)
FAMILIES: dict[str, tuple[float, float]] = {
    "elbv2 read": (40, 10),
    "elbv2 write": (20, 3),
    "ecs service modify": (50, 5),
    "ecs service read": (100, 20),
    "ecs resource read": (100, 20),
    "ecs resource modify": (100, 40),
    "ecs service deployment": (50, 20),
    "ecs service revision": (50, 20),
    "ecs task definition read": (50, 20),
    "ecs task definition modify": (20, 1),
    "ecs task protection": (200, 80),
    "ecs cluster modify": (20, 1),
    "ecs cluster read": (50, 20),
    "ecs tags modify": (20, 10),
    "ecs tags read": (50, 20),
    "cloudwatch alarms read": (9, 9),
    "cloudwatch data read": (500, 500),
    "cloudwatch data write": (500, 500),
    "cloudwatch write": (3, 3),
    "scaling read": (20, 2),
    "scaling write": (10, 1),
    "sts": (500, 500),
    "sqs": (3000, 3000),
    "events": (50, 50),
    "around": (50, 10),
}

_BY_OPERATION = {
    "CreateService": "ecs service modify",
    "UpdateService": "ecs service modify",
    "DeleteService": "ecs service modify",
    "DescribeServices": "ecs service read",
    "ListServices": "ecs service read",
    "DescribeTasks": "ecs resource read",
    "ListTasks": "ecs resource read",
    "ListServiceDeployments": "ecs service deployment",
    "DescribeServiceDeployments": "ecs service deployment",
    "DescribeServiceRevisions": "ecs service revision",
    "DescribeTaskDefinition": "ecs task definition read",
    "ListTaskDefinitions": "ecs task definition read",
    "RegisterTaskDefinition": "ecs task definition modify",
    "DeregisterTaskDefinition": "ecs task definition modify",
    "GetTaskProtection": "ecs task protection",
    "UpdateTaskProtection": "ecs task protection",
    "CreateCluster": "ecs cluster modify",
    "PutClusterCapacityProviders": "ecs cluster modify",
    "RunTask": "ecs resource modify",
    "StopTask": "ecs resource modify",
    "ListClusters": "ecs cluster read",
    "DescribeClusters": "ecs cluster read",
    "TagResource": "ecs tags modify",
    "UntagResource": "ecs tags modify",
    "ListTagsForResource": "ecs tags read",
    "DescribeAlarms": "cloudwatch alarms read",
    "DescribeAlarmHistory": "cloudwatch alarms read",
    "GetMetricData": "cloudwatch data read",
    "PutMetricData": "cloudwatch data write",
}


def family(service: str, operation: str) -> str:
    """The bucket that a call takes its token from."""
    if service in ("ecs", "cloudwatch"):
        return _BY_OPERATION.get(
            operation, "cloudwatch write" if service == "cloudwatch" else "ecs service read"
        )
    if service in ("sts", "sqs", "events"):
        return service
    if service in ("ec2", "ecr", "iam", "secretsmanager", "service-quotas", "ssm"):
        return "around"
    reads = operation.startswith(("Describe", "List", "Get"))
    prefix = "scaling" if service == "application-autoscaling" else service
    return f"{prefix} {'read' if reads else 'write'}"


class Buckets:
    """The account's buckets; all full at the start."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._left: dict[str, tuple[float, datetime]] = {}

    def take(self, service: str, operation: str) -> bool:
        """True if the call had a token; a refused call costs none."""
        name = family(service, operation)
        size, refill = FAMILIES[name]
        now = self._kernel.now
        left, since = self._left.get(name, (size, now))
        left = min(size, left + (now - since).total_seconds() * refill)
        if left < 1:
            self._left[name] = (left, now)
            return False
        self._left[name] = (left - 1, now)
        return True
