"""docs/rollout-file.md: every key of the rollout file, from its published schema."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from docs.pages.markdown import code, document, table
from orchestrator import config

Schema = Mapping[str, Any]
HEAD = ("key", "values", "default", "meaning")


def page() -> str:
    """The page's text."""
    schema = config.schema()
    least = config.minimal("prod/checkout", "checkout:43")
    return document(
        "The rollout file",
        "the models of `orchestrator/config`",
        "YAML 1.2, or the same as JSON through the HTTP API. The least that works:",
        code("service: prod/checkout\nrevision: {task_definition: checkout:43}", "yaml"),
        "Everything else has a default. This is the same file with all of them written out:",
        code(config.dump(least), "yaml"),
        "Durations are written `90s`, `5m`, `1h30m`; weights in percent, at most to a tenth; shares with their sign, "
        "`5%`. Every mistake is named at once, each as `file:line: what is wrong: what to write instead`. Editors "
        "complete the file from its JSON Schema, `rollout.schema.json` here and `teal schema`.",
        table(HEAD, rows(schema, schema)),
    )


def rows_under(place: str) -> list[list[str]]:
    """The rows of a key and of those below it."""
    schema = config.schema()
    found = list(rows(schema, schema))
    return [row for row in found if re.match(rf"`{re.escape(place)}[`.\[]", row[0])]


def rows(schema: Schema, whole: Schema, before: str = "", *, inherited: Any = None) -> Iterator[list[str]]:  # noqa: ANN401 - JSON
    """A row for every key below a mapping's schema, in the order of the file."""
    for key, written in schema.get("properties", {}).items():
        name = f"{before}{key}"
        node = _resolved(written, whole)
        default = written.get("default", (inherited or {}).get(key))
        children = list(_mappings(node, whole))
        is_section = len(children) == 1 and "properties" in node
        yield [
            f"`{name}`",
            "" if is_section else _values(node, whole),
            _default(key, schema, default, is_section=is_section),
            written.get("description") or node.get("description", ""),
        ]
        for child, suffix in children:
            yield from rows(child, whole, f"{name}{suffix}.", inherited=default if is_section else None)


def _resolved(node: Schema, whole: Schema) -> Schema:
    reference = node.get("$ref")
    return whole["$defs"][reference.rpartition("/")[2]] if reference else node


def _mappings(node: Schema, whole: Schema) -> Iterator[tuple[Schema, str]]:
    """The mappings that a value may be or hold, and what stands between the key and theirs."""
    node = _resolved(node, whole)
    if "properties" in node:
        yield node, ""
    for choice in (*node.get("anyOf", ()), *node.get("oneOf", ())):
        yield from _mappings(choice, whole)
    if "items" in node:
        yield from ((child, f"[]{suffix}") for child, suffix in _mappings(node["items"], whole))
    if named := _named(node):
        yield from ((child, f".NAME{suffix}") for child, suffix in _mappings(named, whole))


def _named(node: Schema) -> Schema | None:
    """What a mapping of free names holds; names that must look a certain way stand under their pattern."""
    named = node.get("additionalProperties")
    if isinstance(named, dict):
        return named
    patterned: list[Schema] = list(node.get("patternProperties", {}).values())
    return patterned[0] if patterned else None


def _values(node: Schema, whole: Schema) -> str:
    node = _resolved(node, whole)
    choices = [c for c in (*node.get("anyOf", ()), *node.get("oneOf", ())) if c.get("type") != "null"]
    if choices:
        return " or ".join(dict.fromkeys(_values(choice, whole) for choice in choices))
    if "enum" in node:
        return ", ".join(f"`{word}`" for word in node["enum"])
    if "const" in node:
        return f"`{node['const']}`"
    if "properties" in node:
        return "a mapping"
    if "items" in node:
        return f"a list of: {_values(node['items'], whole)}"
    if named := _named(node):
        return f"a mapping of names to: {_values(named, whole)}"
    examples = ", ".join(f"`{example}`" for example in node.get("examples", ()))
    plain = {"string": "text", "boolean": "`true`, `false`", "integer": "a whole number"}
    kind = plain.get(node["type"], str(node["type"]))
    return f"{kind}, such as {examples}" if examples else kind


def _default(key: str, schema: Schema, default: Any, *, is_section: bool) -> str:  # noqa: ANN401 - JSON
    if key in schema.get("required", ()):
        return "must be written"
    if is_section or default is None:
        return ""
    return f"`{default if isinstance(default, str) else json.dumps(default)}`"
