"""`--override REASON`: beside a file or in place of one, and never without a reason."""

from pathlib import Path

import click
import pytest

from api.cli.options.rollout_options import Asked, spec_of
from tests.cli.terminal import Terminal

FILE = "service: prod/checkout\nrevision: {task_definition: 'checkout:43'}\n"


def asked(**given: str) -> Asked:
    every = dict.fromkeys(("file", "service", "task_definition", "plan", "override"))
    return Asked(**{**every, **given})  # type: ignore[arg-type] # texts, or nothing


def test_an_override_stands_beside_a_file_and_beside_options(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(FILE)
    assert spec_of(asked(file=str(path), override="payments fail")).override == "payments fail"
    options = asked(service="prod/checkout", task_definition="checkout:43", override=" payments fail ")
    assert spec_of(options).override == "payments fail"


def test_without_it_the_files_own_counts(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(f"{FILE}override: from the file\n")
    assert spec_of(asked(file=str(path))).override == "from the file"
    assert spec_of(asked(file=str(path), override="from the terminal")).override == "from the terminal"


@pytest.mark.parametrize("reason", ["", "  ", "two\nlines"])
def test_an_override_without_a_reason_is_an_error_of_usage(reason: str) -> None:
    with pytest.raises(click.UsageError, match="--override needs a reason"):
        spec_of(asked(service="prod/checkout", task_definition="checkout:43", override=reason))


@pytest.mark.parametrize("command", ["deploy", "start", "preflight"])
def test_every_command_that_takes_a_rollout_file_takes_it(terminal: Terminal, command: str) -> None:
    result = terminal.teal(
        command, "--service", "prod/checkout", "--task-definition", "checkout:43", "--override", ""
    )
    assert result.exit_code == 2
    assert "--override needs a reason" in result.stderr
