"""The server as a process: where it listens, and how it ends."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path

import pytest

from api.app import run
from orchestrator.core.errors import Refused
from orchestrator.store.opening import open_store
from tests.contract.store_values import a_rollout, an_event

SERVE = "from api.app import run; run(port=0, announce=lambda address: print(address, flush=True))"
PATIENCE = 20  # seconds that a hung server may take before the test fails


@pytest.fixture
def quiet_store(tmp_path: Path) -> Path:
    """A store with one rollout that wants to be looked at tomorrow: nothing calls AWS meanwhile."""
    path = tmp_path / "teal.db"

    async def fill() -> None:
        store = open_store(f"sqlite:///{path}")
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        claims = frozenset({"service prod/checkout"})
        await store.create(a_rollout("r1"), claims=claims, key="k", events=(an_event(),), wake_at=tomorrow)
        await store.close()

    asyncio.run(fill())
    return path


@pytest.fixture
def server(quiet_store: Path) -> Iterator[subprocess.Popen[str]]:
    environment = {
        **os.environ,
        "TEAL_STORE": str(quiet_store),
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
    }
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        yield process
        process.kill()


def connect(server: subprocess.Popen[str]) -> HTTPConnection:
    """A connection to the address that the server announces."""
    assert server.stdout is not None
    address = server.stdout.readline().strip()
    assert address.startswith("http://127.0.0.1:"), address
    return HTTPConnection(address.removeprefix("http://"), timeout=PATIENCE)


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_open_stream_is_ended_by_a_signal_and_the_process_ends_well(
    server: subprocess.Popen[str], sig: signal.Signals
) -> None:
    with closing(connect(server)) as connection:
        connection.request("GET", "/v1/rollouts/r1/events", headers={"Accept": "text/event-stream"})
        with connection.getresponse() as stream:
            assert stream.readline() == b"retry: 1000\n"
            server.send_signal(sig)
            assert b"event: started" in stream.read()  # to its end, which only the server can make
    assert server.wait(PATIENCE) == 0
    assert server.stderr is not None
    lines = [json.loads(line) for line in server.stderr]
    assert [(line["event"], line["status"], line["level"]) for line in lines] == [
        ("request_answered", 200, "info")
    ]


def test_server_is_ready_with_its_worker_beside_it(server: subprocess.Popen[str]) -> None:
    with closing(connect(server)) as connection:
        connection.request("GET", "/readyz")
        with connection.getresponse() as answer:
            assert answer.status == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "teal.example.com"])
def test_nothing_but_loopback_is_listened_on(host: str) -> None:
    with pytest.raises(Refused, match=r"no authentication yet") as refused:
        run(host, 0)
    assert "127.0.0.1" in refused.value.next_step


def test_port_that_is_taken_is_told_in_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(Refused, match="cannot listen"):
        run("127.0.0.1", taken.getsockname()[1])
