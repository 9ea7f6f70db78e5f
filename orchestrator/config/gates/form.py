"""How a gate is written in a rollout file: its key's model, the settings it means, and the same written back.

Most gates are on, off, or a mapping of their settings, and their form is made from those settings alone. A gate whose
file says more has a form of its own beside this file.
"""

from collections.abc import Callable, Iterator
from dataclasses import Field as DataclassField
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, Generic, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, WithJsonSchema, create_model

from orchestrator.config.text.fields import Flag, Share, SomeTime, Text, choice, one_word, reader
from orchestrator.config.text.quantities import duration_text, share_text, shown
from orchestrator.config.text.variants import OnOff, Sorted, word_or_many
from orchestrator.config.text.yaml_document import Document, Value
from orchestrator.core.domain.errors import Mistake
from orchestrator.core.gates.gate import Gate, Setting

S = TypeVar("S")


class Model(BaseModel):
    """A mapping in the file: its keys are known, and its values are read by the core's own types."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


def no_mistakes(_: Document) -> Iterator[Mistake]:
    """Of a form whose values are right together as soon as each is right alone."""
    return iter(())


@dataclass(frozen=True, slots=True, kw_only=True)
class Form(Generic[S]):
    """One gate's key under `gates`. What pydantic reads with `annotation`, `build` makes the core's settings of."""

    gate: Gate[S]
    annotation: Any
    key: Any  # the pydantic Field: default and description
    build: Callable[[Any], S]
    document: Callable[[S], Value]  # None: the file need not say anything
    mistakes: Callable[[Document], Iterator[Mistake]] = no_mistakes


def made_from_settings(gate: Gate[S]) -> Form[S]:
    """The form of a gate whose settings have a field ``on``, and fields that say how they are written."""
    kind: Any = type(gate.usual)
    settings: dict[str, DataclassField[Any]] = {
        one.name: one for one in fields(kind) if Setting in one.metadata
    }
    types = get_type_hints(kind)
    keys: dict[str, Any] = {
        name: (_annotation(types[name], one.metadata[Setting]), _field(one)) for name, one in settings.items()
    }
    model = create_model(
        f"{gate.name.title().replace('_', '')}Model",
        __base__=Model,
        __doc__=(kind.__doc__ or "").partition("\n")[0],
        **keys,
    )
    variants: Any = Annotated[
        Annotated[OnOff, Tag(Sorted.WORD)] | Annotated[model, Tag(Sorted.MANY)],
        Discriminator(word_or_many),
    ]

    def build(value: Any) -> S:  # noqa: ANN401 - a bool, or the model made above
        said = {} if isinstance(value, bool) else {name: getattr(value, name) for name in settings}
        made: S = replace(gate.usual, on=value if isinstance(value, bool) else True, **said)  # type: ignore[type-var] # a dataclass
        return made

    def document(spec: S) -> Value:
        if not gate.is_on(spec):
            return "off"
        written = {
            name: _written(getattr(spec, name), one.metadata[Setting]) for name, one in settings.items()
        }
        return written or "on"

    return Form(
        gate=gate,
        annotation=variants if settings else OnOff,
        key=Field(default=gate.is_on(gate.usual), description=gate.says),
        build=build,
        document=document,
    )


def _field(one: DataclassField[Any]) -> Any:  # noqa: ANN401 - as pydantic's Field
    told, default = one.metadata[Setting], one.default
    usual: Any = {"default": _written(default, told)}
    return Field(default=default, description=told.says, json_schema_extra=usual)


def _annotation(kind: type, told: Setting) -> Any:  # noqa: ANN401 - what pydantic takes for a type
    if told.is_share:
        return Share
    plain: dict[type, Any] = {bool: Flag, timedelta: SomeTime, str: Text}
    if kind in plain:
        return plain[kind]
    if issubclass(kind, StrEnum):
        return Annotated[kind, choice(kind), one_word(kind)]
    return _number(kind, told)


def _number(kind: type, told: Setting) -> Any:  # noqa: ANN401 - what pydantic takes for a type
    word, noun = ("integer", "whole number") if kind is int else ("number", "number")

    def read(value: object) -> float:
        is_right = isinstance(value, int) if kind is int else isinstance(value, int | float)
        if isinstance(value, bool) or not is_right or not told.least <= kind(value) <= told.most:
            instead = f"write a {noun} from {told.least:g} to {told.most:g}"
            raise ValueError(f"{shown(value)} is no {noun} that is possible here", instead)
        found: float = kind(value)
        return found

    bounds = {"type": word, "minimum": told.least, "maximum": told.most}
    return Annotated[kind, reader(read), WithJsonSchema(bounds)]


def _written(value: object, told: Setting) -> Value:
    if isinstance(value, timedelta):
        return duration_text(value)
    if isinstance(value, StrEnum):
        return value.value
    return share_text(value) if told.is_share and isinstance(value, float) else value
