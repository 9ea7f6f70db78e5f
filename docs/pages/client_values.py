"""The client's value classes, written from the OpenAPI document, so that they cannot say anything else than it."""

import keyword
import re
import textwrap
from collections.abc import Iterator
from typing import Any

from api.app import published

Node = Any  # a value of a JSON document

LEFT_OUT = frozenset({"schema", "is_alive", "is_ready", "metrics", "explain_problem"})
"""Calls that the client does not make."""
RENAMED = {"PlanView": "PlannedStep"}
REFS = "#/components/schemas/"
WIDTH = 100
PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
HEAD = '''"""What the server answers, as values. Made by docs/generate.py from the calls in api/http: change those."""

from dataclasses import dataclass
from datetime import datetime
'''


def module() -> str:
    """api/client/values.py."""
    document = published()
    schemas: dict[str, Node] = document["components"]["schemas"]
    names = list(dict.fromkeys(_needed(_roots(document), schemas)))
    enums = [name for name in names if "enum" in schemas[name]]
    classes = [name for name in names if "properties" in schemas[name]]
    head = HEAD + ("from typing import Literal\n" if enums else "")
    aliases = "".join(f"\n{_alias(name, schemas[name])}\n" for name in enums)
    return head + aliases + "".join(f"\n\n{_class(name, schemas[name])}" for name in classes)


def class_name(schema: str) -> str:
    """The client's name for a schema: without the server's word for what it shows."""
    return RENAMED.get(schema, schema.removesuffix("View"))


def _roots(document: Node) -> Iterator[str]:
    for path in document["paths"].values():
        for call in path.values():
            if call["operationId"] in LEFT_OUT:
                continue
            for status, answer in call["responses"].items():
                if status.startswith("2"):
                    yield from _refs(answer.get("content", {}).get("application/json", {}))


def _needed(roots: Iterator[str], schemas: dict[str, Node]) -> Iterator[str]:
    """The schemas that answers are made of, parts before wholes."""
    for name in sorted(set(roots)):
        yield from _below(name, schemas)


def _below(name: str, schemas: dict[str, Node]) -> Iterator[str]:
    for part in _refs(schemas[name]):
        yield from _below(part, schemas)
    yield name


def _refs(node: Node) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value.removeprefix(REFS)
            else:
                yield from _refs(value)
    elif isinstance(node, list):
        for part in node:
            yield from _refs(part)


def _alias(name: str, schema: Node) -> str:
    values = ", ".join(f'"{value}"' for value in schema["enum"])
    line = f"{class_name(name)} = Literal[{values}]"
    if len(line) > WIDTH + 10:
        parts = "".join(f'    "{value}",\n' for value in schema["enum"])
        line = f"{class_name(name)} = Literal[\n{parts}]"
    return line


def _class(name: str, schema: Node) -> str:
    required = set(schema.get("required", ()))
    lines = ["@dataclass(frozen=True, slots=True, kw_only=True)", f"class {class_name(name)}:"]
    lines += [
        f"    {line}".rstrip() for line in _docstring(schema.get("description") or f"{class_name(name)}.")
    ]
    lines.append("")
    for member, part in schema["properties"].items():
        assert member.isidentifier(), member
        assert not keyword.iskeyword(member), member
        default = "" if member in required else f" = {_default(part)}"
        lines.append(f"    {member}: {type_of(part)}{default}")
    return "\n".join(lines) + "\n"


def _docstring(text: str) -> list[str]:
    paragraphs = [re.sub(r"\s+", " ", one).strip() for one in text.split("\n\n")]
    if len(paragraphs) == 1 and len(paragraphs[0]) <= WIDTH:
        return [f'"""{paragraphs[0]}"""']
    first, *rest = [line for one in paragraphs for line in (*textwrap.wrap(one, WIDTH), "")][:-1]
    return [f'"""{first}', *rest, '"""']


def _default(part: Node) -> str:
    value = part.get("default")
    match value:
        case []:
            return "()"
        case None | bool() | int() | float():
            return repr(value)
        case str():
            return f'"{value}"'
    raise TypeError(f"no default in the client's values can be {value!r}")


def type_of(schema: Node) -> str:
    """The Python type of a JSON Schema, as far as answers use it. Raises KeyError for one that they do not yet."""
    if "$ref" in schema:
        return class_name(schema["$ref"].removeprefix(REFS))
    if "anyOf" in schema:
        parts = [type_of(part) for part in schema["anyOf"]]
        return " | ".join(
            dict.fromkeys([*(p for p in parts if p != "None"), *(p for p in parts if p == "None")])
        )
    if "const" in schema:
        return PLAIN[schema.get("type", "string")]
    match schema.get("type"):
        case "array":
            return f"tuple[{type_of(schema['items'])}, ...]"
        case "object":
            extra = schema.get("additionalProperties")
            return f"dict[str, {type_of(extra) if isinstance(extra, dict) else 'object'}]"
        case "string" if schema.get("format") == "date-time":
            return "datetime"
        case kind:
            return PLAIN[kind]
