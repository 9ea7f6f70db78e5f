"""Keys and values that the rollout file will have and this version has not: each is refused by name.

Nothing that a person writes is silently left out, and nobody is told that a documented key is unknown.
"""

from collections.abc import Callable
from dataclasses import dataclass

from orchestrator.config.document import Document, Value
from orchestrator.core.errors import Mistake

REMOVE = "remove it"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Later:
    path: tuple[str, ...]
    instead: str = REMOVE
    values: Callable[[Value], bool] = lambda _: True  # which values are meant; the others are read as usual
    what: str = ""


_LATER = (
    _Later(
        path=("capacity", "green"),
        values=lambda value: value == "stepped",
        what="capacity: {green: stepped} is not available yet",
        instead="write full, or remove it",
    ),
)


def later(document: Document) -> tuple[Value, tuple[Mistake, ...]]:
    """The document's value without what is not available yet, and a mistake for each such thing."""
    value, mistakes = document.value, []
    for entry in _LATER:
        found = _member(value, entry.path)
        if found is None or not entry.values(found[0]):
            continue
        pointer = "".join(f"/{key}" for key in entry.path)
        name = ".".join(entry.path)
        mistakes.append(
            document.mistake(pointer, entry.what or f"{name} is not available yet", entry.instead)
        )
        value = _without(value, entry.path)
    return value, tuple(mistakes)


def _member(value: Value, path: tuple[str, ...]) -> tuple[Value] | None:
    for key in path:
        if not isinstance(value, dict) or key not in value:
            return None
        value = value[key]
    return (value,)


def _without(value: Value, path: tuple[str, ...]) -> Value:
    assert isinstance(value, dict)
    key, *rest = path
    if rest:
        return {**value, key: _without(value[key], tuple(rest))}
    return {name: member for name, member in value.items() if name != key}
