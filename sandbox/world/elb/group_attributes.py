"""A target group's attributes: what there is, and what Elastic Load Balancing refuses, alone and together.

Sources: TargetGroupAttribute of the ELBv2 API reference (which attributes are a function's); "Edit target group
attributes for your Application Load Balancer": slow start goes neither with least outstanding requests nor with
weighted random, so with round robin alone; weighted random not with sticky sessions; anomaly mitigation with weighted
random alone; targets of a group that serves each zone with its own have no sticky sessions, and functions no such
group.
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
_OF_INSTANCES = (
    "deregistration_delay.",
    "load_balancing.algorithm.",
    "slow_start.",
    "stickiness.app_cookie.",
    "stickiness.lb_cookie.",
)
_OF_FUNCTIONS = {"lambda.multi_value_headers.enabled": "false"}
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
    "lambda.multi_value_headers.enabled": ("true", "false"),
}
_RESERVED = "AWSALB"  # no cookie of an application's begins so
_SLOW_START_MIN = 30  # seconds, unless it is off


def defaults(target_type: str) -> dict[str, str]:
    """The attributes of a new group."""
    if target_type != "lambda":
        return dict(DEFAULTS)
    return {
        key: value for key, value in DEFAULTS.items() if not key.startswith(_OF_INSTANCES)
    } | _OF_FUNCTIONS


def changed(attributes: dict[str, str], changes: dict[str, str]) -> dict[str, str]:
    """The attributes after a change. Raises AwsRefusal; then nothing has changed."""
    for key, value in changes.items():
        if key not in attributes:
            raise _wrong(f"Target group attribute key '{key}' is not recognized")
        _check_one(key, value)
    after = attributes | changes
    is_sticky, is_zonal = (
        after["stickiness.enabled"] == "true",
        after["load_balancing.cross_zone.enabled"] == "false",
    )
    if is_zonal and (is_sticky or _OF_FUNCTIONS.keys() <= after.keys()):
        raise _wrong(
            "Neither target stickiness nor Lambda functions are supported when cross-zone balancing is off"
        )
    if _OF_FUNCTIONS.keys() <= after.keys():
        return after
    slow, algorithm = int(after["slow_start.duration_seconds"]), after["load_balancing.algorithm.type"]
    if is_sticky and algorithm == "weighted_random":
        raise _wrong(f"Target stickiness is not supported with the load balancing algorithm {algorithm}")
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
