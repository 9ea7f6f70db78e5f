"""`teal init`: a file that preflight passes, and nothing written where nothing should be."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from orchestrator import bootstrap, config, preflight
from orchestrator.aws.client.call import Caller
from orchestrator.aws.cloud import AwsCloud
from orchestrator.engine.commands import look_before
from orchestrator.ports.cloud import Cloud
from orchestrator.ports.initial_service import Scout
from sandbox.scenarios.scenery import Scenery, furnish, register, until_steady
from sandbox.world import AwsRefusal, CallLost, World, WorldSettings
from tests.builders import NOON
from tests.cli.schemas import hold_to_schema
from tests.cli.terminal import Terminal
from tests.support.direct_transport import DirectTransport
from tests.support.virtual_traffic import VirtualTraffic


class Stage:
    """A World with two services, traffic on the first, and a third that no rollout can move."""

    def __init__(self) -> None:
        self.world = World(start=NOON, settings=WorldSettings.kind())
        self.world.behaviour.start, self.world.behaviour.start_spread = timedelta(seconds=3), timedelta(0)
        self.checkout: Scenery = furnish(self.world, rules=2)
        self.basket = furnish(
            self.world, service="basket", load_balancer=self.checkout.load_balancer, listener_port=81
        )
        until_steady(self.world, self.checkout)
        until_steady(self.world, self.basket)
        VirtualTraffic(self.world, self.checkout.listeners[0], 5, path="/")
        self.world.advance(timedelta(minutes=70))
        self.worker()
        transport = DirectTransport(self.world.call, refusal=AwsRefusal, lost=CallLost)
        self.cloud = AwsCloud(Caller(transport), region=self.world.region)
        self.calls = len(self.world.log)

    def worker(self) -> None:
        """A service that nobody sends requests to."""
        self.world.call(
            "ecs",
            "CreateService",
            {
                "cluster": "prod",
                "serviceName": "worker",
                "taskDefinition": register(self.world, family="worker"),
                "desiredCount": 1,
                "launchType": "FARGATE",
                "networkConfiguration": {
                    "awsvpcConfiguration": {"subnets": ["subnet-0aaa"], "securityGroups": ["sg-0123"]}
                },
            },
        )
        self.world.advance(timedelta(minutes=2))

    @asynccontextmanager
    async def open_scout(self, account: str = "") -> AsyncIterator[tuple[Cloud, Scout]]:
        there = self.cloud.of(account)
        yield there, there.scout()


class NoonClock:
    """A clock that shows the World's time."""

    def __init__(self, world: World) -> None:
        self._world = world

    def now(self) -> datetime:
        """As Clock."""
        return self._world.now


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    built = Stage()
    monkeypatch.setattr(bootstrap, "open_scout", built.open_scout)
    monkeypatch.setattr(bootstrap, "SystemClock", lambda: NoonClock(built.world))
    return built


def test_the_file_passes_preflight_so_that_the_second_command_is_the_rollout(
    stage: Stage, terminal: Terminal, tmp_path: Path
) -> None:
    revision = register(stage.world, family="checkout")
    file = tmp_path / "rollout.yaml"
    ran = terminal.teal("init", "--service", "prod/checkout", "-o", str(file))
    assert ran.exit_code == 0
    assert f"teal deploy -f {file}" in ran.stderr
    spec = config.load_file(file)
    assert (spec.task_definition, spec.plan.name) == (revision.rpartition("/")[2], "auto")
    assert [alarm.name for alarm in spec.gates.alarms.alarms] == ["checkout-5xx"]
    found = asyncio.run(look_before(spec, cloud=stage.cloud, clock=NoonClock(stage.world)))
    assert preflight.errors(found.findings) == ()


def test_init_only_reads(stage: Stage, terminal: Terminal, tmp_path: Path) -> None:
    terminal.teal("init", "--all", "prod", "-o", str(tmp_path))
    calls = {record.operation for record in stage.world.log[stage.calls :]}
    assert calls
    assert all(name.startswith(("Describe", "List", "Get", "Simulate")) for name in calls)


def test_a_file_that_is_there_is_not_overwritten_unless_it_is_said(
    stage: Stage, terminal: Terminal, tmp_path: Path
) -> None:
    file = tmp_path / "rollout.yaml"
    file.write_text("mine")
    calls = len(stage.world.log)
    ran = terminal.teal("init", "--service", "prod/checkout", "-o", str(file))
    assert (ran.exit_code, file.read_text(), len(stage.world.log)) == (5, "mine", calls)
    assert "--force" in ran.stderr
    assert terminal.teal("init", "--service", "prod/checkout", "-o", str(file), "--force").exit_code == 0
    assert "service: prod/checkout" in file.read_text()
    assert [path.name for path in tmp_path.glob("*.part")] == []


def test_a_cluster_gets_a_file_a_service_and_a_summary_of_what_cannot_be_rolled_out(
    stage: Stage, terminal: Terminal, tmp_path: Path
) -> None:
    register(stage.world, family="checkout")
    ran = terminal.teal("init", "--all", "prod", "-o", str(tmp_path / "rollouts"), "--json")
    made = json.loads(ran.stdout)
    hold_to_schema("init", made)
    assert ran.exit_code == 0
    assert {one["service"]: one["is_ready"] for one in made["written"]} == {
        "prod/checkout": True,
        "prod/basket": False,
    }
    (refused,) = made["refused"]
    assert refused["service"] == "prod/worker"
    assert "no-load-balancer" in {finding["code"] for finding in refused["findings"]}
    assert all(finding["next_step"] for finding in refused["findings"])
    assert sorted(path.name for path in (tmp_path / "rollouts").iterdir()) == ["basket.yaml", "checkout.yaml"]


def test_a_service_that_cannot_be_rolled_out_gets_no_file_and_exits_2(
    stage: Stage, terminal: Terminal, tmp_path: Path
) -> None:
    file = tmp_path / "rollout.yaml"
    ran = terminal.teal("init", "--service", "prod/worker", "-o", str(file))
    assert (ran.exit_code, file.exists()) == (2, False)
    assert "prod/worker: cannot be rolled out" in ran.stderr


def test_a_file_can_go_to_standard_output(stage: Stage, terminal: Terminal) -> None:
    ran = terminal.teal("init", "--service", "prod/checkout", "-o", "-")
    assert config.load_text(ran.stdout).service.path == "prod/checkout"
    assert "it runs already" in ran.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "Say for what"),
        (("--service", "prod/checkout", "--all", "prod"), "Say for what"),
        (("--all", "prod", "--task-definition", "x:1"), "cannot stand beside --all"),
        (("--service", "checkout"), "cluster/service"),
        (("--all", "prod", "-o", "-"), "name a file or a folder"),
    ],
)
@pytest.mark.usefixtures("stage")
def test_what_does_not_fit_is_told(words: tuple[str, ...], told: str, terminal: Terminal) -> None:
    ran = terminal.teal("init", *words)
    assert ran.exit_code == 2
    assert told in ran.stderr


@pytest.mark.usefixtures("stage")
def test_a_service_or_cluster_that_is_not_there_says_what_to_check(
    terminal: Terminal, tmp_path: Path
) -> None:
    for words in (("--service", "prod/nowhere"), ("--all", "nowhere")):
        ran = terminal.teal("init", *words, "-o", str(tmp_path / "new"))
        assert ran.exit_code == 1
        assert "the account and the region" in ran.stderr
