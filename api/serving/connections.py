"""Connections and what they may cost: how many, how long each may take to say what it wants, how slowly it may read.

uvicorn bounds what is kept of a request and closes what is idle between two; it waits for ever for a head, for a body
and for a client that does not read. Where there is no more room, the connection goes that has said least for longest,
of the address that has most of them: who asks at once is answered however many others only hold a connection.
"""

import asyncio
import ipaddress
import re
import resource
import sys
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from api.problems import MEDIA_TYPE, AddressTooLong, HeadersTooLarge, Malformed, UnknownCoding, problem
from orchestrator.core.domain.errors import TealError
from orchestrator.settings import Bounds

_AUTHORIZATION = re.compile(rb"\r\nauthorization:[ \t]*([^\r\n]*)", re.IGNORECASE)
_COMMAND = re.compile(rb"POST \S*/v1/rollouts/")
HELD_BACK = 96  # descriptors for store, AWS, workers and connections that are about to be closed
FEWEST = 16
LINGER_SECONDS = (
    2.0  # for the rest of a body that was refused: who is cut off while sending may lose the answer
)
TIMED_OUT = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


def room(bounds: Bounds) -> int:
    """How many connections there may be, as the settings and this process's descriptors have it."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return bounds.connections
    return max(FEWEST, min(bounds.connections, soft - HELD_BACK))


@dataclass(slots=True)
class Connections:
    """The connections there are, the oldest first. Those of `proxies` count for no address: they are many people's."""

    bounds: Bounds
    most: int
    proxies: tuple[str, ...] = ()
    is_owing: Callable[[bytes], bool] = lambda _: False
    """True for an Authorization whose caller's requests have to wait."""
    _all: dict["Connection", str] = field(default_factory=dict)  # and their addresses
    _of: dict[str, dict["Connection", None]] = field(default_factory=lambda: defaultdict(dict))

    def __len__(self) -> int:
        return len(self._all)

    def add(self, new: "Connection", address: str) -> None:
        """Take a connection in; another one, or this one, is closed where there is no room."""
        if len(self._of[address]) >= self.bounds.per_address and not self._is_proxy(address):
            self._close_one(tuple(self._of[address]), new)
        elif len(self._all) >= self.most:
            crowd = max(self._of.values(), key=len)
            self._close_one(tuple(crowd), new) or self._close_one(tuple(self._all), new)
        self._all[new] = address
        self._of[address][new] = None

    def remove(self, one: "Connection") -> None:
        """Forget a connection. Twice is once."""
        address = self._all.pop(one, None)
        if address is not None:
            self._of[address].pop(one)
            if not self._of[address]:
                del self._of[address]

    def is_unwelcome(self, one: "Connection", head: bytes) -> bool:
        """True where there is no room and a request begins whose caller has to wait; no command to a rollout does."""
        address = self._all.get(one, "")
        if len(self._all) < self.most and len(self._of.get(address, ())) < self.bounds.per_address:
            return False
        key = _AUTHORIZATION.search(head)
        return key is not None and not _COMMAND.match(head) and self.is_owing(key[1])

    def _close_one(self, among: tuple["Connection", ...], new: "Connection") -> bool:
        """Close one whose client is made to wait, else the oldest that waits for its client.

        False, and the new one is closed, if there is none.
        """
        found = next((one for one in among if one.is_paced), None)
        found = found or next((one for one in among if one.is_waiting), None)
        (found or new).drop()
        return found is not None

    def _is_proxy(self, address: str) -> bool:
        return "*" in self.proxies or any(_is_within(address, one) for one in self.proxies)


