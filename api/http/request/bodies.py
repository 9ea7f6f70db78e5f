"""A request's body as a rollout file, JSON or YAML; every mistake at once, each with its JSON pointer."""

import json
from typing import NoReturn

from fastapi import Request

from api.problems import MistakePart, RequestInvalid, WrongType
from orchestrator.config import from_json, load_text
from orchestrator.core.rollout.spec import Spec

JSON_TYPES = frozenset({"application/json"})
YAML_TYPES = frozenset({"application/yaml", "application/x-yaml", "text/yaml"})


async def spec_of(request: Request) -> Spec:
    """The rollout that a body asks for. Raises Invalid, or WrongType for a media type it does not read."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    raw = await request.body()
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        _refuse("the body is not UTF-8", "send it as UTF-8")
    if kind in JSON_TYPES:
        return from_json(_json(text))
    if kind in YAML_TYPES:
        return load_text(text, "body")
    raise WrongType(
        what=f"a body of type `{kind or 'none'}`",
        why="a rollout file is read as JSON or YAML",
        next_step="send it with Content-Type: application/json or application/yaml",
    )


def _json(text: str) -> object:
    try:
        found: object = json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
        json.dumps(found, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        _refuse(f"the body is not JSON: {error.msg}", "check quotes, commas and brackets", error.lineno)
    except UnicodeEncodeError:
        _refuse("a text has half a character (a lone surrogate)", "write whole characters")
    except RecursionError:
        _refuse("the values are nested too deeply", "write at most 20 levels")
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
