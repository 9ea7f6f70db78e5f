"""The client over aiohttp: the same calls as `Client`, for programs with an event loop."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from ssl import SSLContext
from typing import Self

import aiohttp
from yarl import URL

from api.client import requests, values
from api.client.answers import Answer, Json, check_stream, no_answer, read
from api.client.failures import Failure
from api.client.reading import read as shaped
from api.client.requests import Address, File, Request, Token, address_of, head
from api.client.retries import Outage, Retries
from api.client.stream import Following, StreamOver
from api.client.waiting import Wait

CONNECT_SECONDS = 10.0


class Transport:
    """Carries requests to one address, and says what came back. Raises NoAnswer."""

    def __init__(self, address: Address, *, context: SSLContext | None = None) -> None:
        self.address, self._context = address, context
        self._session: aiohttp.ClientSession | None = None  # made where a loop runs

    async def exchange(self, request: Request, headers: dict[str, str]) -> Answer:
        """Send one request and read its whole answer."""
        limit = aiohttp.ClientTimeout(total=request.seconds)
        async with self.opened(request, headers, limit) as answer:
            body = b"".join([part async for part in self.chunks(answer)])
            return Answer(status=answer.status, headers=lower(answer), body=body)

    @asynccontextmanager
    async def opened(
        self, request: Request, headers: dict[str, str], limit: aiohttp.ClientTimeout | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send one request; its answer while the context lasts. Without a limit: its silence alone is bounded."""
        silence = aiohttp.ClientTimeout(total=None, connect=CONNECT_SECONDS, sock_read=request.seconds)
        try:
            answer = await self._open().request(
                request.method,
                URL(f"{self.address.url}{request.path}", encoded=True),
                data=request.body,
                headers={**headers, **dict(request.headers)},
                timeout=limit or silence,
                allow_redirects=False,
            )
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise no_answer(self.address, error, was_sent=False) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise no_answer(self.address, error, was_sent=True) from error
        async with answer:
            yield answer

    async def chunks(self, answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        """The bytes of an answer as they come."""
        try:
            async for received in answer.content.iter_any():
                yield received
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise no_answer(self.address, error, was_sent=True) from error

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(ssl=self._context or True)
            jar = aiohttp.DummyCookieJar()
            self._session = aiohttp.ClientSession(connector=connector, cookie_jar=jar)
        return self._session

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()


def lower(answer: aiohttp.ClientResponse) -> dict[str, str]:
    """Headers by their names in lower case."""
    return {name.lower(): value for name, value in answer.headers.items()}


class AsyncClient:
    """`Client` for programs with an event loop; an async context manager that keeps connections open.

    Raises ValueError for arguments that are wrong by themselves, else a `Failure`. Calls that fail for a reason that
    passes are repeated as `retries` says; writes carry an idempotency key, so that none takes effect twice.
    """

    def __init__(
        self,
        url: str,
        *,
        token: Token = "",
        user: str = "",
        retries: Retries | None = None,
        patience: float = 120.0,
        context: SSLContext | None = None,
    ) -> None:
        self._transport = Transport(address_of(url), context=context)
        self._token, self._user = token, user
        self._retries = retries or Retries()
        self._patience = Retries(within=patience)  # while following and waiting

    async def __aenter__(self) -> Self:
        """The client."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close every connection."""
        await self.close()

    async def close(self) -> None:
        """Close every connection."""
        await self._transport.close()

    # rollouts --------------------------------------------------------------------------------------------------

    async def start(self, file: File, *, key: str) -> values.Rollout:
        """Start a rollout; the same key again within a day returns the one that it started."""
        return shaped(values.Rollout, await self._ask(requests.start(file, key=key)))

    async def get(self, name: str, *, wait: float = 0, version: int | None = None) -> values.Rollout:
        """A rollout by its id, or the active one of a service; with `wait`, its next version if it comes in time."""
        return shaped(values.Rollout, await self._ask(requests.get(name, wait=wait, version=version)))

    async def list(
        self, *, service: str = "", phase: str = "", active: bool | None = None, limit: int | None = None
    ) -> AsyncIterator[values.Rollout]:
        """Rollouts, newest first, asked for a page at a time; at most `limit`."""
        cursor, left = "", limit
        while left is None or left > 0:
            size = 100 if left is None else min(left, 100)
            asked = requests.page(service=service, phase=phase, active=active, limit=size, cursor=cursor)
            page = shaped(values.RolloutPage, await self._ask(asked))
            for rollout in page.rollouts:
                yield rollout
            left = None if left is None else left - len(page.rollouts)
            cursor = page.next
            if not cursor:
                return

    async def events(self, name: str, *, after: int = 0) -> AsyncIterator[values.Event]:
        """A rollout's log so far, from the event after number `after`."""
        while True:
            page = shaped(values.EventPage, await self._ask(requests.events(name, after=after)))
            for event in page.events:
                yield event
            after = page.next
            if len(page.events) < requests.EVENTS_A_PAGE:
                return

    async def follow(self, name: str, *, after: int = 0) -> AsyncIterator[values.Event]:
        """A rollout's log as it grows, until it has ended; a lost connection is taken up where it broke."""
        rollout = str(
            (await self._ask(requests.get(name)))["id"]
        )  # a service's name means another rollout later
        following, outage = Following(rollout, after=after), Outage(self._patience)
        while True:
            try:
                async for event in self._stream(following):
                    outage.over()
                    yield shaped(values.Event, event)
                pause = (
                    following.retry_seconds
                )  # the server ended the stream, and would say so at the end of all
            except StreamOver:
                return
            except Failure as failure:
                pause = outage.pause_after(failure)
            await asyncio.sleep(pause)

    async def wait(
        self,
        name: str,
        *,
        until: str = "done",
        timeout: float | None = None,  # noqa: ASYNC109 - a person's limit
        seen: Callable[[values.Rollout], None] | None = None,
    ) -> values.Rollout:
        """The rollout once it has come to ``step:2`` (its weight read back), ``approval`` or ``done``.

        `seen` is told of every version on the way. Raises NotReached if it is rolled back or ends instead, GaveUp
        after `timeout` seconds; it goes on then.
        """
        wait = Wait(until, timeout)
        rollout = await self.get(name)
        while True:
            if seen is not None:
                seen(rollout)
            if wait.is_over(rollout):
                return rollout
            pause, request = wait.next(rollout)
            await asyncio.sleep(pause)
            rollout = shaped(values.Rollout, await self._ask(request, self._patience))

    # commands --------------------------------------------------------------------------------------------------

    async def approve(
        self, name: str, *, reason: str = "", step: int | None = None, key: str = ""
    ) -> values.Commanded:
        """Let the step that waits for a person be left; `step`, from 1, binds it to that step."""
        return await self._command(name, "approve", key, reason=reason, step=step)

    async def reject(
        self, name: str, *, reason: str = "", step: int | None = None, key: str = ""
    ) -> values.Commanded:
        """Refuse the revision: all traffic back to blue."""
        return await self._command(name, "reject", key, reason=reason, step=step)

    async def pause(
        self, name: str, *, reason: str = "", step: int | None = None, key: str = ""
    ) -> values.Commanded:
        """Stop advancing; gates still judge."""
        return await self._command(name, "pause", key, reason=reason, step=step)

    async def resume(
        self, name: str, *, reason: str = "", step: int | None = None, key: str = ""
    ) -> values.Commanded:
        """Go on advancing."""
        return await self._command(name, "resume", key, reason=reason, step=step)

    async def promote(
        self, name: str, *, full: bool = False, reason: str = "", step: int | None = None, key: str = ""
    ) -> values.Commanded:
        """Waive the rest of this step's bake; `full`: straight to the last step."""
        return await self._command(name, "promote", key, full=full, reason=reason, step=step)

    async def back(
        self, name: str, *, to: str | float, reason: str = "", step: int | None = None, key: str = ""
    ) -> values.Commanded:
        """Go back to the weight of an earlier step, in percent."""
        return await self._command(name, "back", key, to=to, reason=reason, step=step)

    async def rollback(
        self, name: str, *, reason: str = "", step: int | None = None, key: str = ""
    ) -> values.Commanded:
        """All traffic back to blue, then green is retired."""
        return await self._command(name, "rollback", key, reason=reason, step=step)

    async def abandon(
        self, name: str, *, reason: str = "", step: int | None = None, key: str = ""
    ) -> values.Commanded:
        """Write nothing more and leave everything as it is: the last resort."""
        return await self._command(name, "abandon", key, reason=reason, step=step)

    # what else the server knows --------------------------------------------------------------------------------

    async def preflight(self, file: File) -> values.Preflight:
        """What a rollout would start from, and what speaks against it; only reads."""
        return shaped(values.Preflight, await self._ask(requests.preflight(file)))

    async def services(self) -> AsyncIterator[values.Service]:
        """Every service that had a rollout, by name: what serves now, and how it came to that."""
        cursor = ""
        while True:
            page = shaped(values.ServicePage, await self._ask(requests.services(cursor=cursor)))
            for service in page.services:
                yield service
            cursor = page.next
            if not cursor:
                return

    async def service(self, name: str) -> values.Service:
        """One service, as ``cluster/service`` or by its own name where one cluster has it."""
        return shaped(values.Service, await self._ask(requests.service(name)))

    async def report(self, name: str) -> values.Report:
        """A rollout for auditors: who, what, when and why, and whether its log is whole."""
        return shaped(values.Report, await self._ask(requests.report(name)))

    async def undo(self, name: str) -> Json:
        """The rollout file that takes back a rollout which succeeded (by its id, or a service's last); `start` it."""
        return await self._ask(requests.undo(name))

    async def me(self) -> values.Me:
        """Who the server takes this client for, and what they may do."""
        return shaped(values.Me, await self._ask(requests.me()))

    async def tokens(self) -> tuple[values.Token, ...]:
        """Every token of the server, newest first, without the tokens themselves."""
        return shaped(values.TokenPage, await self._ask(requests.tokens())).tokens

    async def create_token(
        self,
        name: str,
        *,
        role: values.Role,
        services: Sequence[str] = (),
        groups: Sequence[str] = (),
        expires: str | None = None,
        key: str = "",
    ) -> values.TokenMade:
        """Make a token; its ``text`` is told this once. ``expires``: a moment, or ``30d`` from now."""
        said = {"name": name, "role": role, "services": [*services], "groups": [*groups], "expires": expires}
        return shaped(values.TokenMade, await self._ask(requests.create_token(said, key=key)))

    async def revoke_token(self, token: str) -> values.Token:
        """Let nobody in by a token any more; by its id."""
        return shaped(values.Token, await self._ask(requests.revoke_token(token)))

    async def audit(self) -> AsyncIterator[values.Call]:
        """Every call that was to change something, newest first, asked for a page at a time."""
        cursor = ""
        while True:
            page = shaped(values.CallPage, await self._ask(requests.audit(cursor=cursor)))
            for call in page.calls:
                yield call
            cursor = page.next
            if not cursor:
                return

    # how calls are made ----------------------------------------------------------------------------------------

    async def _command(self, name: str, kind: str, key: str, **said: object) -> values.Commanded:
        return shaped(values.Commanded, await self._ask(requests.command(name, kind, said, key=key)))

    async def _ask(self, request: Request, retries: Retries | None = None) -> Json:
        outage = Outage(retries or self._retries)
        while True:
            try:
                answer = await self._transport.exchange(request, await self._head())
                return read(answer, url=self._transport.address.url)
            except Failure as failure:
                pause = outage.pause_after(failure)
            await asyncio.sleep(pause)

    async def _stream(self, following: Following) -> AsyncIterator[Json]:
        """The events of one connection. Raises StreamOver once the rollout has ended and every event came."""
        async with self._transport.opened(following.request(), await self._head()) as answer:
            if answer.status == 204:
                raise StreamOver
            chunks = self._transport.chunks(answer)
            body = b"" if answer.status == 200 else await anext(chunks, b"")
            begun = Answer(status=answer.status, headers=lower(answer), body=body)
            check_stream(begun, url=self._transport.address.url)
            async for received in chunks:
                for event in following.feed(received):
                    yield event

    async def _head(self) -> dict[str, str]:
        # Getting a fresh token may be a call of its own, which must not hold the loop up.
        token = await asyncio.to_thread(self._token) if callable(self._token) else self._token
        return head(token=token, user=self._user)
