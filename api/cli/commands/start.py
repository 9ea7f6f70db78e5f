"""`start`: a rollout for an engine that runs elsewhere."""

import asyncio
import secrets
import sys

import click

from api.cli.backend.open import open_door
from api.cli.backend.profiles import target
from api.cli.commands.watch_wait import follow
from api.cli.options.rollout_options import Asked, rollout_options, spec_of
from api.cli.output.output import emit, json_option
from orchestrator.core.rollout.spec import Spec
from orchestrator.engine.views.rollout_values import RolloutView


@click.command("start")
@rollout_options
@click.option("--watch", "is_watched", is_flag=True, help="Follow it until it ends.")
@click.option("--quiet", "-q", is_flag=True, help="Print the rollout's id alone, for scripts.")
@click.option("--key", default="", help="An idempotency key: the same key again starts nothing new.")
@json_option
def start_command(
    asked: Asked,
    is_watched: bool,
    quiet: bool,
    key: str,
    as_json: bool,
) -> None:
    """Start a rollout and return: it moves while `teal serve` or `teal deploy` runs on the same store."""
    if quiet and (is_watched or as_json):
        raise click.UsageError("--quiet prints the id alone: leave out --watch and --json")
    spec = spec_of(asked)
    key = key or secrets.token_hex(8)
    if is_watched:
        sys.exit(asyncio.run(_start_and_follow(spec, key, as_json=as_json)))
    view = asyncio.run(_start(spec, key))
    if as_json:
        emit(view)
    elif quiet:
        click.echo(view.id)
    else:
        _tell(view)


async def _start(spec: Spec, key: str) -> RolloutView:
    async with open_door() as door:
        return await door.start(spec, key=key)


async def _start_and_follow(spec: Spec, key: str, *, as_json: bool) -> int:
    async with open_door() as door:
        view = await door.start(spec, key=key)
        return await follow(door, view.id, timeout=None, as_json=as_json)


def _tell(view: RolloutView) -> None:
    click.echo(f"{view.id} is started: {view.service} to {view.revision}")
    if not target().server:
        click.echo(
            "It moves while an engine runs on this store: `teal serve`, or `teal deploy` with the same file."
        )
    click.echo(f"`teal watch {view.id}` follows it.")
