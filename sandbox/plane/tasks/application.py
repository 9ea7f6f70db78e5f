"""The demo application: one ECS task of the sandbox, run as ``python -I -S application.py --port N``.

Standard library only and on a bare selector instead of asyncio, because a rollout starts many of these and a
laptop should have one listening some 20 ms after it was asked for. It imports nothing of Teal: its way of
misbehaving comes from the environment, as a task definition sets it, and from its supervisor while it runs.

``GET /healthz`` answers 200 or 503; ``GET /stream`` sends its revision as server-sent events and a request for a
WebSocket as text messages, for as long as it runs; any other path answers a small JSON object, after so many seconds
where it ends in ``?wait=SECONDS``. Every answer carries ``X-Teal-Revision`` and ``X-Teal-Version``, its own errors too,
so that a client can tell who failed it.

========================  =================================================================================
TEAL_DEMO_VERSION         the version it reports (default 1)
TEAL_DEMO_REVISION        ``family:revision`` it reports (the supervisor sets it)
TEAL_DEMO_ERROR_RATE      share of requests answered with an error, from 0 to 1
TEAL_DEMO_ERROR_STATUS    the status of those errors (default 500), such as 403
TEAL_DEMO_UNANSWERED      share of requests that it takes and never answers, from 0 to 1
TEAL_DEMO_ERROR_SHARED    share of requests that every task of the sandbox fails while this one serves: it
                          exhausts what all of them share (the sandbox sees to that, by TEAL_DEMO_EXHAUSTED)
TEAL_DEMO_SHARED_ABOVE    only while its target group has more than this share of the weight (default 0)
TEAL_DEMO_EXHAUSTED       share of requests that it fails because what all tasks share is exhausted
TEAL_DEMO_DEPENDENCY      share of requests that it fails because something that all tasks depend on fails
TEAL_DEMO_LEAK_AFTER      seconds from its start: then every second makes its answers 20 ms slower, and after a
                          minute it exits with 137, as if killed for its memory
TEAL_DEMO_LATENCY         milliseconds added to every answer
TEAL_DEMO_SLOW_START      seconds from its start until /healthz passes
TEAL_DEMO_CRASH_AFTER     seconds from its start until it exits with 1; 0 at once; empty never
TEAL_DEMO_UNHEALTHY       1: /healthz never passes
TEAL_DEMO_FLAP            seconds from its start, or up to twice as many, until /healthz passes no more
TEAL_DEMO_HANG            1: takes requests and answers none but /healthz
========================  =================================================================================

With ``--supervised`` it writes ``port N`` to standard output once it listens, reads changes of these settings
as lines of JSON from standard input, and exits when standard input ends: its supervisor is gone. SIGTERM stops
accepting, finishes what is in flight and exits with 0.
"""

import argparse
import base64
import contextlib
import hashlib
import heapq
import json
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping

HEALTH_PATH = b"/healthz"
STREAM_PATH = b"/stream"
STREAM_SECONDS = 0.1  # from one message of a stream to the next
WEBSOCKET_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3
GOING_AWAY = b"\x88\x02\x03\xe9"  # a WebSocket's close frame with status 1001
HEAD_BYTES_MAX = 65_536
REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
}
LEAK_SLOWS_SECONDS = 0.02  # each second of a leak makes every answer this much slower
LEAK_KILLS_SECONDS = 60.0  # from the begin of a leak until the task is killed for its memory
KEEP_ALIVE, CLOSE = "", "Connection: close\r\n"
NUMBERS = ("TEAL_DEMO_ERROR_RATE", "TEAL_DEMO_LATENCY", "TEAL_DEMO_SLOW_START", "TEAL_DEMO_CRASH_AFTER")


def chance() -> float:
    """A number in [0, 1)."""
    return int.from_bytes(os.urandom(4), "big") / 2**32


