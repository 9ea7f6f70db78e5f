"""Values with something of its own in every field, made from the types themselves: what no World brings about, too."""

import dataclasses
import json
import types
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from itertools import count
from typing import Any, NewType, TypeVar, Union, get_args, get_origin, get_type_hints

from orchestrator.core.domain.ids import Json

T = TypeVar("T")
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TURNS = 3  # so many values show every alternative of every union


def made(kind: type[T], turn: int) -> T:
    """A value of a dataclass: every text, number and time in it is there once; `turn` says which alternative."""
    return _made(kind, turn, count(1001), ())  # type: ignore[no-any-return]


def _made(kind: Any, turn: int, numbers: Iterator[int], within: tuple[Any, ...]) -> Any:  # noqa: ANN401
    if kind is Json:
        return json.dumps([f"text {next(numbers)}"])
    if isinstance(kind, NewType):
        return _made(kind.__supertype__, turn, numbers, within)
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        hints = get_type_hints(kind)
        inside = (*within, kind)
        fields = dataclasses.fields(kind)
        return kind(
            **{
                one.name: one.default is not True
                if hints[one.name] is bool
                else _made(hints[one.name], turn, numbers, inside)
                for one in fields
            }
        )
    if get_origin(kind) is tuple:
        return _tuple(get_args(kind), turn, numbers, within)
    if get_origin(kind) in (Union, types.UnionType):
        kinds = [one for one in get_args(kind) if one is not types.NoneType]
        return _made(kinds[turn % len(kinds)], turn, numbers, within)
    return _plain(kind, turn, next(numbers))


def _tuple(kinds: tuple[Any, ...], turn: int, numbers: Iterator[int], within: tuple[Any, ...]) -> Any:  # noqa: ANN401
    if kinds[-1] is not Ellipsis:
        return tuple(_made(one, turn, numbers, within) for one in kinds)
    if (
        within.count(kinds[0]) > 1
    ):  # a type that holds some of its own kind: one within another, and no deeper
        return ()
    return tuple(_made(kinds[0], turn + more, numbers, within) for more in range(2))


def _plain(kind: Any, turn: int, number: int) -> Any:  # noqa: ANN401
    if isinstance(kind, type) and issubclass(kind, Enum):
        return list(kind)[-1 - turn % len(kind)]
    values: dict[Any, Any] = {
        str: f"text {number}",
        int: number,
        float: number + 0.5,
        bool: True,
        datetime: START + timedelta(seconds=number),
        timedelta: timedelta(seconds=number),
        date: START.date() + timedelta(days=number),
    }
    return values[kind]
