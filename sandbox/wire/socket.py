"""A small HTTP/1.1 server on loopback for a Skin, and for the sandbox's own paths beside it.

It does what AWS clients need: bodies read whole, `Expect: 100-continue`, silence where a call got lost. Everything
runs on the caller's event loop, so the World is touched by one thread only.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus

from sandbox.http1.connection import AnsweringConnection
from sandbox.http1.messages import Body, ChunkedBody, FixedBody, Malformed, RequestHead, unchunked
from sandbox.wire.skin import Response, Skin
from sandbox.world.kernel.errors import CallLost

MAX_BODY = 16 * 1024 * 1024
PREFIX = "/_sandbox/"

PathHandler = Callable[[str, str, Mapping[str, str], bytes], Awaitable[Response]]
"""(method, path with query, headers by lower-case name, body) -> response; for paths under a prefix of its own."""


class _Server:
    def __init__(self, skin: Skin, paths: Mapping[str, PathHandler]) -> None:
        self._skin = skin
        self._paths = dict(paths)
        self.connections: set[AnsweringConnection] = set()
        self._answering: set[asyncio.Future[Response]] = set()

    def close_connections(self) -> None:
        for answering in list(self._answering):
            answering.cancel()
        for connection in list(self.connections):
            connection.close()

    async def response(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Response:
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


class _Connection(AnsweringConnection):
    """A client's connection: bodies are read whole, since a call is answered as one."""

    __slots__ = ("_answering", "_content", "_has_ended", "_head", "_is_mute", "_server")

    def __init__(self, server: _Server) -> None:
        super().__init__(server.connections)
        self._server = server
        self._head: RequestHead | None = None
        self._content = bytearray()
        self._answering: asyncio.Task[None] | None = None
        self._is_mute = False  # a call got lost: there is no answer, however long the client waits
        self._has_ended = False  # the client has said all it will say

    def asked(self, head: RequestHead, body: Body, raw: bytes, content: bytes) -> None:
        if isinstance(body, FixedBody) and body.left + len(content) > MAX_BODY:
            raise Malformed("Content-Length is too large")
        self._head = head
        self._content.clear()
        if head.headers.get(b"expect", b"").lower() == b"100-continue":
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self.asked_more(content)

    def asked_more(self, content: bytes) -> None:
        self._content += content
        if len(self._content) > MAX_BODY:
            raise Malformed("the body is too large")
        head, body = self._head, self._request_body
        if head is not None and body is not None and body.done:
            whole = bytes(self._content)
            call = self._answer(head, unchunked(whole) if isinstance(body, ChunkedBody) else whole)
            self._answering = self._loop.create_task(call, name="a call of AWS's API")

    async def _answer(self, head: RequestHead, content: bytes) -> None:
        method, path = head.method.decode("latin-1"), head.target.decode("latin-1")
        headers = {name.decode("latin-1"): text.decode("latin-1") for name, text in head.headers.items()}
        try:
            response = await self._server.response(method, path, headers, content)
        except CallLost:
            self._is_mute = True
            if self._has_ended:
                self.close()
            return
        except BaseException:
            self.close()
            raise
        finally:
            self._answering = None
        self.write(_bytes(response, keep=head.keep_alive))
        self.answered_later(keep_alive=head.keep_alive and not self._has_ended)

    def data_received(self, data: bytes) -> None:
        if self._is_mute:
            self.close()
        else:
            super().data_received(data)

    def eof_received(self) -> bool:
        """True: a client that has said all it will say still gets the answer that is under way."""
        self._has_ended = True
        return self._answering is not None

    def refusal(self, status: int, why: str) -> bytes:
        return _bytes(_plain(status, why), keep=False)


@asynccontextmanager
async def serve(
    skin: Skin, port: int = 0, *, host: str = "127.0.0.1", paths: Mapping[str, PathHandler] | None = None
) -> AsyncIterator[str]:
    """Serve the skin at the yielded URL until the block ends. `paths`: path prefix -> handler, asked first."""
    server = _Server(skin, paths or {})
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(lambda: _Connection(server), host, port)
    actual = listening.sockets[0].getsockname()[1]
    try:
        yield f"http://{host}:{actual}"
    finally:
        listening.close()
        server.close_connections()
        await listening.wait_closed()


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
