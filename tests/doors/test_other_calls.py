"""What a server knows beside rollouts, through both clients and the terminal: the same everywhere."""

import json

import pytest

from tests.client.kinds import KINDS, client_of
from tests.doors.house import House


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
def test_log_is_followed_to_the_end_of_the_rollout(kind: str, house: House) -> None:
    with house.holding("shifting", f"told-{kind}") as rollout:
        pass
    with client_of(kind, house.url) as client:
        numbers = [event.number for event in client.follow(rollout)]
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) == len(list(client.events(rollout)))
        assert client.wait(rollout).phase == "abandoned"
