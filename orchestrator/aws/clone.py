"""Green's requests from what AWS describes of blue: pure functions from answers to parameters.

Every member of CreateService and CreateTargetGroup has its place in one of the tables here: copied, built, given by
the effect, or named as something that cannot be cloned. A test compares the tables with botocore's models, so that a
member which AWS adds is noticed instead of lost.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from orchestrator.aws.transport import Answer

# CreateService: given by the effect, each time anew.
GIVEN = frozenset({"cluster", "serviceName", "taskDefinition", "desiredCount", "clientToken"})
# CreateService: as DescribeServices shows it of blue, left out where empty.
COPIED = frozenset(
    {
        "capacityProviderStrategy",
        "enableECSManagedTags",
        "enableExecuteCommand",
        "networkConfiguration",
        "placementConstraints",
        "placementStrategy",
        "platformVersion",
    }
)
# CreateService: made here from what blue has.
BUILT = frozenset(
    {
        "availabilityZoneRebalancing",
        "deploymentConfiguration",
        "deploymentController",
        "healthCheckGracePeriodSeconds",
        "launchType",
        "loadBalancers",
        "propagateTags",
        "role",
        "schedulingStrategy",
        "serviceConnectConfiguration",
        "tags",
    }
)
# CreateService: what this version cannot give to green, and why; shown to people when blue has it.
NOT_CLONED = {
    "serviceRegistries": "service discovery (serviceRegistries): green would answer there at weight 0",
    "volumeConfigurations": "volumes that ECS manages (volumeConfigurations)",
    "vpcLatticeConfigurations": "VPC Lattice target groups (vpcLatticeConfigurations)",
    "gatewayConnectors": "an ingress that ECS owns (gatewayConnectors)",
    "monitoring": "metrics of high resolution (monitoring)",
}

TAGS_MAX = 50
TAGS_OF_TEAL = 8  # room kept for Teal's own

GROUP_GIVEN = frozenset({"Name"})
GROUP_COPIED = (
    "HealthCheckEnabled",
    "HealthCheckIntervalSeconds",
    "HealthCheckPath",
    "HealthCheckPort",
    "HealthCheckProtocol",
    "HealthCheckTimeoutSeconds",
    "HealthyThresholdCount",
    "IpAddressType",
    "Matcher",
    "Port",
    "Protocol",
    "ProtocolVersion",
    "TargetControlPort",
    "TargetType",
    "UnhealthyThresholdCount",
    "VpcId",
)
GROUP_BUILT = frozenset({"Tags"})

# Source: "Edit target group attributes for your Application Load Balancer".
ATTRIBUTE_DEFAULTS = {
    "deregistration_delay.timeout_seconds": "300",
    "load_balancing.algorithm.anomaly_mitigation": "off",
    "load_balancing.algorithm.type": "round_robin",
    "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
    "slow_start.duration_seconds": "0",
    "stickiness.app_cookie.cookie_name": "",
    "stickiness.app_cookie.duration_seconds": "86400",
    "stickiness.enabled": "false",
    "stickiness.lb_cookie.duration_seconds": "86400",
    "stickiness.type": "lb_cookie",
    "target_group_health.dns_failover.minimum_healthy_targets.count": "1",
    "target_group_health.dns_failover.minimum_healthy_targets.percentage": "off",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": "1",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "off",
}


def service_template(service: Mapping[str, Any]) -> Answer:
    """CreateService's parameters like blue's, with blue's groups and tags in place and without what is GIVEN."""
    template: Answer = {name: service[name] for name in COPIED if service.get(name)}
    entries = [_entry(entry) for entry in service.get("loadBalancers", ())]
    template |= {
        # CreateService's default is ENABLED, while a service that was never asked counts as DISABLED.
        "availabilityZoneRebalancing": service.get("availabilityZoneRebalancing") or "DISABLED",
        "deploymentConfiguration": deployment_configuration(service),
        "deploymentController": {"type": "ECS"},
        "loadBalancers": entries,
        "schedulingStrategy": "REPLICA",
        "tags": _tags(service.get("tags", ()), key="key"),
    }
    if entries:  # the default is 0, which would kill slow starters; refused without a load balancer
        template["healthCheckGracePeriodSeconds"] = service.get("healthCheckGracePeriodSeconds", 0)
    if service.get("launchType") and not service.get("capacityProviderStrategy"):
        template["launchType"] = service["launchType"]
    if service.get("propagateTags", "NONE") != "NONE":
        template["propagateTags"] = service["propagateTags"]
    if role := _role(service):
        template["role"] = role
    connect = _primary(service).get("serviceConnectConfiguration") or {}
    if connect.get("enabled") and not connect.get("services"):
        template["serviceConnectConfiguration"] = connect
    return template


