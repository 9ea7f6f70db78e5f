"""Values with something in every field, built from the types themselves, so that no new field is forgotten."""

import dataclasses
import types
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from typing import Any, NewType, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

_INT = st.integers(min_value=-(2**62), max_value=2**62)
_PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(max_size=12),
    bool: st.booleans(),
    int: _INT,
    float: st.floats(allow_nan=False),
    datetime: st.datetimes(timezones=st.just(UTC)),
    timedelta: st.timedeltas(),
    date: st.dates(),
    types.NoneType: st.none(),
}


def values_of(kind: Any, within: tuple[Any, ...] = ()) -> st.SearchStrategy[Any]:  # noqa: ANN401  # any type annotation
    """Values of a type made of dataclasses, tuples, unions, enums and plain types, drawn for every field.

    A type that holds some of its own kind is drawn one within another, and no deeper.
    """
    if isinstance(kind, NewType):
        return values_of(kind.__supertype__, within)
    if kind in _PLAIN:
        return _PLAIN[kind]
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        hints = get_type_hints(kind)
        inside = (*within, kind)
        fields = {field.name: values_of(hints[field.name], inside) for field in dataclasses.fields(kind)}
        return st.builds(kind, **fields)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return st.sampled_from(kind)
    if get_origin(kind) is tuple:
        inner = get_args(kind)
        if inner[-1] is Ellipsis and within.count(inner[0]) > 1:
            return st.just(())
        if inner[-1] is Ellipsis:
            return st.lists(values_of(inner[0], within), max_size=2).map(tuple)
        return st.tuples(*(values_of(one, within) for one in inner))
    if get_origin(kind) in (Union, types.UnionType):
        return st.one_of(*(values_of(one, within) for one in get_args(kind)))
    raise NotImplementedError(f"say here what values of {kind} look like")
