"""The commands that people give: each is accepted by the store or server and applied by the next tick."""

import asyncio
from collections.abc import Callable
from typing import Any

import click

from api.cli.backend.backend import Given, NewCommand
from api.cli.backend.open import open_door
from api.cli.options.shell_completion import rollout_argument
from api.cli.output.output import emit, json_option
from api.cli.output.quantities import WEIGHT
from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.ids import Tenths

Command = Callable[..., Any]


def _giving(command: Command) -> Command:
    """What every command has: the rollout, why, and JSON."""
    reason = click.option("--reason", "-r", default="", help="Why; kept in the audit log for ever.")
    step = click.option(
        "--step",
        type=click.IntRange(min=0),
        help="Only if this step is the current one; counts from 1 (0: before the first traffic).",
    )
    return rollout_argument(reason(step(json_option(command))))


def _give(name: str, command: NewCommand, *, as_json: bool) -> None:
    given = asyncio.run(_ask(name, command))
    view = given.rollout
    if as_json:
        emit(view)
    if not given.is_recorded:
        click.echo(
            f"All traffic of {view.service} is on blue. The server's store cannot be written, so its log says so only "
            "once there is room on its disk; green is removed then.",
            err=as_json,
        )
    elif not as_json:
        click.echo(f"{command.kind} accepted for {view.id} ({view.phase}): `teal watch {view.id}` follows it")


async def _ask(name: str, command: NewCommand) -> Given:
    async with open_door() as door:
        return await door.give(name, command)


@click.command("approve")
@_giving
def approve_command(name: str, reason: str, step: int | None, as_json: bool) -> None:
    """Approve the step that waits for a person.

    An approval lets the step be left once its bake and its gates allow it; it may be given from the step's start.
    """
    _give(name, NewCommand(kind=CommandKind.APPROVE, reason=reason, step=step), as_json=as_json)


@click.command("reject")
@_giving
def reject_command(name: str, reason: str, step: int | None, as_json: bool) -> None:
    """Refuse the revision: all traffic goes back to blue and green is retired."""
    _give(name, NewCommand(kind=CommandKind.REJECT, reason=reason, step=step), as_json=as_json)


@click.command("pause")
@_giving
def pause_command(name: str, reason: str, step: int | None, as_json: bool) -> None:
    """Stop advancing. Gates still judge, and a failing gate still rolls back."""
    _give(name, NewCommand(kind=CommandKind.PAUSE, reason=reason, step=step), as_json=as_json)


@click.command("resume")
@_giving
def resume_command(name: str, reason: str, step: int | None, as_json: bool) -> None:
    """Go on after a pause, a failure that was held, a failed update of blue, or what others set of its scaling."""
    _give(name, NewCommand(kind=CommandKind.RESUME, reason=reason, step=step), as_json=as_json)


@click.command("promote")
@click.option("--full", is_flag=True, help="Go straight to the last step.")
@_giving
def promote_command(name: str, reason: str, step: int | None, full: bool, as_json: bool) -> None:
    """Waive the rest of this step's bake, and the holds of its evidence gates.

    A FAIL, health, capacity and drift are never waived. While watching, it ends the watch.
    """
    _give(name, NewCommand(kind=CommandKind.PROMOTE, reason=reason, step=step, full=full), as_json=as_json)


@click.command("back")
@click.option("--to", "to", type=WEIGHT, required=True, help="The weight of an earlier step, such as 10%.")
@_giving
def back_command(name: str, reason: str, step: int | None, to: Tenths, as_json: bool) -> None:
    """Go back to an earlier step: its weight at once, its bake anew."""
    _give(name, NewCommand(kind=CommandKind.BACK, reason=reason, step=step, to=to), as_json=as_json)


@click.command("rollback")
@click.option(
    "--direct",
    is_flag=True,
    help="Break glass: with AWS credentials and a service's name alone, no server and no store.",
)
@click.option("--dry-run", is_flag=True, help="With --direct: say what would be done, and only read.")
@click.option("--yes", is_flag=True, help="With --direct: do not ask in a terminal.")
@_giving
def rollback_command(
    name: str, reason: str, step: int | None, as_json: bool, direct: bool, dry_run: bool, yes: bool
) -> None:
    """Put all traffic back on blue and retire green.

    Once settling has touched blue, blue first gets its former revision back while green keeps serving.

    With --direct, ID is CLUSTER/SERVICE, or SERVICE where only one cluster has it; green is found by its tags, and
    stays for a server that returns, or for you, to remove. It tries again until it is done or you interrupt it.
    """
    if direct:
        if step is not None:
            raise click.UsageError("--step cannot stand beside --direct, which knows no steps")
        from api.cli.commands.rollback_direct import options_of, roll_back_directly

        roll_back_directly(options_of(name, reason=reason, dry_run=dry_run, yes=yes, as_json=as_json))
        return
    if dry_run or yes:
        raise click.UsageError("--dry-run and --yes belong to --direct")
    _give(name, NewCommand(kind=CommandKind.ROLLBACK, reason=reason, step=step), as_json=as_json)


@click.command("abandon")
@click.option("--yes", is_flag=True, help="Yes: leave weights and green as they are, for me to clean up.")
@_giving
def abandon_command(name: str, reason: str, step: int | None, yes: bool, as_json: bool) -> None:
    """Write nothing more for a rollout, and leave weights, green and scaling as they are: the last resort."""
    if not yes:
        raise click.UsageError(
            "abandon leaves weights and green as they are, and nothing will clean them up. "
            f"`teal rollback {name}` puts all traffic on blue; to abandon all the same, add --yes."
        )
    _give(name, NewCommand(kind=CommandKind.ABANDON, reason=reason, step=step), as_json=as_json)
