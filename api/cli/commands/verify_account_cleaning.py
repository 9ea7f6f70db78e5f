"""`verify-account --clean`: what stopped runs left, one at a time, and never what a run under way uses."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from api.cli.output.output import emit
from orchestrator import bootstrap
from orchestrator.store_at_hand import state_folder
from orchestrator.verify.cleaning import Elsewhere, clean
from orchestrator.verify.journal import ROWS, Busy, Journal, held, unfinished
from orchestrator.verify.place.removing import Left
from orchestrator.verify.wanted import Wanted

FAILED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """What `--clean` left: nothing, or what AWS did not let go."""

    id: str
    left: tuple[Left, ...]


def root() -> Path:
    """Where the folders of runs are."""
    return state_folder() / "verify"


def must_be_alone(wanted: Wanted) -> None:
    """Raises Busy where another run on the same service is not over: each would meet a green that is not its own."""
    for folder in unfinished(root()) if wanted.service else ():
        if Journal.read(folder)[1].service == wanted.service:
            raise Busy(
                what=f"no run was begun on {wanted.service}",
                why=f"run {folder.name} on it is not over, or has left something",
                next_step=f"wait for its end, or clean up with `teal verify-account --clean --id {folder.name}`",
            )


def clean_up(run: str, *, as_json: bool) -> int:
    """Clean up after a run, or without one after all that left something; the exit code."""
    if run:
        found = [_clean_one(root() / run, as_json=as_json)]
        refused = 0
    else:
        found, refused = _clean_all(as_json=as_json)
    if as_json:
        for one in found:
            emit(one)
    return FAILED if refused or any(one.left for one in found) else 0


def _clean_all(*, as_json: bool) -> tuple[list[Cleaned], int]:
    """Every run that left something, and how many of them could not be cleaned up: those that others use or made."""
    folders, found, refused = unfinished(root()), [], 0
    if not folders:
        click.echo("No run has left anything.", err=as_json)
    for folder in folders:
        try:
            found.append(_clean_one(folder, as_json=as_json))
        except (Busy, Elsewhere) as why:
            refused += 1
            click.echo(str(why), err=True)
    return found, refused


def _clean_one(folder: Path, *, as_json: bool) -> Cleaned:
    """Raises Busy, Elsewhere, or NotFound where there is no such run."""
    with held(folder):
        return asyncio.run(_cleaned(folder, as_json=as_json))


async def _cleaned(folder: Path, *, as_json: bool) -> Cleaned:
    journal, wanted = Journal.read(folder)
    async with bootstrap.open_verification(folder / ROWS, role=wanted.role) as means:
        left = await clean(wanted, means, journal, lambda words: click.echo(words, err=as_json))
    for line in in_words(left, wanted.id):
        click.echo(line, err=as_json)
    return Cleaned(id=wanted.id, left=left)


def in_words(left: tuple[Left, ...], run: str) -> Iterator[str]:
    """What a run left, for people, with what removes it by hand."""
    if not left:
        yield "Everything that was made is removed."
        return
    yield "Not removed:"
    for one in left:
        yield f"  {one.kind} {one.name}: {one.why}"
    yield f"Try again with `teal verify-account --clean --id {run}`, or by hand, in this order:"
    for one in left:
        yield f"  {one.command}"
