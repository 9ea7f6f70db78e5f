"""Requests of this machine to the throw-away service, over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiohttp

from orchestrator.verify.means import Answered, Tally, Users
from orchestrator.verify.place.template import HEADER, PATH

PATIENCE = 20.0  # seconds beyond what a request is to take
UNDER_WAY = 64  # requests of the steady load at the same time


@asynccontextmanager
async def open_users(url: str, run: str) -> AsyncIterator[Users]:
    """Users of the rule that takes requests with the run's header; their connections end with the context."""
    # A new connection for each: what a load balancer does with one connection says little of users.
    connector = aiohttp.TCPConnector(force_close=True, limit=UNDER_WAY * 2)
    async with aiohttp.ClientSession(connector=connector, headers={HEADER: run}) as session:
        yield HttpUsers(session, url.rstrip("/"))


class HttpUsers:
    """As `Users`."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session, self._url = session, url

    async def send(self, *, wait: float = 0.0) -> Answered:
        """One request; a redirect is an answer, and a certificate for another name is taken: the name is AWS's."""
        loop = asyncio.get_running_loop()
        sent = loop.time()
        query = f"?wait={wait:g}" if wait else ""
        limit = aiohttp.ClientTimeout(total=wait + PATIENCE)
        try:
            async with self._session.get(
                f"{self._url}{PATH}{query}", timeout=limit, ssl=False, allow_redirects=False
            ) as answer:
                await answer.read()
                return Answered(status=answer.status, sent=sent, answered=loop.time())
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            return Answered(status=0, sent=sent, answered=loop.time(), why=f"{type(error).__name__}: {error}")

    @asynccontextmanager
    async def steadily(self, rate: float) -> AsyncIterator[Tally]:
        """So many requests a second, at most `UNDER_WAY` at the same time."""
        tally, room = Tally(), asyncio.Semaphore(UNDER_WAY)

        async def one() -> None:
            answered = await self.send()
            room.release()
            if answered.status and answered.status < 500:
                tally.answered += 1
            else:
                tally.failed += 1

        async def load() -> None:
            async with asyncio.TaskGroup() as group:
                while True:
                    await room.acquire()
                    group.create_task(one())
                    await asyncio.sleep(1 / rate)

        sending = asyncio.create_task(load(), name="requests")
        try:
            yield tally
        finally:
            sending.cancel()
            with suppress(asyncio.CancelledError):
                await sending
