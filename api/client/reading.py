"""Frozen dataclasses from parsed JSON. Members that a class does not know are passed over: a server may be newer."""

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import datetime
from functools import cache
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from api.client.failures import Unreadable

Shape = TypeVar("Shape")


def read(kind: type[Shape], value: object) -> Shape:
    """A dataclass from parsed JSON. Raises Unreadable for an answer that lacks a member or has another shape."""
    try:
        found: Shape = _read(kind, value)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Unreadable(
            f"the server's answer is no {kind.__name__}: {type(error).__name__} {error}",
            next_step="See that client and server are of the same version.",
        ) from error
    return found


def _read(kind: Any, value: Any) -> Any:  # noqa: ANN401 - types and JSON
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        parts = [part for part in get_args(kind) if part is not type(None)]
        if value is None or len(parts) > 1:  # a union of plain JSON values
            return value
        return _read(parts[0], value)
    if value is None or origin is Literal:
        return value
    if origin is tuple:
        return tuple(_read(get_args(kind)[0], member) for member in value)
    if origin in (dict, Mapping):
        return dict(value)
    if kind is datetime:
        return datetime.fromisoformat(value)
    if isinstance(kind, type) and is_dataclass(kind):
        hints = _hints(kind)
        return kind(**{one.name: _member(one, hints[one.name], value) for one in fields(kind)})
    return value


def _member(one: Field[Any], kind: Any, value: Any) -> Any:  # noqa: ANN401 - types and JSON
    if one.name not in value and one.default is not MISSING:
        return one.default
    return _read(kind, value[one.name])


@cache
def _hints(kind: Any) -> dict[str, Any]:  # noqa: ANN401 - a dataclass
    return get_type_hints(kind)
