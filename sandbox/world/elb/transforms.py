"""A rule's transforms: what it rewrites of a request before its target sees it. Kept and shown; of no effect here.

Source: "Transforms for listener rules" of the Elastic Load Balancing guide, RuleTransform of the API.
"""

from sandbox.world.kernel.errors import AwsRefusal, Json
from sandbox.world.kernel.operation import only

_CONFIG = {"host-header-rewrite": "HostHeaderRewriteConfig", "url-rewrite": "UrlRewriteConfig"}


def normalised(transforms: list[Json]) -> list[Json]:
    """The transforms as DescribeRules shows them: one of each type at most. Raises AwsRefusal."""
    kinds = [transform.get("Type") for transform in transforms]
    if len(set(kinds)) != len(kinds):
        raise AwsRefusal("ValidationError", "A rule can have one transform of each type")
    return [_one(transform) for transform in transforms]


def _one(transform: Json) -> Json:
    kind = transform.get("Type")
    if kind not in _CONFIG:
        raise AwsRefusal("ValidationError", f"Transform type '{kind}' must be one of {', '.join(_CONFIG)}")
    only(transform, ("Type", _CONFIG[kind]), "transform")
    rewrites = (transform.get(_CONFIG[kind]) or {}).get("Rewrites", [])
    if len(rewrites) != 1:
        raise AwsRefusal("ValidationError", f"A transform of type {kind} needs exactly one rewrite")
    return {"Type": kind, _CONFIG[kind]: {"Rewrites": [dict(rewrite) for rewrite in rewrites]}}
