"""`version`: which Teal this is."""

from importlib.metadata import version

import click

from api.cli.output.output import emit, json_option


@click.command("version")
@json_option
def version_command(as_json: bool) -> None:
    """Print which version of Teal this is, as `teal --version` does."""
    number = version("teal")
    if as_json:
        emit({"version": number})
    else:
        click.echo(f"teal, version {number}")
