"""`teal`: the list of commands, each imported only when it runs, and the one place where errors become exit codes."""

import gc
import importlib
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from api.cli.options import examples

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

INTERRUPTED = 130
SELDOM = 50_000  # objects until garbage is looked for: what is loaded is none, and half of a short command is loading

COMMANDS = {
    "demo": ("api.cli.demo.demo", "Two real rollouts on this machine, a good one and a bad one rolled back."),
    "sandbox": (
        "api.cli.commands.sandbox",
        "An AWS on this machine, with a service under it, to try Teal on.",
    ),
    "init": ("api.cli.commands.init", "Write a rollout file from what runs, with the reasons."),
    "deploy": (
        "api.cli.commands.deploy",
        "Roll a service out, with the engine in this process, until the end.",
    ),
    "undo": (
        "api.cli.commands.deploy",
        "Go back to what ran before a rollout that ended: `deploy --undo`.",
    ),
    "preflight": (
        "api.cli.commands.preflight",
        "Show what a rollout would start from, and what speaks against it.",
    ),
    "diff": ("api.cli.commands.diff", "Show what a rollout would change in the task definition."),
    "start": ("api.cli.commands.start", "Start a rollout and leave it to an engine that runs elsewhere."),
    "list": ("api.cli.commands.list_get_events", "List rollouts, the newest first."),
    "get": ("api.cli.commands.list_get_events", "Show one rollout."),
    "watch": ("api.cli.commands.watch_wait", "Follow a rollout until it ends."),
    "wait": ("api.cli.commands.watch_wait", "Wait until a rollout has come so far."),
    "events": ("api.cli.commands.list_get_events", "Show a rollout's audit log."),
    "report": (
        "api.cli.commands.report",
        "Show who did what and why in a rollout, and whether its log is whole.",
    ),
    "approve": ("api.cli.commands.approve_to_abandon", "Approve the step that waits for a person."),
    "reject": ("api.cli.commands.approve_to_abandon", "Refuse the revision: all traffic back to blue."),
    "pause": ("api.cli.commands.approve_to_abandon", "Stop advancing; gates still judge."),
    "resume": ("api.cli.commands.approve_to_abandon", "Go on advancing, or retry what Teal stopped at."),
    "promote": ("api.cli.commands.approve_to_abandon", "Waive the rest of this step's bake."),
    "back": ("api.cli.commands.approve_to_abandon", "Go back to the weight of an earlier step."),
    "rollback": ("api.cli.commands.approve_to_abandon", "Put all traffic back on blue and retire green."),
    "abandon": (
        "api.cli.commands.approve_to_abandon",
        "Write nothing more for a rollout and leave everything as it is.",
    ),
    "services": ("api.cli.commands.services", "Show what every service runs now, and how it came to that."),
    "outputs": ("api.cli.commands.outputs", "Print the names of what serves, for Terraform and scripts."),
    "serve": ("api.cli.commands.serve", "Run the engine and the HTTP API."),
    "simulate": ("api.cli.commands.simulate", "Try a plan on simulated releases, good and bad."),
    "verify-account": (
        "api.cli.commands.verify_account",
        "Try Teal in your own AWS account, and write down what AWS does.",
    ),
    "evidence": ("api.cli.commands.evidence", "Recompute the evidence of a comparison from its records."),
    "login": ("api.cli.commands.login", "Keep a token for a server under a profile."),
    "profile": (
        "api.cli.commands.profile",
        "List the servers that commands may go to, and choose among them.",
    ),
    "tokens": ("api.cli.commands.tokens", "Make, list and revoke the tokens of the HTTP API."),
    "completion": ("api.cli.commands.completion", "Teach your shell to complete all this."),
    "schema": ("api.cli.commands.schema_migrate", "Print the JSON Schema of a rollout file."),
    "migrate": ("api.cli.commands.schema_migrate", "Bring the store up to date."),
    "backup": ("api.cli.commands.backup_restore", "Copy the store, also while it is used."),
    "restore": ("api.cli.commands.backup_restore", "Put a backup in the store's place."),
    "check-store": ("api.cli.commands.backup_restore", "Say whether the store's file is whole."),
    "version": ("api.cli.commands.version", "Print which version of Teal this is."),
}
"""Name → the module that holds the command of this name, and its line in `teal --help`."""

