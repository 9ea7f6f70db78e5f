"""What the commands print: words for people, one line of JSON for programs, colours only in a terminal."""

import json
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, TypeVar

import click

from orchestrator.core.domain.text import HIDDEN, visible

Wrapped = TypeVar("Wrapped", bound=Callable[..., Any])
_JSON, _FORMAT = "teal.json", "teal.format"
_HIDDEN = re.compile(f"[{HIDDEN}]")


def json_option(command: Wrapped) -> Wrapped:
    """``--json``: exactly one line of JSON on standard output, everything for people on standard error."""

    def remember(ctx: click.Context, _param: click.Parameter, value: bool) -> bool:
        meta = ctx.find_root().meta
        if value and meta.get(_FORMAT) not in (None, "", "json"):
            raise click.UsageError("--json is --output json: leave out one of them", ctx)
        is_asked = value or meta.get(_FORMAT) in ("json", "yaml")
        meta[_JSON] = is_asked
        return is_asked

    return click.option(
        "--json",
        "as_json",
        is_flag=True,
        callback=remember,
        help="Print one line of JSON on standard output, everything else on standard error.",
    )(command)


def output_option(*, has_wide: bool = False) -> Callable[[Wrapped], Wrapped]:
    """``--output`` beside ``--json``: the same value as JSON or YAML; ``wide``: more columns for people."""
    formats = ("json", "yaml", "wide") if has_wide else ("json", "yaml")

    def remember(ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
        ctx.find_root().meta[_FORMAT] = value or ""

    option = click.option(
        "--output",
        "-o",
        type=click.Choice(formats),
        is_eager=True,
        expose_value=False,
        callback=remember,
        help=f"{'json and yaml' if has_wide else 'As json or yaml'}: for programs"
        f"{'; wide: with more columns' if has_wide else ''}.",
    )
    return lambda command: option(json_option(command))


def wants_json(ctx: click.Context) -> bool:
    """True if the command that runs was asked for JSON, or the same as YAML."""
    return bool(ctx.find_root().meta.get(_JSON))


def wants_wide() -> bool:
    """True if the command that runs was asked for more columns."""
    return _format() == "wide"


def emit(value: object) -> None:
    """One line of JSON on standard output, or one document of YAML where that was asked for."""
    text = json.dumps(shape(value), ensure_ascii=False)
    if _format() == "yaml":
        click.echo(_yaml(shape(value), is_plain=not _HIDDEN.search(text) and "\\u" not in text), nl=False)
        return
    click.echo(_HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def _format() -> str:
    context = click.get_current_context(silent=True)
    return str(context.find_root().meta.get(_FORMAT, "")) if context else ""


def _yaml(value: object, *, is_plain: bool) -> str:
    """A document of YAML. ``is_plain``: nothing in it orders a terminal about; else all but ASCII is escaped."""
    from io import StringIO

    from ruamel.yaml import YAML

    writer, out = YAML(typ="safe", pure=True), StringIO()
    writer.default_flow_style, writer.allow_unicode = False, is_plain
    writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment] # members keep their order, as in JSON
    writer.explicit_start, writer.width = True, 10_000
    writer.dump(value, out)
    return out.getvalue()


def say(text: str, *, err: bool = False) -> None:
    """A sentence for people on one line, whatever the words of others in it hold."""
    click.echo(visible(text), err=err)


def shape(value: object) -> Any:  # noqa: ANN401 - JSON
    """A value as JSON: fields by their names, times as RFC 3339 in UTC, durations in seconds."""
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case timedelta():
            return value.total_seconds()
        case Enum():
            return value.value
        case Mapping():
            return {str(key): shape(member) for key, member in value.items()}
        case str() | int() | float() | None:
            return value
    if is_dataclass(value):
        return {field.name: shape(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Sequence):
        return [shape(member) for member in value]
    raise TypeError(f"{type(value).__name__} has no JSON shape")


def is_coloured(*, err: bool = False) -> bool:
    """True if colours may be written there: a terminal, and NO_COLOR (no-color.org) is not set."""
    stream = sys.stderr if err else sys.stdout
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def is_live(*, err: bool = False) -> bool:
    """True if a view may be drawn there that stays in place: a terminal that can move its cursor."""
    stream = sys.stderr if err else sys.stdout
    return stream.isatty() and os.environ.get("TERM", "") not in ("", "dumb", "unknown")


def paint(text: str, colour: str, *, err: bool = False) -> str:
    """Text in a colour, where colours may be written."""
    return click.style(text, fg=colour) if is_coloured(err=err) else text


def clock_text(at: datetime) -> str:
    """A moment of today as people read it: ``14:03:27Z``."""
    return f"{at.astimezone(UTC):%H:%M:%S}Z"


def span_text(seconds: float) -> str:
    """A span of time in its two largest units: ``41 s``, ``3 min 20 s``, ``2 h 5 min``."""
    whole = max(0, round(seconds))
    parts = ((whole // 86400, "d"), (whole // 3600 % 24, "h"), (whole // 60 % 60, "min"), (whole % 60, "s"))
    named = [f"{number} {unit}" for number, unit in parts if number]
    return " ".join(named[:2]) or "0 s"


def percent_text(percent: float | None) -> str:
    """A weight as people read it: ``10 %``, ``0.5 %``; ``–`` where green is not in the rule."""
    return "–" if percent is None else f"{percent:g} %"


def width_of(*, err: bool = False) -> int | None:
    """How many columns a terminal has; None where no person looks: nothing is wrapped there."""
    stream = sys.stderr if err else sys.stdout
    return shutil.get_terminal_size().columns if stream.isatty() else None


def wrapped(text: str, indent: str, width: int | None) -> list[str]:
    """Text in lines that fit, each after the indent; one line where the width is None."""
    text = visible(text)
    if width is None or len(indent) + len(text) <= width:
        return [indent + text]
    room = max(width - len(indent), 20)
    return [indent + line for line in textwrap.wrap(text, room, break_on_hyphens=False)]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows in aligned columns under their heads; the last column is left as long as it is."""
    rows = [[visible(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in (head, *rows)
    )
    return [line.rstrip() for line in lines]
