"""What differs between two task definitions, for people: whole, or in one line."""

from collections.abc import Iterator, Sequence

from orchestrator.core.cloud.definition_differences import Difference, short

NOTHING = "the two task definitions run the same"
UNKNOWN = "what differs from what blue runs is not known"


def in_one_line(found: Sequence[Difference] | None) -> str:
    """By names alone."""
    if found is None:
        return UNKNOWN
    return f"differs from what blue runs: {short(found)}" if found else NOTHING


def whole(found: Sequence[Difference]) -> Iterator[str]:
    """Every difference with what it was and will be, under its container."""
    owner = None
    width = max((len(f"{one.field} {one.name}".strip()) for one in found), default=0)
    for one in sorted(found, key=lambda one: one.container):
        if one.container != owner:
            owner = one.container
            yield owner or "task"
        yield f"  {_mark(one)} {f'{one.field} {one.name}'.strip():{width}}  {_values(one)}".rstrip()


def _mark(one: Difference) -> str:
    return "+" if one.before is None else "-" if one.after is None else "~"


def _values(one: Difference) -> str:
    if one.before is None:
        return _shown(one.after)
    if one.after is None:
        return _shown(one.before)
    if one.before == one.after:
        return f"{one.before} changes"
    return f"{_shown(one.before)} → {_shown(one.after)}"


def _shown(value: str | None) -> str:
    """On one line whatever it holds, and nothing that a terminal would obey."""
    text = "".join(c if c.isprintable() else repr(c)[1:-1] for c in value or "")
    return text or '""'