def _is_within(address: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(network, strict=False)
    except ValueError:  # FORWARDED_ALLOW_IPS may also hold names
        return address == network


class Connection(H11Protocol):
    """One connection, with a time for everything that it waits for."""

    ledger: Connections

    def __init__(self, **of_uvicorn: Any) -> None:  # noqa: ANN401 - uvicorn's own
        super().__init__(**of_uvicorn)
        self._awaited = ""  # head | body | rest: what the client is to send
        self._is_refused = False  # what it sends is read no more
        self._timer: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None

    @property
    def is_waiting(self) -> bool:
        """True while nothing of it is being answered: its client is to say something first."""
        return self.cycle is None or self.cycle.response_complete or self._awaited == "body"

    @property
    def is_paced(self) -> bool:
        """True while its request is not looked at yet, since others of its caller were refused."""
        if self.cycle is None or self.cycle.response_complete:
            return False
        visit = self.cycle.scope.get("state", {}).get("visit")
        return visit is not None and bool(visit.is_paced)

    def drop(self) -> None:
        """Close it at once, whatever is under way."""
        self.ledger.remove(self)
        self.transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """As uvicorn, within the bounds."""
        super().connection_made(transport)
        self._await("head")
        self.ledger.add(self, self.client[0] if self.client else "")

    def connection_lost(self, exc: Exception | None) -> None:
        """As uvicorn."""
        self.ledger.remove(self)
        self._await("")
        self._read_on()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """As uvicorn; then the time begins for what has begun."""
        if self.transport.is_closing() or self._is_refused:
            return
        if self._awaited == "head" and self.ledger.is_unwelcome(self, data):
            self.drop()  # as it would be once it was read, which costs more
            return
        super().data_received(data)
        if not self._is_refused:
            self._look()

    def on_response_complete(self) -> None:
        """As uvicorn; the rest of a body that nobody wants has little time."""
        super().on_response_complete()
        self._look()

    def send_400_response(self, msg: str) -> None:
        """In place of uvicorn's: a problem, after which the rest of what comes has little time to be thrown away."""
        self._is_refused = True
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.drop()  # half an answer is out: nothing fits behind it
            return
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True  # this is its answer
            self.cycle.message_event.set()
        error = _refusal(sys.exception(), self.conn.trailing_data[0])
        told = problem(error, instance="").model_dump_json().encode()
        headers = [
            ("content-type", MEDIA_TYPE),
            ("content-length", str(len(told))),
            ("connection", "close"),
        ]
        reason = HTTPStatus(error.http_status).phrase.encode()
        answer = h11.Response(status_code=error.http_status, headers=headers, reason=reason)
        for part in (answer, h11.Data(data=told), h11.EndOfMessage()):
            self.transport.write(self.conn.send(part) or b"")
        self.transport.write_eof()
        self._await("rest")

    def pause_writing(self) -> None:
        """As uvicorn; a client that does not read is cut off after a while."""
        super().pause_writing()
        if self._unread is None:
            self._unread = self.loop.call_later(self.ledger.bounds.unread.total_seconds(), self.drop)

    def resume_writing(self) -> None:
        """As uvicorn."""
        self._read_on()
        super().resume_writing()

    def _read_on(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _look(self) -> None:
        is_answered = self.cycle is not None and self.cycle.response_complete
        match self.conn.their_state:
            case h11.SEND_BODY:
                self._await("rest" if is_answered else "body")
            case h11.IDLE:
                # Between two requests uvicorn's own timer runs, until something of the next one comes.
                is_between = is_answered and self.timeout_keep_alive_task is not None
                self._await("" if is_between else "head")
            case _:
                self._await("")

    def _await(self, what: str) -> None:
        if what == self._awaited:
            return
        self._awaited = what
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        bounds = self.ledger.bounds
        seconds = {
            "head": bounds.head.total_seconds(),
            "body": bounds.body.total_seconds(),
            "rest": LINGER_SECONDS,
        }
        if what:
            self._timer = self.loop.call_later(seconds[what], self._too_late)

    def _too_late(self) -> None:
        has_begun = self.cycle is not None and self.cycle.response_started
        if self._awaited == "body" and not has_begun:
            self.transport.write(TIMED_OUT)
            self.transport.close()
        else:
            self.drop()


def _refusal(found: BaseException | None, unread: bytes) -> TealError:
    """Why a head or a body cannot be read, by what h11 says of it and what it has left."""
    hint = found.error_status_hint if isinstance(found, h11.RemoteProtocolError) else 400
    if hint == HeadersTooLarge.http_status and b"\n" not in unread:
        return AddressTooLong(
            what="the address is longer than this server reads", next_step="ask for less at once"
        )
    if hint == HeadersTooLarge.http_status:
        return HeadersTooLarge(
            what="the headers are longer than this server reads", next_step="send fewer of them"
        )
    kind = UnknownCoding if hint == UnknownCoding.http_status else Malformed
    return kind(
        what="this is no HTTP/1.1 request that this server reads",
        why=str(found or ""),
        next_step="see that the client speaks HTTP/1.1 to this port, and TLS to the proxy before it",
    )


def bounded(ledger: Connections) -> type[Connection]:
    """uvicorn's protocol class for connections of this ledger."""
    return type("BoundedConnection", (Connection,), {"ledger": ledger})
