"""YAML text into plain values, and the line of every one of them.

The text is composed into nodes, not constructed: nodes keep their places, several mistakes can be told at once, and
nothing that a document could ask for (tags, types, merge keys) is ever built. Anchors and aliases are refused, so the
values are never larger than the text.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    NodeEvent,
)
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from orchestrator.config.text.quantities import shown
from orchestrator.core.domain.errors import Invalid, Mistake

BYTES_MAX = 256 * 1024
DEPTH_MAX = 20
VALUES_MAX = 10_000  # far beyond any plan; reading more would take seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class FileKind:
    """Which file is read, as mistakes name it."""

    name: str
    least: str  # what to write into an empty one
    one: str  # what to write instead of two documents


ROLLOUT = FileKind(
    name="rollout file", least="write at least service and revision", one="write one rollout a file"
)

Value = object  # str, int, float, bool, None, list[Value] or dict[str, Value]

# What the YAML reader lets slip on malformed text besides its own errors: it is the text's fault all the same.
_SLIPS = (ValueError, ArithmeticError, LookupError, AttributeError, TypeError, AssertionError, RecursionError)
_INT = re.compile(r"[-+]?\d{1,18}", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\d{1,15}\.\d{0,15}|\.\d{1,15})", re.ASCII)
_HALF = ("half a character (a lone surrogate)", "write whole characters")
_KIND = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What was written: plain values, and the line of each by its JSON pointer (none for a JSON body)."""

    source: str
    value: Value
    lines: Mapping[str, int] = field(default_factory=dict)

    def section(self, key: str) -> dict[str, Value]:
        """The mapping under a key of the file; an empty one if there is none."""
        found = self.value.get(key) if isinstance(self.value, dict) else None
        return found if isinstance(found, dict) else {}

    def mistake(self, pointer: str, what: str, instead: str) -> Mistake:
        """A mistake at a place; where the place itself is missing, at the nearest one around it."""
        place = pointer
        while place and place not in self.lines:
            place = place.rpartition("/")[0]
        return Mistake(pointer=pointer, what=what, instead=instead, line=self.lines.get(place))


def step_into(pointer: str, key: str | int) -> str:
    """The JSON pointer (RFC 6901) of a member."""
    return f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"


def read_file(path: Path, kind: FileKind = ROLLOUT) -> str:
    """A file's text. Raises Invalid if it cannot be read, is too large, or is not UTF-8."""
    try:
        with path.open("rb") as file:
            raw = file.read(BYTES_MAX + 1)
    except OSError as error:
        reason = error.strerror or "it cannot be opened"
        raise _invalid(
            str(path), None, f"the file cannot be read: {reason}", "name a readable file"
        ) from error
    except ValueError as error:  # a NUL in the path
        raise _invalid(kind.name, None, "its path is not a path", "name a readable file") from error
    if len(raw) > BYTES_MAX:
        raise _too_large(str(path), kind)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _invalid(str(path), line, "the text is not UTF-8", "save the file as UTF-8") from error


def read_text(text: str, source: str, kind: FileKind = ROLLOUT) -> Document:
    """The document in a text. Raises Invalid if it is no YAML 1.2, too large, or uses what a file of Teal's may not."""
    if len(text.encode("utf-8", "surrogatepass")) > BYTES_MAX:
        raise _too_large(source, kind)
    try:
        _refuse_features(text, source, kind)
        root = _reader().compose(text)
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _invalid(source, line, "a character that YAML does not allow", "remove it") from error
    except MarkedYAMLError as error:
        raise _malformed(error, source) from error
    except (YAMLError, *_SLIPS) as error:
        raise _invalid(source, 1, "the text is not YAML", "check quotes, brackets and indentation") from error
    if root is None:
        raise _invalid(source, 1, "the file is empty", kind.least)
    found = _Reading()
    value = found.value(root, "")
    if found.mistakes:
        raise Invalid(source=source, mistakes=found.mistakes)
    return Document(source=source, value=value, lines=found.lines)


def _reader() -> YAML:
    reader = YAML(typ="safe", pure=True)
    reader.version = (1, 2)
    return reader


