"""``aws_lb_target_group``."""

from collections.abc import Collection

from sandbox.world.world import World
from tests.iac.kind import ELB, Attributes, Kind, change_elb_tags, elb_tags, one, tag_list

SETTINGS = {
    "port": "Port",
    "protocol": "Protocol",
    "protocol_version": "ProtocolVersion",
    "target_type": "TargetType",
    "vpc_id": "VpcId",
}
CHECK = {
    "enabled": "HealthCheckEnabled",
    "path": "HealthCheckPath",
    "interval": "HealthCheckIntervalSeconds",
    "timeout": "HealthCheckTimeoutSeconds",
    "healthy_threshold": "HealthyThresholdCount",
    "unhealthy_threshold": "UnhealthyThresholdCount",
    "port": "HealthCheckPort",
    "protocol": "HealthCheckProtocol",
}
CHECK_DEFAULTS: Attributes = {
    "enabled": True,
    "interval": 30,
    "healthy_threshold": 3,
    "unhealthy_threshold": 3,
    "port": "traffic-port",
    "protocol": "HTTP",
}
ATTRIBUTES = {
    "deregistration_delay": "deregistration_delay.timeout_seconds",
    "slow_start": "slow_start.duration_seconds",
}


def normal(declared: Attributes) -> Attributes:
    """With the defaults of the health check."""
    checks = [CHECK_DEFAULTS | check for check in declared.get("health_check", ())]
    return declared | ({"health_check": checks} if checks else {})


def read(world: World, arn: str, _: Attributes) -> Attributes | None:
    """DescribeTargetGroups, DescribeTargetGroupAttributes and DescribeTags."""
    group = one(world, ELB, "DescribeTargetGroups", "TargetGroups", TargetGroupArns=[arn])
    if group is None:
        return None
    found = world.call(ELB, "DescribeTargetGroupAttributes", {"TargetGroupArn": arn})["Attributes"]
    values = {each["Key"]: each["Value"] for each in found}
    return {
        "name": group["TargetGroupName"],
        **{name: group[member] for name, member in SETTINGS.items()},
        "health_check": [{name: group[member] for name, member in CHECK.items()}],
        **{name: int(values[key]) for name, key in ATTRIBUTES.items()},
        "tags": elb_tags(world, arn),
    }


def create(world: World, wanted: Attributes) -> str:
    """CreateTargetGroup, then ModifyTargetGroupAttributes."""
    check = wanted["health_check"][0]
    made = {
        "Name": wanted["name"],
        **{member: wanted[name] for name, member in SETTINGS.items() if name in wanted},
        **{member: check[name] for name, member in CHECK.items() if name in check},
    }
    arn = str(world.call(ELB, "CreateTargetGroup", made)["TargetGroups"][0]["TargetGroupArn"])
    update(world, arn, wanted, [name for name in ATTRIBUTES if name in wanted])
    return arn


def update(world: World, arn: str, wanted: Attributes, changed: Collection[str]) -> None:
    """ModifyTargetGroup for the health check, ModifyTargetGroupAttributes for those attributes that changed."""
    if "health_check" in changed:
        check = {member: wanted["health_check"][0][name] for name, member in CHECK.items()}
        world.call(ELB, "ModifyTargetGroup", {"TargetGroupArn": arn, **check})
    attributes = {key: str(wanted[name]) for name, key in ATTRIBUTES.items() if name in changed}
    if attributes:
        asked = {"TargetGroupArn": arn, "Attributes": tag_list(attributes)}
        world.call(ELB, "ModifyTargetGroupAttributes", asked)
    if "tags" in changed:
        change_elb_tags(world, arn, wanted["tags"])


def names(arn: str) -> Attributes:
    """Labels of scaling policies refer to it by the end of its ARN."""
    return {"arn": arn, "id": arn, "arn_suffix": arn.rpartition(":")[2]}


GROUP = Kind(
    names=names,
    read=read,
    create=create,
    update=update,
    normal=normal,
    defaults={"deregistration_delay": 300, "slow_start": 0, "target_type": "instance", "tags": {}},
)
