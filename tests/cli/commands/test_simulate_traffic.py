"""`teal simulate` by the service's own traffic: what it takes, from when, and what it says where it cannot."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator import bootstrap
from orchestrator.aws.client.call import Caller
from orchestrator.aws.cloud import AwsCloud
from sandbox.scenarios.scenery import furnish, until_steady
from sandbox.world import AwsRefusal, CallLost, Fault, World, WorldSettings
from tests.builders import NOON
from tests.cli.commands.test_init import NoonClock
from tests.cli.terminal import Terminal
from tests.support.direct_transport import DirectTransport
from tests.support.virtual_traffic import VirtualTraffic

FILE = "service: prod/checkout\nrevision: {task_definition: 'checkout:1'}\nplan: canary\n"


class Stage:
    """A World with a service that has, or has not, had traffic for an hour."""

    def __init__(self) -> None:
        self.world = World(start=NOON, settings=WorldSettings.kind())
        self.scenery = furnish(self.world, environment={"TEAL_DEMO_ERROR_RATE": "0.02"})
        until_steady(self.world, self.scenery)
        self.cloud = AwsCloud(
            Caller(DirectTransport(self.world.call, refusal=AwsRefusal, lost=CallLost)),
            region=self.world.region,
        )

    def serve(self, rate: float) -> None:
        """An hour of requests, of which one in fifty fails."""
        VirtualTraffic(self.world, self.scenery.listeners[0], rate, path="/")
        self.world.advance(timedelta(minutes=70))

    @asynccontextmanager
    async def open_cloud(self) -> AsyncIterator[AwsCloud]:
        yield self.cloud


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    built = Stage()
    monkeypatch.setattr(bootstrap, "open_cloud", built.open_cloud)
    monkeypatch.setattr(bootstrap, "SystemClock", lambda: NoonClock(built.world))
    return built


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "rollout.yaml"
    path.write_text(FILE)
    return str(path)


SHORT = ("--runs", "1", "--alone", "--defect", "total")


@pytest.mark.machine
def test_the_services_own_rates_are_read_and_shown_with_when_they_are_from(
    stage: Stage, terminal: Terminal, file: str
) -> None:
    stage.serve(5)
    ran = terminal.teal("simulate", "-f", file, *SHORT)
    assert ran.exit_code == 0, ran.output
    rates, read = ran.stdout.splitlines()[:2]
    assert rates.startswith(("5 requests/s, 2.", "5 requests/s, 1."))
    end = NoonClock(stage.world).now().replace(second=0, microsecond=0) - timedelta(minutes=2)
    assert f"{end - timedelta(hours=1):%Y-%m-%d %H:%M:%S}Z to {end:%H:%M:%S}Z, 300 requests a period" in read
    found = json.loads(terminal.teal("simulate", "-f", file, *SHORT, "--json").stdout)
    assert found["load"]["requests_per_second"] == pytest.approx(5, rel=0.05)
    assert found["measured"]["load"]["error_rate"] == pytest.approx(0.02, rel=0.3)


@pytest.mark.machine
def test_an_error_rate_that_was_said_stands_above_the_one_that_was_read(
    stage: Stage, terminal: Terminal, file: str
) -> None:
    stage.serve(5)
    ran = terminal.teal("simulate", "-f", file, *SHORT, "--error-rate", "1%")
    assert "5 requests/s, 1.000% errors" in ran.stdout
    assert "the errors are as you said" in ran.stdout


@pytest.mark.machine
def test_rates_that_were_said_are_taken_without_reading_anything(
    stage: Stage, terminal: Terminal, file: str
) -> None:
    calls = len(stage.world.log)
    ran = terminal.teal("simulate", "-f", file, *SHORT, "--rps", "50")
    assert "50 requests/s, 0.100% errors" in ran.stdout
    assert "read from CloudWatch" not in ran.stdout
    assert len(stage.world.log) == calls


@pytest.mark.machine
def test_reading_changes_nothing(stage: Stage, terminal: Terminal, file: str) -> None:
    stage.serve(5)
    calls = len(stage.world.log)
    terminal.teal("simulate", "-f", file, *SHORT)
    made = {record.operation for record in stage.world.log[calls:]}
    assert "GetMetricData" in made
    assert all(name.startswith(("Describe", "List", "Get")) for name in made)


def test_a_service_without_requests_asks_for_the_rates(stage: Stage, terminal: Terminal, file: str) -> None:
    ran = terminal.teal("simulate", "-f", file, *SHORT)
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert "no request came to prod/checkout in its last 60 metric periods" in ran.stderr
    assert "--rps 100 --error-rate 0.1%" in ran.stderr


def test_a_reading_that_fails_says_why_and_asks_for_the_rates(
    stage: Stage, terminal: Terminal, file: str
) -> None:
    stage.serve(5)
    stage.world.faults.add(Fault(operation="GetMetricData", kind="denied", times=99))
    ran = terminal.teal("simulate", "-f", file, *SHORT)
    assert ran.exit_code == 2
    assert "the traffic of prod/checkout could not be read" in ran.stderr
    assert "--rps 100 --error-rate 0.1%" in ran.stderr


def test_a_service_that_is_not_there_is_named(stage: Stage, terminal: Terminal, tmp_path: Path) -> None:
    path = tmp_path / "rollout.yaml"
    path.write_text(FILE.replace("checkout\n", "chekout\n", 1))
    ran = terminal.teal("simulate", "-f", str(path), *SHORT)
    assert ran.exit_code == 2
    assert "the traffic of prod/chekout could not be read" in ran.stderr
