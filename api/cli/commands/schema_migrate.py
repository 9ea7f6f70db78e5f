"""`schema` and `migrate`: what an installation needs now and then."""

import asyncio
import json

import click

from api.cli.output.output import emit, json_option
from orchestrator import bootstrap
from orchestrator.store_at_hand import store_url


@click.command("schema")
@click.option("--settings", "of_settings", is_flag=True, help="Of the server's settings file instead.")
def schema_command(of_settings: bool) -> None:
    """Print the JSON Schema of a rollout file, for editors and checks."""
    if of_settings:
        from orchestrator.config.settings_file.models import settings_schema as schema
    else:
        from orchestrator.config import schema

    click.echo(json.dumps(schema(), indent=2, ensure_ascii=False))


@click.command("migrate")
@json_option
def migrate_command(as_json: bool) -> None:
    """Bring the store that TEAL_STORE names up to date.

    Every other command does so too when it opens it; none does while an engine works on it.
    """
    asyncio.run(_open())
    if as_json:
        emit({"store": store_url()})
    else:
        click.echo(f"{store_url()} is up to date")


async def _open() -> None:
    async with bootstrap.open_store():
        pass
