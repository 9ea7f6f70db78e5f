"""A rule's conditions, as AWS reads them back: old and new form of the same thing side by side."""

from orchestrator.sandbox.world.errors import AwsRefusal, Json, not_here

_CONFIG = {
    "path-pattern": "PathPatternConfig",
    "host-header": "HostHeaderConfig",
    "http-header": "HttpHeaderConfig",
    "http-request-method": "HttpRequestMethodConfig",
    "query-string": "QueryStringConfig",
    "source-ip": "SourceIpConfig",
}


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