def deployment_configuration(service: Mapping[str, Any]) -> Answer:
    """Green's: rolling, with blue's percents, and a circuit breaker that ends in FAILED.

    A first deployment has nothing to roll back to. Blue's alarms, hooks and bake time are left out: as long as Teal
    is in control it is Teal that judges.
    """
    blue = service.get("deploymentConfiguration") or {}
    breaker = blue.get("deploymentCircuitBreaker") or {}
    kept = {
        name: breaker[name] for name in ("resetOnHealthyTask", "thresholdConfiguration") if name in breaker
    }
    minimum, maximum = percents(service)
    return {
        "strategy": "ROLLING",
        "minimumHealthyPercent": minimum,
        "maximumPercent": maximum,
        "deploymentCircuitBreaker": {**kept, "enable": True, "rollback": False},
    }


def percents(service: Mapping[str, Any]) -> tuple[int, int]:
    """A service's minimum healthy and maximum percent; where it has none, ECS's defaults for REPLICA."""
    blue = service.get("deploymentConfiguration") or {}
    return blue.get("minimumHealthyPercent", 100), blue.get("maximumPercent", 200)


def unclonable(service: Mapping[str, Any], revisions: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """What blue has and this version cannot give to green, in words.

    `revisions` are blue's current service revisions, the only place that shows some of it.
    """
    shown = [service, _primary(service), *revisions]
    found = [why for name, why in NOT_CLONED.items() if any(_is_set(name, part.get(name)) for part in shown)]
    if (_primary(service).get("serviceConnectConfiguration") or {}).get("services"):
        found.append("names that it serves in Service Connect: a name belongs to one ECS service")
    if any(entry.get("loadBalancerName") for entry in service.get("loadBalancers", ())):
        found.append("a Classic Load Balancer: it has no weights")
    if any(entry.get("advancedConfiguration") for entry in service.get("loadBalancers", ())):
        found.append(
            "a load balancer entry that ECS's own blue/green deployments rewrite (advancedConfiguration)"
        )
    if service.get("resourceManagementType") == "ECS":
        found.append("an Express service, whose load balancer ECS owns")
    if len(_tags(service.get("tags", ()), key="key")) > TAGS_MAX - TAGS_OF_TEAL:
        found.append(f"so many tags that with Teal's own they are more than {TAGS_MAX}")
    return tuple(found)


def group_template(group: Mapping[str, Any], tags: Mapping[str, str]) -> Answer:
    """CreateTargetGroup's parameters like those of `group`, with its tags and without what is GROUP_GIVEN."""
    template: Answer = {name: group[name] for name in GROUP_COPIED if name in group}
    own = _tags([{"Key": key, "Value": value} for key, value in tags.items()], key="Key")
    if own:
        template["Tags"] = own
    return template


def group_attributes(attributes: Mapping[str, str]) -> dict[str, str]:
    """Those attributes of a target group that a new one does not have by itself."""
    return {key: value for key, value in attributes.items() if ATTRIBUTE_DEFAULTS.get(key) != value}


def _entry(entry: Mapping[str, Any]) -> Answer:
    return {
        name: entry[name] for name in ("targetGroupArn", "containerName", "containerPort") if name in entry
    }


def _primary(service: Mapping[str, Any]) -> Mapping[str, Any]:
    return next((d for d in service.get("deployments", ()) if d.get("status") == "PRIMARY"), {})


def _role(service: Mapping[str, Any]) -> str | None:
    """The role that ECS registers targets with; only taken without awsvpc and with a single target group."""
    role: str | None = service.get("roleArn")
    is_allowed = len(service.get("loadBalancers", ())) == 1 and not service.get("networkConfiguration")
    return role if role and is_allowed and ":role/aws-service-role/" not in role else None


def _is_set(name: str, value: object) -> bool:
    if name == "monitoring" and isinstance(value, Mapping):  # 60 s is what every service has
        return any(
            entry.get("resolutionSeconds", 60) != 60 for entry in value.get("metricConfigurations", ())
        )
    return bool(value)


def _tags(tags: Iterable[Mapping[str, str]], *, key: str) -> list[dict[str, str]]:
    """Tags but for AWS's own, which nobody may write, and Teal's, which say whose a thing is."""
    return [dict(tag) for tag in tags if not tag[key].startswith(("aws:", "teal:"))]
