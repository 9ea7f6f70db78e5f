"""Which fields of a row's values have anything but their defaults in none of some texts, by the types of this day."""

import dataclasses
import json
import types
from collections.abc import Iterable, Iterator
from typing import Any, NewType, Union, get_args, get_origin, get_type_hints

from orchestrator.core.rollout.rollout import Rollout


def never_set(texts: Iterable[str]) -> list[str]:
    """The fields, as ``Value.field``, that are at their default wherever they stand."""
    known = set(_all_fields(Rollout, set()))
    for text in texts:
        known -= set(_set_fields(Rollout, json.loads(text)))
    return sorted(known)


def _all_fields(kind: Any, done: set[Any]) -> Iterator[str]:  # noqa: ANN401 - any type annotation
    for inner in _parts(kind):
        if inner in done:
            continue
        done.add(inner)
        hints = get_type_hints(inner)
        for one in dataclasses.fields(inner):
            yield f"{inner.__name__}.{one.name}"
            yield from _all_fields(hints[one.name], done)


def _set_fields(kind: Any, value: Any) -> Iterator[str]:  # noqa: ANN401 - any type annotation, and JSON
    if isinstance(value, list):
        for number, each in enumerate(value):
            yield from _set_fields(_item(kind, number), each)
    for inner in _parts(kind, is_deep=False):
        if not isinstance(value, dict) or not set(value) <= {one.name for one in dataclasses.fields(inner)}:
            continue
        hints = get_type_hints(inner)
        for one in dataclasses.fields(inner):
            if one.name in value and value[one.name] != _default(one):
                yield f"{inner.__name__}.{one.name}"
                yield from _set_fields(hints[one.name], value[one.name])


def _default(one: "dataclasses.Field[Any]") -> Any:  # noqa: ANN401 - JSON
    from pydantic_core import to_jsonable_python

    if one.default is not dataclasses.MISSING:
        return to_jsonable_python(one.default)
    if one.default_factory is not dataclasses.MISSING:
        return to_jsonable_python(one.default_factory())
    return dataclasses.MISSING


def _item(kind: Any, number: int) -> Any:  # noqa: ANN401 - any type annotation
    kinds = [kind] if get_origin(kind) not in (Union, types.UnionType) else get_args(kind)
    (found,) = [one for one in kinds if get_origin(one) is tuple]
    inner = get_args(found)
    return inner[0] if inner[-1] is Ellipsis else inner[number]


def _parts(kind: Any, *, is_deep: bool = True) -> Iterator[Any]:  # noqa: ANN401 - any type annotation
    """The dataclasses that a type is or may be; deep: those within its tuples too."""
    if isinstance(kind, NewType):
        yield from _parts(kind.__supertype__, is_deep=is_deep)
    elif dataclasses.is_dataclass(kind):
        yield kind
    elif get_origin(kind) in (Union, types.UnionType) or (is_deep and get_origin(kind) is tuple):
        for inner in get_args(kind):
            if inner is not Ellipsis:
                yield from _parts(inner, is_deep=is_deep)
