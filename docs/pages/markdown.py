"""The little Markdown that the pages are made of."""

from collections.abc import Iterable, Sequence


def document(title: str, source: str, *parts: str) -> str:
    """A page: its title, where it comes from, and its parts."""
    note = f"<!-- Made from {source} by docs/generate.py. Change that, then run `make docs`. -->"
    return "\n\n".join([note, f"# {title}", *parts]) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; what would break a cell is escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def code(text: str, language: str = "") -> str:
    """A block of code."""
    return f"```{language}\n{text.rstrip()}\n```"


def first_paragraph(docstring: str | None) -> str:
    """A docstring's promise on one line, its names marked as Markdown marks them."""
    return paragraphs(docstring)[0]


def paragraphs(docstring: str | None) -> list[str]:
    """A docstring's paragraphs, each on one line."""
    text = (docstring or "").replace("``", "`").strip()
    return [" ".join(part.split()) for part in text.split("\n\n")]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", "<br>")
