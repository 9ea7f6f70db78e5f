"""A target group's attributes: what there is, and what Elastic Load Balancing refuses, alone and together.

Sources: TargetGroupAttribute of the ELBv2 API reference; "Edit target group attributes for your Application Load
Balancer" (slow start goes with round robin alone; anomaly mitigation with weighted random alone).
"""

from sandbox.world.kernel.errors import AwsRefusal

DEFAULTS = {  # HTTP groups with targets by instance or ip
    "stickiness.enabled": "false",
    "stickiness.type": "lb_cookie",
    "stickiness.lb_cookie.duration_seconds": "86400",
    "stickiness.app_cookie.cookie_name": "",
    "stickiness.app_cookie.duration_seconds": "86400",
    "deregistration_delay.timeout_seconds": "300",
    "slow_start.duration_seconds": "0",
    "load_balancing.algorithm.type": "round_robin",
    "load_balancing.algorithm.anomaly_mitigation": "off",
    "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
    "target_group_health.dns_failover.minimum_healthy_targets.count": "1",
    "target_group_health.dns_failover.minimum_healthy_targets.percentage": "off",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": "1",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "off",
}
_NUMBERS = {
    "deregistration_delay.timeout_seconds": (0, 3600),
    "slow_start.duration_seconds": (0, 900),
    "stickiness.lb_cookie.duration_seconds": (1, 604800),
    "stickiness.app_cookie.duration_seconds": (1, 604800),
}
_ONE_OF = {
    "stickiness.enabled": ("true", "false"),
    "stickiness.type": ("lb_cookie", "app_cookie"),
    "load_balancing.algorithm.type": ("round_robin", "least_outstanding_requests", "weighted_random"),
    "load_balancing.algorithm.anomaly_mitigation": ("on", "off"),
    "load_balancing.cross_zone.enabled": ("true", "false", "use_load_balancer_configuration"),
}
_RESERVED = "AWSALB"  # no cookie of an application's begins so
_SLOW_START_MIN = 30  # seconds, unless it is off


def changed(attributes: dict[str, str], changes: dict[str, str]) -> dict[str, str]:
    """The attributes after a change. Raises AwsRefusal; then nothing has changed."""
    for key, value in changes.items():
        _check_one(key, value)
    after = attributes | changes
    slow, algorithm = int(after["slow_start.duration_seconds"]), after["load_balancing.algorithm.type"]
    if slow and algorithm != "round_robin":
        raise _wrong(f"Slow start is not supported with the load balancing algorithm {algorithm}")
    if after["load_balancing.algorithm.anomaly_mitigation"] == "on" and algorithm != "weighted_random":
        raise _wrong(f"Anomaly mitigation is not supported with the load balancing algorithm {algorithm}")
    if (after["stickiness.enabled"], after["stickiness.type"]) == ("true", "app_cookie"):
        name = after["stickiness.app_cookie.cookie_name"]
        if not name or name.startswith(_RESERVED):
            raise _wrong(f"'{name}' is no name for an application-based cookie")
    return after


def _check_one(key: str, value: str) -> None:
    if key not in DEFAULTS:
        raise _wrong(f"Target group attribute key '{key}' is not recognized")
    if key in _NUMBERS:
        low, high = _NUMBERS[key]
        if not (value.isdecimal() and low <= int(value) <= high):
            raise _wrong(f"{key} must be between {low} and {high}")
        if key == "slow_start.duration_seconds" and 0 < int(value) < _SLOW_START_MIN:
            raise _wrong(f"{key} must be 0, or between {_SLOW_START_MIN} and {high}")
    if key in _ONE_OF and value not in _ONE_OF[key]:
        raise _wrong(f"{key} must be one of {', '.join(_ONE_OF[key])}, not '{value}'")


def _wrong(why: str) -> AwsRefusal:
    return AwsRefusal("InvalidConfigurationRequest", why)
