"""The HTTP door over a World and the store in memory, in virtual time: what a client of it sees."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import httpx

from api.app import create_app
from api.http.request.server_state import Door
from orchestrator.bootstrap import engine_of
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from tests.support.rehearsal import Rehearsal

T = TypeVar("T")
HOST = "http://127.0.0.1"


class Desk:
    """One server without a socket, and a client of it."""

    def __init__(self, stage: Rehearsal) -> None:
        self.stage = stage
        self.engine = engine_of(stage.store, stage.cloud, stage.clock)
        self.app = create_app(self.engine)
        self.door: Door = self.app.state.door

    def file(self, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - the file's keys
        """The least rollout file that this service can be rolled out with."""
        revision = self.stage.revision().rpartition("/")[2]
        service = f"{self.stage.scenery.cluster}/{self.stage.scenery.service}"
        return {
            "service": service,
            "revision": {"task_definition": revision},
            "metrics": {"period": "10s"},
            "plan": [{"weight": 10, "bake": "20s", "approval": True}, {"weight": 100, "bake": "30s"}],
            **changes,
        }

    def ask(self, method: str, path: str, **request: Any) -> httpx.Response:  # noqa: ANN401 - as httpx
        """One request and its whole answer."""
        return self.run(lambda client: client.request(method, path, **request))

    def start(self, key: str = "first", **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - the file's keys
        """Start a rollout through the door; its view."""
        answer = self.ask("POST", "/v1/rollouts", json=self.file(**changes), headers={"Idempotency-Key": key})
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def run(self, script: Callable[[httpx.AsyncClient], Awaitable[T]]) -> T:
        """Run a client's script in virtual time."""

        async def play() -> T:
            transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url=HOST) as client:
                return await script(client)

        return self.stage.loop.run_until_complete(play())

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """The engine's own worker runs, as it does beside a server."""
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(self.engine.worker.run(stop))
            yield
            stop.set()

    def until(self, rollout: str, phase: Phase) -> None:
        """Let the worker run until the rollout is in a phase."""

        async def wait() -> None:
            async with self.working():
                for _ in range(2000):
                    if (await self.stage.store.load(RolloutId(rollout))).rollout.phase is phase:
                        return
                    await asyncio.sleep(0.25)
            raise TimeoutError(phase)

        self.stage.run(wait())


def problem(answer: httpx.Response) -> dict[str, Any]:
    """The problem document of an answer that is one."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    told = dict(answer.json())
    assert told["status"] == answer.status_code
    return told


def stream_events(text: str) -> list[tuple[int, str, dict[str, Any]]]:
    """The events in an event stream's text: id, name, data."""
    found = []
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "id" in lines:
            found.append((int(lines["id"]), lines["event"], json.loads(lines["data"])))
    return found
