"""Condition keys of requests: from what a call was given and what its resource has."""

from collections.abc import Iterable, Mapping
from functools import cache

from sandbox.world.access.actions import REQUEST_TAG, RESOURCE_TAG, TAG_KEYS
from sandbox.world.access.conditions import Keys
from sandbox.world.kernel.errors import Json

Tags = Mapping[str, str]
Given = Mapping[str, str | tuple[str, ...]]
OF_ELB = "elasticloadbalancing:ResourceTag/"


def as_map(tags: Iterable[Json], *, key: str = "key", value: str = "value") -> Tags:
    """Tags as a service's API lists them, by name."""
    return {tag[key]: tag.get(value, "") for tag in tags}


def requested(tags: Tags) -> Given:
    """What a call says of the tags that it gives; nothing where it gives none."""
    if not tags:
        return {}
    return {TAG_KEYS: tuple(tags), **{f"{REQUEST_TAG}{key}": value for key, value in tags.items()}}


def owned(tags: Tags) -> Given:
    """What a resource's tags say of it."""
    return {f"{prefix}{key}": value for prefix in (RESOURCE_TAG, OF_ELB) for key, value in tags.items()}


def kept(given: Given, known: tuple[str, ...]) -> Keys:
    """Those keys that an action has, in lower case; a known key that ends in a slash stands for any name behind it."""
    alone, heads = _alone_and_heads(known)
    found = {name.lower(): value for name, value in given.items()}
    return {
        name: (value,) if isinstance(value, str) else value
        for name, value in found.items()
        if name in alone or (heads and name.startswith(heads))
    }


@cache
def _alone_and_heads(known: tuple[str, ...]) -> tuple[frozenset[str], tuple[str, ...]]:
    alone = frozenset(key for key in known if not key.endswith("/"))
    return alone, tuple(key for key in known if key.endswith("/"))
