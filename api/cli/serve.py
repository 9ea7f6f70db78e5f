"""`serve`: the engine and the HTTP door in one process."""

import click


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="The port; 0: a free one."
)
def serve_command(host: str, port: int) -> None:
    """Run the engine and the HTTP door until SIGTERM or Ctrl-C; ticks under way are finished.

    It speaks to AWS by the environment's credentials and region, and moves every rollout in TEAL_STORE.
    """
    from api.app import run

    run(host, port)
