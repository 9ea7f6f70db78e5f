"""`completion`: the lines that teach a shell to complete `teal`."""

import click

VARIABLE = "_TEAL_COMPLETE"
SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
def completion_command(shell: str) -> None:
    """Print what teaches a shell to complete commands, options, rollouts, services and profiles.

    Rollouts and services come from the store or server, if it answers within a moment.
    """
    click.echo(script(shell))


def script(shell: str) -> str:
    """The shell's script."""
    from click.shell_completion import ShellComplete, get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    # The base class's own: bash's would first run a bash, to see how old that one is.
    return ShellComplete.source(kind(click.Command("teal"), {}, "teal", VARIABLE)).strip()
