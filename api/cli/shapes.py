"""The engine's views from the JSON of a server: the same values that the store would have given."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from functools import cache
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

Shape = TypeVar("Shape")


def read(kind: type[Shape], value: object) -> Shape:
    """A frozen dataclass from parsed JSON. Members it does not know are passed over; a missing one is a KeyError."""
    found: Shape = _read(kind, value)
    return found


def _read(kind: Any, value: Any) -> Any:  # noqa: ANN401 - types and JSON
    if value is None:
        return None
    if get_origin(kind) in (Union, UnionType):
        return _read(next(part for part in get_args(kind) if part is not type(None)), value)
    if get_origin(kind) is tuple:
        return tuple(_read(get_args(kind)[0], member) for member in value)
    if get_origin(kind) in (dict, Mapping):
        return dict(value)
    if kind is datetime:
        return datetime.fromisoformat(value)
    if isinstance(kind, type) and is_dataclass(kind):
        hints = _hints(kind)
        return kind(**{field.name: _read(hints[field.name], value[field.name]) for field in fields(kind)})
    return value


@cache
def _hints(kind: Any) -> dict[str, Any]:  # noqa: ANN401 - a dataclass
    return get_type_hints(kind)
