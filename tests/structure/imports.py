"""The project's imports as a graph, lazy and type-checking ones included, and its circles and floors."""

from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter

import grimp

PACKAGES = ("orchestrator", "api", "sandbox")


@cache
def graph() -> dict[str, frozenset[str]]:
    """Every module of the project, and the project's modules that it imports anywhere in its text."""
    built = grimp.build_graph(*PACKAGES)
    return {module: frozenset(built.find_modules_directly_imported_by(module)) for module in built.modules}


def inside(package: str) -> dict[str, frozenset[str]]:
    """The graph of one package's own modules."""
    modules = {module for module in graph() if module.startswith(f"{package}.")}
    return {module: graph()[module] & modules for module in modules}


def circle(imports: dict[str, frozenset[str]]) -> list[str]:
    """One circle of modules that import each other, in order; empty: there is none."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found
    return []


def floors(imports: dict[str, frozenset[str]]) -> dict[str, int]:
    """How many modules stand on each other below and with each module; 1: it imports none."""
    heights: dict[str, int] = {}
    for module in TopologicalSorter(imports).static_order():
        heights[module] = 1 + max((heights[below] for below in imports[module]), default=0)
    return heights


def tallest(imports: dict[str, frozenset[str]]) -> Iterator[str]:
    """The longest way down, from the top."""
    heights = floors(imports)
    at = max(heights, key=heights.__getitem__)
    yield at
    while imports[at]:
        at = max(imports[at], key=heights.__getitem__)
        yield at
