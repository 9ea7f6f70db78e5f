"""What an author says of a rollout in words of their own: the commit, the build, the change. Teal only shows it."""

import re
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

from orchestrator.config.text.fields import refusal
from orchestrator.config.text.quantities import shown

LABELS_MAX, LABEL_MAX = 16, 256  # they are kept in the row, and shown whole wherever the rollout is
EXAMPLE = {"commit": "9fceb02", "build": "4711"}

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,62}", re.ASCII)


def _mapping(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise refusal(f"{shown(value)} is not names and texts", "write a mapping: {commit: 9fceb02}")
    if len(value) > LABELS_MAX:
        raise refusal(f"{len(value)} labels are too many", f"write at most {LABELS_MAX}")
    return value


def _name(value: object) -> str:
    if isinstance(value, str) and _NAME.fullmatch(value):
        return value
    raise refusal(
        f"{shown(value)} is no name of a label", "write a letter, then at most 62 letters, digits, _, - or ."
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        # A short commit of digits alone is a number to YAML, and 12e4567 one that is too large for it.
        raise refusal(f"{shown(value)} is not a text", 'write it in quotes: "1234567"')
    if not value.strip() or not value.isprintable() or len(value) > LABEL_MAX:
        raise refusal(
            f"{shown(value)} cannot be shown on a line", f"write one line of 1 to {LABEL_MAX} characters"
        )
    return value


Labels = Annotated[
    dict[Annotated[str, BeforeValidator(_name)], Annotated[str, BeforeValidator(_text)]],
    BeforeValidator(_mapping),
    WithJsonSchema(
        {
            "type": "object",
            "propertyNames": {"pattern": f"^{_NAME.pattern}$"},
            "additionalProperties": {"type": "string", "minLength": 1, "maxLength": LABEL_MAX},
            "maxProperties": LABELS_MAX,
            "examples": [EXAMPLE],
        }
    ),
]
