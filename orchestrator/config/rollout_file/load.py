"""The ways in: a file, a text, a JSON body, a command line. Each gives a Spec or every mistake at once."""

import re
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from orchestrator.config.rollout_file.build import build
from orchestrator.config.rollout_file.cross_checks import relations
from orchestrator.config.rollout_file.mistakes import translate
from orchestrator.config.rollout_file.models import File
from orchestrator.config.text.yaml_document import DEPTH_MAX, Document, Value, read_file, read_text
from orchestrator.core.domain.errors import Invalid, Mistake
from orchestrator.core.rollout.spec import Spec

MISTAKES_MAX = 100  # a file with more is not a rollout file, and nobody reads on


def load_file(path: str | Path) -> Spec:
    """The rollout that a file asks for. Raises Invalid with every mistake, each at its line."""
    return load_text(read_file(Path(path)), str(path))


def load_text(text: str, source: str = "rollout.yaml") -> Spec:
    """The rollout that a YAML text asks for. Raises Invalid with every mistake, each at its line of ``source``."""
    return _read(read_text(text, source))


def from_json(body: object, source: str = "") -> Spec:
    """The rollout that a parsed JSON body asks for. Raises Invalid with every mistake, each at its JSON pointer."""
    if _is_deep(body, DEPTH_MAX):
        what, instead = "the values are nested too deeply", f"write at most {DEPTH_MAX} levels"
        raise Invalid(source=source, mistakes=[Mistake(pointer="", what=what, instead=instead)])
    return _read(Document(source=source, value=body))


def line_of(path: str | Path, place: str) -> int | None:
    """The line of a place that is named as people say it (``gates.metric[1].query``); None if the file has none.

    Where the place itself is not written, the nearest one around it counts.
    """
    try:
        lines = read_text(read_file(Path(path)), str(path)).lines
    except Invalid:
        return None
    pointer = ""
    for key, number in re.findall(r"([A-Za-z0-9_ -]+)|\[(\d+)\]", place):
        pointer += f"/{key}" if key else f"/{int(number) - 1}"
    while pointer and pointer not in lines:
        pointer = pointer.rpartition("/")[0]
    return lines.get(pointer) if pointer else None


def minimal(service: str, task_definition: str, **overrides: Value) -> Spec:
    """The least rollout: a service as ``cluster/service`` and a revision; ``overrides`` are other keys of the file.

    A service may be named with its account, ``production:prod/checkout``. Raises Invalid with every mistake, each at
    its JSON pointer.
    """
    alias, colon, path = service.partition(":")
    account = {"account": alias} if colon else {}
    body = {"service": path if colon else service, "revision": {"task_definition": task_definition}}
    return from_json({**body, **account, **overrides})


def _read(document: Document) -> Spec:
    mistakes = list(relations(document))
    try:
        file = File.model_validate(document.value)
    except ValidationError as error:
        mistakes += translate(error, document)
        raise Invalid(source=document.source, mistakes=in_order(mistakes)) from None
    if mistakes:
        raise Invalid(source=document.source, mistakes=in_order(mistakes))
    return build(file)


def in_order(mistakes: list[Mistake]) -> list[Mistake]:
    """One mistake a place, from the top of the file down; the first to name a place knows most about it."""
    first: dict[str, Mistake] = {}
    for mistake in mistakes:
        first.setdefault(mistake.pointer, mistake)
    ordered = sorted(first.values(), key=lambda mistake: mistake.line or 0)
    more = len(ordered) - MISTAKES_MAX
    if more <= 0:
        return ordered
    rest = Mistake(
        pointer="", what=f"{more} more mistakes", instead="correct these first", line=ordered[-more].line
    )
    return [*ordered[:MISTAKES_MAX], rest]


def _is_deep(value: object, levels: int) -> bool:
    if isinstance(value, Mapping):
        return levels == 0 or any(_is_deep(member, levels - 1) for member in value.values())
    if isinstance(value, list):
        return levels == 0 or any(_is_deep(member, levels - 1) for member in value)
    return False
