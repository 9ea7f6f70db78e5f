"""Makes what is kept beside a row, so that it can be shown without the row's own types."""

from functools import cache
from typing import Any, NewType

from pydantic import ConfigDict, TypeAdapter

from orchestrator.core.ownership.service_of_record import serves
from orchestrator.engine.views.kept import FORM, Kept
from orchestrator.engine.views.rollout import view
from orchestrator.ports.rollouts import Stored

# As in the store's codec: JSON has no word for an infinite ratio, and a dataclass takes no configuration but by a name.
_CONFIG = ConfigDict(ser_json_inf_nan="constants")
_Text = NewType("_Text", Kept)


def kept(stored: Stored) -> Kept:
    """What doors show of a row."""
    row = stored.rollout
    return Kept(
        form=FORM,
        rollout=view(stored),
        serves=serves(row),
        is_blue_read=row.blue is not None,
        is_first=bool(row.spec.first_tasks),
    )


def text_of(stored: Stored) -> str:
    """The same as JSON text, for the store."""
    return _adapter().dump_json(kept(stored)).decode()


@cache
def _adapter() -> TypeAdapter[Any]:
    return TypeAdapter(_Text, config=_CONFIG)
