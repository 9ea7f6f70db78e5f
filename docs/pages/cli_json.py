"""docs/cli-json.md: the JSON Schema of what every command prints with --json."""

import json
from typing import Any

from pydantic import TypeAdapter

from api.cli.json_types import OUTPUTS, ErrorLine, Output
from docs.pages.markdown import document, table

DIALECT = "https://json-schema.org/draft/2020-12/schema"
ABOUT = """With `--json` a command prints one line of JSON on standard output (`events`: one a line), and everything
for people on standard error. Exit codes are the same as without. New members may be added; those that are here keep
their name and meaning. Times are RFC 3339 in UTC, durations are seconds, weights are percent."""


def schema_of(kind: Any) -> dict[str, Any]:  # noqa: ANN401 - a dataclass
    """The JSON Schema of one kind of line."""
    return {"$schema": DIALECT, **TypeAdapter(kind).json_schema(mode="serialization")}


def page() -> str:
    """docs/cli-json.md."""
    rows = [[f"`teal {name}`", _link(output)] for name, output in OUTPUTS.items()]
    rows.append(["any, when it fails", f"[{_name(ErrorLine)}](#{_name(ErrorLine).lower()})"])
    kinds = dict.fromkeys([*(output.kind for output in OUTPUTS.values()), ErrorLine])
    parts = [part for kind in kinds for part in _section(kind)]
    return document(
        "What --json prints", "api/cli/json_types.py", ABOUT, table(["command", "prints"], rows), *parts
    )


def _section(kind: Any) -> list[str]:  # noqa: ANN401 - a dataclass
    schema = json.dumps(schema_of(kind), indent=2, ensure_ascii=False)
    return [f"## {_name(kind)}", f"```json\n{schema}\n```"]


def _link(output: Output) -> str:
    name = _name(output.kind)
    return f"{'a line each: ' if output.is_each else ''}[{name}](#{name.lower()})"


def _name(kind: object) -> str:
    """What people call it: without the code's word for what it shows."""
    if getattr(kind, "__origin__", None) is dict:
        return "Names"
    if not isinstance(kind, type) or getattr(kind, "__args__", None):
        return "Evidence"
    return {"Made": "NewToken", "Shown": "Token"}.get(kind.__name__, kind.__name__.removesuffix("View"))
