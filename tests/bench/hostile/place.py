"""The processes of one cell: AWS, the server and its clients, each on its core."""

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, TextIO, TypeVar

from api.auth.tokens import new_token
from orchestrator.core.domain.roles import Role
from orchestrator.ports.tokens import Token
from orchestrator.store.opening import open_store

T = TypeVar("T")

PATIENCE = 300.0  # seconds: so long only what hangs takes
SERVE = """
import os, resource, sys
os.sched_setaffinity(0, {%(core)d})
resource.setrlimit(resource.RLIMIT_NOFILE, (%(descriptors)d, %(descriptors)d))
from api.serving.engine import run
from tests.bench.hostile.wide_buckets import widen
widen()
run(port=0, is_auth_required=True, announce=lambda address: print(address, flush=True))
"""


def cores() -> tuple[int, int]:
    """The clients' core and the server's; the same where there is only one."""
    found = sorted(os.sched_getaffinity(0))
    return found[0], found[-1]


@dataclass(slots=True)
class Aws:
    """The simulated AWS, and what it told so far."""

    process: "subprocess.Popen[str]"
    first: dict[str, Any]
    on_blue: dict[str, list[tuple[float, bool]]] = field(default_factory=dict)
    errors: list[dict[str, Any]] = field(default_factory=list)

    def hear(self) -> None:
        """Hear until it ends; in a thread."""
        assert self.process.stdout is not None
        for text in self.process.stdout:
            line = json.loads(text)
            if "error" in line:
                self.errors.append(line)
            else:
                self.on_blue.setdefault(line["service"], []).append((line["at"], line["on_blue"]))

    def blue_at(self, service: str, since: float) -> float | None:
        """When all traffic of a service was on blue, after a moment; None: not yet."""
        return next((at for at, is_blue in self.on_blue.get(service, ()) if is_blue and at >= since), None)


@dataclass(slots=True)
class Server:
    """The server, by its operator."""

    address: str
    operator: str
    viewers: list[str]
    log: Path
    environment: dict[str, str]

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
        """One request on a connection of its own."""
        connection = HTTPConnection(self.address.removeprefix("http://"), timeout=PATIENCE)
        try:
            sent = {"Authorization": f"Bearer {self.operator}", "Content-Type": "application/json", **headers}
            connection.request(method, path, None if body is None else json.dumps(body), sent)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()


@contextmanager
def aws(services: int) -> Iterator[Aws]:
    """An AWS on the clients' core."""
    with _process(["-m", "tests.bench.hostile.aws", str(services)], cores()[0]) as process:
        assert process.stdout is not None
        found = Aws(process, json.loads(process.stdout.readline()))
        hearing = threading.Thread(target=found.hear, daemon=True)
        hearing.start()
        yield found


@contextmanager
def server(folder: Path, cloud: Aws, *, viewers: int, descriptors: int) -> Iterator[Server]:
    """A server on the other core, over a new store."""
    operator, *others = asyncio.run(_tokens(folder / "teal.db", viewers))
    environment = {
        "TEAL_STORE": str(folder / "teal.db"),
        "AWS_ENDPOINT_URL": cloud.first["endpoint"],
        "AWS_REGION": cloud.first["region"],
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
    }
    serving = SERVE % {"core": cores()[1], "descriptors": descriptors}
    log = folder / "server.log"
    with log.open("w") as to, _process(["-c", serving], None, stderr=to, **environment) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address, log.read_text()
        yield Server(address, operator, others, log, environment)


def begin(at: Server, revisions: Mapping[str, str]) -> None:
    """Start rollouts of services to their revisions, past the server's doors."""
    names = [word for pair in revisions.items() for word in pair]
    environment = {**os.environ, **at.environment}
    subprocess.run([sys.executable, "-m", "tests.bench.hostile.begin", *names], env=environment, check=True)


@contextmanager
def clients(kind: str, at: Server, service: str, count: int) -> Iterator[None]:
    """So many clients of a kind, which have begun."""
    if not count:
        yield
        return
    command = ["-m", "tests.bench.hostile.clients", kind, at.address, service, *at.viewers[:count]]
    with _process(command, cores()[0], is_urgent=False) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        yield


@contextmanager
def _process(
    command: list[str],
    core: int | None,
    *,
    stderr: TextIO | None = None,
    is_urgent: bool = True,
    **environment: str,
) -> Iterator["subprocess.Popen[str]"]:
    with ExitStack() as stack:
        process = subprocess.Popen(
            [sys.executable, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            env={**os.environ, **environment},
        )
        stack.enter_context(process)
        if core is not None:
            os.sched_setaffinity(process.pid, {core})
        if not is_urgent:  # the simulated AWS shares their core, and must answer
            os.setpriority(os.PRIO_PROCESS, process.pid, 10)
        stack.callback(process.kill)
        yield process


async def _tokens(path: Path, viewers: int) -> list[str]:
    """An operator's token, and viewers', in a new store."""
    store, found = open_store(f"sqlite:///{path}"), []
    for number in range(viewers + 1):
        text, digest = new_token()
        role = Role.VIEWER if number else Role.OPERATOR
        token = Token(
            id=f"t{number}",
            name=f"user {number}",
            role=role,
            created_at=datetime.now(UTC),
            created_by="bench",
        )
        await store.add_token(token, digest=digest)
        found.append(text)
    await store.close()
    return found


def wait_for(what: str, seen: Callable[[], T | None], every: float = 0.01) -> T:
    """Wait until something is seen, and return it."""
    end = time.monotonic() + PATIENCE
    while not (found := seen()):
        assert time.monotonic() < end, f"{what} did not come"
        time.sleep(every)
    return found
