"""A value that is either a word or more: how pydantic tells which, and the words on and off."""

from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

from orchestrator.config.text.fields import refusal
from orchestrator.config.text.quantities import shown


class Sorted(StrEnum):
    """Tags of a value's variants; the parentheses keep them apart from keys where pydantic puts them in a place."""

    WORD = "(word)"
    MANY = "(many)"
    TREE = "(tree)"


def word_or_many(value: object) -> Sorted:
    """Which variant a value is, where one is a word and the other a mapping or a list."""
    return Sorted.MANY if isinstance(value, dict | list) else Sorted.WORD


def _on_off(value: object) -> object:
    if value in ("on", "off"):
        return value == "on"
    if isinstance(value, bool):
        return value
    raise refusal(f"{shown(value)} is neither on nor off", "write on or off")


OnOff = Annotated[
    bool, BeforeValidator(_on_off), WithJsonSchema({"anyOf": [{"enum": ["on", "off"]}, {"type": "boolean"}]})
]
