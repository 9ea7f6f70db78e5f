"""A server on loopback that answers what a test wrote down, and remembers what it was asked."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Line:
    """One answer. ``cut``: close the connection instead, before the head or (with a body) in its middle."""

    status: int = 200
    body: Any = None  # bytes as they are, everything else as JSON
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    headers: Message
    body: bytes


class Script:
    """What is answered, in order; the last line again once all are used."""

    def __init__(self, lines: list[Line]) -> None:
        self._lines = lines
        self.asked: list[Asked] = []
        self.url = ""

    def next(self, asked: Asked) -> Line:
        self.asked.append(asked)
        return self._lines[min(len(self.asked), len(self._lines)) - 1]


@contextmanager
def scripted(*lines: Line) -> Iterator[Script]:
    """A server with this script while the context lasts."""
    script = Script(list(lines))

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            asked = Asked(
                method=self.command, path=self.path, headers=self.headers, body=self.rfile.read(size)
            )
            line = script.next(asked)
            body = line.body if isinstance(line.body, bytes) else json.dumps(line.body).encode()
            if line.cut and line.body is None:
                self.close_connection = True
                return
            self.send_response(line.status)
            for name, value in line.headers.items():
                self.send_header(name, value)
            if line.status != 204:
                self.send_header("Content-Length", str(len(body) + (1000 if line.cut else 0)))
            self.end_headers()
            if line.status != 204:
                self.wfile.write(body)
            self.close_connection = True

        do_GET = do_POST = do_DELETE = answer  # noqa: N815 - the names that http.server calls

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        script.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield script
        finally:
            server.shutdown()
            thread.join()
