"""The README does what it says: every command in it runs, in the order in which a newcomer types them."""

import re
import shlex
import signal
import subprocess
import textwrap
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.cli.processes import LONGEST_SECONDS
from tests.cli.processes import ROOT
from tests.cli.processes import Running
from tests.cli.processes import environment
from tests.cli.processes import run
from tests.cli.processes import running

README = (ROOT / "README.md").read_text()
COMMANDS = re.findall(r"^ *\$ (.+)$", README, flags=re.MULTILINE)
FILE = next(
    block for block in re.findall(r"```yaml\n(.*?)```", README, flags=re.DOTALL) if "period: 5s" in block
)
HANDS = README.split("### By hand")[1].split("\n## ")[0]
PASTED = re.findall(r"^ *\$ (teal .+)$", HANDS.split("third terminal")[1], flags=re.MULTILINE)
"""What a reader pastes into the third terminal, in the page's order."""


def words_of(command: str) -> list[str]:
    """A `teal` command's words, without `teal`."""
    return shlex.split(command)[1:]


def test_every_command_is_one_that_these_tests_run() -> None:
    theirs = {" ".join(command.split()[:2]) for command in PASTED}
    known = {"make demo", "make test", ". .venv/bin/activate", *theirs} | {
        f"teal {verb}" for verb in ("sandbox", "preflight", "deploy", "simulate", "init")
    }
    assert {" ".join(shlex.split(command)[:2]) for command in COMMANDS} == known


@pytest.mark.machine(seconds=25)
def test_the_simulation_it_shows_is_what_the_command_prints(tmp_path: Path) -> None:
    files = re.findall(r"```yaml\n(.*?)```", README, flags=re.DOTALL)
    least = next(file for file in files if "cluster/service" in file)
    (path := tmp_path / "least.yaml").write_text(textwrap.dedent(least))
    words = next(words_of(command) for command in COMMANDS if command.startswith("teal simulate"))
    assert "least.yaml" in words
    shown = next(
        block for block in re.findall(r"```text\n(.*?)```", README, flags=re.DOTALL) if "DEFECT" in block
    )
    asked = [str(path) if word == "least.yaml" else word for word in words]
    printed = run(*asked, env=environment(tmp_path)).stdout
    assert printed.splitlines() == shown.splitlines()


def test_the_table_at_its_top_is_of_the_page_on_auto() -> None:
    """Every figure is a cell of that page's table at a thousand requests a second."""
    page = (ROOT / "docs" / "auto.md").read_text().split("**1,000 requests a second**")[1]
    theirs, ours = table_of(page), table_of(README)
    assert len(ours) == 2
    for policy, cells in ours.items():
        for name, cell in cells.items():
            assert theirs[policy][name].split(" (")[0] == cell, (policy, name)


def table_of(text: str) -> dict[str, dict[str, str]]:
    """The first table of policies in a text: its cells by the policy and the table's heads."""
    rows = text[text.index("| policy |") :].split("\n\n")[0].splitlines()
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    return {row[0]: dict(zip(cells[0][1:], row[1:], strict=True)) for row in cells[2:]}


def test_what_its_table_says_in_seconds_is_what_its_cells_say() -> None:
    ours = table_of(README)
    seconds = [float(cells["total"]) * 60 / 100 for cells in ours.values()]
    assert f"{seconds[0]:.1f} seconds of a full outage with Teal, and as {seconds[1]:.0f} seconds" in " ".join(
        README.split()
    )


def test_its_version_is_the_packages() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert f"**Status:** version {project['version']}." in README


def test_its_picture_is_small_a_drawing_and_fetches_nothing() -> None:
    (name,) = re.findall(r"!\[[^]]+\]\(([^)]+)\)", README)
    picture = ROOT / name
    text = picture.read_text(encoding="utf-8")
    assert picture.stat().st_size < 60_000
    assert ElementTree.fromstring(text).tag.endswith("svg")
    assert not re.search(r"(href|src|url)[=(]['\"]?https?:", text)
    said = " ".join("".join(ElementTree.fromstring(text).itertext()).replace("\xa0", " ").split())
    for words in ("shifting · step", "green 50 %", "by a shift", "rolled_back after"):
        assert words in said


@pytest.mark.machine
@pytest.mark.parametrize("target", [c.split()[1] for c in COMMANDS if c.startswith("make ")])
def test_make_target_is_there(target: str) -> None:
    dry = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False)
    assert dry.returncode == 0, dry.stderr


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def exported(sandbox: Running) -> dict[str, str]:
    """What the sandbox says to export in another terminal."""
    text = sandbox.read_until("users send", sandbox.out)
    return dict(re.findall(r"export (\w+)=(\S+)", text))


@pytest.mark.machine(seconds=50)
def test_pasted_in_its_order_nothing_is_refused(tmp_path: Path) -> None:
    """The third terminal's commands one behind the other, each as soon as the one before has ended."""
    by_verb = {words_of(c)[0]: words_of(c) for c in COMMANDS if c.startswith("teal ")}
    surveys = [words_of(c) for c in COMMANDS if c.startswith(("teal preflight", "teal init"))]
    (tmp_path / "rollout.yaml").write_text(FILE)

    def as_typed(words: list[str]) -> list[str]:
        return [str(tmp_path / word) if word.endswith(".yaml") else word for word in words]

    with running(*by_verb["sandbox"], env=environment(tmp_path)) as sandbox:
        env = environment(tmp_path, **exported(sandbox))
        for words in sorted(surveys, reverse=True, key=lambda words: "rollout.yaml" in words):
            done = run(*as_typed(words), env=env)
            assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        with running(*as_typed(by_verb["deploy"]), env=env) as deploy:
            deploy.read_until("step 1 of 3", deploy.out)
            for command in PASTED:
                done = run(*words_of(command), env=env)
                assert done.returncode == 0, f"{command}: {done.stderr}"
            deploy.process.communicate(timeout=LONGEST_SECONDS)
            assert deploy.process.returncode == 3
        assert sandbox.stop(signal.SIGTERM)[0] == 0