class Behaviour:
    """How the application behaves; raises ValueError with a sentence for a setting that is no number."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = dict(environment)
        self.version = environment.get("TEAL_DEMO_VERSION") or "1"
        self.revision = environment.get("TEAL_DEMO_REVISION") or "unknown:0"
        rate, latency, slow, crash = (self._number(name) for name in NUMBERS)
        self.error_rate = rate or 0.0
        self.latency_seconds = (latency or 0.0) / 1000
        self.slow_start_seconds = slow or 0.0
        self.crash_after_seconds = crash
        self.error_status = int(self._number("TEAL_DEMO_ERROR_STATUS") or 500)
        self.unanswered_rate = self._number("TEAL_DEMO_UNANSWERED") or 0.0
        self.exhausted_rate = self._number("TEAL_DEMO_EXHAUSTED") or 0.0
        self.dependency_rate = self._number("TEAL_DEMO_DEPENDENCY") or 0.0
        self.leak_after_seconds = self._number("TEAL_DEMO_LEAK_AFTER")
        for name in ("TEAL_DEMO_ERROR_SHARED", "TEAL_DEMO_SHARED_ABOVE"):
            self._number(name)  # the sandbox's to use, but wrong here
        flap = self._number("TEAL_DEMO_FLAP")
        self.flap_after_seconds = None if flap is None else flap * (1 + chance())
        self.unhealthy = self._is_on("TEAL_DEMO_UNHEALTHY")
        self.hangs = self._is_on("TEAL_DEMO_HANG")
        self.headers = f"X-Teal-Revision: {self.revision}\r\nX-Teal-Version: {self.version}\r\n"

    def _is_on(self, name: str) -> bool:
        return self.environment.get(name, "").lower() in ("1", "true", "yes")

    def _number(self, name: str) -> float | None:
        text = self.environment.get(name, "")
        if not text:
            return None
        try:
            return float(text)
        except ValueError:
            raise ValueError(f"{name} must be a number, not {text!r}") from None

    def changed(self, changes: Mapping[str, str]) -> "Behaviour":
        """The same behaviour with some settings replaced."""
        return Behaviour({**self.environment, **changes})

    def fails(self) -> bool:
        """Whether the next request fails, by chance."""
        rates = (self.error_rate, self.exhausted_rate, self.dependency_rate)
        return any(rate > 0 and chance() < rate for rate in rates)

    def delay_seconds(self, age_seconds: float) -> float:
        """What is added to an answer at this age of the process."""
        if self.leak_after_seconds is None:
            return self.latency_seconds
        leaking = max(0.0, age_seconds - self.leak_after_seconds)
        return self.latency_seconds + leaking * LEAK_SLOWS_SECONDS

    def is_ready(self, age_seconds: float) -> bool:
        """True when /healthz passes at this age of the process."""
        if self.flap_after_seconds is not None and age_seconds >= self.flap_after_seconds:
            return False
        return not self.unhealthy and age_seconds >= self.slow_start_seconds


class Request:
    """One request, its body read and only counted."""

    __slots__ = ("body_bytes", "keep_alive", "method", "target", "websocket_key")

    def __init__(
        self, method: bytes, target: bytes, body_bytes: int, keep_alive: bool, websocket_key: bytes
    ) -> None:
        """`websocket_key`: of a request for a WebSocket; empty for any other."""
        self.websocket_key = websocket_key
        self.method = method
        self.target = target
        self.body_bytes = body_bytes
        self.keep_alive = keep_alive


def take_request(buffer: bytearray) -> Request | None:
    """Take one whole request off the buffer; None while it is incomplete. Raises ValueError for nonsense."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        if len(buffer) > HEAD_BYTES_MAX:
            raise ValueError("the head is too long")
        return None
    first, *lines = bytes(buffer[:end]).split(b"\r\n")
    method, target, protocol = first.split(b" ")
    headers = {name.strip().lower(): value.strip() for name, _, value in (x.partition(b":") for x in lines)}
    if headers.get(b"transfer-encoding", b"").lower() == b"chunked":
        measured = chunked_length(buffer, end + 4)
        if measured is None:
            return None
        body_bytes, whole = measured
    else:
        body_bytes = int(headers.get(b"content-length", b"0"))
        whole = end + 4 + body_bytes
    if len(buffer) < whole:
        return None
    del buffer[:whole]
    keep_alive = protocol == b"HTTP/1.1" and headers.get(b"connection", b"").lower() != b"close"
    wants_websocket = headers.get(b"upgrade", b"").lower() == b"websocket"
    key = headers.get(b"sec-websocket-key", b"") if wants_websocket else b""
    return Request(method, target, body_bytes, keep_alive, key)


