"""Core values as JSON text, and back.

The JSON of a row outlives the code that wrote it: a field that is missing takes its default, one that is not known
any more is passed over, and anything else that does not fit stops the reading of this row, loudly.

Each text says of which version its shape is. A version goes up where a text would be misread otherwise: then `decode`
brings the older ones up to it, and an older Teal refuses the newer one instead of passing over what it does not know.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any, NewType, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from orchestrator.core.domain.commands import Command
from orchestrator.core.domain.events import Event
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.store.errors import Unusable
from orchestrator.store.row_versions import ROW_VERSION, upgraded

Value = TypeVar("Value", Rollout, Event, Command)

# Evidence may hold an infinite ratio. JSON has no word for it, and by default it would be written as null and read
# as a broken row.
_CONFIG = ConfigDict(ser_json_inf_nan="constants")
# pydantic lets nobody configure a dataclass from outside, but a name for one.
_RolloutRow = NewType("_RolloutRow", Rollout)
_EventRow = NewType("_EventRow", Event)
_CommandRow = NewType("_CommandRow", Command)
_NAMED = {"Rollout": _RolloutRow, "Event": _EventRow, "Command": _CommandRow}
# Of the texts that are written. One that names none is of the first: 0.1.0 did not write any.
_VERSIONS = {"Rollout": ROW_VERSION, "Event": 1, "Command": 1}
_SHOWN = 3  # mistakes spelt out in a message; the first ones tell enough


@dataclass(frozen=True, slots=True, kw_only=True)
class _Versioned:
    """What is read of a text before all else."""

    version: int = 1


def encode(value: Rollout | Event | Command) -> str:
    """A value as JSON text, its version first; `decode` gives an equal value back."""
    name = type(value).__name__
    return _head(name) + _adapter(name).dump_json(value).decode()[1:]


def decode(kind: type[Value], text: str, *, rollout: RolloutId) -> Value:
    """The value of JSON text that belongs to a rollout. Raises Unusable, naming the rollout, if it does not fit."""
    try:
        if not text.startswith(_head(kind.__name__)):
            text = _as_today(kind.__name__, text, rollout)
        value: Value = _adapter(kind.__name__).validate_json(text)
    except ValidationError as error:
        raise Unusable(
            what=f"rollout {rollout} cannot be read from the store: its {kind.__name__.lower()} does not fit",
            why=_mistakes(error),
            next_step="Use the version of Teal that wrote it, or restore the store from a backup.",
        ) from error
    return value


def _as_today(name: str, text: str, rollout: RolloutId) -> str:
    """A text of another version as this code writes it. Raises Unusable if the version is newer than this code."""
    version, known = _versioned().validate_json(text).version, _VERSIONS[name]
    if version > known:
        raise Unusable(
            what=f"rollout {rollout} cannot be read from the store: its {name.lower()} was written by a newer Teal",
            why=f"it is of version {version}, and this Teal reads {name.lower()}s up to version {known}",
            next_step="Use the version of Teal that wrote it or a newer one; nothing was changed.",
        )
    return upgraded(text, version) if name == "Rollout" and version < known else text


@cache
def _head(name: str) -> str:
    """How the texts begin that this code writes."""
    return f'{{"version":{_VERSIONS[name]},'


@cache
def _versioned() -> TypeAdapter[_Versioned]:
    return TypeAdapter(_Versioned)


@cache
def _adapter(name: str) -> TypeAdapter[Any]:
    # Built at first use: building one costs more than a short command's whole work.
    return TypeAdapter(_NAMED[name], config=_CONFIG)


def _mistakes(error: ValidationError) -> str:
    found = error.errors(include_url=False, include_input=False, include_context=False)
    shown = [
        f"{'.'.join(str(part) for part in one['loc']) or 'text'}: {one['msg']}" for one in found[:_SHOWN]
    ]
    more = len(found) - len(shown)
    return "; ".join([*shown, *([f"and {more} more"] if more else [])])
