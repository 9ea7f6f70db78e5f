"""A server with a service under it, and jobs that run what docs/pipelines.md has them run."""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from api.client import Client
from tests.auth.issuer import FakeIssuer, an_issuer
from tests.cli.processes import LONGEST_SECONDS, ROOT, environment, run, running

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


@contextmanager
def a_plant(folder: Path) -> Iterator[Plant]:
    """Started, and ended afterwards."""
    (folder / "bin").mkdir()
    teal = folder / "bin" / "teal"
    teal.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m api.cli.main "$@"\n')
    teal.chmod(0o755)
    made = run("tokens", "create", "--name", "operations", "--role", "admin", env=environment(folder))
    assert made.returncode == 0, made.stderr
    with (
        an_issuer() as issuer,
        running("sandbox", "--minute", "1s", "--load", "10", "--json", env=environment(folder)) as aws,
    ):
        (folder / "settings.yaml").write_text(SETTINGS.format(issuer=issuer.url))
        env = environment(folder, **aws.json()["environment"])
        serve = ("serve", "--port", "0", "--settings", str(folder / "settings.yaml"))
        with (folder / "log").open("w") as log, running_to(log, *serve, env=env) as server:
            yield Plant(folder, server.stdout.readline().strip(), issuer, made.stdout.strip())
