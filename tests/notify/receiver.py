"""A receiver of webhooks on loopback, which checks every request as the documentation tells its readers to."""

import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PAGE = Path(__file__).parents[2] / "docs" / "notifications.md"
Verify = Callable[..., None]


def sample(name: str) -> Any:  # noqa: ANN401 - whatever the page defines
    """A function of the documentation's Python blocks."""
    defined: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL):
        exec(block, defined)
    return defined[name]


@dataclass
class Answering:
    """What a receiver answers next."""

    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Receiver:
    """Keeps what it took; answers as it is told to."""

    url: str
    now: Callable[[], float]
    answer: Answering = field(default_factory=Answering)
    taken: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)  # of every request
    wrong: list[str] = field(default_factory=list)

    @property
    def ids(self) -> list[str]:
        """The ids of what was taken, in order."""
        return [event["id"] for event in self.taken]

    @property
    def messages(self) -> list[str]:
        """What was said, in order."""
        return [event["data"]["event"]["message"] for event in self.taken]

    async def hear(self, request: web.Request) -> web.Response:
        """One request."""
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.headers.append(headers)
        try:
            sample("verify")(SECRET, headers, body, now=self.now())
        except ValueError as error:
            self.wrong.append(str(error))
            return web.Response(status=401)
        if 200 <= self.answer.status < 300:
            self.taken.append(json.loads(body))
        return web.Response(status=self.answer.status, headers=self.answer.headers)


@asynccontextmanager
async def receiving(now: Callable[[], float]) -> AsyncIterator[Receiver]:
    """A receiver on a free port, while the context lasts."""
    app = web.Application()
    runner = web.AppRunner(app)
    receiver = Receiver(url="", now=now)
    app.router.add_post("/teal", receiver.hear)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        receiver.url = f"http://127.0.0.1:{port}/teal?token=of-the-address"
        yield receiver
    finally:
        await runner.cleanup()