def chunked_length(buffer: bytearray, start: int) -> tuple[int, int] | None:
    """(bytes of body, position after it) of a chunked body that begins at start; None while it is incomplete."""
    total, position = 0, start
    while True:
        line_end = buffer.find(b"\r\n", position)
        if line_end < 0:
            return None
        size = int(bytes(buffer[position:line_end]).split(b";")[0], 16)
        if size == 0:
            # Trailers are not expected; the empty line that would follow them ends the body.
            end = buffer.find(b"\r\n\r\n", line_end)
            return None if end < 0 else (total, end + 4)
        total += size
        position = line_end + 2 + size + 2


def wait_seconds(target: bytes) -> float:
    """How long the request asks to be kept waiting: ``?wait=SECONDS``, an hour at most."""
    _, _, asked = target.partition(b"?wait=")
    try:
        return min(3600.0, max(0.0, float(asked))) if asked else 0.0
    except ValueError:
        return 0.0


class Connection:
    """One client connection: answers go out in the order of the requests, one at a time."""

    def __init__(self, server: "Server", sock: socket.socket) -> None:
        self.server = server
        self.sock = sock
        self.received = bytearray()
        self.unsent = bytearray()
        self.answering = False
        self.closing = False
        self.open = True
        self.farewell = b""  # what ends the stream under way in order; empty: there is none

    def ready(self, mask: int) -> None:
        """React to the selector."""
        if mask & selectors.EVENT_READ:
            self.read()
        if mask & selectors.EVENT_WRITE and self.open:
            self.write()

    def read(self) -> None:
        """Take what has arrived and answer every whole request of it."""
        try:
            arrived = self.sock.recv(65_536)
        except BlockingIOError:
            return
        except OSError:
            arrived = b""
        if not arrived:
            self.close()
            return
        if self.farewell:  # what a stream's client says is nothing to its messages
            return
        self.received += arrived
        self.next_request()

    def stream(self, head: bytes, message: bytes, farewell: bytes) -> None:
        """Begin a stream: the same message again and again."""
        self.farewell = farewell
        self.send(head)
        self.server.later(0, lambda: self.tick(message))

    def tick(self, message: bytes) -> None:
        """Send one message, and the next a while later."""
        if self.open and self.farewell and not self.closing:
            self.send(message)
            self.server.later(STREAM_SECONDS, lambda: self.tick(message))

    def end_stream(self) -> None:
        """Say that it ends, and close."""
        self.closing = True
        self.send(self.farewell)

    def next_request(self) -> None:
        """Begin to answer the next request if none is being answered."""
        while self.open and not self.answering and not self.closing:
            try:
                request = take_request(self.received)
            except ValueError:
                self.closing = True
                self.send(self.server.answer(400, '{"error": "bad request"}', keep_alive=False))
                return
            if request is None:
                return
            self.answering = True
            self.server.respond(self, request)

    def finish(self, request: Request, status: int, body: str) -> None:
        """Send the answer of the request that is being answered."""
        if not self.open:
            return
        keep_alive = request.keep_alive and not self.server.stopping
        self.answering = False
        self.closing = not keep_alive
        self.send(self.server.answer(status, body, keep_alive=keep_alive, bodiless=request.method == b"HEAD"))

    def send(self, answer: bytes) -> None:
        """Send bytes, at once if the socket takes them."""
        self.unsent += answer
        self.write()

    def write(self) -> None:
        """Send what is unsent; afterwards close if this was the last answer."""
        try:
            sent = self.sock.send(self.unsent) if self.unsent else 0
        except BlockingIOError:
            sent = 0
        except OSError:
            self.close()
            return
        del self.unsent[:sent]
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if self.unsent else 0)
        self.server.selector.modify(self.sock, wanted, self.ready)
        if self.closing and not self.unsent:
            self.close()

    def close(self) -> None:
        """Close; an answer still to come is dropped."""
        if self.open:
            self.open = False
            self.server.selector.unregister(self.sock)
            self.sock.close()
            self.server.connections.discard(self)

    def is_idle(self) -> bool:
        """True when nothing is being received, answered or sent."""
        return not (self.answering or self.unsent or self.received)


