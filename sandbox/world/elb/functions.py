"""Target groups of a Lambda function: no port, no network, one target.

Sources: CreateTargetGroup, TargetDescription and TargetGroupAttribute of the ELBv2 API reference (what does not apply,
the defaults of health checks, which are off unless asked for); "Use Lambda functions as targets of an Application Load
Balancer" (one function of the same account and region). The error of a second function is not said anywhere. A function
is invoked and not connected to: in this World it always answers, and its health checks pass.
"""

from sandbox.world.kernel.errors import AwsRefusal, Json

KIND = "lambda"
DEFAULTS: Json = {
    "TargetType": KIND,
    "IpAddressType": "ipv4",
    "HealthCheckEnabled": False,
    "HealthCheckPath": "/",
    "HealthCheckIntervalSeconds": 35,
    "HealthCheckTimeoutSeconds": 30,
    "HealthyThresholdCount": 5,
    "UnhealthyThresholdCount": 5,
    "Matcher": {"HttpCode": "200"},
}
NO_PORT = 0
_NOT_THEIRS = ("Protocol", "ProtocolVersion", "Port", "VpcId", "HealthCheckProtocol", "HealthCheckPort")


def check_settings(params: Json) -> None:
    """Raises AwsRefusal for what does not apply to a function."""
    given = [name for name in _NOT_THEIRS if name in params]
    if given:
        raise AwsRefusal(
            "ValidationError",
            f"{', '.join(given)} cannot be specified for target groups with target type '{KIND}'",
        )


def check_targets(asked: list[Json], there: set[str], place: str) -> None:
    """Raises AwsRefusal unless one function of this account and region is registered; `place`: how its ARN begins."""
    for target in asked:
        if not target["Id"].startswith(place) or target.get("AvailabilityZone", "all") != "all":
            raise AwsRefusal(
                "InvalidTarget", f"'{target['Id']}' is not a Lambda function that can be registered"
            )
    if len(there | {target["Id"] for target in asked}) > 1:
        raise AwsRefusal("TooManyTargets", "A target group can have one Lambda function")