ALIASES = {"status": "get", "abort": "rollback", "history": "services", "logs": "events"}
"""The words of other tools → the command that answers to them, in Teal's own words."""

CONTEXT: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class LazyGroup(click.Group):
    """A group whose commands are imported when they run, so that `teal --help` costs next to nothing."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command, in the order in which a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, imported now; None if there is none."""
        known = COMMANDS.get(cmd_name)
        if known is None:
            return None
        module = importlib.import_module(known[0])
        found: click.Command = getattr(module, f"{cmd_name.replace('-', '_')}_command")
        found.epilog = examples.epilog(cmd_name)
        return found

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem[str]]":
        """Commands from the table alone, then other tools' words for them, then options."""
        from click.shell_completion import CompletionItem

        offers = {name: about for name, (_, about) in COMMANDS.items()}
        offers |= {alias: f"{COMMANDS[name][1]} ({name})" for alias, name in ALIASES.items()}
        begun = [(name, about) for name, about in offers.items() if name.startswith(incomplete)]
        return [
            *(CompletionItem(name, help=about) for name, about in begun),
            *click.Command.shell_complete(self, ctx, incomplete),
        ]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table alone, each with other tools' word for it."""
        with formatter.section("Commands"):
            formatter.write_dl([(with_alias(name), line) for name, (_, line) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with the nearest name for one that is mistyped."""
        if args and args[0] not in COMMANDS and args[0] not in ALIASES and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], [*COMMANDS, *ALIASES], n=1)
            hint = f" Did you mean `{near[0]}`?" if near else " `teal --help` lists them."
            raise click.UsageError(f"There is no command `{args[0]}`.{hint}", ctx)
        own = ALIASES.get(args[0], args[0]) if args else ""
        return super().resolve_command(ctx, [own, *args[1:]] if args else args)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - as click's
        """Run a command; a TealError becomes its sentence and exit code, Ctrl-C becomes 130."""
        from orchestrator.core.domain.errors import TealError, first_of

        try:
            return super().invoke(ctx)
        except TealError as error:
            _tell(ctx, error)
            ctx.exit(error.exit_code)
        except BaseExceptionGroup as group:
            found, rest = group.split(TealError)
            if found is None or rest is not None:
                raise
            first = first_of(found)
            assert isinstance(first, TealError)
            _tell(ctx, first)
            ctx.exit(first.exit_code)
        except KeyboardInterrupt:
            ctx.exit(INTERRUPTED)


def with_alias(name: str) -> str:
    """A command's name with other tools' word for it: ``get (status)``."""
    others = [alias for alias, own in ALIASES.items() if own == name]
    return f"{name} ({', '.join(others)})" if others else name


def _tell(ctx: click.Context, error: Any) -> None:  # noqa: ANN401 - a TealError, which is imported late
    from api.cli.output.errors import about, words
    from api.cli.output.output import emit, paint, wants_json

    for line in words(error):
        click.echo(paint(line, "red", err=True), err=True)
    if wants_json(ctx):
        emit({"error": about(error), "exit_code": error.exit_code})


def _profiles(ctx: click.Context, param: click.Parameter, incomplete: str) -> Any:  # noqa: ANN401 - as click has it
    from api.cli.options.shell_completion import profiles

    return profiles(ctx, param, incomplete)


@click.command(cls=LazyGroup, context_settings=CONTEXT)
@click.version_option(package_name="teal", prog_name="teal")
@click.option(
    "--profile",
    "-p",
    metavar="NAME",
    shell_complete=_profiles,
    help="A server from the file of profiles; store: the store on this machine.",
)
def teal(profile: str | None) -> None:
    """Blue/green and canary delivery for Amazon ECS.

    Rollouts are kept in TEAL_STORE (default: SQLite in your state directory), or on the server that TEAL_SERVER
    or a profile names. Wherever ID stands, a service's name means its active rollout.

    Exit codes: 0 succeeded or done, 1 error, 2 usage, invalid file or preflight findings, 3 rolled back,
    4 gave up waiting, 5 refused in this state, 130 interrupted.
    """


def main(args: Sequence[str] | None = None) -> None:
    """Run `teal` and leave the process with its exit code."""
    gc.set_threshold(SELDOM, 20, 20)
    try:
        teal.main(args=args, prog_name="teal")
    except BrokenPipeError:  # whoever read our output has gone, for instance `head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


if __name__ == "__main__":
    main()
