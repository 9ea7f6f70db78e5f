"""Simulations at the HTTP door: what they are told or read, and what is refused."""

import asyncio
from datetime import timedelta

import httpx
import pytest

from api.app import create_app
from orchestrator.aws.client.call import Caller
from orchestrator.aws.cloud import AwsCloud
from orchestrator.bootstrap import engine_of
from orchestrator.store.memory.store import MemoryStore
from sandbox.scenarios.scenery import furnish, until_steady
from sandbox.world import AwsRefusal, CallLost, Fault, World, WorldSettings
from tests.builders import NOON
from tests.cli.commands.test_init import NoonClock
from tests.http.desk import HOST, Desk, problem
from tests.support.direct_transport import DirectTransport
from tests.support.virtual_traffic import VirtualTraffic


def refused(desk: Desk, where: str = "query", **asked: object) -> str:
    """What a simulation is refused with."""
    file = asked.pop("file", None) or desk.file()
    answer = desk.ask("POST", "/v1/simulate", json=file, params=asked)
    told = problem(answer)
    assert (answer.status_code, told["mistakes"][0]["where"]) == (422, where)
    return f"{told['mistakes'][0]['pointer']}: {told['mistakes'][0]['what']}"


@pytest.mark.parametrize(
    "asked",
    [
        {"rps": 0},
        {"rps": 5e-324},
        {"rps": -1},
        {"rps": "nan"},
        {"rps": "inf"},
        {"error_rate": 1},
        {"error_rate": 1.5},
        {"runs": 0},
    ],
)
def test_rates_and_runs_that_mean_nothing_are_refused(desk: Desk, asked: dict[str, object]) -> None:
    assert refused(desk, "query", **asked).startswith(f"/{next(iter(asked))}: ")


def test_a_plan_that_is_longer_than_a_day_is_refused(desk: Desk) -> None:
    file = desk.file(plan=[{"weight": 10, "bake": "20h"}, {"weight": 100, "bake": "9h"}])
    assert refused(desk, "body", file=file, rps=10).startswith("/plan: the plan takes at least 29 h")


def test_more_than_is_simulated_at_once_is_refused_with_how_many_runs_fit(desk: Desk) -> None:
    file = desk.file(
        metrics={"period": "60s"}, plan=[{"weight": 10, "bake": "10h"}, {"weight": 100, "bake": "10h"}]
    )
    answer = problem(desk.ask("POST", "/v1/simulate", json=file, params={"rps": 10, "runs": 200}))
    (mistake,) = answer["mistakes"]
    assert mistake["what"].startswith("200 runs of 13 defects over 1,8")
    assert mistake["instead"] == "ask for at most 6 runs, or for fewer defects"


def test_a_service_whose_requests_nobody_saw_asks_for_the_rates(desk: Desk) -> None:
    desk.stage.world.faults.add(Fault(operation="GetMetricData", kind="denied", times=99))
    told = problem(desk.ask("POST", "/v1/simulate", json=desk.file()))
    assert (told["status"], told["code"]) == (422, "traffic-unknown")
    assert "could not be read" in told["detail"]
    assert "rps=100 and error_rate=0.001" in told["next_step"]


@pytest.mark.machine
def test_the_services_own_rates_are_read_and_told_with_when_they_are_from() -> None:
    """In real time: the simulation computes in a process of its own, which nothing in virtual time could wake."""
    world = World(start=NOON, settings=WorldSettings.kind())
    scenery = furnish(world, environment={"TEAL_DEMO_ERROR_RATE": "0.02"})
    until_steady(world, scenery)
    VirtualTraffic(world, scenery.listeners[0], 5, path="/")
    world.advance(timedelta(minutes=70))
    calls = Caller(DirectTransport(world.call, refusal=AwsRefusal, lost=CallLost))
    clock = NoonClock(world)
    app = create_app(engine_of(MemoryStore(), AwsCloud(calls, region=world.region), clock))
    file = {"service": "prod/checkout", "revision": {"task_definition": "checkout:1"}, "plan": "canary"}

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=HOST, timeout=60) as client:
            return await client.post("/v1/simulate", json=file, params={"runs": 1, "defect": "none"})

    answer = asyncio.run(ask())
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["load"]["requests_per_second"] == pytest.approx(5, rel=0.05)
    assert told["load"]["error_rate"] == told["measured"]["load"]["error_rate"] > 0
    assert (
        told["measured"]["end"]
        == f"{world.now.replace(second=0, microsecond=0) - timedelta(minutes=2):%Y-%m-%dT%H:%M:%SZ}"
    )
    assert told["rows"][0]["runs"] == 1
