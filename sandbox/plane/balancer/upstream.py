"""Connections from the proxy to targets: kept alive, pooled by address, one request at a time on each."""

import asyncio
from collections.abc import Iterable
from typing import Protocol

from sandbox.plane.http1 import HEAD_BYTES_MAX, AnswerHead, Body, Malformed

IDLE_MAX = 64  # idle connections kept for one target


class Awaiter(Protocol):
    """Who waits for an answer on a target connection."""

    to_head: bool

    def answer_began(self, head: AnswerHead, raw: bytes, content: bytes) -> None:
        """The head of the answer is there: `raw` is it with its empty line, `content` what follows already."""
        ...

    def answer_bytes(self, arrived: bytes) -> None:
        """Bytes of the answer's body, or of an interim answer."""
        ...

    def answer_ended(self) -> None:
        """The answer is whole; the connection is free again, or closed."""
        ...

    def answer_lost(self, *, fresh: bool, heard: bool) -> None:
        """The connection ended early. `fresh`: it had served nobody before; `heard`: some of the answer came."""
        ...

    def target_full(self) -> None:
        """The target takes no more bytes of the request for now."""
        ...

    def target_drained(self) -> None:
        """The target takes bytes again."""
        ...


class Pools:
    """The pools of all targets by address."""

    def __init__(self) -> None:
        self._pools: dict[tuple[str, int], Pool] = {}

    def of(self, host: str, port: int) -> "Pool":
        """The pool of this address, made when it is first asked for."""
        pool = self._pools.get((host, port))
        if pool is None:
            pool = self._pools[host, port] = Pool(host, port)
        pool.retired = False
        return pool

    def keep(self, wanted: Iterable["Pool"]) -> None:
        """Retire every other pool: its idle connections close now, its busy ones once they have answered."""
        kept = set(wanted)
        for address, pool in tuple(self._pools.items()):
            if pool not in kept:
                pool.retire()
                del self._pools[address]

    def close(self) -> None:
        """Retire all."""
        self.keep(())


class Pool:
    """Connections to one target."""

    __slots__ = ("host", "idle", "outstanding", "port", "retired")

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self.idle: list[TargetConnection] = []
        self.outstanding = 0
        self.retired = False

    def take(self) -> "TargetConnection | None":
        """An idle connection, the one used last; None when one must be opened."""
        return self.idle.pop() if self.idle else None

    async def open(self, timeout_seconds: float) -> "TargetConnection":
        """A fresh connection. Raises OSError when it is refused and TimeoutError when nobody answers."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(timeout_seconds):
            _, connection = await loop.create_connection(lambda: TargetConnection(self), self.host, self.port)
        return connection

    def give_back(self, connection: "TargetConnection") -> None:
        """Keep a connection for the next request, or close it when it is not wanted any more."""
        if self.retired or len(self.idle) >= IDLE_MAX:
            connection.close()
        else:
            self.idle.append(connection)

    def retire(self) -> None:
        """Close what is idle, and keep nothing from now on."""
        self.retired = True
        while self.idle:
            self.idle.pop().close()


class TargetConnection(asyncio.Protocol):
    """One connection to a target."""

    __slots__ = ("_awaiter", "_body", "_buffer", "_head", "_heard", "_pool", "_served", "_transport")

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._transport: asyncio.Transport | None = None
        self._awaiter: Awaiter | None = None
        self._buffer = b""
        self._head: AnswerHead | None = None
        self._body: Body | None = None
        self._heard = False
        self._served = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """As asyncio calls it."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def ask(self, awaiter: Awaiter, request: bytes) -> None:
        """Send a request (its head and what there is of its body) and tell its awaiter of the answer."""
        self._awaiter = awaiter
        self._head = self._body = None
        self._heard = False
        self.send(request)

    def send(self, more: bytes) -> None:
        """Send more of the request's body."""
        assert self._transport is not None
        self._transport.write(more)

    def hold(self) -> None:
        """Read no more of the answer for now: its client does not take it."""
        if self._transport is not None:
            self._transport.pause_reading()

    def go_on(self) -> None:
        """Read on."""
        if self._transport is not None:
            self._transport.resume_reading()

    def abort(self) -> None:
        """Give the request up; its awaiter hears nothing more."""
        self._awaiter = None
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """Close an idle connection."""
        if self._transport is not None:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        """As asyncio calls it."""
        awaiter = self._awaiter
        if awaiter is None:
            self._discard()
            return
        self._heard = True
        try:
            if self._body is None:
                self._read_head(self._buffer + data, awaiter)
            else:
                self._read_body(data, self._body, awaiter)
        except Malformed:
            self.abort()
            awaiter.answer_lost(fresh=True, heard=True)

    def _read_head(self, data: bytes, awaiter: Awaiter) -> None:
        end = data.find(b"\r\n\r\n")
        if end < 0:
            if len(data) > HEAD_BYTES_MAX:
                raise Malformed("the head is too long")
            self._buffer = data
            return
        self._buffer = b""
        head = AnswerHead(data[:end])
        if head.status < 200:  # an interim answer: passed on, the real one follows
            awaiter.answer_bytes(data[: end + 4])
            if len(data) > end + 4:
                self._read_head(data[end + 4 :], awaiter)
            return
        body = head.body(to_head=awaiter.to_head)
        rest = data[end + 4 :]
        taken = body.take(rest) if rest else 0
        self._head, self._body = head, body
        awaiter.answer_began(head, data[: end + 4], rest[:taken])
        if body.done:
            self._end(head, agrees=taken == len(rest))

    def _read_body(self, data: bytes, body: Body, awaiter: Awaiter) -> None:
        taken = body.take(data)
        awaiter.answer_bytes(data if taken == len(data) else data[:taken])
        if body.done:
            assert self._head is not None
            self._end(self._head, agrees=taken == len(data))

    def _end(self, head: AnswerHead, *, agrees: bool) -> None:
        # Bytes after an answer's end are nobody's: the two sides no longer agree on where they are.
        awaiter, self._awaiter = self._awaiter, None
        self._served = True
        if not (head.keep_alive and agrees):
            self.close()
        elif self._transport is not None and not self._transport.is_closing():
            self._pool.give_back(self)
        if awaiter is not None:
            awaiter.answer_ended()

    def _discard(self) -> None:
        if self in self._pool.idle:
            self._pool.idle.remove(self)
        self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """As asyncio calls it."""
        self._transport = None
        awaiter, self._awaiter = self._awaiter, None
        if awaiter is None:
            self._discard()
        elif self._body is not None and not self._body.done and self._ends_with_connection() and exc is None:
            awaiter.answer_ended()
        else:
            awaiter.answer_lost(fresh=not self._served, heard=self._heard)

    def _ends_with_connection(self) -> bool:
        head = self._head
        return head is not None and not head.headers.keys() & {b"content-length", b"transfer-encoding"}

    def pause_writing(self) -> None:
        """As asyncio calls it."""
        if self._awaiter is not None:
            self._awaiter.target_full()

    def resume_writing(self) -> None:
        """As asyncio calls it."""
        if self._awaiter is not None:
            self._awaiter.target_drained()
