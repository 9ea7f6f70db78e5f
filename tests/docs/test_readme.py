"""The README does what it says: every command in it runs, in the order in which a newcomer types them."""

import re
import shlex
import signal
import subprocess
import textwrap
from pathlib import Path

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
STEERING = ("list", "get", "events", "approve", "pause", "resume", "back", "rollback")


def words_of(command: str) -> list[str]:
    """A `teal` command's words, without `teal`."""
    return shlex.split(command)[1:]


def test_every_command_is_one_that_these_tests_run() -> None:
    known = {"make demo", "make test"} | {
        f"teal {verb}" for verb in ("sandbox", "preflight", "deploy", "simulate", *STEERING)
    }
    assert {" ".join(shlex.split(command)[:2]) for command in COMMANDS} == known


@pytest.mark.machine
def test_the_simulation_it_shows_is_what_the_command_prints(tmp_path: Path) -> None:
    files = re.findall(r"```yaml\n(.*?)```", README, flags=re.DOTALL)
    least = next(file for file in files if "cluster/service" in file)
    (path := tmp_path / "rollout.yaml").write_text(textwrap.dedent(least))
    words = next(words_of(command) for command in COMMANDS if command.startswith("teal simulate"))
    shown = next(
        block for block in re.findall(r"```text\n(.*?)```", README, flags=re.DOTALL) if "DEFECT" in block
    )
    asked = [str(path) if word == "rollout.yaml" else word for word in words]
    printed = run(*asked, "--runs", "2", env=environment(tmp_path)).stdout

    def bare(text: str) -> list[str]:
        """Its lines without what differs between two runs and a hundred: numbers, and how wide they make a column."""
        lines = [" ".join(re.sub(r"[-–]|[\d.,]+", "", line).split()) for line in text.splitlines()]
        return [line for line in lines if not line.startswith("advice")]

    assert bare(printed) == bare(shown)


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
def test_trying_it_by_hand_goes_as_the_readme_says(tmp_path: Path) -> None:
    by_verb = {words_of(c)[0]: words_of(c) for c in COMMANDS if c.startswith("teal ")}
    surveys = [words_of(c) for c in COMMANDS if c.startswith("teal preflight")]
    path = tmp_path / "rollout.yaml"
    path.write_text(FILE)

    def as_typed(words: list[str]) -> list[str]:
        return [str(path) if word == "rollout.yaml" else word for word in words]

    with running(*by_verb["sandbox"], env=environment(tmp_path)) as sandbox:
        env = environment(tmp_path, **exported(sandbox))
        for words in surveys:
            assert run(*as_typed(words), env=env).returncode == 0
        with running(*as_typed(by_verb["deploy"]), env=env) as deploy:
            deploy.read_until("step 2 of 3", deploy.out)
            for verb in STEERING:
                done = run(*as_typed(by_verb[verb]), env=env)
                assert done.returncode == 0, f"{verb}: {done.stderr}"
                if verb in ("approve", "pause", "resume", "back"):
                    deploy.read_until(f"{verb} by", deploy.out)
            deploy.process.communicate(timeout=LONGEST_SECONDS)
            assert deploy.process.returncode == 3
        assert sandbox.stop(signal.SIGTERM)[0] == 0
