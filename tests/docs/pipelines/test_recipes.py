"""Every recipe of the page ends with what became of the rollout."""

import re
import sys

import pytest

from api.client import Client
from tests.cli.processes import ROOT
from tests.docs.pipelines.plant import Plant, blocks, yaml

pytestmark = pytest.mark.machine(seconds=180)


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


def gitlab_script() -> list[str]:
    (job,) = (document["rollout"] for document in map(yaml, blocks("yaml")) if "rollout" in document)
    return [*job["script"]]


def jenkins_script() -> str:
    (script,) = re.findall(r"sh '''\n(.*?)'''", blocks("groovy")[0], re.DOTALL)
    return str(script)
