"""The words that people bring from other tools answer as Teal's own command does."""

import pytest
from click.shell_completion import ShellComplete

from api.cli.main import ALIASES, COMMANDS, teal
from tests.cli.terminal import Terminal


def test_status_is_get(terminal: Terminal, rolled_back: str) -> None:
    assert terminal.teal("status", rolled_back).stdout == terminal.teal("get", rolled_back).stdout
    assert terminal.json("status", rolled_back) == terminal.json("get", rolled_back)


def test_logs_are_events(terminal: Terminal, rolled_back: str) -> None:
    assert terminal.teal("logs", rolled_back).stdout == terminal.teal("events", rolled_back).stdout


def test_history_is_a_services_rollouts(terminal: Terminal, rolled_back: str) -> None:
    shown = terminal.teal("history", "checkout").stdout
    assert shown == terminal.teal("services", "checkout").stdout
    assert rolled_back in shown


def test_abort_is_rollback_and_says_so(terminal: Terminal, shifting: str) -> None:
    result = terminal.teal("abort", "checkout", "--reason", "looks odd")
    assert (
        result.stdout == f"rollback accepted for {shifting} (shifting): `teal watch {shifting}` follows it\n"
    )
    (given,) = terminal.commands().commands
    assert (given.kind.value, given.reason) == ("rollback", "looks odd")


@pytest.mark.parametrize("name", ["checkout", "prod/checkout"])
def test_undo_is_refused_while_a_rollout_is_under_way_and_names_rollback(
    terminal: Terminal, shifting: str, name: str
) -> None:
    result = terminal.teal("undo", name)
    assert result.exit_code == 5
    assert result.stderr == terminal.teal("deploy", "--undo", name).stderr
    assert f"`teal rollback {shifting}`" in result.stderr


def test_undo_is_refused_as_deploy_undo_is_where_there_is_nothing_to_take_back(
    terminal: Terminal, rolled_back: str
) -> None:
    result = terminal.teal("undo", rolled_back)
    assert (result.exit_code, result.stderr) == (5, terminal.teal("deploy", "--undo", rolled_back).stderr)


def test_undo_where_a_server_moves_rollouts_names_the_command_to_use(terminal: Terminal) -> None:
    result = terminal.teal("undo", "prod/checkout", TEAL_SERVER="http://127.0.0.1:1")
    assert result.exit_code == 5
    assert "`teal start --undo prod/checkout --watch`" in result.stderr


def test_version_is_what_the_option_says(terminal: Terminal) -> None:
    assert terminal.teal("version").stdout == terminal.teal("--version").stdout
    assert terminal.json("version")["version"] in terminal.teal("version").stdout


@pytest.mark.parametrize(("alias", "own"), ALIASES.items())
def test_help_has_the_word_beside_the_command_and_the_commands_help_has_its_own(
    alias: str, own: str, terminal: Terminal
) -> None:
    assert alias not in COMMANDS
    assert f"\n  {own} ({alias})  " in terminal.teal("--help").stdout
    assert terminal.teal(alias, "--help").stdout == terminal.teal(own, "--help").stdout
    assert f"Usage: teal {own}" in terminal.teal(alias, "--help").stdout


@pytest.mark.parametrize("word", [*ALIASES, "undo", "version"])
def test_word_completes_in_a_shell_and_so_do_its_options(word: str) -> None:
    shell = ShellComplete(teal, {}, "teal", "_TEAL_COMPLETE")
    assert word in [item.value for item in shell.get_completions([], word[:-1])]
    assert "--json" in [item.value for item in shell.get_completions([word], "--j")]


def test_mistyped_word_is_answered_with_the_nearest(terminal: Terminal) -> None:
    assert "Did you mean `status`?" in terminal.teal("statsu").stderr
