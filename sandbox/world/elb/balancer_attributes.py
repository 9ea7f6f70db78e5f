"""A load balancer's attributes: kept and shown, of no effect here.

Source: LoadBalancerAttribute of the ELBv2 API reference: which there are for an Application Load Balancer, with their
defaults. Cross-zone load balancing is on and cannot be changed.
"""

from sandbox.world.elb.state import Balancing
from sandbox.world.kernel.errors import AwsRefusal, Json
from sandbox.world.kernel.operation import Operation, operation

_SWITCH = ("true", "false")
DEFAULTS = {
    "deletion_protection.enabled": "false",
    "load_balancing.cross_zone.enabled": "true",
    "access_logs.s3.enabled": "false",
    "access_logs.s3.bucket": "",
    "access_logs.s3.prefix": "",
    "connection_logs.s3.enabled": "false",
    "connection_logs.s3.bucket": "",
    "connection_logs.s3.prefix": "",
    "zonal_shift.config.enabled": "false",
    "idle_timeout.timeout_seconds": "60",
    "client_keep_alive.seconds": "3600",
    "routing.http.desync_mitigation_mode": "defensive",
    "routing.http.drop_invalid_header_fields.enabled": "false",
    "routing.http.preserve_host_header.enabled": "false",
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "false",
    "routing.http.xff_client_port.enabled": "false",
    "routing.http.xff_header_processing.mode": "append",
    "routing.http2.enabled": "true",
    "waf.fail_open.enabled": "false",
}
_NUMBERS = {"idle_timeout.timeout_seconds": (1, 4000), "client_keep_alive.seconds": (60, 604800)}
_ONE_OF = {
    "load_balancing.cross_zone.enabled": ("true",),
    "routing.http.desync_mitigation_mode": ("monitor", "defensive", "strictest"),
    "routing.http.xff_header_processing.mode": ("append", "preserve", "remove"),
}


class BalancerAttributes:
    """DescribeLoadBalancerAttributes and ModifyLoadBalancerAttributes."""

    def __init__(self, balancing: Balancing) -> None:
        self._all = balancing

    def operations(self) -> dict[str, Operation]:
        """The operations by their AWS names."""
        arn = "LoadBalancerArn"
        return {
            "DescribeLoadBalancerAttributes": operation(self.describe, arn),
            "ModifyLoadBalancerAttributes": operation(self.modify, arn, "Attributes"),
        }

    def describe(self, params: Json) -> Json:
        """DescribeLoadBalancerAttributes: all of them."""
        found = DEFAULTS | self._all.load_balancer(params["LoadBalancerArn"]).attributes
        return {"Attributes": [{"Key": key, "Value": value} for key, value in found.items()]}

    def modify(self, params: Json) -> Json:
        """ModifyLoadBalancerAttributes: those given change, the others stay; nothing does where one is refused."""
        balancer = self._all.load_balancer(params["LoadBalancerArn"])
        changes = {each["Key"]: each["Value"] for each in params["Attributes"]}
        for key, value in changes.items():
            _check(key, value)
        balancer.attributes |= changes
        return self.describe(params)


def _check(key: str, value: str) -> None:
    if key not in DEFAULTS:
        raise AwsRefusal(
            "InvalidConfigurationRequest", f"Load balancer attribute key '{key}' is not recognized"
        )
    low, high = _NUMBERS.get(key, (0, 0))
    usual = _SWITCH if DEFAULTS[key] in _SWITCH else (value,)
    fits = value.isdecimal() and low <= int(value) <= high if high else value in _ONE_OF.get(key, usual)
    if not fits:
        raise AwsRefusal(
            "InvalidConfigurationRequest", f"'{value}' is no value of load balancer attribute {key}"
        )
