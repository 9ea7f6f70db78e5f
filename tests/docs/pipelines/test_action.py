"""The GitHub action rolls out by its own token, and tells the job what became of it."""

import json

import pytest

from api.client import Client
from tests.docs.pipelines.plant import Plant

pytestmark = pytest.mark.machine(seconds=180)


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
