"""A test in between decides, and by a token that may approve."""

import re
import shlex

import pytest

from api.client import Client
from tests.cli.processes import LONGEST_SECONDS, environment, run
from tests.docs.pipelines.plant import PAGE, Plant, blocks

pytestmark = pytest.mark.machine(seconds=70)


def test_shell_with_a_test_in_between_refuses_what_fails_it(plant: Plant) -> None:
    plant.write(asks=True)
    smoke = plant.folder / "smoke-test.sh"
    smoke.write_text("#!/bin/sh\nexit 1\n")
    smoke.chmod(0o755)
    ran = plant.job(["bash", "-c", blocks("sh")[1]], BUILD_ID="shell-2")
    assert ran.returncode == 3, ran.stdout + ran.stderr
    newest = next(Client(plant.url, token=plant.admin).list(limit=1))
    assert newest.reason == "reject by operations: smoke test failed"


@pytest.mark.parametrize(("role", "code"), [("operator", 1), ("approver", 0)])
def test_a_job_that_approves_needs_the_second_of_the_pages_tokens(plant: Plant, role: str, code: int) -> None:
    plant.write(asks=True)
    (made,) = (words for line in re.findall(r"^\$ teal (tokens .+)$", PAGE, re.MULTILINE)
               if role in (words := shlex.split(line)))  # fmt: skip
    token = run(*made, env=environment(plant.folder))
    assert token.returncode == 0, token.stderr
    smoke = plant.folder / "smoke-test.sh"
    smoke.write_text("#!/bin/sh\nexit 0\n")
    smoke.chmod(0o755)
    ran = plant.job(["bash", "-c", blocks("sh")[1]], BUILD_ID=f"as-{role}", TEAL_TOKEN=token.stdout.strip())
    assert ran.returncode == code, ran.stdout + ran.stderr
    client = Client(plant.url, token=plant.admin)
    newest = next(client.list(limit=1))
    if role == "operator":
        assert "this takes an approver" in ran.stderr
        client.rollback(newest.id, reason="the test is over")
    assert client.wait(newest.id, timeout=LONGEST_SECONDS).phase == (
        "succeeded" if role == "approver" else "rolled_back"
    )
