"""The HTTP door over loopback: a server process on SQLite with 1,000 rollouts, asked by one client and then by 200.

The server knows its clients by a token, as one beyond loopback does: each request looks for it in the store. The
clients share the machine's cores with the server, so a crowd's figures are of both.
"""

import asyncio
import json
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path

import aiohttp

from api.auth.tokens import new_token
from orchestrator.core.domain.roles import Role
from orchestrator.ports.tokens import Token
from orchestrator.store.opening import open_store
from tests.bench.lines import line, quantile, ratio
from tests.contract.store_values import a_rollout, an_event
from tests.http.process import PATIENCE, address_of, serving

READS, COMMANDS = 500, 100
ROLLOUTS = 1000
CLIENTS, READS_A_CLIENT = 200, 15
LOAD_PAUSE_SECONDS = 0.02  # between the load's requests: some 40 a second


def measure() -> Iterator[str]:
    """Milliseconds of reads and of commands, each to another rollout, beside ``/healthz``, which asks no store."""
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "teal.db"
        token = asyncio.run(_fill(store))
        with serving(store) as server:
            try:
                host = address_of(server).removeprefix("http://")
                with _Load(host, token):
                    timed = _timed(HTTPConnection(host, timeout=PATIENCE), token)
                crowd = asyncio.run(_crowd(f"http://{host}", token))
            finally:
                server.kill()
    for name, ms in timed.items():
        yield line(f"http_{name}_ms_p50", quantile(ms, 0.5), digits=2)
        yield line(f"http_{name}_ms_p99", quantile(ms, 0.99), digits=2)
    bare = quantile(timed.pop("healthz"), 0.5)
    for name, ms in timed.items():
        yield ratio(f"http_{name}_ms_p50", quantile(ms, 0.5), bare, to="healthz")
    for name, (ms, seconds) in crowd.items():
        yield line(f"http_{name}_ms_p50_of_{CLIENTS}_clients", quantile(ms, 0.5), digits=2)
        yield line(f"http_{name}_ms_p99_of_{CLIENTS}_clients", quantile(ms, 0.99), digits=2)
        yield line(f"http_{name}_per_second_of_{CLIENTS}_clients", len(ms) / seconds)


async def _fill(path: Path) -> str:
    """Make a store of rollouts; nobody wants to look at them until tomorrow. Returns an operator's token."""
    store = open_store(f"sqlite:///{path}")
    now = datetime.now(UTC)
    tomorrow = now + timedelta(days=1)
    for number in range(ROLLOUTS):
        name = f"r{number}"
        row = a_rollout(name, service=f"service-{number}", created_at=now)
        await store.create(row, claims=frozenset({name}), key=name, events=(an_event(),), wake_at=tomorrow)
    text, digest = new_token()
    token = Token(id="t1", name="bench", role=Role.OPERATOR, created_at=now, created_by="bench")
    await store.add_token(token, digest=digest)
    await store.close()
    return text


async def _crowd(base: str, token: str) -> dict[str, tuple[list[float], float]]:
    """All clients at once, each asking again as soon as it is answered: milliseconds, and how long it took in all."""
    timeout = aiohttp.ClientTimeout(total=2 * PATIENCE)
    headers = {"Authorization": f"Bearer {token}"}
    connector = aiohttp.TCPConnector(limit=0)
    found = {}
    async with aiohttp.ClientSession(base, headers=headers, connector=connector, timeout=timeout) as session:
        for name, paths in _ERRANDS.items():
            ms: list[float] = []
            began = time.perf_counter()
            async with asyncio.TaskGroup() as group:
                for client in range(CLIENTS):
                    group.create_task(_errand(session, name, paths(client), ms))
            found[name] = (ms, time.perf_counter() - began)
    return found


def _gets(client: int) -> list[str]:
    return [f"/v1/rollouts/r{(client * 7 + turn) % ROLLOUTS}" for turn in range(READS_A_CLIENT)]


def _lists(_: int) -> list[str]:
    return ["/v1/rollouts?limit=10"] * READS_A_CLIENT


def _commands(client: int) -> list[str]:
    """Rollouts of its own, beyond those that the single client has paused already."""
    own = range(COMMANDS + client, ROLLOUTS, CLIENTS)
    return [f"/v1/rollouts/r{number}/pause" for number in own]


_ERRANDS = {"get": _gets, "list": _lists, "command": _commands}


async def _errand(session: aiohttp.ClientSession, name: str, paths: list[str], ms: list[float]) -> None:
    method = "POST" if name == "command" else "GET"
    for path in paths:
        began = time.perf_counter()
        async with session.request(
            method, path, json={"reason": "bench"} if method == "POST" else None
        ) as answer:
            said = await answer.read()
        ms.append(1000 * (time.perf_counter() - began))
        assert answer.status == 200, f"{method} {path}: {answer.status} {said.decode()}"


def _timed(connection: HTTPConnection, token: str) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {"healthz": [], "get": [], "list": [], "command": []}
    reads = {"healthz": "/healthz", "get": "/v1/rollouts/r1", "list": "/v1/rollouts?limit=10"}
    for _ in range(READS):
        for name, path in reads.items():
            times[name].append(_ask(connection, "GET", path, token))
    for number in range(COMMANDS):
        times["command"].append(_ask(connection, "POST", f"/v1/rollouts/r{number}/pause", token, key="pause"))
    connection.close()
    return times


def _ask(connection: HTTPConnection, method: str, path: str, token: str, *, key: str = "") -> float:
    headers = {"Authorization": f"Bearer {token}"}
    if key:
        headers |= {"Idempotency-Key": key, "Content-Type": "application/json"}
    body = json.dumps({"reason": "bench"}) if key else None
    began = time.perf_counter()
    connection.request(method, path, body=body, headers=headers)
    answer = connection.getresponse()
    said = answer.read()
    ms = 1000 * (time.perf_counter() - began)
    assert answer.status == 200, f"{method} {path}: {answer.status} {said.decode()}"
    return ms


class _Load:
    """Somebody else who reads, in a thread."""

    def __init__(self, host: str, token: str) -> None:
        self._host, self._token, self._enough = host, token, threading.Event()
        self._thread = threading.Thread(target=self._read)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        self._thread.join()

    def _read(self) -> None:
        connection = HTTPConnection(self._host, timeout=PATIENCE)
        while not self._enough.wait(LOAD_PAUSE_SECONDS):
            _ask(connection, "GET", "/v1/rollouts/r1", self._token)
        connection.close()
