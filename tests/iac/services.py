"""``aws_ecs_service``: of UpdateService only the members that changed are sent."""

from collections.abc import Collection

from sandbox.world.world import World
from tests.iac.kind import ECS, Attributes, Kind, as_set, tag_list

MEMBERS = {
    "task_definition": "taskDefinition",
    "desired_count": "desiredCount",
    "health_check_grace_period_seconds": "healthCheckGracePeriodSeconds",
    "availability_zone_rebalancing": "availabilityZoneRebalancing",
    "enable_ecs_managed_tags": "enableECSManagedTags",
    "enable_execute_command": "enableExecuteCommand",
    "propagate_tags": "propagateTags",
    "platform_version": "platformVersion",
}
PERCENTS = {
    "deployment_maximum_percent": "maximumPercent",
    "deployment_minimum_healthy_percent": "minimumHealthyPercent",
}


def normal(declared: Attributes) -> Attributes:
    """Sets as sets, and the default of a public address."""
    made = dict(declared)
    for network in declared.get("network_configuration", ()):
        made["network_configuration"] = [_network(network)]
    if "load_balancer" in declared:
        made["load_balancer"] = as_set(declared["load_balancer"])
    return made


def _network(given: Attributes) -> Attributes:
    sets = {name: sorted(given.get(name, ())) for name in ("subnets", "security_groups")}
    return {"assign_public_ip": False, **given, **sets}


def read(world: World, arn: str, declared: Attributes) -> Attributes | None:
    """DescribeServices with tags; a task definition in the form that was declared, ARN or ``family:revision``."""
    asked = {"cluster": declared["cluster"], "services": [arn], "include": ["TAGS"]}
    found = world.call(ECS, "DescribeServices", asked)["services"]
    if not found or found[0]["status"] != "ACTIVE":
        return None
    service = found[0]
    if not declared["task_definition"].startswith("arn:"):
        service = service | {"taskDefinition": service["taskDefinition"].rpartition("/")[2]}
    configuration = service["deploymentConfiguration"]
    network = service["networkConfiguration"]["awsvpcConfiguration"]
    breaker = configuration.get("deploymentCircuitBreaker", {"enable": False, "rollback": False})
    return {
        "name": service["serviceName"],
        "cluster": service["clusterArn"],
        "launch_type": service.get("launchType", ""),
        **{name: service[member] for name, member in MEMBERS.items() if member in service},
        **{name: configuration[member] for name, member in PERCENTS.items()},
        "deployment_circuit_breaker": [{name: breaker[name] for name in ("enable", "rollback")}],
        "network_configuration": [
            {
                "subnets": sorted(network["subnets"]),
                "security_groups": sorted(network["securityGroups"]),
                "assign_public_ip": network["assignPublicIp"] == "ENABLED",
            }
        ],
        "load_balancer": as_set([_read_entry(entry) for entry in service["loadBalancers"]]),
        "tags": {tag["key"]: tag["value"] for tag in service.get("tags", ())},
    }


def _read_entry(entry: Attributes) -> Attributes:
    return {
        "target_group_arn": entry["targetGroupArn"],
        "container_name": entry["containerName"],
        "container_port": entry["containerPort"],
    }


def create(world: World, wanted: Attributes) -> str:
    """CreateService."""
    known = {*MEMBERS, *PERCENTS, "deployment_circuit_breaker", "network_configuration", "load_balancer"}
    asked = _asked(wanted, known & wanted.keys()) | {
        "serviceName": wanted["name"],
        "cluster": wanted["cluster"],
        "launchType": wanted["launch_type"],
    }
    if wanted.get("tags"):
        asked["tags"] = tag_list(wanted["tags"], "key", "value")
    return str(world.call(ECS, "CreateService", asked)["service"]["serviceArn"])


def update(world: World, arn: str, wanted: Attributes, changed: Collection[str]) -> None:
    """UpdateService with what changed; tags by their own calls."""
    if set(changed) - {"tags"}:
        asked = {"cluster": wanted["cluster"], "service": arn, **_asked(wanted, changed)}
        world.call(ECS, "UpdateService", asked)
    if "tags" in changed:
        _change_tags(world, arn, wanted["tags"])


def _asked(wanted: Attributes, names: Collection[str]) -> Attributes:
    asked: Attributes = {MEMBERS[name]: wanted[name] for name in names if name in MEMBERS}
    configuration: Attributes = {}
    if set(names) & set(PERCENTS):
        configuration |= {member: wanted[name] for name, member in PERCENTS.items()}
    if "deployment_circuit_breaker" in names:
        configuration["deploymentCircuitBreaker"] = wanted["deployment_circuit_breaker"][0]
    if configuration:
        asked["deploymentConfiguration"] = configuration
    if "network_configuration" in names:
        network = wanted["network_configuration"][0]
        asked["networkConfiguration"] = {
            "awsvpcConfiguration": {
                "subnets": network["subnets"],
                "securityGroups": network["security_groups"],
                "assignPublicIp": "ENABLED" if network["assign_public_ip"] else "DISABLED",
            }
        }
    if "load_balancer" in names:
        asked["loadBalancers"] = [
            {
                "targetGroupArn": entry["target_group_arn"],
                "containerName": entry["container_name"],
                "containerPort": entry["container_port"],
            }
            for entry in wanted["load_balancer"]
        ]
    return asked


def _change_tags(world: World, arn: str, wanted: Attributes) -> None:
    known = world.call(ECS, "ListTagsForResource", {"resourceArn": arn})["tags"]
    gone = [tag["key"] for tag in known if tag["key"] not in wanted]
    if wanted:
        world.call(ECS, "TagResource", {"resourceArn": arn, "tags": tag_list(wanted, "key", "value")})
    if gone:
        world.call(ECS, "UntagResource", {"resourceArn": arn, "tagKeys": gone})


def names(arn: str) -> Attributes:
    """Others refer to a service by its name too."""
    return {"arn": arn, "id": arn, "name": arn.rpartition("/")[2]}


SERVICE = Kind(
    read=read,
    create=create,
    update=update,
    normal=normal,
    names=names,
    defaults={
        "desired_count": 0,
        "deployment_maximum_percent": 200,
        "deployment_minimum_healthy_percent": 100,
        "enable_ecs_managed_tags": False,
        "enable_execute_command": False,
        "health_check_grace_period_seconds": 0,
        "propagate_tags": "NONE",
        "tags": {},
    },
)
