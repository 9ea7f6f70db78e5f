"""Holds a line of JSON to what docs/cli-json.md says of it."""

from functools import cache
from typing import Any

import jsonschema_rs

from api.cli.json_types import OUTPUTS, ErrorLine
from docs.pages.cli_json import schema_of


def hold_to_schema(command: str, line: Any) -> None:  # noqa: ANN401 - JSON
    """Raises ValidationError unless a line is what the command prints with --json; `error` for an error's line."""
    _validator(command).validate(line)


@cache
def _validator(command: str) -> Any:  # noqa: ANN401 - the library's
    kind = ErrorLine if command == "error" else OUTPUTS[command].kind
    return jsonschema_rs.validator_for({**_closed(schema_of(kind))}, validate_formats=True)


def _closed(node: Any) -> Any:  # noqa: ANN401 - JSON
    """The schema with no member allowed that it does not name: a new one must be documented."""
    if isinstance(node, list):
        return [_closed(part) for part in node]
    if not isinstance(node, dict):
        return node
    closed = {key: _closed(value) for key, value in node.items()}
    if "properties" in closed and isinstance(closed.get("type"), str):
        closed.setdefault("additionalProperties", False)
    return closed
