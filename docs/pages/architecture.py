"""The drawn parts of docs/architecture.md: packages, layers and rooms, from pyproject.toml's import contracts.

The page itself is written by hand. What stands between ``<!-- drawn: NAME -->`` and ``<!-- end -->`` in it is made
here, so that the picture is the one that `make layers` enforces, and each room is described by its own first line.
"""

import ast
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from docs.pages.markdown import code, first_paragraph, table

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "architecture.md"
DRAWN = ("", "api", "orchestrator", "orchestrator.core")  # containers with a picture of their own
_PART = re.compile(r"(<!-- drawn: (\w+) -->\n).*?(<!-- end -->)", flags=re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """One contract of layers: what it is about, where, and its layers from the top down."""

    name: str
    container: str
    layers: tuple[tuple[str, ...], ...]


def contracts() -> tuple[Contract, ...]:
    """Every contract of layers in pyproject.toml, in its order."""
    linter = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    return tuple(
        Contract(
            name=one["name"],
            container="".join(one.get("containers", ())),
            layers=tuple(tuple(re.findall(r"\w+", layer)) for layer in one["layers"]),
        )
        for one in linter["contracts"]
        if one["type"] == "layers"
    )


def of_container(container: str) -> Contract:
    """The contract of the layers inside a package."""
    return next(one for one in contracts() if one.container == container)


def about(module: str) -> str:
    """The first line of a module's or package's docstring."""
    path = ROOT.joinpath(*module.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return first_paragraph(ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))))


def place(module: str) -> str:
    """Where a module or package is, from the root."""
    path = Path(*module.split("."))
    return f"{path}/" if (ROOT / path).is_dir() else f"{path}.py"


def _layers(contract: Contract, prefix: str) -> list[str]:
    lines = []
    for number, layer in enumerate(contract.layers):
        lines += [f'    subgraph {prefix}{number}[" "]', "        direction LR"]
        lines += [f'        {prefix}_{room}["{room}"]' for room in layer]
        lines.append("    end")
    lines += [f"    {prefix}{number} --> {prefix}{number + 1}" for number in range(len(contract.layers) - 1)]
    return lines


def _packages() -> str:
    """The packages of the doors and of the orchestrator, one below the other."""
    doors, inside = of_container("api"), of_container("orchestrator")
    lines = ["flowchart TD", *_layers(doors, "api"), *_layers(inside, "orchestrator")]
    lines.append(f"    api{len(doors.layers) - 1} --> orchestrator0")
    lines.append('    sandbox["sandbox (imports nothing of Teal)"]')
    return code("\n".join(lines), "mermaid")


def _core() -> str:
    return code("\n".join(["flowchart TD", *_layers(of_container("orchestrator.core"), "core")]), "mermaid")


def _table_of(container: str) -> str:
    rows = [
        [f"`{place(f'{container}.{room}')}`", about(f"{container}.{room}")]
        for layer in of_container(container).layers
        for room in layer
    ]
    return table(["where", "what is there"], rows)


def _others() -> str:
    """The layers of every other package that has some."""
    rows = [
        [
            f"`{place(one.container)}`",
            " → ".join(", ".join(f"`{room}`" for room in layer) for layer in one.layers),
        ]
        for one in contracts()
        if one.container not in DRAWN
    ]
    return table(["package", "its rooms, from the top layer down"], rows)


def drawn() -> Mapping[str, str]:
    """Each drawn part by its name."""
    return {
        "packages": _packages(),
        "doors": _table_of("api"),
        "orchestrator": _table_of("orchestrator"),
        "core": _core(),
        "rooms": _table_of("orchestrator.core"),
        "others": _others(),
    }


def page() -> str:
    """The page's text: as it is written, with every drawn part as the contracts have it."""
    parts = drawn()
    return _PART.sub(
        lambda found: f"{found[1]}\n{parts[found[2]]}\n\n{found[3]}", PAGE.read_text(encoding="utf-8")
    )
