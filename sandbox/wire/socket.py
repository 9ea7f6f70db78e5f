"""A small HTTP/1.1 server on loopback for a Skin, and for the sandbox's own paths beside it.

It does what AWS clients need: keep-alive, Content-Length and chunked bodies, `Expect: 100-continue`. Everything
runs on the caller's event loop, so the World is touched by one thread only.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus

from sandbox.wire.skin import Response, Skin
from sandbox.world.kernel.errors import CallLost

MAX_HEAD = 64 * 1024
MAX_BODY = 16 * 1024 * 1024
PREFIX = "/_sandbox/"

PathHandler = Callable[[str, str, Mapping[str, str], bytes], Awaitable[Response]]
"""(method, path with query, headers by lower-case name, body) -> response; for paths under a prefix of its own."""


class _BadRequest(Exception):
    pass


class _Server:
    def __init__(self, skin: Skin, paths: Mapping[str, PathHandler]) -> None:
        self._skin = skin
        self._paths = dict(paths)
        self._open: set[asyncio.StreamWriter] = set()
        self._answering: set[asyncio.Future[Response]] = set()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            while await self._one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the client went away, or never spoke HTTP
        finally:
            self._open.discard(writer)
            writer.close()

    def close_connections(self) -> None:
        for answering in list(self._answering):
            answering.cancel()
        for writer in list(self._open):
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; False when the connection is to be closed."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            method, path, headers = _parsed(head)
            if headers.get("expect", "").lower() == "100-continue":
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                await writer.drain()
            body = await _body(reader, headers)
        except _BadRequest as bad:
            writer.write(_bytes(_plain(400, str(bad)), keep=False))
            await writer.drain()
            return False
        try:
            response = await self._response(method, path, headers, body)
        except CallLost:
            await reader.read(1)  # silence: the client waits as long as it likes, and then hangs up
            return False
        keep = headers.get("connection", "").lower() != "close"
        writer.write(_bytes(response, keep=keep))
        await writer.drain()
        return keep

    async def _response(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Response:
        for prefix, handler in self._paths.items():
            if path.startswith(prefix):
                return await handler(method, path, headers, body)
        if path.startswith(PREFIX):
            return _plain(404, f"nothing is at {path}")
        answering = asyncio.ensure_future(self._skin.handle_patiently(method, path, headers, body))
        self._answering.add(answering)
        try:
            return await answering
        finally:
            self._answering.discard(answering)


@asynccontextmanager
async def serve(
    skin: Skin, port: int = 0, *, host: str = "127.0.0.1", paths: Mapping[str, PathHandler] | None = None
) -> AsyncIterator[str]:
    """Serve the skin at the yielded URL until the block ends. `paths`: path prefix -> handler, asked first."""
    server = _Server(skin, paths or {})
    listening = await asyncio.start_server(server.connected, host, port, limit=MAX_HEAD)
    actual = listening.sockets[0].getsockname()[1]
    try:
        yield f"http://{host}:{actual}"
    finally:
        listening.close()
        server.close_connections()
        await listening.wait_closed()


def _parsed(head: bytes) -> tuple[str, str, dict[str, str]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    parts = first.split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        raise _BadRequest("the first line is not HTTP/1.1")
    headers = {}
    for line in lines:
        if line:
            name, colon, value = line.partition(":")
            if not colon:
                raise _BadRequest("a header has no colon")
            headers[name.strip().lower()] = value.strip()
    return parts[0], parts[1], headers


async def _body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return await _chunked(reader)
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > MAX_BODY:
        raise _BadRequest("Content-Length is not a number or too large")
    return await reader.readexactly(int(length))


async def _chunked(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while True:
        line = (await reader.readuntil(b"\r\n")).split(b";")[0].strip()
        try:
            size = int(line, 16)
        except ValueError:
            raise _BadRequest("a chunk has no size") from None
        if size < 0 or len(body) + size > MAX_BODY:
            raise _BadRequest("the body is too large")
        if size == 0:
            while (await reader.readuntil(b"\r\n")) != b"\r\n":
                pass
            return bytes(body)
        body += await reader.readexactly(size)
        await reader.readexactly(2)


def _plain(status: int, text: str) -> Response:
    body = text.encode()
    return Response(
        status=status, headers={"content-type": "text/plain", "content-length": str(len(body))}, body=body
    )


def _bytes(response: Response, *, keep: bool) -> bytes:
    headers = response.headers | {
        "content-length": str(len(response.body)),
        "connection": "keep-alive" if keep else "close",
    }
    try:
        phrase = HTTPStatus(response.status).phrase
    except ValueError:
        phrase = ""
    lines = [f"HTTP/1.1 {response.status} {phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + response.body
