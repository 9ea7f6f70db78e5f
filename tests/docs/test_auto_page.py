"""The page on `auto`: its figures are the code's, and its commands run."""

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from api.cli.main import teal
from orchestrator.config import load_text
from orchestrator.core import auto
from orchestrator.core.plan import AutoSpec
from orchestrator.simulate.defects import Defect

PAGE = (Path(__file__).parents[2] / "docs" / "auto.md").read_text(encoding="utf-8")
FILE = "service: prod/checkout\nrevision: {task_definition: 'checkout:43'}\nplan: auto\n"
DEFAULT = AutoSpec()


@pytest.mark.parametrize(
    "words",
    [
        f"about {DEFAULT.first_requests} requests a period",
        f"{DEFAULT.first_min / 10:g} to {DEFAULT.first_max / 10:g} % of the traffic",
        f"once {DEFAULT.requests} requests of green were seen",
        f"After {DEFAULT.bake_max} periods",
        f"evidence of {DEFAULT.hesitate_at:g} to 1 or more) it stays up to {DEFAULT.hesitate_max} periods longer",
        f"{DEFAULT.budget:g} periods of all traffic",
        f"at most {DEFAULT.factor} times the",
        f"control group of about {DEFAULT.hold_back} requests a period ({DEFAULT.hold_back_min / 10:g} to "
        f"{DEFAULT.hold_back_max / 10:g} %), for {DEFAULT.watch} periods",
        f"fewer than {auto.ERRORS_LEAST:g} errors of blue",
        "takes 2, 10 and 50 % with 3, 6 and 6 periods",
    ],
)
def test_the_page_says_what_the_code_does(words: str) -> None:
    assert words in " ".join(PAGE.split())


def test_the_low_traffic_plan_is_the_one_it_names() -> None:
    assert [(weight / 10, periods) for weight, periods in auto.LOW_TRAFFIC] == [(2, 3), (10, 6), (50, 6)]


def test_every_defect_is_explained() -> None:
    assert all(f"`{defect.value}`" in PAGE for defect in Defect)


def test_its_commands_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rollout.yaml").write_text(FILE)
    commands = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.S) for line in block.splitlines()]
    assert commands
    for command in commands:
        name, *arguments = shlex.split(command)
        assert name == "teal"
        result = CliRunner().invoke(teal, [*arguments, "--runs", "2", "--alone"])
        assert result.exit_code == 0, result.output


def test_its_rollout_files_are_valid() -> None:
    for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.S):
        load_text(FILE.replace("plan: auto\n", "") + block)
