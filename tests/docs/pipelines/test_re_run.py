"""A job that is run again rolls out anew; a request that is sent again does not."""

import pytest

from api.client import Client
from tests.docs.pipelines.plant import Plant

pytestmark = pytest.mark.machine(seconds=70)


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
