"""A server as a process of its own, over a store with one rollout that nobody looks at until tomorrow."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path

from orchestrator.engine.views.keeping import text_of
from orchestrator.store.opening import open_store
from tests.contract.store_values import a_rollout, an_event

SERVE = "from api.serving.engine import run; run(port=0, announce=lambda address: print(address, flush=True))"
PATIENCE = (
    120  # seconds: so long only a server that hangs takes, also on a machine that is busy with other things
)


def fill(path: Path) -> None:
    """Make a store with one rollout, ``r1``, that wants to be looked at tomorrow, and once when an engine begins."""

    async def script() -> None:
        store = open_store(f"sqlite:///{path}", shown=text_of)
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        claims = frozenset({"service prod/checkout"})
        await store.create(a_rollout("r1"), claims=claims, key="k", events=(an_event(),), wake_at=tomorrow)
        await store.close()

    asyncio.run(script())


@contextmanager
def serving(path: Path) -> Iterator[subprocess.Popen[str]]:
    """A server on a free port over this store."""
    environment = {
        **os.environ,
        "TEAL_STORE": str(path),
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",  # nothing answers there: no test reaches AWS
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
    }
    # A file and no pipe: nobody reads the log meanwhile, and a full pipe would stop the server.
    with log_of(path).open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", SERVE], env=environment, stdout=subprocess.PIPE, stderr=log, text=True
        )
    with process:
        yield process
        process.kill()


def log_of(path: Path) -> Path:
    """Where the log of the server over this store is."""
    return path.with_suffix(".log")


def address_of(server: subprocess.Popen[str]) -> str:
    """The address that the server announces."""
    assert server.stdout is not None
    address = server.stdout.readline().strip()
    assert address.startswith("http://127.0.0.1:"), address
    return address


def connect(server: subprocess.Popen[str]) -> HTTPConnection:
    """A connection to the server."""
    return HTTPConnection(address_of(server).removeprefix("http://"), timeout=PATIENCE)
