"""Which services ECS may balance across Availability Zones.

Sources: "Balancing an Amazon ECS service across Availability Zones" of the developer guide; CreateService, by which
ENABLED is the default, and UpdateService, by which what was never set counts as DISABLED. AWS's notice of that default
(June 2025) says that services which cannot have it, as with binpack, default to DISABLED.
"""

from sandbox.world.kernel.errors import AwsRefusal, Json

ZONE = "attribute:ecs.availability-zone"


def checked(settings: Json, configuration: Json, balancers: list[Json]) -> str:
    """The setting of a service as it is stored. Raises AwsRefusal where it is asked for and cannot be."""
    given = settings.get("availabilityZoneRebalancing")
    why = _why_not(settings, configuration, balancers)
    if given == "ENABLED" and why:
        raise AwsRefusal("InvalidParameterException", f"availabilityZoneRebalancing cannot be ENABLED {why}")
    return str(given or ("DISABLED" if why else "ENABLED"))


def _why_not(settings: Json, configuration: Json, balancers: list[Json]) -> str:
    if configuration["maximumPercent"] <= 100:
        return "with a maximumPercent of 100 or less"
    if settings.get("launchType") == "EXTERNAL":
        return "with the launch type EXTERNAL"
    if any("loadBalancerName" in entry for entry in balancers):
        return "behind a Classic Load Balancer"
    constraints = settings.get("placementConstraints") or []
    if any(ZONE in each.get("expression", "") for each in constraints):
        return "with a placement constraint on the Availability Zone"
    strategy = settings.get("placementStrategy") or []
    if strategy and (strategy[0].get("type"), strategy[0].get("field")) != ("spread", ZONE):
        return "unless the first placement strategy spreads over Availability Zones"
    return ""
