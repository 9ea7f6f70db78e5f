"""A rule's conditions, as AWS reads them back: old and new form of the same thing side by side."""

import ipaddress

from sandbox.world.kernel.errors import AwsRefusal, Json, not_here

_CONFIG = {
    "path-pattern": "PathPatternConfig",
    "host-header": "HostHeaderConfig",
    "http-header": "HttpHeaderConfig",
    "http-request-method": "HttpRequestMethodConfig",
    "query-string": "QueryStringConfig",
    "source-ip": "SourceIpConfig",
}
BROADCAST = "255.255.255.255/32"


def normalised(conditions: list[Json]) -> list[Json]:
    """The conditions as DescribeRules shows them. Raises AwsRefusal for what AWS refuses."""
    if not conditions:
        raise AwsRefusal("ValidationError", "A rule must have at least one condition")
    if sum(len(values(_one(condition))) for condition in conditions) > 5:
        raise AwsRefusal("TooManyConditions", "A rule can have 5 condition values at most")
    return [_one(condition) for condition in conditions]


def _one(condition: Json) -> Json:
    field = condition.get("Field")
    if field not in _CONFIG:
        raise AwsRefusal("ValidationError", f"Condition field '{field}' must be one of {', '.join(_CONFIG)}")
    name = _CONFIG[field]
    strange = condition.keys() - {"Field", "Values", name}
    if strange:
        raise not_here(f"condition member {', '.join(sorted(strange))}")
    config = condition.get(name)
    if config is None and field in ("path-pattern", "host-header") and condition.get("Values"):
        config = {"Values": list(condition["Values"])}
    if not config or not config.get("Values"):
        raise AwsRefusal("ValidationError", f"A condition on {field} needs its values")
    if "RegexValues" in config:
        raise not_here("condition member RegexValues")
    if field == "source-ip":
        _check_addresses(config["Values"])
    shown: Json = {"Field": field, name: config}
    if field in ("path-pattern", "host-header"):
        shown["Values"] = list(config["Values"])
    return shown


def values(condition: Json) -> list[str]:
    """The values of a condition in its shown form; a query string's as ``key=value`` or ``value``."""
    config = condition[_CONFIG[condition["Field"]]]
    if condition["Field"] == "query-string":
        return [f"{v['Key']}={v['Value']}" if v.get("Key") else str(v["Value"]) for v in config["Values"]]
    return list(config["Values"])


def _check_addresses(addresses: list[str]) -> None:
    """Source addresses are CIDR blocks of IPv4 or IPv6, without wildcards, and never the broadcast address.

    Source: "Source IP address conditions" of the Elastic Load Balancing guide, SourceIpConditionConfig of the API.
    """
    for address in addresses:
        if not _is_block(address) or address == BROADCAST:
            raise AwsRefusal(
                "ValidationError", f"Condition value '{address}' on source-ip is not a valid CIDR block"
            )


def _is_block(address: str) -> bool:
    _, slash, length = address.partition("/")
    try:
        ipaddress.ip_network(address, strict=False)
    except ValueError:
        return False
    return bool(slash) and length.isdecimal()
