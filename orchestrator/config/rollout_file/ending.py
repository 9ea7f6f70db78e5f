"""The section `ending`: what becomes of blue, and what cannot be asked for together with a swap."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, WithJsonSchema

from orchestrator.config.text.fields import choice, one_word, reader
from orchestrator.config.text.quantities import shown
from orchestrator.config.text.yaml_document import Document, Value
from orchestrator.core.domain.errors import Mistake
from orchestrator.core.rollout.spec import Ending

SETTLE = Ending.SETTLE.value
WAYS = "write settle, {swap: keep} or {swap: delete}"


class Swapped(StrEnum):
    """What becomes of blue where green stays."""

    KEEP = Ending.KEEP.value
    DELETE = Ending.DELETE.value


def _settle(value: object) -> str:
    if value == SETTLE:
        return SETTLE
    if value == "swap":
        raise ValueError(
            "swap alone does not say what becomes of blue", "write {swap: keep} or {swap: delete}"
        )
    raise ValueError(f"{shown(value)} is not known here", WAYS)


class SwapModel(BaseModel):
    """Green stays, as the service of record."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    swap: Annotated[Swapped, choice(Swapped), one_word(Swapped)] = Field(
        description="keep: a blue that Teal did not make stays, without tasks; delete: it is deleted. "
        "One that an earlier swap left is Teal's own, and goes in any case. Target groups that Teal did not make stay."
    )


def _sort(value: object) -> str:
    return "(swap)" if isinstance(value, dict | list | SwapModel) else "(word)"


EndingWord = Annotated[
    Annotated[str, reader(_settle), WithJsonSchema({"const": SETTLE}), Tag("(word)")]
    | Annotated[SwapModel, Tag("(swap)")],
    Discriminator(_sort),
]


def build_ending(ending: str | SwapModel) -> Ending:
    """The ending that a file asks for."""
    return Ending(ending.swap.value) if isinstance(ending, SwapModel) else Ending.SETTLE


def ending_document(ending: Ending) -> Value:
    """The ending as the file has it."""
    return {"swap": ending.value} if ending.is_swap else SETTLE


def ending_relations(document: Document, value: dict[str, Value]) -> Iterator[Mistake]:
    """What makes no sense where green stays in blue's place."""
    ending, revision = value.get("ending"), value.get("revision")
    if not isinstance(ending, dict) or "swap" not in ending:
        return
    if isinstance(revision, dict) and revision.get("colour_variable"):
        what = "green stays, and its tasks would be told for ever that they are green"
        instead = "write ending: settle, or remove revision.colour_variable"
        yield document.mistake("/revision/colour_variable", what, instead)
    if value.get("first_deployment") is not None:
        what = "a first deployment has no blue whose place green could take"
        yield document.mistake("/first_deployment", what, "write ending: settle for this one")
