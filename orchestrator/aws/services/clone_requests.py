"""Green's requests from what AWS describes of blue: pure functions from answers to parameters.

What becomes of each field stands in the tables of `fields`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from orchestrator.aws.client.transport import Answer
from orchestrator.aws.services.clone_fields import (
    BREAKER,
    CONFIGURATION,
    GROUP,
    LOAD_BALANCER,
    SERVICE,
    Fate,
    Field,
    of_fate,
)

OF_DEPLOYMENT = ("serviceConnectConfiguration", "volumeConfigurations")
"""What DescribeServices shows of a service's deployments only."""

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


def service_template(
    service: Mapping[str, Any],
    revisions: Sequence[Mapping[str, Any]] = (),
    *,
    keeps_discovery: bool = False,
) -> Answer:
    """CreateService's parameters like blue's, with blue's groups and tags in place.

    Without name, cluster, task definition, count and token, which the effect gives. `revisions` are blue's current
    service revisions, newest last.
    """
    template: Answer = {name: value for name, value in _copied(service, revisions).items() if value}
    entries = [_kept(entry, LOAD_BALANCER, "targetGroupArn") for entry in service.get("loadBalancers", ())]
    template |= {
        # CreateService's default is ENABLED, while a service that was never asked counts as DISABLED.
        "availabilityZoneRebalancing": service.get("availabilityZoneRebalancing") or "DISABLED",
        "deploymentConfiguration": deployment_configuration(service),
        "deploymentController": {"type": "ECS"},
        "loadBalancers": entries,
        "schedulingStrategy": "REPLICA",
        "tags": own_tags(service.get("tags", ()), key="key"),
    }
    if entries:  # the default is 0, which would kill slow starters; refused without a load balancer
        template["healthCheckGracePeriodSeconds"] = service.get("healthCheckGracePeriodSeconds", 0)
    if service.get("launchType") and not service.get("capacityProviderStrategy"):
        template["launchType"] = service["launchType"]
    if service.get("propagateTags", "NONE") != "NONE":
        template["propagateTags"] = service["propagateTags"]
    if role := _role(service):
        template["role"] = role
    if keeps_discovery and (registries := _registries(service)):
        template["serviceRegistries"] = registries
    return template


def _copied(service: Mapping[str, Any], revisions: Sequence[Mapping[str, Any]]) -> Answer:
    """What is copied, each from the one place that shows it: the service, its newest deployment, or its revision."""
    shown_by = {**dict.fromkeys(OF_DEPLOYMENT, _primary(service)), "monitoring": _newest(service, revisions)}
    found = {name: shown_by.get(name, service).get(name) for name in of_fate(SERVICE, Fate.COPIED)}
    connect = found["serviceConnectConfiguration"] or {}
    if not connect.get("enabled") or connect.get("services"):
        del found["serviceConnectConfiguration"]
    return found


def _newest(service: Mapping[str, Any], revisions: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The service revision that blue's newest deployment made, as far as one was read."""
    wanted = _primary(service).get("taskDefinition")
    own = [revision for revision in revisions if revision.get("taskDefinition") == wanted]
    return (own or list(revisions) or [{}])[-1]


def registries(service: Mapping[str, Any]) -> tuple[str, ...]:
    """The registries of service discovery that blue answers in, by ARN."""
    return tuple(entry.get("registryArn", "") for entry in _registries(service))


def _registries(service: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list(service.get("serviceRegistries") or ())


def deployment_configuration(service: Mapping[str, Any]) -> Answer:
    """Green's: rolling, with blue's percents, and a circuit breaker that ends in FAILED.

    A first deployment has nothing to roll back to. Blue's alarms, hooks and bake time are left out: as long as Teal
    is in control it is Teal that judges.
    """
    blue = service.get("deploymentConfiguration") or {}
    minimum, maximum = percents(service)
    return {
        **_kept(blue, CONFIGURATION),
        "strategy": "ROLLING",
        "minimumHealthyPercent": minimum,
        "maximumPercent": maximum,
        "deploymentCircuitBreaker": {
            **_kept(blue.get("deploymentCircuitBreaker") or {}, BREAKER),
            "enable": True,
            "rollback": False,
        },
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
    refused = [(name, SERVICE[name].refusal) for name in of_fate(SERVICE, Fate.REFUSED)]
    found = [why for name, why in refused if any(part.get(name) for part in shown)]
    if (_primary(service).get("serviceConnectConfiguration") or {}).get("services"):
        found.append("names that it serves in Service Connect: a name belongs to one ECS service")
    for name in of_fate(LOAD_BALANCER, Fate.REFUSED):
        if any(entry.get(name) for entry in service.get("loadBalancers", ())):
            found.append(LOAD_BALANCER[name].refusal)
    if service.get("resourceManagementType") == "ECS":
        found.append("an Express service, whose load balancer ECS owns")
    return tuple(found)


def group_template(group: Mapping[str, Any], tags: Mapping[str, str]) -> Answer:
    """CreateTargetGroup's parameters like those of `group`, with its tags and without a name."""
    template = _kept(group, GROUP)
    own = own_tags([{"Key": key, "Value": value} for key, value in tags.items()], key="Key")
    if own:
        template["Tags"] = own
    return template


def group_attributes(attributes: Mapping[str, str]) -> dict[str, str]:
    """Attributes of a target group that a new one does not have by itself, as far as `ATTRIBUTE_DEFAULTS` knows."""
    return {key: value for key, value in attributes.items() if ATTRIBUTE_DEFAULTS.get(key) != value}


def _kept(shown: Mapping[str, Any], table: Mapping[str, Field], *more: str) -> Answer:
    """Those members of what AWS shows that a table says are copied, and `more`."""
    return {name: shown[name] for name in (*of_fate(table, Fate.COPIED), *more) if name in shown}


def _primary(service: Mapping[str, Any]) -> Mapping[str, Any]:
    return next((d for d in service.get("deployments", ()) if d.get("status") == "PRIMARY"), {})


def _role(service: Mapping[str, Any]) -> str | None:
    """The role that ECS registers targets with; only taken without awsvpc and with a single target group."""
    role: str | None = service.get("roleArn")
    is_allowed = len(service.get("loadBalancers", ())) == 1 and not service.get("networkConfiguration")
    return role if role and is_allowed and ":role/aws-service-role/" not in role else None


def own_tags(tags: Iterable[Mapping[str, str]], *, key: str) -> list[dict[str, str]]:
    """Tags but for AWS's own, which nobody may write, and Teal's, which say whose a thing is."""
    return [dict(tag) for tag in tags if not tag[key].startswith(("aws:", "teal:"))]
