"""What a command line asks for, and how a wrong file is answered: every mistake, exit 2, nothing created."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from api.cli.options.rollout_options import Asked, rollout_options, with_line
from orchestrator.core.domain.errors import Unfit
from tests.cli.terminal import Terminal

WRONG = "service: checkout\nrevision: {task_definition: checkout}\nplan: nonsense\n"


@pytest.fixture
def wrong(tmp_path: Path) -> str:
    path = tmp_path / "wrong.yaml"
    path.write_text(WRONG)
    return str(path)


@pytest.mark.parametrize("command", ["deploy", "start", "preflight"])
def test_wrong_file_is_answered_with_every_mistake_at_its_line(
    terminal: Terminal, wrong: str, command: str
) -> None:
    result = terminal.teal(command, "-f", wrong)
    assert (result.exit_code, result.stdout) == (2, "")
    lines = result.stderr.splitlines()
    assert [line.split(": ")[0] for line in lines] == [f"{wrong}:{number}" for number in (1, 2, 3)]
    assert terminal.json("list") == {"rollouts": []}


def test_file_may_come_from_standard_input(terminal: Terminal) -> None:
    result = terminal.teal("preflight", "-f", "-", typed=WRONG)
    assert result.exit_code == 2
    assert result.stderr.startswith("-:1: ")


def test_file_that_is_not_there_is_an_error_of_usage(terminal: Terminal) -> None:
    result = terminal.teal("deploy", "-f", "nowhere.yaml")
    assert result.exit_code == 2
    assert "nowhere.yaml" in result.stderr


@pytest.mark.parametrize(
    "args", [(), ("--service", "prod/checkout"), ("--task-definition", "checkout:43"), ("--plan", "linear")]
)
def test_too_little_to_roll_out_says_what_to_write(terminal: Terminal, args: tuple[str, ...]) -> None:
    result = terminal.teal("deploy", *args)
    assert result.exit_code == 2
    assert "-f FILE, or --service CLUSTER/NAME --task-definition FAMILY:REV" in " ".join(
        result.stderr.split()
    )


def test_options_beside_a_file_are_refused(terminal: Terminal, wrong: str) -> None:
    result = terminal.teal("deploy", "-f", wrong, "--plan", "linear")
    assert result.exit_code == 2
    assert "--plan cannot stand beside -f" in " ".join(result.stderr.split())


def test_wrong_option_is_named_as_a_mistake(terminal: Terminal) -> None:
    args = ("--service", "prod/checkout", "--task-definition", "checkout:43", "--plan", "slow")
    result = terminal.teal("deploy", *args)
    assert result.exit_code == 2
    assert '"slow" is no plan' in result.stderr


def test_missing_region_is_one_sentence(terminal: Terminal, tmp_path: Path) -> None:
    nothing = str(tmp_path / "none")
    result = terminal.teal(
        *("preflight", "--service", "prod/checkout", "--task-definition", "checkout:43"),
        AWS_REGION="",
        AWS_DEFAULT_REGION="",
        AWS_CONFIG_FILE=nothing,
        AWS_SHARED_CREDENTIALS_FILE=nothing,
    )
    assert result.exit_code == 1
    assert "no AWS region" in result.stderr


def test_deploy_beside_a_server_says_what_to_use(terminal: Terminal) -> None:
    args = ("deploy", "--service", "prod/checkout", "--task-definition", "checkout:43")
    result = terminal.teal(*args, TEAL_SERVER="http://127.0.0.1:1")
    assert result.exit_code == 5
    assert "teal start --watch" in result.stderr


def test_schema_is_json_that_editors_can_use(terminal: Terminal) -> None:
    assert '"$schema"' in terminal.teal("schema").stdout


def test_migrate_names_the_store_and_may_be_run_again(terminal: Terminal) -> None:
    assert terminal.teal("migrate").stdout == f"{terminal.url} is up to date\n"
    assert terminal.json("migrate") == {"store": terminal.url}


NAMED = """service: prod/checkout
revision: {task_definition: "checkout:1"}
gates:
  alarms:
    - checkout-5xx
    - nowhere
"""


def test_what_preflight_refuses_of_the_file_is_told_at_its_line(tmp_path: Path) -> None:
    path = tmp_path / "rollout.yaml"
    path.write_text(NAMED)

    @click.command()
    @rollout_options
    def refused(asked: Asked) -> None:
        raise Unfit(what=f"{asked.file} is refused", findings=["gates.alarms[2]: alarm nowhere"])

    result = CliRunner().invoke(refused, ["-f", str(path)])
    assert isinstance(result.exception, Unfit)
    assert result.exception.findings == (f"{path}:6: gates.alarms[2]: alarm nowhere",)


@pytest.mark.parametrize(
    ("finding", "expected"),
    [
        ("gates.alarms[2]: alarm nowhere", ":6: gates.alarms[2]: alarm nowhere"),
        ("gates.alarms[9]: what is not written", ":4: gates.alarms[9]: what is not written"),
        ("gates.metric[1].query: no", ":3: gates.metric[1].query: no"),
        ("rule 10 is not there", "rule 10 is not there"),
    ],
)
def test_a_finding_about_a_place_in_the_file_has_its_line(
    tmp_path: Path, finding: str, expected: str
) -> None:
    path = tmp_path / "rollout.yaml"
    path.write_text(NAMED)
    told = with_line(finding, str(path))
    assert told == (f"{path}{expected}" if expected.startswith(":") else expected)
    assert with_line(finding, None) == finding
