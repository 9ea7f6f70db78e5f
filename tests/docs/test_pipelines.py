"""docs/pipelines.md and the GitHub action do what they say: every block that can run runs, against a real server."""

import json
import os
import re
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from api.client import Client
from orchestrator.config.settings_file.load import load_settings
from tests.auth.issuer import FakeIssuer
from tests.auth.issuer import an_issuer
from tests.cli.processes import LONGEST_SECONDS
from tests.cli.processes import ROOT
from tests.cli.processes import environment
from tests.cli.processes import run
from tests.cli.processes import running

pytestmark = pytest.mark.machine(seconds=120)

PAGE = (ROOT / "docs" / "pipelines.md").read_text()
ACTION = ROOT / "helm-free" / "github-action"
FILE = """\
service: prod/checkout
revision: {{task_definition: "checkout:{revision}"}}
plan: [{{weight: 50, bake: 2s, approval: {asks}}}, {{weight: 100, bake: 2s}}]
metrics: {{period: 1s, lag: 2 periods}}
"""
SETTINGS = """\
issuers:
  - url: {issuer}
    audience: teal
    actor_claim: actor
    jobs:
      - claims: {{repository: example-org/checkout, ref: refs/heads/main}}
        role: operator
        services: [prod/checkout]
people:
  - {{name: author, also: [author-on-github]}}
"""


def blocks(language: str) -> list[str]:
    """The page's blocks in a language."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def yaml(text: str) -> Any:  # noqa: ANN401 - a document
    return YAML(typ="safe").load(text)


@dataclass
class Plant:
    """A server with a service under it, an issuer that it believes, and a folder where jobs run."""

    folder: Path
    url: str
    issuer: FakeIssuer
    admin: str

    def write(self, *, asks: bool = False) -> None:
        """A rollout file for the one of both good revisions that does not run now."""
        done = next(Client(self.url, token=self.admin).list(phase="succeeded", limit=1), None)
        revision = 1 if done and done.revision.endswith(":2") else 2
        (self.folder / "rollout.yaml").write_text(FILE.format(revision=revision, asks=str(asks).lower()))

    def job(self, command: list[str], **more: str) -> subprocess.CompletedProcess[str]:
        """Run a job's command in its folder, with `teal` on its path and a token in its environment."""
        path = f"{self.folder}/bin:{os.environ['PATH']}"
        env = {
            **environment(self.folder),
            "TEAL_SERVER": self.url,
            "TEAL_TOKEN": self.admin,
            "PATH": path,
            **more,
        }
        return subprocess.run(
            command,
            env=env,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=LONGEST_SECONDS,
            check=False,
        )

    def github(self, **more: str) -> subprocess.CompletedProcess[str]:
        """Run the action as the runner does: inputs in the environment, files for what it tells."""
        asked = f"{self.issuer.url}/token?job=1"
        runner = {
            "TEAL_TOKEN": "",
            "ACTIONS_ID_TOKEN_REQUEST_URL": asked,
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "runner",
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary.md"),
            "GITHUB_OUTPUT": str(self.folder / "output"),
            "TEAL_FILE": "rollout.yaml",
            "TEAL_AUDIENCE": "teal",
            "TEAL_TIMEOUT": "2m",
        }
        return self.job([sys.executable, str(ACTION / "rollout.py")], **{**runner, **more})

    def believe(self, **claims: str) -> None:
        """Have GitHub's endpoint give a token with these claims."""
        made = {"repository": "example-org/checkout", "ref": "refs/heads/main", "actor": "author-on-github"}
        token = self.issuer.token(self.issuer.claims(datetime.now(UTC), **{**made, **claims}))
        self.issuer.answers["/token?job=1&audience=teal"] = (200, json.dumps({"value": token}).encode())

    @contextmanager
    def taken_back(self) -> Iterator[None]:
        """Somebody rolls back the next rollout as soon as it takes traffic."""
        client = Client(self.url, token=self.admin)

        def work() -> None:
            while not (active := list(client.list(active=True))):
                if over.wait(0.2):
                    return  # nothing was started, and the test says so
            client.wait(active[0].id, until="step:1", timeout=LONGEST_SECONDS)
            client.rollback(active[0].id, reason="looks | odd")

        over, thread = threading.Event(), threading.Thread(target=work)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join(60)


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    folder = tmp_path_factory.mktemp("plant")
    (folder / "bin").mkdir()
    teal = folder / "bin" / "teal"
    teal.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m api.cli.main "$@"\n')
    teal.chmod(0o755)
    made = run("tokens", "create", "--name", "operations", "--role", "admin", env=environment(folder))
    assert made.returncode == 0, made.stderr
    with (
        an_issuer() as issuer,
        running("sandbox", "--minute", "1s", "--load", "40", "--json", env=environment(folder)) as aws,
    ):
        (folder / "settings.yaml").write_text(SETTINGS.format(issuer=issuer.url))
        env = environment(folder, **aws.json()["environment"])
        serve = ("serve", "--port", "0", "--settings", str(folder / "settings.yaml"))
        with (folder / "log").open("w") as log, running_to(log, *serve, env=env) as server:
            yield Plant(folder, server.stdout.readline().strip(), issuer, made.stdout.strip())


