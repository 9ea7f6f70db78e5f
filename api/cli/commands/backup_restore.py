"""`backup`, `restore` and `check-store`: what keeps the store's file, also while a server uses it."""

from pathlib import Path

import click

from api.cli.output.output import emit, json_option
from orchestrator import bootstrap
from orchestrator.core.domain.text import counted
from orchestrator.store_at_hand import store_url

FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("backup")
@click.argument("file", type=FILE)
@json_option
def backup_command(file: Path, as_json: bool) -> None:
    """Copy the store that TEAL_STORE names to FILE, also while a server uses it.

    FILE has its name once the copy was found whole; it overwrites nothing.
    """
    copied = bootstrap.backup_store(file)
    if as_json:
        emit({"file": str(file), "rollouts": copied.rollouts, "active": copied.active, "bytes": copied.size})
        return
    active = f", {len(copied.active)} of them under way" if copied.active else ""
    click.echo(
        f"{file} holds {counted(copied.rollouts, 'rollout')}{active} ({copied.size:,} bytes), and is whole"
    )


@click.command("restore")
@click.argument("file", type=FILE)
@click.option(
    "--with-active",
    is_flag=True,
    help="Also with rollouts under way: each is held against AWS before anything is done for it.",
)
@json_option
def restore_command(file: Path, with_active: bool, as_json: bool) -> None:
    """Put the backup FILE in the place of the store that TEAL_STORE names. No engine may use it meanwhile."""
    copied = bootstrap.restore_store(file, with_active=with_active)
    if as_json:
        emit({"file": str(file), "rollouts": copied.rollouts, "active": copied.active, "bytes": copied.size})
        return
    click.echo(f"{store_url()} holds {counted(copied.rollouts, 'rollout')}, as {file} does")
    for rollout in copied.active:
        click.echo(
            f"under way when it was made: {rollout}. An engine does nothing for it until AWS agrees with it, "
            "and says so in its log",
            err=True,
        )


@click.command("check-store")
@json_option
def check_store_command(as_json: bool) -> None:
    """Say whether the store's file is whole: every page, index and reference. Exits with 1 if not.

    `teal serve` looks at the pages alone whenever it starts.
    """
    found = bootstrap.faults_of_store()
    if as_json:
        emit({"store": store_url(), "faults": found})
    elif not found:
        click.echo(f"{store_url()} is whole")
    for words in () if as_json else found:
        click.echo(words)
    if found:
        raise click.exceptions.Exit(1)
