"""The server as a process: where it listens, and how it ends."""

import json
import signal
import socket
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from api.app import run
from orchestrator.core.errors import Refused
from tests.http.process import PATIENCE, connect, log_of


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_open_stream_is_ended_by_a_signal_and_the_process_ends_well(
    server: subprocess.Popen[str], quiet_store: Path, sig: signal.Signals
) -> None:
    with closing(connect(server)) as connection:
        connection.request("GET", "/v1/rollouts/r1/events", headers={"Accept": "text/event-stream"})
        with connection.getresponse() as stream:
            assert stream.readline() == b"retry: 1000\n"
            server.send_signal(sig)
            assert b"event: started" in stream.read()  # to its end, which only the server can make
    assert server.wait(PATIENCE) == 0
    lines = [json.loads(line) for line in log_of(quiet_store).read_text().splitlines()]
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