def _refuse_features(text: str, source: str, kind: FileKind) -> None:
    mistakes: list[Mistake] = []
    depth = documents = values = 0
    for event in _reader().parse(text):
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        documents += isinstance(event, DocumentStartEvent)
        values += isinstance(event, NodeEvent)
        # Both bounds protect what reads the text after this: its stack, and its time.
        if depth > DEPTH_MAX:
            mistakes.append(
                _at(event, "the values are nested too deeply", f"write at most {DEPTH_MAX} levels")
            )
            break
        if values > VALUES_MAX:
            mistakes.append(
                _at(event, f"the file holds more than {VALUES_MAX} values", f"name a {kind.name}")
            )
            break
        mistakes += _features(event, documents, kind)
    if mistakes:
        raise Invalid(source=source, mistakes=mistakes)


def _features(event: Event, documents: int, kind: FileKind) -> Iterator[Mistake]:
    if isinstance(event, DocumentStartEvent):
        if documents > 1:
            yield _at(event, "a second document begins", kind.one)
        if event.version not in (None, (1, 2)) or event.tags:
            yield _at(event, "a YAML directive", "remove it: the file is read as YAML 1.2")
    elif isinstance(event, NodeEvent) and event.anchor is not None:
        name = "an alias" if isinstance(event, AliasEvent) else "an anchor"
        yield _at(event, f"{name} ({shown(event.anchor)})", "write the value out where it is used")
    elif getattr(event, "ctag", None) is not None:
        yield _at(event, "a YAML tag", f"remove it: a {kind.name} holds plain values")


def _at(event: Event, what: str, instead: str) -> Mistake:
    return Mistake(pointer="", what=what, instead=instead, line=event.start_mark.line + 1)


def _malformed(error: MarkedYAMLError, source: str) -> Invalid:
    mark = error.problem_mark or error.context_mark
    problem = " ".join(str(error.problem or error.context or "malformed").split())
    instead = "check quotes, brackets and indentation"
    if "'\\t'" in problem:
        instead = "indent with spaces"
    return _invalid(source, mark.line + 1 if mark else 1, f"the text is not YAML: {problem}", instead)


def _too_large(source: str, kind: FileKind) -> Invalid:
    return _invalid(source, None, "the file is larger than 256 KiB", f"name a {kind.name}")


def _invalid(source: str, line: int | None, what: str, instead: str) -> Invalid:
    return Invalid(source=source, mistakes=[Mistake(pointer="", what=what, instead=instead, line=line)])


class _Reading:
    """One walk over the nodes: values, the line of each, and keys that cannot be read."""

    def __init__(self) -> None:
        self.lines: dict[str, int] = {}
        self.mistakes: list[Mistake] = []

    def value(self, node: Node, pointer: str) -> Value:
        self.lines.setdefault(pointer, node.start_mark.line + 1)
        match node:
            case ScalarNode():
                if not _is_whole(node):
                    self._wrong(pointer, node.start_mark.line + 1, *_HALF)
                return _scalar(node)
            case SequenceNode():
                return [self.value(item, step_into(pointer, i)) for i, item in enumerate(node.value)]
            case _:
                return self._mapping(node, pointer)

    def _mapping(self, node: Node, pointer: str) -> dict[str, Value]:
        assert isinstance(node, MappingNode)
        values: dict[str, Value] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, ScalarNode):
                self._wrong(pointer, line, "a key that is a list or a mapping", "write a word as the key")
                continue
            if not _is_whole(key_node):
                self._wrong(pointer, line, *_HALF)
                continue
            key = str(key_node.value)
            place = step_into(pointer, key)
            if key in values:
                first = self.lines[place]
                self._wrong(place, line, f"{shown(key)} is written twice (first in line {first})", "keep one")
                continue
            # A value may begin on a later line than its key; people look for the key.
            self.lines[place] = line
            values[key] = self.value(value_node, place)
        return values

    def _wrong(self, pointer: str, line: int, what: str, instead: str) -> None:
        self.mistakes.append(Mistake(pointer=pointer, what=what, instead=instead, line=line))


def _is_whole(node: ScalarNode) -> bool:
    """False for a text with a lone surrogate, as ``"\\ud800"`` writes one: no store and no answer can hold it."""
    return not any("\ud800" <= character <= "\udfff" for character in str(node.value))


def _scalar(node: ScalarNode) -> Value:
    """A scalar by YAML 1.2's core schema; a number too long or too odd to matter here stays text."""
    text, kind = str(node.value), str(node.tag).removeprefix(_KIND)
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true"
    if kind == "int" and _INT.fullmatch(text):
        return int(text)
    if kind == "float" and _FLOAT.fullmatch(text):
        return float(text)
    return text