class Server:
    """The application itself: a selector, timers, and what it was told about its behaviour."""

    def __init__(self, port: int, behaviour: Behaviour, *, supervised: bool) -> None:
        self.behaviour = behaviour
        self.started = time.monotonic()
        self.selector = selectors.DefaultSelector()
        self.connections: set[Connection] = set()
        self.timers: list[tuple[float, int, Callable[[], None]]] = []
        self.timer_count = 0
        self.stopping = False
        self.orders = bytearray()
        self.supervised = supervised
        self.listener = socket.create_server(("127.0.0.1", port), backlog=512)
        self.listener.setblocking(False)

    def run(self) -> None:
        """Serve until told to stop. Ends the process itself when it crashes or its supervisor is gone."""
        self._watch()
        self._plan_crash()
        if self.supervised:
            os.write(1, b"port %d\n" % self.listener.getsockname()[1])
        while not self.stopping or self.connections:
            wait = max(0.0, self.timers[0][0] - time.monotonic()) if self.timers else None
            for key, mask in self.selector.select(wait):
                key.data(mask)
            while self.timers and self.timers[0][0] <= time.monotonic():
                heapq.heappop(self.timers)[2]()

    def _watch(self) -> None:
        self.selector.register(self.listener, selectors.EVENT_READ, self.accept)
        woken, wakes = socket.socketpair()
        woken.setblocking(False)
        wakes.setblocking(False)
        signal.set_wakeup_fd(wakes.fileno())
        self.wakes = wakes  # kept open as long as signals may come
        # The handler itself does nothing: a signal only has to reach the selector, through the wake-up socket.
        signal.signal(signal.SIGTERM, lambda *_: None)
        self.selector.register(woken, selectors.EVENT_READ, lambda _: self.stop(woken.recv(64)))
        if self.supervised:
            os.set_blocking(0, False)
            self.selector.register(0, selectors.EVENT_READ, self.obey)

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """Call act some seconds from now."""
        self.timer_count += 1
        heapq.heappush(self.timers, (time.monotonic() + seconds, self.timer_count, act))

    def accept(self, _mask: int) -> None:
        """Take every connection that waits."""
        with contextlib.suppress(BlockingIOError):
            while True:
                sock, _ = self.listener.accept()
                sock.setblocking(False)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection = Connection(self, sock)
                self.connections.add(connection)
                self.selector.register(sock, selectors.EVENT_READ, connection.ready)

    def obey(self, _mask: int) -> None:
        """Apply what the supervisor writes; exit when it is gone."""
        arrived = os.read(0, 65_536)
        if not arrived:
            os._exit(0)
        self.orders += arrived
        *lines, rest = bytes(self.orders).split(b"\n")
        self.orders = bytearray(rest)
        for line in lines:
            self.behaviour = self.behaviour.changed(json.loads(line))
        self._plan_crash()

    def _plan_crash(self) -> None:
        behaviour = self.behaviour
        if behaviour.crash_after_seconds is not None:
            self._die_at(
                behaviour, behaviour.crash_after_seconds, 1, "crashed as TEAL_DEMO_CRASH_AFTER asked"
            )
        if behaviour.leak_after_seconds is not None:
            death = behaviour.leak_after_seconds + LEAK_KILLS_SECONDS
            self._die_at(behaviour, death, 137, "out of memory as TEAL_DEMO_LEAK_AFTER asked")

    def _die_at(self, planned_by: Behaviour, age_seconds: float, code: int, why: str) -> None:
        wait = self.started + age_seconds - time.monotonic()
        self.later(wait, lambda: self.crash(planned_by, code, why))

    def crash(self, planned_by: Behaviour, code: int, why: str) -> None:
        """Die as the settings asked, unless those were changed meanwhile."""
        now = self.behaviour
        plans = (planned_by.crash_after_seconds, planned_by.leak_after_seconds)
        if plans == (now.crash_after_seconds, now.leak_after_seconds):
            print(why, file=sys.stderr, flush=True)
            os._exit(code)

    def stop(self, _signals: bytes) -> None:
        """Stop accepting; what has already reached this process is still answered."""
        if self.stopping:
            return
        self.accept(0)
        self.stopping = True
        self.selector.unregister(self.listener)
        self.listener.close()
        for connection in tuple(self.connections):
            connection.read()
            if connection.open and connection.farewell:
                connection.end_stream()
            elif connection.open and connection.is_idle():
                connection.close()

    def respond(self, connection: Connection, request: Request) -> None:
        """Answer a request, after the added latency."""
        behaviour = self.behaviour
        if request.target.partition(b"?")[0] == HEALTH_PATH:
            ready = behaviour.is_ready(time.monotonic() - self.started)
            connection.finish(
                request, *((200, '{"status": "ok"}') if ready else (503, '{"status": "not ready"}'))
            )
            return
        if behaviour.hangs or (behaviour.unanswered_rate and chance() < behaviour.unanswered_rate):
            return  # the load balancer gives up on it
        failed = behaviour.fails()
        if not failed and (request.websocket_key or request.target == STREAM_PATH):
            connection.stream(*self.stream(request))
            return
        status = behaviour.error_status if failed else 200
        body = json.dumps(
            {
                "version": behaviour.version,
                "revision": behaviour.revision,
                "path": request.target.decode("latin-1"),
                "received_bytes": request.body_bytes,
                **({"error": "failed as TEAL_DEMO_ERROR_RATE asked"} if failed else {}),
            }
        )
        delay = behaviour.delay_seconds(time.monotonic() - self.started) + wait_seconds(request.target)
        if delay <= 0:
            connection.finish(request, status, body)
        else:
            self.later(delay, lambda: self._finish_late(connection, request, status, body))

    def stream(self, request: Request) -> tuple[bytes, bytes, bytes]:
        """The head, each message and the end of a stream: a WebSocket, or server-sent events in chunks."""
        said = self.behaviour.revision
        if request.websocket_key:
            proof = base64.b64encode(hashlib.sha1(request.websocket_key + WEBSOCKET_GUID).digest()).decode()
            head = (
                f"HTTP/1.1 101 Switching Protocols\r\n{self.behaviour.headers}"
                f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {proof}\r\n\r\n"
            )
            text = said.encode()[:125]
            return head.encode(), bytes((0x81, len(text))) + text, GOING_AWAY
        head = (
            f"HTTP/1.1 200 OK\r\n{self.behaviour.headers}Content-Type: text/event-stream\r\n"
            "Cache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        event = f"data: {said}\n\n"
        return head.encode(), f"{len(event):x}\r\n{event}\r\n".encode(), b"0\r\n\r\n"

    def _finish_late(self, connection: Connection, request: Request, status: int, body: str) -> None:
        connection.finish(request, status, body)
        connection.next_request()

    def answer(self, status: int, body: str, *, keep_alive: bool, bodiless: bool = False) -> bytes:
        """An answer as it goes over the wire."""
        head = (
            f"HTTP/1.1 {status} {REASONS.get(status, 'Error')}\r\n{self.behaviour.headers}"
            "Content-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n{KEEP_ALIVE if keep_alive else CLOSE}\r\n"
        )
        return (head if bodiless else head + body).encode("latin-1")


def main() -> None:
    """Run the application from its command line and environment."""
    parser = argparse.ArgumentParser(description="The sandbox's demo application.")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--supervised", action="store_true", help="obey and outlive nothing: standard input")
    arguments = parser.parse_args()
    try:
        behaviour = Behaviour(os.environ)
    except ValueError as error:
        sys.exit(str(error))
    Server(arguments.port, behaviour, supervised=arguments.supervised).run()


if __name__ == "__main__":
    main()
