"""What is published for programs and for the terminal: the JSON Schema, the OpenAPI document, every command's help."""

import json

import click

from api.app import published
from api.cli.main import COMMANDS, CONTEXT, teal, with_alias
from docs.pages.markdown import code, document
from orchestrator import config
from orchestrator.config.settings_file.models import settings_schema as of_settings

WIDTH = 100


def schema() -> str:
    """docs/rollout.schema.json."""
    return _json(config.schema())


def settings_schema() -> str:
    """docs/settings.schema.json."""
    return _json(of_settings())


def openapi() -> str:
    """docs/openapi.json."""
    return _json(published())


def cli() -> str:
    """docs/cli.md."""
    wide = {**CONTEXT, "terminal_width": WIDTH}
    top = click.Context(teal, info_name="teal", **wide)
    parts = [code(teal.get_help(top))]
    for name in COMMANDS:
        command = teal.get_command(top, name)
        assert command is not None
        own = click.Context(command, info_name=name, parent=top, **wide)
        parts += [f"## teal {with_alias(name)}", code(command.get_help(own))]
        for under in command.commands.values() if isinstance(command, click.Group) else ():
            inner = click.Context(under, info_name=under.name, parent=own, **wide)
            parts += [f"### teal {name} {under.name}", code(under.get_help(inner))]
    return document("The command line", "`teal --help`", *parts)


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
