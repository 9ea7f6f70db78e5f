"""Every field of both files given everything that it is not: no mistake speaks Python, pydantic or a regex."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from orchestrator.config import from_json
from orchestrator.config.rollout_file.models import schema
from orchestrator.config.settings_file.load import read_settings
from orchestrator.config.settings_file.models import settings_schema
from orchestrator.config.text.yaml_document import step_into
from orchestrator.core.domain.errors import Invalid, Mistake

WRONG: tuple[object, ...] = (
    *(None, True, 7, -1, 1.5, 10**17),
    *("", " ", "?", "a b", "x" * 400, "\u202e"),
    *([], [None], [[]], ["?"], [7], {}, {"?": 1}, {"": []}),
)
FOREIGN = re.compile(
    r"Input should|\bNone\b|\bTrue\b|\bFalse\b|\bdict(ionary)?\b|\bint(eger)?\b|\bstr(ing)?\b|\bfloat\b|\btuple\b"
    r"|_type\b|_parsing|value_error|[Vv]alidation|[Vv]alidator|pydantic|\bregex|\bpattern '|valid list|\bnull\b|<class"
    r"|Annotated|Model\b|datetime|\[[a-zA-Z0^]-|\\[dwsx]|\]\+|\]\*|\{\d+,\d*\}|\(\?|\)\?|\.\*\$"
)
DEPTH_MAX = 7


def places(
    found: dict[str, Any], whole: dict[str, Any], path: tuple[str | int, ...] = ()
) -> Iterator[tuple[str | int, ...]]:
    """Every place of a schema: members of mappings by their key, of lists by 0, of open mappings by a name."""
    if len(path) > DEPTH_MAX:
        return
    if "$ref" in found:
        found = whole["$defs"][found["$ref"].rpartition("/")[2]] | {
            k: v for k, v in found.items() if k != "$ref"
        }
    for key in ("anyOf", "oneOf", "allOf"):
        for variant in found.get(key, ()):
            yield from places(variant, whole, path)
    for name, member in found.get("properties", {}).items():
        yield (*path, name)
        yield from places(member, whole, (*path, name))
    if isinstance(found.get("items"), dict):
        yield (*path, 0)
        yield from places(found["items"], whole, (*path, 0))
    if isinstance(found.get("additionalProperties"), dict):
        yield (*path, "some-name")
        yield from places(found["additionalProperties"], whole, (*path, "some-name"))


def put(path: tuple[str | int, ...], value: object) -> Any:  # noqa: ANN401 - a document
    """A document that holds the value at this place, and nothing else."""
    for key in reversed(path):
        value = [value] if isinstance(key, int) else {key: value}
    return value


def test_keys_are_named_as_the_file_has_them() -> None:
    (mistake,) = mistakes_of(settings, {"freezes": [7]})
    assert mistake.instead == "write keys such as from, to, zone"


def mistakes_of(read: Callable[[Any], object], document: Any) -> tuple[Mistake, ...]:  # noqa: ANN401 - a document
    try:
        read(document)
    except Invalid as error:
        return error.mistakes
    return ()


def rollout(document: dict[str, Any]) -> object:
    return from_json({"service": "prod/checkout", "revision": {"task_definition": "checkout:43"}, **document})


def settings(document: dict[str, Any]) -> object:
    import json

    return read_settings(json.dumps(document), environment={})  # JSON is YAML


@pytest.mark.parametrize(("read", "whole"), [(rollout, schema()), (settings, settings_schema())])
def test_no_mistake_in_any_field_speaks_of_types_or_patterns(
    read: Callable[[Any], object], whole: dict[str, Any]
) -> None:
    every = sorted(set(places(whole, whole)), key=str)
    assert len(every) > 50
    told: dict[str, str] = {}
    for path in every:
        pointer = ""
        for key in path:
            pointer = step_into(pointer, key)
        for value in WRONG:
            for mistake in mistakes_of(read, put(path, value)):
                words = f"{mistake.what}: {mistake.instead}"
                if FOREIGN.search(words) or not mistake.what or not mistake.instead or "\n" in words:
                    told.setdefault(words, f"{pointer} = {value!r}")
    assert told == {}
