"""Core values as JSON text, and back.

The JSON of a row outlives the code that wrote it: a field that is missing takes its default, one that is not known
any more is passed over, and anything else that does not fit stops the reading of this row, loudly.
"""

from functools import cache
from typing import Any, NewType, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from orchestrator.core.domain.commands import Command
from orchestrator.core.domain.events import Event
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.store.errors import Unusable

Value = TypeVar("Value", Rollout, Event, Command)

# Evidence may hold an infinite ratio. JSON has no word for it, and by default it would be written as null and read
# as a broken row.
_CONFIG = ConfigDict(ser_json_inf_nan="constants")
# pydantic lets nobody configure a dataclass from outside, but a name for one.
_RolloutRow = NewType("_RolloutRow", Rollout)
_EventRow = NewType("_EventRow", Event)
_CommandRow = NewType("_CommandRow", Command)
_NAMED = {"Rollout": _RolloutRow, "Event": _EventRow, "Command": _CommandRow}
_SHOWN = 3  # mistakes spelt out in a message; the first ones tell enough


def encode(value: Rollout | Event | Command) -> str:
    """A value as JSON text; `decode` gives an equal value back."""
    return _adapter(type(value).__name__).dump_json(value).decode()


def decode(kind: type[Value], text: str, *, rollout: RolloutId) -> Value:
    """The value of JSON text that belongs to a rollout. Raises Unusable, naming the rollout, if it does not fit."""
    try:
        value: Value = _adapter(kind.__name__).validate_json(text)
    except ValidationError as error:
        raise Unusable(
            what=f"rollout {rollout} cannot be read from the store: its {kind.__name__.lower()} does not fit",
            why=_mistakes(error),
            next_step="Use the version of Teal that wrote it, or restore the store from a backup.",
        ) from error
    return value


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