@contextmanager
def running_to(log: Any, *args: str, env: dict[str, str]) -> Iterator[Any]:  # noqa: ANN401 - a file, a process
    """A command whose log goes to a file, since nobody reads it meanwhile."""
    with subprocess.Popen(
        [sys.executable, "-m", "api.cli.main", *args],
        cwd=ROOT,
        env=env,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_action_rolls_out_by_its_own_token_and_tells_the_job_how(plant: Plant) -> None:
    plant.write()
    plant.believe()
    ran = plant.github(TEAL_KEY="run-1")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    token = json.loads(plant.issuer.answers["/token?job=1&audience=teal"][1])["value"]
    assert ran.stdout.count(token) == 1
    assert f"::add-mask::{token}" in ran.stdout
    outputs = dict(line.split("=", 1) for line in (plant.folder / "output").read_text().splitlines())
    assert outputs["phase"] == "succeeded"
    assert outputs["revision"].endswith("checkout:2")
    told = (plant.folder / "summary.md").read_text()
    assert "## ✅ prod/checkout: succeeded" in told
    assert "`checkout:1` → `checkout:2`" in told
    assert "started by author" in told
    assert "| 1 | 50 % | 2 s | ✅ done |" in told
    assert "| health | pass |" in told
    assert "<details><summary>What happened" in told
    again = plant.github(TEAL_KEY="run-1")
    assert (again.returncode, outputs["id"] in again.stdout) == (0, True)


def test_action_ends_with_3_and_the_reason_where_a_person_takes_it_back(plant: Plant) -> None:
    plant.write()
    plant.believe()
    (plant.folder / "summary.md").unlink(missing_ok=True)
    with plant.taken_back():
        ran = plant.github(TEAL_KEY="run-2")
    assert ran.returncode == 3, ran.stdout + ran.stderr
    told = (plant.folder / "summary.md").read_text()
    assert "rolled&#95;back" in told
    assert "looks &#124; odd" in told


def test_job_of_another_branch_is_not_let_in(plant: Plant) -> None:
    plant.write()
    plant.believe(ref="refs/heads/else")
    ran = plant.github(TEAL_KEY="run-3")
    assert ran.returncode == 1
    assert "::error title=Teal::" in ran.stdout
    plant.believe()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"TEAL_FILE": "nowhere.yaml"}, "check the repository out before this step"),
        ({"TEAL_FILE": ""}, "name either file, or service and task-definition"),
        ({"TEAL_TIMEOUT": "soon"}, "write 90s, 30m or 2h"),
        ({"ACTIONS_ID_TOKEN_REQUEST_URL": ""}, "give the job `permissions: {id-token: write}`"),
        ({"TEAL_SERVER": "teal.example"}, "write http://host:port"),
        ({"TEAL_UNTIL": "soon"}, "write step:2, approval or done"),
    ],
)
def test_wrong_input_is_told_before_anything_is_started(
    plant: Plant, more: dict[str, str], words: str
) -> None:
    plant.write()
    ran = plant.github(TEAL_KEY="run-4", **more)
    assert ran.returncode == 2
    assert words in ran.stdout
    assert not list(Client(plant.url, token=plant.admin).list(active=True))


def test_shell_with_a_test_in_between_refuses_what_fails_it(plant: Plant) -> None:
    plant.write(asks=True)
    smoke = plant.folder / "smoke-test.sh"
    smoke.write_text("#!/bin/sh\nexit 1\n")
    smoke.chmod(0o755)
    ran = plant.job(["bash", "-c", blocks("sh")[1]], BUILD_ID="shell-2")
    assert ran.returncode == 3, ran.stdout + ran.stderr
    newest = next(Client(plant.url, token=plant.admin).list(limit=1))
    assert newest.reason == "reject by operations: smoke test failed"


