"""Connections of those who only hold them: each has its time, and none keeps anybody else out."""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from api.serving.connections import Connections, bounded, room
from orchestrator.settings import Bounds

pytestmark = pytest.mark.machine(seconds=10)

LONG = Bounds(connections=40, per_address=40)
SHORT = timedelta(milliseconds=200)
ASK = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"
PATIENCE = 60.0
Client = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads a body to its end and answers; `/large` answers more than any buffer holds."""
    while (message := await receive())["type"] == "http.request" and message.get("more_body"):
        pass
    if message["type"] == "http.disconnect":
        return
    if scope["path"] == "/paced":
        scope["state"] = {"visit": SimpleNamespace(is_paced=True)}
        while (await receive())["type"] != "http.disconnect":
            pass
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(2000 if scope["path"] == "/large" else 0):
        await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})
    await send({"type": "http.response.body", "body": b"done"})


class Served:
    """A server of the app, and its connections."""

    def __init__(self, bounds: Bounds, most: int | None = None) -> None:
        self.ledger = Connections(bounds, bounds.connections if most is None else most)
        config = uvicorn.Config(
            app, port=0, log_config=None, lifespan="off", http=bounded(self.ledger), ws="none", backlog=16
        )
        self.server = uvicorn.Server(config)

    async def connect(self) -> Client:
        """A connection that says nothing."""
        port = self.server.servers[0].sockets[0].getsockname()[1]
        return await asyncio.open_connection("127.0.0.1", port)

    async def ask(self) -> bytes:
        """Somebody's request, and the first line of the answer."""
        reader, writer = await self.connect()
        writer.write(ASK)
        line = await reader.readline()
        writer.close()
        return line

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for the server."""
        while not holds():  # noqa: ASYNC110 - it is another's loop that moves it
            await asyncio.sleep(0.01)


def play(served: Served, script: Callable[[Served], Awaitable[None]]) -> None:
    """Play a script with a server; one that hangs fails."""

    async def bounded_in_time() -> None:
        with quiet(served.server):
            async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
                group.create_task(served.server.serve())
                await served.until(lambda: served.server.started)
                try:
                    await script(served)
                finally:
                    served.server.should_exit = served.server.force_exit = True

    asyncio.run(bounded_in_time())


@contextmanager
def quiet(server: uvicorn.Server) -> Iterator[None]:
    """Leave signals to pytest."""

    @contextmanager
    def none() -> Iterator[None]:
        yield

    server.capture_signals = none  # type: ignore[method-assign]
    yield


def test_who_asks_is_answered_at_once_however_many_only_hold_a_connection() -> None:
    async def script(served: Served) -> None:
        idle = [await served.connect() for _ in range(300)]
        began = time.monotonic()
        assert (await served.ask()).startswith(b"HTTP/1.1 200")
        assert time.monotonic() - began < PATIENCE / 10
        await served.until(lambda: len(served.ledger) <= LONG.connections)
        for _, writer in idle:
            writer.close()

    play(Served(LONG), script)


def test_who_is_made_to_wait_makes_room_before_those_who_have_not_been_heard_yet() -> None:
    async def script(served: Served) -> None:
        quiet = [await served.connect() for _ in range(LONG.connections - 5)]
        paced = [await served.connect() for _ in range(5)]
        for _, writer in paced:
            writer.write(b"GET /paced HTTP/1.1\r\nhost: localhost\r\n\r\n")
        await served.until(lambda: sum(one.is_paced for one in served.ledger._all) == 5)
        more = [await served.connect() for _ in range(5)]
        for reader, writer in paced:
            assert await reader.read() == b""
            writer.close()
        for _, writer in (*quiet, *more):
            writer.write(ASK)
        for reader, writer in (*quiet, *more):
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
            writer.close()

    play(Served(LONG), script)


def test_where_there_is_no_room_who_has_to_wait_is_let_go_before_the_request_is_read_but_for_commands() -> (
    None
):
    async def said(served: Served, request: bytes) -> bytes:
        reader, writer = await served.connect()
        writer.write(request + b" HTTP/1.1\r\nhost: localhost\r\nAuthorization: Bearer hostile\r\n\r\n")
        line = await reader.readline()
        writer.close()
        return line

    async def script(served: Served) -> None:
        served.ledger.is_owing = lambda key: key == b"Bearer hostile"
        assert (await said(served, b"GET /")).startswith(b"HTTP/1.1 200"), "there is room"
        quiet = [await served.connect() for _ in range(LONG.connections)]
        assert await said(served, b"GET /") == b""
        assert (await said(served, b"POST /v1/rollouts/r1/rollback")).startswith(b"HTTP/1.1 200")
        assert (await served.ask()).startswith(b"HTTP/1.1 200"), "others are heard"
        for _, writer in quiet:
            writer.close()

    play(Served(LONG), script)


def test_one_address_has_its_own_bound_below_that_of_all() -> None:
    async def script(served: Served) -> None:
        idle = [await served.connect() for _ in range(60)]
        await served.until(lambda: 0 < len(served.ledger) <= 20)
        assert (await served.ask()).startswith(b"HTTP/1.1 200")
        for _, writer in idle:
            writer.close()

    play(Served(replace(LONG, per_address=20)), script)


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nx: "])
def test_a_head_that_does_not_come_ends_its_connection(said: bytes) -> None:
    async def script(served: Served) -> None:
        reader, writer = await served.connect()
        writer.write(said)
        assert await reader.read() == b""
        writer.close()

    play(Served(replace(LONG, head=SHORT)), script)


def test_a_head_that_comes_byte_by_byte_has_one_time_for_all_of_it() -> None:
    async def script(served: Served) -> None:
        _, writer = await served.connect()
        await served.until(lambda: len(served.ledger) == 1)
        writer.write(b"GET / HTTP/1.1\r\nx: ")
        while len(served.ledger):
            writer.write(b"x")
            await asyncio.sleep(0.01)
        writer.close()

    play(Served(replace(LONG, head=SHORT)), script)


def test_a_body_that_does_not_end_is_answered_with_408() -> None:
    async def script(served: Served) -> None:
        reader, writer = await served.connect()
        writer.write(b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\nhalf")
        assert (await reader.read()).startswith(b"HTTP/1.1 408 ")
        writer.close()

    play(Served(replace(LONG, body=SHORT)), script)


def test_a_client_that_does_not_read_is_cut_off() -> None:
    async def script(served: Served) -> None:
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.setblocking(False)
            port = served.server.servers[0].sockets[0].getsockname()[1]
            await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", port))
            await asyncio.get_running_loop().sock_sendall(client, ASK.replace(b"/ ", b"/large ", 1))
            await served.until(lambda: len(served.ledger) == 1)
            await served.until(lambda: len(served.ledger) == 0)

    play(Served(replace(LONG, unread=SHORT)), script)


def test_a_request_that_is_being_answered_is_not_closed_for_a_newcomer() -> None:
    async def script(served: Served) -> None:
        reader, writer = await served.connect()
        writer.write(ASK.replace(b"/ ", b"/large ", 1))
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        others = [await served.connect() for _ in range(100)]
        await served.until(lambda: len(served.ledger) <= 20)
        read = 0
        while chunk := await reader.read(1 << 20):
            read += len(chunk)
            if read > 2000 * 65536:
                break
        assert read > 2000 * 65536
        for _, one in others:
            one.close()
        writer.close()

    play(Served(LONG, 20), script)


@pytest.mark.parametrize("proxies", [("127.0.0.0/24",), ("elsewhere", "127.0.0.1"), ("*",)])
def test_a_trusted_proxys_connections_are_of_no_one_address(proxies: tuple[str, ...]) -> None:
    async def script(served: Served) -> None:
        served.ledger.proxies = proxies
        idle = [await served.connect() for _ in range(30)]
        await served.until(lambda: len(served.ledger) == 30)
        for _, writer in idle:
            writer.close()

    play(Served(replace(LONG, per_address=20)), script)


def test_descriptors_are_held_back_for_store_and_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    for soft, most in ((256, 160), (1024, 500), (40, 16)):
        monkeypatch.setattr("resource.getrlimit", lambda _, soft=soft: (soft, soft))
        assert room(Bounds()) == most
