"""`report`: a rollout for auditors, from the store or the server."""

import asyncio
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click

from api.cli.backend.open import open_door
from api.cli.options.shell_completion import rollout_argument
from api.cli.output.output import emit, output_option, paint, percent_text, say, span_text, table
from orchestrator.core.domain.ids import revision_name
from orchestrator.core.domain.text import counted
from orchestrator.engine.views.report_parts import ChainPart, CommandPart, Report

BROKEN = 1


@click.command("report")
@rollout_argument
@click.option(
    "--log",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Check this file alone, which `teal events ID --json` printed; ID is then the rollout's id.",
)
@output_option()
def report_command(name: str, file: Path | None, as_json: bool) -> None:
    """Show who did what, when and why in a rollout: for auditors, or to look back.

    Everything is read from the rollout's log of events, which is chained by hash: it says whether an event was
    altered, added or taken out. Exits 1 if so. Keep the last link elsewhere, such as in the change's ticket: it shows
    later that the log is still the same one.

    A log that was exported (--log) is checked without store or server. Whether later events were cut off cannot be
    known from it alone.
    """
    if file is not None:
        from api.cli.commands.report_log import check

        sys.exit(0 if check(name, file, as_json=as_json) else BROKEN)
    found = asyncio.run(_report(name))
    if as_json:
        emit(found)
    else:
        for line in lines(found):
            say(line)
    if not found.chain.is_whole:
        click.echo(paint(_broken(found.chain), "red", err=True), err=True)
        sys.exit(BROKEN)


async def _report(name: str) -> Report:
    async with open_door() as door:
        return await door.report(name)


def lines(found: Report) -> Iterator[str]:
    """The report as text, a section each."""
    yield from _head(found)
    yield from _section("phases", [(_at(m.at), m.phase, m.why) for m in found.moves])
    yield from _steps(found)
    yield from _section("weights read back", _weights(found))
    yield from _section("gates", [(_at(g.at), g.gate, g.verdict, g.reason) for g in found.gates])
    yield from _section("approvals", [_command(one) for one in found.approvals])
    yield from _section("commands", [_command(one) for one in found.commands])
    yield from _section("holds", _holds(found))
    yield from _section("changed by somebody else", [(words,) for words in found.drift])
    yield from _ending(found)
    yield from _log(found.chain)


def _head(found: Report) -> Iterator[str]:
    view, start = found.rollout, found.start
    yield f"{view.service}  {revision_name(view.former) or 'blue'} → {revision_name(view.revision)}  {view.id}"
    yield f"started   {_at(start.at)} by {start.by} ({start.source})"
    for name, text in view.labels.items():
        yield f"label     {name}: {text}"
    for image in filter(None, start.images.split(", ")):
        yield f"image     {image}"
    yield f"revision  {view.revision}"
    yield f"blue ran  {view.former or 'not read yet'}"
    yield f"plan      {view.plan}"
    yield f"phase     {view.phase}"


def _steps(found: Report) -> Iterator[str]:
    rows = [
        (
            str(step.number),
            percent_text(step.weight_percent),
            span_text(step.bake_seconds),
            "yes" if step.approval else "",
            _at(step.started_at),
            _at(step.passed_at),
        )
        for step in found.steps
    ]
    yield ""
    yield "steps"
    head = ("STEP", "GREEN", "BAKE", "APPROVAL", "WEIGHT ON EVERY RULE", "PASSED")
    yield from (f"  {line}" for line in table(head, rows))


def _weights(found: Report) -> list[tuple[str, ...]]:
    is_one = len({weight.rule for weight in found.weights}) == 1
    return [
        (_at(weight.at), percent_text(weight.green_percent), "" if is_one else weight.rule)
        for weight in found.weights
    ]


def _command(one: CommandPart) -> tuple[str, ...]:
    step = f"step {one.step}" if one.step else "before the first step"
    outcome = one.reason if one.state == "applied" else f"overtaken: {one.told}"
    return _at(one.at), one.command, f"{one.by} ({one.source})", step, outcome


def _holds(found: Report) -> list[tuple[str, ...]]:
    return [
        (
            _at(hold.since),
            _at(hold.until) or "to the end",
            hold.kind,
            f"{hold.reason}; until {hold.clears_when}",
        )
        for hold in found.holds
    ]


def _ending(found: Report) -> Iterator[str]:
    turn, end = found.turned_back, found.end
    yield ""
    if turn is not None:
        yield f"turned back  {_at(turn.at)} by {turn.by} ({turn.source}): {turn.reason}"
        if turn.traffic_on_blue_at is not None:
            took = span_text((turn.traffic_on_blue_at - turn.at).total_seconds())
            yield f"on blue      {_at(turn.traffic_on_blue_at)}, {took} later"
    yield f"ended        {_at(end.at)} {end.told}" if end is not None else "ended        not yet"


def _log(chain: ChainPart) -> Iterator[str]:
    state = "whole" if chain.is_whole else _broken(chain)
    yield f"log          {chain.events} events, {state}"
    yield f"last link    {chain.last}"


def _broken(chain: ChainPart) -> str:
    if chain.missing:
        missing = counted(chain.missing, "event")
        return f"BROKEN, {missing} missing: event {chain.first_broken} is not there, or not as it was written"
    return f"BROKEN at event {chain.first_broken}: it, or the one before it, is not as it was written"


def _section(title: str, rows: list[tuple[str, ...]]) -> Iterator[str]:
    if not rows:
        return
    yield ""
    yield title
    head, *rest = rows
    yield from (f"  {line}" for line in table(head, rest))


def _at(at: datetime | None) -> str:
    return "" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"
