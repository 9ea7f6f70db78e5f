"""`serve`: the engine and the HTTP door in one process."""

from pathlib import Path

import click


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="The port; 0: a free one."
)
@click.option(
    "--settings",
    "settings_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The server's settings: who may come in, which accounts and hosts are allowed, who is told. "
    "Default: the file that TEAL_SETTINGS names, else none.",
)
@click.option(
    "--require-auth",
    is_flag=True,
    help="Believe nobody unasked, also on this machine and before there is a token or an issuer.",
)
def serve_command(host: str, port: int, settings_file: Path | None, require_auth: bool) -> None:
    """Run the engine and the HTTP door until SIGTERM or Ctrl-C; ticks under way are finished.

    It speaks to AWS by the environment's credentials and region, and moves every rollout in TEAL_STORE. Beyond this
    machine it listens only once authentication is set up: a token, an issuer in the settings, or --require-auth.
    """
    from api.app import run
    from orchestrator.bootstrap import open_settings

    run(host, port, settings=open_settings(settings_file), is_auth_required=require_auth)
