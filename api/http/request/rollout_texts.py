"""A request's body as a rollout file: first in bounds by a glance, then read, wherever that is done."""

import json
import re
from collections import Counter
from typing import NoReturn

from api.problems import MistakePart, RequestInvalid, WrongType
from orchestrator.config import from_json, load_text
from orchestrator.config.text.yaml_document import DEPTH_MAX, VALUES_MAX
from orchestrator.core.rollout.spec import Spec

JSON_TYPES = frozenset({"application/json"})
YAML_TYPES = frozenset({"application/yaml", "application/x-yaml", "text/yaml"})

GLANCED_BYTES = 16 * 1024  # at a time: whoever sends one mark over and over is refused by the first of them
NESTED = "lists and objects"
MARKS = {
    NESTED: (b"[", b"{"),
    "values": (b",",),
    "lines": (b"\n", b"\r"),
    "comments": (b"#",),
}

_TOO_DEEP = ("the values are nested too deeply", f"write at most {DEPTH_MAX} levels")
_OPENING = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[{]|[\]}]', re.DOTALL)


def glance(raw: bytes, kind: str) -> None:
    """Raises RequestInvalid for what no rollout file is, before anybody reads it; WrongType for another type.

    What passes is read within a second or so.
    """
    if kind not in JSON_TYPES | YAML_TYPES:
        raise WrongType(
            what=f"a body of type `{kind or 'none'}`",
            why="a rollout file is read as JSON or YAML",
            next_step="send it with Content-Type: application/json or application/yaml",
        )
    counts = Counter({"values": 1})
    for first in range(0, len(raw), GLANCED_BYTES):
        part = raw[first : first + GLANCED_BYTES]
        for what, marks in MARKS.items():
            counts[what] += sum(map(part.count, marks))
            if counts[what] > VALUES_MAX:
                if kind in JSON_TYPES and what == NESTED:
                    _check_depth(raw)
                _refuse(f"the body has more than {VALUES_MAX} {what}", "send a rollout file")
    if kind in JSON_TYPES and counts[NESTED] > DEPTH_MAX:
        _check_depth(raw)


def _check_depth(raw: bytes) -> None:
    """Raises RequestInvalid for JSON that is nested too deeply, with the line where it becomes so."""
    depth = 0
    for found in _OPENING.finditer(raw):
        first = found.group()[:1]
        depth += first in b"[{"
        depth -= first in b"]}"
        if depth > DEPTH_MAX:
            _refuse(*_TOO_DEEP, line=raw.count(b"\n", 0, found.start()) + 1)


def spec_in(raw: bytes, kind: str) -> Spec:
    """The rollout that a body asks for. Raises Invalid with every mistake."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        _refuse("the body is not UTF-8", "send it as UTF-8")
    return from_json(_json(text)) if kind in JSON_TYPES else load_text(text, "body")


def _json(text: str) -> object:
    try:
        found: object = json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
        json.dumps(found, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        _refuse(f"the body is not JSON: {error.msg}", "check quotes, commas and brackets", error.lineno)
    except UnicodeEncodeError:
        _refuse("a text has half a character (a lone surrogate)", "write whole characters")
    except RecursionError:
        _refuse(*_TOO_DEEP)
    except ValueError as error:  # an integer of more digits than Python reads
        _refuse(f"the body is not JSON: {error}", "write a number that a rollout can mean")
    return found


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object whose keys are all different: which of two equal ones was meant cannot be known."""
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            _refuse(f'"{key[:60]}" is written twice in one object', "keep one")
        found[key] = value
    return found


def _no_number(word: str) -> NoReturn:
    _refuse(f"{word} is no JSON number", "write a number")


def _refuse(what: str, instead: str, line: int | None = None) -> NoReturn:
    raise RequestInvalid([MistakePart(pointer="", what=what, instead=instead, line=line)])