@pytest.mark.parametrize("where", ["shell", "gitlab", "jenkins", "python"])
def test_every_recipe_ends_with_what_became_of_the_rollout(plant: Plant, where: str) -> None:
    plant.write()
    command = {
        "shell": lambda: ["bash", "-c", blocks("sh")[0]],
        "gitlab": lambda: ["bash", "-ec", "\n".join(gitlab_script())],
        "jenkins": lambda: ["bash", "-xec", jenkins_script()],
        "python": lambda: [sys.executable, "-c", blocks("python")[0]],
    }[where]()
    ids = {"BUILD_ID": where, "BUILD_TAG": where, "CI_PIPELINE_ID": "7", "CI_JOB_ID": where}
    client = Client(plant.url, token=plant.admin)
    before = {one.id for one in client.list()}
    with plant.taken_back():
        ran = plant.job(command, **ids, PYTHONPATH=str(ROOT))
    (newest,) = (one for one in client.list() if one.id not in before)
    assert newest.phase == "rolled_back"
    assert ran.returncode == 3, ran.stdout + ran.stderr
    if where == "python":
        assert ran.stdout.splitlines()[-1].startswith("rolled_back ")


@pytest.mark.parametrize(("role", "code"), [("operator", 1), ("approver", 0)])
def test_a_job_that_approves_needs_the_second_of_the_pages_tokens(
    plant: Plant, role: str, code: int
) -> None:
    plant.write(asks=True)
    (made,) = (words for line in re.findall(r"^\$ teal (tokens .+)$", PAGE, re.MULTILINE)
               if role in (words := shlex.split(line)))  # fmt: skip
    token = run(*made, env=environment(plant.folder))
    assert token.returncode == 0, token.stderr
    smoke = plant.folder / "smoke-test.sh"
    smoke.write_text("#!/bin/sh\nexit 0\n")
    smoke.chmod(0o755)
    ran = plant.job(
        ["bash", "-c", blocks("sh")[1]], BUILD_ID=f"as-{role}", TEAL_TOKEN=token.stdout.strip()
    )
    assert ran.returncode == code, ran.stdout + ran.stderr
    client = Client(plant.url, token=plant.admin)
    newest = next(client.list(limit=1))
    if role == "operator":
        assert "this takes an approver" in ran.stderr
        client.rollback(newest.id, reason="the test is over")
    assert client.wait(newest.id, timeout=LONGEST_SECONDS).phase == (
        "succeeded" if role == "approver" else "rolled_back"
    )


def test_the_actions_key_changes_with_a_re_run_and_with_nothing_else() -> None:
    """The run's attempt is in it, and nothing that differs between two requests of one attempt."""
    key = yaml((ACTION / "action.yml").read_text())["inputs"]["key"]["default"]
    parts = re.findall(r"\$\{\{ ([\w.]+) \}\}", key)
    assert parts == ["github.repository", "github.run_id", "github.run_attempt", "github.job"]


def test_a_re_run_starts_anew_and_a_repeated_request_does_not(plant: Plant) -> None:
    plant.believe()
    plant.write()
    with plant.taken_back():
        first = plant.github(TEAL_KEY="repo-8-1-rollout")
    client = Client(plant.url, token=plant.admin)
    taken_back = next(client.list(limit=1)).id
    repeated = plant.github(TEAL_KEY="repo-8-1-rollout")
    assert (first.returncode, repeated.returncode) == (3, 3)
    assert next(client.list(limit=1)).id == taken_back
    again = plant.github(TEAL_KEY="repo-8-2-rollout")
    assert again.returncode == 0, again.stdout + again.stderr
    assert next(client.list(limit=1)).id != taken_back


def gitlab_script() -> list[str]:
    (job,) = (document["rollout"] for document in map(yaml, blocks("yaml")) if "rollout" in document)
    return [*job["script"]]


def jenkins_script() -> str:
    (script,) = re.findall(r"sh '''\n(.*?)'''", blocks("groovy")[0], re.DOTALL)
    return str(script)


def test_workflow_gives_the_action_inputs_that_it_has() -> None:
    action = yaml((ACTION / "action.yml").read_text())
    (workflow,) = (document for document in map(yaml, blocks("yaml")) if "jobs" in document)
    (step,) = (one for one in workflow["jobs"]["rollout"]["steps"] if one.get("id") == "teal")
    assert set(step["with"]) <= set(action["inputs"])
    assert workflow["permissions"]["id-token"] == "write"
    used = set(re.findall(r"steps\.teal\.outputs\.(\w+)", PAGE))
    assert used <= set(action["outputs"])


def test_action_hands_every_input_to_its_script() -> None:
    action = yaml((ACTION / "action.yml").read_text())
    (step,) = action["runs"]["steps"]
    handed = {name.removeprefix("TEAL_").lower().replace("_", "-") for name in step["env"]}
    assert handed == set(action["inputs"])
    assert "${{" not in step["run"], "an input in a script could be a command"


def test_settings_of_the_page_are_settings(tmp_path: Path) -> None:
    (text,) = (block for block in blocks("yaml") if "issuers:" in block)
    path = tmp_path / "settings.yaml"
    path.write_text(text)
    assert [issuer.audience for issuer in load_settings(path).issuers] == ["teal", "teal"]
