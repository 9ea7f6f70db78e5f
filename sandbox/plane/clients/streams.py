"""Clients that keep a connection: WebSockets and server-sent events, and how each of them ended.

A load balancer passes their bytes on and leaves a connection with its target for as long as both sides keep it,
whatever the weights are meanwhile.
"""

import asyncio
import base64
import os
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Self
from urllib.parse import urlsplit

Kind = Literal["websocket", "events"]
AGAIN_SECONDS = 0.05  # from the end of a connection until its client comes again
_CLOSE, _TEXT = 0x88, 0x81


@dataclass(slots=True)
class StreamsSeen:
    """What became of the connections, by kind; messages by the revision that sent them."""

    opened: Counter[Kind] = field(default_factory=Counter)
    refused: Counter[Kind] = field(default_factory=Counter)  # no connection, or another answer than a stream
    ended: Counter[Kind] = field(default_factory=Counter)  # by the server's own word
    cut: Counter[Kind] = field(default_factory=Counter)  # without a word
    moved: Counter[Kind] = field(
        default_factory=Counter
    )  # messages of another revision on an open connection
    messages: Counter[str] = field(default_factory=Counter)
    open_on: Counter[str] = field(default_factory=Counter)  # connections that are open, by their revision


class Streams:
    """So many clients of each kind on a listener, as a context manager; each comes again when its stream ends."""

    def __init__(self, url: str, *, websockets: int = 0, events: int = 0) -> None:
        """`url` is the listener's; events are asked for at its path ``/stream``."""
        parts = urlsplit(url)
        self._host, self._port, self._name = parts.hostname or "127.0.0.1", parts.port or 80, parts.netloc
        self._path = parts.path or "/"
        kinds: tuple[tuple[Kind, int], ...] = (("websocket", websockets), ("events", events))
        self._wanted = [kind for kind, count in kinds for _ in range(count)]
        self._clients: list[asyncio.Task[None]] = []
        self.seen = StreamsSeen()

    async def __aenter__(self) -> Self:
        self._clients = [
            asyncio.create_task(self._keep(kind), name=f"a client's {kind}") for kind in self._wanted
        ]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for client in self._clients:
            client.cancel()
        for end in await asyncio.gather(*self._clients, return_exceptions=True):
            if isinstance(end, Exception):
                raise end

    async def _keep(self, kind: Kind) -> None:
        while True:
            await self._once(kind)
            await asyncio.sleep(AGAIN_SECONDS)

    async def _once(self, kind: Kind) -> None:
        try:
            reader, writer = await asyncio.open_connection(self._host, self._port)
        except OSError:
            self.seen.refused[kind] += 1
            return
        try:
            writer.write(self._request(kind))
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 101" if kind == "websocket" else b"HTTP/1.1 200"):
                self.seen.refused[kind] += 1
                return
            self.seen.opened[kind] += 1
            await self._listen(kind, reader)
        except (asyncio.IncompleteReadError, OSError):
            self.seen.cut[kind] += 1
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _listen(self, kind: Kind, reader: asyncio.StreamReader) -> None:
        revision = ""
        read = _message if kind == "websocket" else _event
        try:
            while (said := await read(reader)) is not None:
                self.seen.messages[said] += 1
                if said != revision:
                    self.seen.moved[kind] += bool(revision)
                    self.seen.open_on[said] += 1
                    self.seen.open_on[revision] -= bool(revision)
                    revision = said
            self.seen.ended[kind] += 1
        finally:
            self.seen.open_on[revision] -= bool(revision)

    def _request(self, kind: Kind) -> bytes:
        if kind == "events":
            return f"GET /stream HTTP/1.1\r\nHost: {self._name}\r\nAccept: text/event-stream\r\n\r\n".encode()
        key = base64.b64encode(os.urandom(16)).decode()
        return (
            f"GET {self._path} HTTP/1.1\r\nHost: {self._name}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
        ).encode()


async def _message(reader: asyncio.StreamReader) -> str | None:
    """The next text of a WebSocket; None at its close frame. Servers do not mask, and these texts are short."""
    kind, length = await reader.readexactly(2)
    content = await reader.readexactly(length)
    if kind == _CLOSE:
        return None
    assert kind == _TEXT, f"a frame of kind {kind:x}"
    return content.decode()


async def _event(reader: asyncio.StreamReader) -> str | None:
    """The data of the next server-sent event, which comes as one chunk; None at the last chunk."""
    size = int(await reader.readuntil(b"\r\n"), 16)
    content = await reader.readexactly(size + 2)
    return content.decode().removeprefix("data: ").strip() if size else None
