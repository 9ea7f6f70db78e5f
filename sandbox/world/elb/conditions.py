"""A rule's conditions, as AWS reads them back: old and new form of the same thing side by side.

Sources: "Condition types for listener rules" (one of a kind but for headers and query strings, values or regular
expressions, three of them at most, five in a rule) and "Listener rules for your Application Load Balancer" (what a
regular expression may not have) of the Elastic Load Balancing guide; RuleCondition of the API. That the old form of
regular expressions is shown beside the new one, as that of values is, follows from the shape; no page says it.
"""

import ipaddress
import re

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
_BY_REGEX = ("path-pattern", "host-header", "http-header")
_OLD_FORM = ("path-pattern", "host-header")
_SEVERAL = ("http-header", "query-string")
_VALUES_MAX, _OF_A_RULE_MAX, _LENGTH_MAX = 3, 5, 128
# Lookaheads, lookbehinds, atomic groups, recursion and subroutines, backreferences, possessive quantifiers, \\p{L}.
_NO_REGEX = re.compile(r"\(\?(?:[=!>&R+-]|<[=!]|P[=>]|\d)|\\[1-9gkpPX]|[*+?}]\+")


def normalised(conditions: list[Json]) -> list[Json]:
    """The conditions as DescribeRules shows them. Raises AwsRefusal for what AWS refuses."""
    if not conditions:
        raise AwsRefusal("ValidationError", "A rule must have at least one condition")
    shown = [_one(condition) for condition in conditions]
    if sum(len(values(condition) + regexes(condition)) for condition in shown) > _OF_A_RULE_MAX:
        raise AwsRefusal("TooManyConditions", f"A rule can have {_OF_A_RULE_MAX} condition values at most")
    single = [condition["Field"] for condition in shown if condition["Field"] not in _SEVERAL]
    if len(set(single)) < len(single):
        raise AwsRefusal(
            "ValidationError", "A rule can have one condition of each field, but for headers and queries"
        )
    return shown


def _one(condition: Json) -> Json:
    field = condition.get("Field")
    if field not in _CONFIG:
        raise AwsRefusal("ValidationError", f"Condition field '{field}' must be one of {', '.join(_CONFIG)}")
    name = _CONFIG[field]
    strange = condition.keys() - {"Field", "Values", "RegexValues", name}
    if strange:
        raise not_here(f"condition member {', '.join(sorted(strange))}")
    config: Json = dict(condition.get(name) or {})
    for member in ("Values", "RegexValues") if field in _OLD_FORM and not config else ():
        config |= {member: list(condition[member])} if condition.get(member) else {}
    given = [member for member in ("Values", "RegexValues") if config.get(member)]
    if len(given) != 1:
        raise AwsRefusal(
            "ValidationError", f"A condition on {field} needs its values, or regular expressions"
        )
    wanted = config[given[0]]
    if len(wanted) > _VALUES_MAX:
        raise AwsRefusal("ValidationError", f"A condition can have {_VALUES_MAX} values at most")
    if given == ["RegexValues"]:
        _check_regexes(field, wanted)
    if field == "source-ip":
        _check_addresses(wanted)
    shown: Json = {"Field": field, name: config}
    if field in _OLD_FORM:
        shown[given[0]] = list(wanted)
    return shown


def regexes(condition: Json) -> list[str]:
    """The regular expressions of a condition in its shown form; none where it is met by values."""
    return list(condition[_CONFIG[condition["Field"]]].get("RegexValues", ()))


def values(condition: Json) -> list[str]:
    """The values of a condition in its shown form; a query string's as ``key=value`` or ``value``."""
    config = {"Values": ()} | condition[_CONFIG[condition["Field"]]]
    if condition["Field"] == "query-string":
        return [f"{v['Key']}={v['Value']}" if v.get("Key") else str(v["Value"]) for v in config["Values"]]
    return list(config["Values"])


def _check_regexes(field: str, expressions: list[str]) -> None:
    if field not in _BY_REGEX:
        raise AwsRefusal("ValidationError", f"A condition on {field} has no regular expressions")
    for one in expressions:
        if len(one) > _LENGTH_MAX or _NO_REGEX.search(one) or not _compiles(one):
            raise AwsRefusal("ValidationError", f"The regular expression '{one}' is not supported")


def _compiles(expression: str) -> bool:
    try:
        re.compile(expression)
    except re.error:
        return False
    return True


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
