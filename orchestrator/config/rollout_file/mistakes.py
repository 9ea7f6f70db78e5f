"""What pydantic found, in the project's words: where, what, and what to write instead."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from orchestrator.config.rollout_file.models import File
from orchestrator.config.text.fields import near
from orchestrator.config.text.quantities import shown
from orchestrator.config.text.yaml_document import Document, Value, step_into
from orchestrator.core.domain.errors import Mistake
from orchestrator.core.gates.registry import GATES


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """What a kind of file may hold, and how its mistakes are told."""

    model: type[BaseModel]
    elsewhere: Mapping[
        str, str
    ]  # keys that people write at the top, or by another name, and where they belong
    examples: Mapping[str, str]  # by JSON pointer: what to write where something is missing
    schema: str  # the command that prints the file's schema


ROLLOUT = Vocabulary(
    model=File,
    elsewhere={
        **{gate.name: "write it under gates" for gate in GATES.values()},
        "approvers": "write it under approval",
        "cluster": "write service: cluster/service",
        "period": "write it under metrics",
        "rules": "write it under traffic",
        "steps": "write the steps as plan",
        "task_definition": "write revision: {task_definition: …}",
        "timeout": "write limits, or approval: {timeout: …}",
    },
    examples={
        "/service": "write service: cluster/service, such as prod/checkout",
        "/revision": "write revision: {task_definition: family:revision}",
        "/revision/task_definition": "write task_definition: family:revision, such as checkout:43",
    },
    schema="teal schema",
)
_NOT_MAPPING = frozenset({"model_type", "model_attributes_type", "dict_type"})


def translate(
    error: ValidationError, document: Document, vocabulary: Vocabulary = ROLLOUT
) -> Iterator[Mistake]:
    """Every mistake in a failed validation of the vocabulary's model."""
    for details in error.errors(include_url=False):
        yield _mistake(details, document, vocabulary)


def _mistake(details: ErrorDetails, document: Document, vocabulary: Vocabulary) -> Mistake:
    pointer, keys = _place(details["loc"], document.value)
    kind, context = details["type"], details.get("ctx", {})
    last = str(details["loc"][-1]) if details["loc"] else ""
    if kind == "teal":
        what = f"{_named(keys)}: {context['what']}" if keys else str(context["what"])
        return document.mistake(pointer, what, str(context["instead"]))
    if kind == "extra_forbidden":
        return document.mistake(
            pointer, f"{shown(_named(keys))} is not a known key", _instead_of(last, keys[:-1], vocabulary)
        )
    if kind == "missing":
        where = step_into(pointer, last)
        what = f"{_named((*keys, last))} is missing"
        return document.mistake(where, what, vocabulary.examples.get(where, f"write {last}: …"))
    if kind in _NOT_MAPPING:
        what = f"{_named(keys) or 'the file'} is {_kind(details['input'])}, not a mapping"
        return document.mistake(
            pointer, what, f"write keys such as {', '.join(_known(keys, vocabulary)[:3])}"
        )
    if kind == "list_type":
        what = f"{_named(keys)} is {_kind(details['input'])}, not a list"
        return document.mistake(pointer, what, "write a list: [ … ]")
    return document.mistake(pointer, f"{_named(keys)}: {details['msg']}", f"see `{vocabulary.schema}`")


def _place(loc: tuple[int | str, ...], value: Value) -> tuple[str, tuple[int | str, ...]]:
    """The JSON pointer of a place, without the names pydantic adds for a value's variants."""
    pointer, keys = "", []
    for part in loc:
        found = _member(value, part)
        if found is None:
            continue
        (value,) = found
        pointer = step_into(pointer, part)
        keys.append(part)
    return pointer, tuple(keys)


def _member(value: Value, part: int | str) -> tuple[Value] | None:
    if isinstance(value, list):
        return (value[part],) if isinstance(part, int) else None
    return (value[part],) if isinstance(value, dict) and part in value else None


def _named(keys: tuple[int | str, ...]) -> str:
    """A place as people say it: ``plan[2].bake``, counted from 1."""
    text = ""
    for key in keys:
        text += f"[{key + 1}]" if isinstance(key, int) else f".{key}"
    return text.removeprefix(".")


def _kind(value: object) -> str:
    return shown(value) if value is None or isinstance(value, dict | list) else f"the value {shown(value)}"


def _instead_of(key: str, around: tuple[int | str, ...], vocabulary: Vocabulary) -> str:
    if not around and key in vocabulary.elsewhere:
        return vocabulary.elsewhere[key]
    known = _known(around, vocabulary)
    meant = near(key, known)
    return f"did you mean {meant}?" if meant else f"write one of {', '.join(known)}"


def _known(keys: tuple[int | str, ...], vocabulary: Vocabulary) -> list[str]:
    """The keys that may stand at a place."""
    model = vocabulary.model
    for place, key in enumerate(keys):
        following = keys[place + 1] if place + 1 < len(keys) else None
        field = next((one for name, one in _fields(model) if name == key), None)
        if field is not None:
            found = list(_models_in(field.annotation))
            # What stands in a list is meant where a number follows; else what stands by itself, if anything does.
            meant = [one for one, is_listed in found if is_listed == isinstance(following, int)]
            model = next(iter([*meant, *(one for one, _ in found)]), model)
    return [name for name, _ in _fields(model)]


def _fields(model: type[BaseModel]) -> Iterator[tuple[str, FieldInfo]]:
    """The fields by their names in the file."""
    return ((field.alias or name, field) for name, field in model.model_fields.items())


def _models_in(annotation: object, *, is_listed: bool = False) -> Iterator[tuple[type[BaseModel], bool]]:
    """The models inside an annotation such as a union or a list of variants, and whether each stands in a list."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, is_listed
        return
    inner = get_args(annotation)[:1] if get_origin(annotation) is Annotated else get_args(annotation)
    for one in inner:
        yield from _models_in(one, is_listed=is_listed or get_origin(annotation) is list)
