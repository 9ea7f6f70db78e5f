"""`teal` by itself: quick to start, and it says what there is."""

import subprocess
import sys

import click
import pytest

from api.cli.main import COMMANDS, teal
from tests.cli.terminal import Terminal

HEAVY = (
    "pydantic",
    "boto3",
    "botocore",
    "aiobotocore",
    "sqlalchemy",
    "rich",
    "structlog",
    "fastapi",
    "asyncio",
)
LOADED = f"""
import sys
from api.cli.main import teal
teal.main(["--help"], standalone_mode=False)
print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)
"""


def test_help_imports_nothing_that_only_some_command_needs() -> None:
    ran = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    assert ran.stderr.strip() == "[]"


def test_help_names_every_command_and_the_exit_codes(terminal: Terminal) -> None:
    shown = terminal.teal("--help").stdout
    assert all(f"\n  {name} " in shown for name in COMMANDS)
    assert "130 interrupted" in " ".join(shown.split())


@pytest.mark.parametrize("name", COMMANDS)
def test_command_has_help_and_a_first_line(name: str, terminal: Terminal) -> None:
    result = terminal.teal(name, "--help")
    assert result.exit_code == 0
    command = teal.get_command(click.Context(teal), name)
    assert command is not None
    assert command.name == name
    assert command.help


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in ("serve", "schema")])
def test_command_takes_json(name: str, terminal: Terminal) -> None:
    assert "--json" in terminal.teal(name, "--help").stdout


def test_mistyped_command_is_answered_with_the_nearest_one(terminal: Terminal) -> None:
    result = terminal.teal("deplyo")
    assert result.exit_code == 2
    assert "There is no command `deplyo`. Did you mean `deploy`?" in result.stderr


def test_unknown_command_is_answered_with_where_to_look(terminal: Terminal) -> None:
    result = terminal.teal("xyzzy")
    assert result.exit_code == 2
    assert "`teal --help` lists them" in result.stderr
