"""The project's own source as trees: for what a page tells of code that no value describes."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


@cache
def trees(folder: str) -> tuple[tuple[str, ast.Module], ...]:
    """Every module below a folder of the project: its dotted name and its tree, in the order of names."""
    found = []
    for path in sorted((ROOT / folder).rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        found.append((name, ast.parse(path.read_text(encoding="utf-8"))))
    return tuple(found)


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    """Every call in a tree."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def name_of(node: ast.expr) -> str:
    """The last name of what is called or referred to: ``tell`` of ``draft.tell``."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def strings(call: ast.Call) -> list[str]:
    """The text constants that a call is given by position."""
    return [a.value for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
