"""Commands from the terminal: accepted into the store with who and why, or refused with the phase."""

import pytest

from api.cli.backend.operating_user import local_actor
from tests.cli.terminal import Terminal


@pytest.mark.parametrize("kind", ["reject", "pause", "promote", "rollback"])
def test_command_is_kept_with_who_why_and_through_which_door(
    terminal: Terminal, shifting: str, kind: str
) -> None:
    result = terminal.teal(kind, "checkout", "--reason", "p99 looks odd")
    assert (result.exit_code, result.stderr) == (0, "")
    assert f"{kind} accepted for {shifting} (shifting)" in result.stdout
    (command,) = terminal.commands().commands
    assert (command.kind.value, command.reason, command.by) == (kind, "p99 looks odd", local_actor())
    assert command.by.source == "cli"


def test_answer_as_json_is_the_rollout(terminal: Terminal, shifting: str) -> None:
    assert terminal.json("pause", shifting)["id"] == shifting


def test_promote_to_the_end_says_so_in_the_command(terminal: Terminal, shifting: str) -> None:
    terminal.teal("promote", shifting, "--full", "--step", "1")
    (command,) = terminal.commands().commands
    assert (command.full, command.step) == (True, 0)


def test_command_for_another_step_is_refused(terminal: Terminal, shifting: str) -> None:
    result = terminal.teal("pause", shifting, "--step", "2")
    assert result.exit_code == 5
    assert "given for step 2, and the rollout is at step 1" in result.stderr
    assert terminal.commands().commands == ()


def test_approval_that_nothing_waits_for_is_refused(terminal: Terminal, shifting: str) -> None:
    result = terminal.teal("approve", shifting)
    assert (result.exit_code, result.stdout) == (5, "")
    assert "step 1 needs no approval" in result.stderr


def test_command_to_an_ended_rollout_is_refused_naming_its_phase(
    terminal: Terminal, rolled_back: str
) -> None:
    result = terminal.teal("rollback", rolled_back)
    assert result.exit_code == 5
    assert "rolled_back" in result.stderr


def test_back_names_the_weights_it_could_go_to(terminal: Terminal, shifting: str) -> None:
    result = terminal.teal("back", shifting, "--to", "5%")
    assert result.exit_code == 5
    assert "this is the first step" in result.stderr


@pytest.mark.parametrize(
    ("weight", "words"), [("110", "more than 100 %"), ("0.05%", "finer than a tenth"), ("much", "10 or 0.5%")]
)
def test_weight_that_is_none_is_a_usage_error(terminal: Terminal, weight: str, words: str) -> None:
    result = terminal.teal("back", "checkout", "--to", weight)
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.split())


def test_abandon_asks_for_a_yes_and_names_the_better_way(terminal: Terminal, shifting: str) -> None:
    result = terminal.teal("abandon", shifting)
    assert result.exit_code == 2
    assert f"teal rollback {shifting}" in " ".join(result.stderr.split())
    assert terminal.commands().commands == ()


def test_abandon_with_yes_is_accepted(terminal: Terminal, shifting: str) -> None:
    assert terminal.teal("abandon", shifting, "--yes").exit_code == 0
    assert [command.kind for command in terminal.commands().commands] == ["abandon"]
