"""`teal simulate`: what it prints, and what it refuses."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from api.cli.main import teal
from orchestrator.simulate.defects import Defect

FILE = "service: prod/checkout\nrevision: {task_definition: 'checkout:43'}\nplan: canary\n"


def simulate(path: Path, *options: str, file: str = FILE) -> Result:
    written = path / "rollout.yaml"
    written.write_text(file)
    said = () if "--rps" in options else ("--rps", "100")
    return CliRunner().invoke(
        teal, ["simulate", "-f", str(written), "--runs", "3", "--alone", *said, *options]
    )


@pytest.mark.machine
def test_it_prints_harm_by_defect_and_what_the_plan_can_see(tmp_path: Path) -> None:
    result = simulate(tmp_path, "--rps", "50", "--defect", "total", "--defect", "none")
    assert result.exit_code == 0, result.output
    assert "50 requests/s, 0.100% errors" in result.output
    assert "DEFECT" in result.output
    assert "this plan: at 50 requests/s and 0.1 % errors" in result.output
    assert "left out: gates.compare.slow is not set" in result.output


@pytest.mark.machine
def test_json_holds_the_same(tmp_path: Path) -> None:
    found = json.loads(simulate(tmp_path, "--defect", "total", "--json").output)
    assert found["plan"] == "Teal canary"
    assert [row["defect"] for row in found["rows"]] == ["total"]


@pytest.mark.machine
def test_a_picture_is_drawn_on_request(tmp_path: Path) -> None:
    picture = tmp_path / "harm.svg"
    result = simulate(tmp_path, "--defect", "total", "--plot", str(picture))
    assert result.exit_code == 0
    assert picture.read_text().startswith("<svg")


@pytest.mark.machine
def test_greens_weight_over_time_is_drawn_on_request(tmp_path: Path) -> None:
    picture = tmp_path / "paths.svg"
    result = simulate(tmp_path, "--defect", "total", "--defect", "none", "--paths", str(picture))
    assert result.exit_code == 0
    assert f"drawn into {picture}" in result.output
    text = picture.read_text()
    assert text.count("<polyline") == 2
    assert "total: rolled back after" in text
    assert "none: at full weight after " in text


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--rps", "0"], "0 is out of range: write more than 0"),
        (["--rps", "1e-320"], "write more than 0 (at least 0.000001) and at most 1,000,000"),
        (["--rps", "nan"], "is out of range"),
        (["--error-rate", "1.2"], "1.2 is no share of requests"),
        (["--error-rate", "lots"], "'lots' is no share"),
        (["--error-rate", "nan"], "is no share of requests"),
        (["--defect", "leek"], "there is no defect 'leek': did you mean leak?"),
        (["--runs", "0"], "0 is not in the range"),
    ],
)
def test_input_that_means_nothing_is_refused_in_words(tmp_path: Path, options: list[str], words: str) -> None:
    result = simulate(tmp_path, *options)
    assert (result.exit_code, words in result.stderr) == (2, True), result.stderr


def test_a_plan_longer_than_a_day_is_refused(tmp_path: Path) -> None:
    slow = FILE.replace("canary", "[{weight: 10, bake: 20h}, {weight: 100, bake: 9h}]")
    result = simulate(tmp_path, file=slow)
    assert result.exit_code == 2
    assert "/plan: the plan takes at least 29 h, and a day is simulated: write shorter bakes" in result.stderr


def test_its_defects_are_listed_without_a_file() -> None:
    result = CliRunner().invoke(teal, ["simulate", "--defect", "help"])
    assert result.exit_code == 0, result.output
    told = dict(line.split(maxsplit=1) for line in result.output.splitlines()[1:])
    assert set(told) == {defect.value for defect in Defect}
    assert told["total"] == "green fails every request"
