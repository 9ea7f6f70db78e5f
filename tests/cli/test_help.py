"""`teal` by itself: quick to start, and it says what there is."""

import re
import shlex
import subprocess
import sys

import click
import pytest

from api.cli.main import COMMANDS, teal
from api.cli.options.examples import EXAMPLES
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


@pytest.mark.machine
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


GROUPS = {
    "tokens": ("create", "list", "revoke"),
    "profile": ("list", "show", "use", "remove", "set"),
}


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in ("serve", "schema", "completion")])
def test_command_takes_json(name: str, terminal: Terminal) -> None:
    commands: list[tuple[str, ...]] = [(name, one) for one in GROUPS.get(name, ())]
    for words in commands or [(name,)]:
        assert "--json" in terminal.teal(*words, "--help").stdout


def test_mistyped_command_is_answered_with_the_nearest_one(terminal: Terminal) -> None:
    result = terminal.teal("deplyo")
    assert result.exit_code == 2
    assert "There is no command `deplyo`. Did you mean `deploy`?" in result.stderr


def test_unknown_command_is_answered_with_where_to_look(terminal: Terminal) -> None:
    result = terminal.teal("xyzzy")
    assert result.exit_code == 2
    assert "`teal --help` lists them" in result.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_command_shows_examples_that_it_would_take(name: str, terminal: Terminal) -> None:
    shown = terminal.teal(name, "--help").stdout
    assert EXAMPLES[name], f"write examples for {name} in api/cli/options/examples.py"
    for example in EXAMPLES[name]:
        assert example in shown
        for words in (shlex.split(one, comments=True) for one in _commands(example)):
            context = teal.make_context("teal", words[1:], resilient_parsing=False)
            _parse(teal, context, context._protected_args + context.args)


def _commands(example: str) -> list[str]:
    """The calls of teal in an example, without what a shell does around them."""
    inner = re.findall(r"\$\((.*?)\)", example)
    return inner or [example.partition(" > ")[0]]


def _parse(group: click.Group, context: click.Context, words: list[str]) -> None:
    """Have click read a command's words, without running it."""
    name, command, rest = group.resolve_command(context, words)
    assert command is not None
    own = command.make_context(name, rest, parent=context)
    if isinstance(command, click.Group):
        _parse(command, own, own._protected_args + own.args)


def test_examples_are_of_commands_that_there_are() -> None:
    assert set(EXAMPLES) - {"report"} <= set(COMMANDS)
