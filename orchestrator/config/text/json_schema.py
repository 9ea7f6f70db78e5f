"""JSON Schemas as editors show them: every property says what it holds."""

from typing import Any

Node = dict[str, Any]


def described(schema: Node) -> Node:
    """The schema, with what a property refers to saying what it holds where the property itself does not."""
    parts: Node = schema.get("$defs", {})
    for owner in (schema, *parts.values()):
        for one in owner.get("properties", {}).values():
            if "description" not in one and (words := _words_of(one, parts)):
                one["description"] = words
    return schema


def _words_of(one: Node, parts: Node) -> str:
    for choice in (one, *one.get("anyOf", ())):
        name = choice.get("$ref", "").rpartition("/")[2]
        if name in parts:
            words: str = parts[name].get("description", "")
            return words.partition("\n\n")[0].replace("\n", " ")
    return ""
