"""The server as a process: where it listens, and how it ends."""

import asyncio
import json
import signal
import socket
import subprocess
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from api.auth.tokens import digest_of
from api.serving.engine import run
from orchestrator.core.domain.errors import Refused
from orchestrator.core.domain.roles import Role
from orchestrator.ports.tokens import Token
from orchestrator.settings import Issuer, Settings
from orchestrator.store.opening import open_store
from tests.http.process import PATIENCE, connect, log_of

YESTERDAY = datetime.now(UTC) - timedelta(days=1)


@pytest.mark.machine(seconds=15)
@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_open_stream_is_ended_by_a_signal_and_the_process_ends_well(
    server: subprocess.Popen[str], quiet_store: Path, sig: signal.Signals
) -> None:
    with closing(connect(server)) as connection:
        connection.request("GET", "/v1/rollouts/r1/events", headers={"Accept": "text/event-stream"})
        with connection.getresponse() as stream:
            assert stream.readline() == b"retry: 1000\n"
            server.send_signal(sig)
            told = stream.read()  # to its end, which only the server can make
            assert b"event: started" in told
            assert told.endswith(b"event: server_closing\nretry: 1000\ndata: {}\n\n")
    assert server.wait(PATIENCE) == 0
    lines = [json.loads(line) for line in log_of(quiet_store).read_text().splitlines()]
    assert all(line["level"] == "info" for line in lines)
    asked = [(line["event"], line["status"]) for line in lines if "rollout" not in line]
    assert asked == [("request_answered", 200)], "the engine's own look at its rollout is told besides"


@pytest.mark.machine
def test_server_is_ready_with_its_worker_beside_it(server: subprocess.Popen[str]) -> None:
    with closing(connect(server)) as connection:
        connection.request("GET", "/readyz")
        with connection.getresponse() as answer:
            assert answer.status == 200


@pytest.mark.machine
def test_a_plan_is_simulated_beside_the_server(server: subprocess.Popen[str]) -> None:
    file = {"service": "prod/checkout", "revision": {"task_definition": "checkout:43"}, "plan": "canary"}
    path = "/v1/simulate?runs=2&rps=50&defect=total&defect=none&seed=3"
    with closing(connect(server)) as connection:
        connection.request("POST", path, json.dumps(file), {"Content-Type": "application/json"})
        with connection.getresponse() as answer:
            assert answer.status == 200
            rows = [row for row in json.load(answer)["rows"] if row["policy"] == "Teal canary"]
    assert [(row["defect"], row["runs"]) for row in rows] == [("total", 2), ("none", 2)]
    assert rows[0]["rolled_back"] == 1.0


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "teal.db"
    monkeypatch.setenv("TEAL_STORE", str(path))
    return path


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "teal.example.com"])
def test_nothing_but_loopback_is_listened_on_while_nobody_would_be_asked(host: str, store: Path) -> None:
    keep_token(store, ends=YESTERDAY)
    with pytest.raises(Refused, match=r"no authentication is set up") as refused:
        run(host, 0)
    assert refused.value.exit_code == 5
    assert "127.0.0.1" in refused.value.next_step


@pytest.mark.machine
@pytest.mark.parametrize("by", ["token", "issuer", "flag"])
def test_any_address_may_be_listened_on_once_authentication_is_set_up(by: str, store: Path) -> None:
    keep_token(store, ends=None if by == "token" else YESTERDAY)
    issuers = (Issuer(url="https://issuer.example", audience="teal"),) if by == "issuer" else ()
    with pytest.raises(
        Refused, match="cannot listen"
    ):  # an address of nobody (RFC 5737): it got as far as binding
        run("192.0.2.1", 0, settings=Settings(issuers=issuers), is_auth_required=by == "flag")


def keep_token(path: Path, *, ends: datetime | None) -> None:
    async def script() -> None:
        store = open_store(f"sqlite:///{path}")
        token = Token(
            id="t1",
            name="ci",
            role=Role.VIEWER,
            created_at=YESTERDAY - timedelta(days=1),
            created_by="local",
            expires_at=ends,
        )
        await store.add_token(token, digest=digest_of("teal_something"))
        await store.close()

    asyncio.run(script())


@pytest.mark.machine
def test_port_that_is_taken_is_told_in_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(Refused, match="cannot listen"):
        run("127.0.0.1", taken.getsockname()[1])
