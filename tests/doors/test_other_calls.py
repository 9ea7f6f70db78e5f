"""What a server knows beside rollouts, through both clients and the terminal: the same everywhere."""

import json

import pytest

from api.client import Refused
from orchestrator.core.domain.phases import Phase
from tests.client.kinds import KINDS, client_of
from tests.doors.house import House

pytestmark = pytest.mark.machine


@pytest.mark.parametrize("kind", KINDS)
def test_services_report_and_rights_are_told(kind: str, house: House) -> None:
    with house.holding("watching", f"seen-{kind}") as rollout, client_of(kind, house.url) as client:
        service = client.service(f"prod/seen-{kind}")
        assert (service.active, service.active_phase) == (rollout, "watching")
        assert service.name in [one.name for one in client.services()]
        report = client.report(rollout)
        assert (report.rollout.id, report.chain.is_whole) == (rollout, True)
        assert "approve_rollout" in client.me().may


@pytest.mark.parametrize("kind", KINDS)
def test_preflight_tells_what_it_found(kind: str, house: House) -> None:
    with client_of(kind, house.url) as client:
        assert client.preflight(house.file().encode()).is_fit


def test_terminal_shows_a_server_s_services_and_reports_as_its_store_s(house: House) -> None:
    far = {"TEAL_SERVER": house.url}
    with house.holding("shifting", "seen-twice") as rollout:
        for words in (("services", "prod/seen-twice"), ("services",), ("report", rollout)):
            near = json.loads(house.terminal.teal(*words, "--json").stdout)
            assert json.loads(house.terminal.teal(*words, "--json", **far).stdout) == near


@pytest.mark.parametrize("kind", KINDS)
def test_what_undoes_a_rollout_is_the_same_through_every_door(kind: str, house: House) -> None:
    rollout = house.put("watching", f"undone-{kind}")
    with client_of(kind, house.url) as client, pytest.raises(Refused) as refused:
        client.undo(rollout)
    assert f"teal rollback {rollout}" in str(refused.value)
    house.end(rollout, Phase.SUCCEEDED)
    with client_of(kind, house.url) as client:
        file = client.undo(f"prod/undone-{kind}")
    assert file["plan"] == "instant"
    assert file["revision"]["task_definition"].endswith("task-definition/checkout:1")
    assert file["labels"] == {"undoes": rollout}
    far = {"TEAL_SERVER": house.url}
    near = house.terminal.teal("start", "--undo", rollout, "--plan", "linear", **far)
    assert (near.exit_code, "--plan cannot stand beside --undo" in near.stderr) == (2, True)


def test_terminal_starts_what_undoes_a_rollout_through_a_server(house: House) -> None:
    rollout = house.put("watching", "checkout")
    house.end(rollout, Phase.SUCCEEDED)
    words = ("start", "--undo", rollout, "--override", "prices are wrong", "--json")
    refused = house.terminal.teal(*words, TEAL_SERVER=house.url)
    assert (refused.exit_code, "already runs checkout:1" in refused.stderr) == (2, True), refused.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_log_is_followed_to_the_end_of_the_rollout(kind: str, house: House) -> None:
    with house.holding("shifting", f"told-{kind}") as rollout:
        pass
    with client_of(kind, house.url) as client:
        numbers = [event.number for event in client.follow(rollout)]
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) == len(list(client.events(rollout)))
        assert client.wait(rollout).phase == "abandoned"
