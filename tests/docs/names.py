"""What pages name of the code: paths, and names in files."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_NAMED = re.compile(r"`((?:api|docs|helm-free|orchestrator|sandbox|tests)/[\w./-]*)(?::([A-Za-z_][\w.]*))?`")


def named_in(page: str) -> set[tuple[str, str]]:
    """Every path of the project that a page names, each with the name behind its colon, if there is one."""
    return {
        (found[1], found[2] or "") for found in _NAMED.finditer((ROOT / page).read_text(encoding="utf-8"))
    }


def defined_in(path: str) -> set[str]:
    """What a module defines at its top, and what its classes do, as ``Class.method``."""
    names: set[str] = set()
    for node in ast.parse((ROOT / path).read_text(encoding="utf-8")).body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                names.add(name)
            case ast.ClassDef(name=name, body=body):
                names |= {name, *(f"{name}.{inner}" for part in body for inner in _names_of(part))}
            case _:
                names |= _names_of(node)
    return names


def _names_of(node: ast.stmt) -> set[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return {name}
        case ast.Assign(targets=targets):
            return {target.id for target in targets if isinstance(target, ast.Name)}
        case ast.AnnAssign(target=ast.Name(id=name)):
            return {name}
        case _:
            return set()


def unknown_in(page: str) -> list[str]:
    """What a page names and the project does not have."""
    return sorted(
        f"{path}:{name}" if name else path
        for path, name in named_in(page)
        if not (ROOT / path).exists() or (name and name not in defined_in(path))
    )
