"""The HTTP door over loopback: a server process on SQLite, one client that is timed and one that is light load."""

import asyncio
import json
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path

from orchestrator.store.opening import open_store
from tests.bench.lines import line, quantile, ratio
from tests.contract.store_values import a_rollout, an_event
from tests.http.process import PATIENCE, address_of, serving

READS, COMMANDS = 500, 100
LOAD_PAUSE_SECONDS = 0.02  # between the load's requests: some 40 a second


def measure() -> Iterator[str]:
    """Milliseconds of reads and of commands, each to another rollout, beside ``/healthz``, which asks no store."""
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "teal.db"
        asyncio.run(_fill(store))
        with serving(store) as server:
            try:
                host = address_of(server).removeprefix("http://")
                with _Load(host):
                    timed = _timed(HTTPConnection(host, timeout=PATIENCE))
            finally:
                server.kill()
    for name, ms in timed.items():
        yield line(f"http_{name}_ms_p50", quantile(ms, 0.5), digits=2)
        yield line(f"http_{name}_ms_p99", quantile(ms, 0.99), digits=2)
    bare = quantile(timed.pop("healthz"), 0.5)
    for name, ms in timed.items():
        yield ratio(f"http_{name}_ms_p50", quantile(ms, 0.5), bare, to="healthz")


async def _fill(path: Path) -> None:
    """Make a store with a rollout for every command; nobody wants to look at them until tomorrow."""
    store = open_store(f"sqlite:///{path}")
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    for number in range(COMMANDS):
        name = f"r{number}"
        row = a_rollout(name)
        await store.create(row, claims=frozenset({name}), key=name, events=(an_event(),), wake_at=tomorrow)
    await store.close()


def _timed(connection: HTTPConnection) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {"healthz": [], "get": [], "list": [], "command": []}
    reads = {"healthz": "/healthz", "get": "/v1/rollouts/r1", "list": "/v1/rollouts?limit=10"}
    for _ in range(READS):
        for name, path in reads.items():
            times[name].append(_ask(connection, "GET", path))
    for number in range(COMMANDS):
        times["command"].append(_ask(connection, "POST", f"/v1/rollouts/r{number}/pause", key="pause"))
    connection.close()
    return times


def _ask(connection: HTTPConnection, method: str, path: str, *, key: str = "") -> float:
    headers = {"Idempotency-Key": key, "Content-Type": "application/json"} if key else {}
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

    def __init__(self, host: str) -> None:
        self._host, self._enough = host, threading.Event()
        self._thread = threading.Thread(target=self._read)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        self._thread.join()

    def _read(self) -> None:
        connection = HTTPConnection(self._host, timeout=PATIENCE)
        while not self._enough.wait(LOAD_PAUSE_SECONDS):
            _ask(connection, "GET", "/v1/rollouts/r1")
        connection.close()
