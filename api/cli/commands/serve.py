"""`serve`: the engine, and the HTTP door beside it in a process of its own."""

import os
from pathlib import Path

import click

_NO_FILE = (
    "there is no settings file, neither by --settings nor by TEAL_SETTINGS: every setting has its default"
)


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="The port; 0: a free one."
)
@click.option(
    "--settings",
    "settings_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The server's settings: who has access, which accounts and hosts are allowed, who is notified. "
    "Default: the file that TEAL_SETTINGS names, else none.",
)
@click.option(
    "--require-auth",
    is_flag=True,
    help="Require a token of everybody, also on this machine and before there is a token or an issuer.",
)
@click.option(
    "--check", is_flag=True, help="Read the settings, say what is wrong with them (exit 2), and end."
)
def serve_command(host: str, port: int, settings_file: Path | None, require_auth: bool, check: bool) -> None:
    """Run the engine and the HTTP API until SIGTERM or Ctrl-C; ticks under way are finished.

    It speaks to AWS by the environment's credentials and region, and moves every rollout in TEAL_STORE. Beyond this
    machine it listens only once authentication is set up: a token, an issuer in the settings, or --require-auth.
    """
    from orchestrator.bootstrap import open_settings

    settings = open_settings(settings_file)
    if check:
        click.echo("the settings are right" if settings_file or os.environ.get("TEAL_SETTINGS") else _NO_FILE)
        return
    from api.serving.engine import run

    run(host, port, settings=settings, is_auth_required=require_auth)
