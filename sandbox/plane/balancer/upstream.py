"""Connections from the proxy to targets: kept alive, pooled by address, one request at a time on each."""

import asyncio
from collections.abc import Iterable
from typing import Protocol

from sandbox.http1.connection import AskingConnection
from sandbox.http1.messages import AnswerHead

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


class TargetConnection(AskingConnection):
    """One connection to a target."""

    __slots__ = ("_awaiter", "_pool")

    def __init__(self, pool: Pool) -> None:
        super().__init__()
        self._pool = pool
        self._awaiter: Awaiter | None = None

    def ask(self, awaiter: Awaiter, request: bytes) -> None:
        """Send a request (its head and what there is of its body) and tell its awaiter of the answer."""
        self._awaiter = awaiter
        self.send_request(request, to_head=awaiter.to_head)

    def abort(self) -> None:
        """Give the request up; its awaiter hears nothing more."""
        self._awaiter = None
        super().abort()

    def answer_head(self, head: AnswerHead, raw: bytes, content: bytes) -> None:
        """As ``AskingConnection``."""
        if self._awaiter is not None:
            self._awaiter.answer_began(head, raw, content)

    def answer_content(self, content: bytes) -> None:
        """As ``AskingConnection``."""
        if self._awaiter is not None:
            self._awaiter.answer_bytes(content)

    def answer_interim(self, raw: bytes) -> None:
        """As ``AskingConnection``: passed on as it came."""
        self.answer_content(raw)

    def answer_whole(self, head: AnswerHead, *, is_free: bool) -> None:
        """As ``AskingConnection``."""
        awaiter, self._awaiter = self._awaiter, None
        if is_free:
            self._pool.give_back(self)
        if awaiter is not None:
            awaiter.answer_ended()

    def answer_cut(self, *, is_fresh: bool, is_heard: bool) -> None:
        """As ``AskingConnection``."""
        awaiter, self._awaiter = self._awaiter, None
        if awaiter is not None:
            awaiter.answer_lost(fresh=is_fresh, heard=is_heard)

    def answer_malformed(
        self,
    ) -> None:
        """As ``AskingConnection``."""
        self.answer_cut(is_fresh=True, is_heard=True)

    def left_idle(self) -> None:
        """As ``AskingConnection``."""
        if self in self._pool.idle:
            self._pool.idle.remove(self)

    def pause_writing(self) -> None:
        """As asyncio calls it."""
        if self._awaiter is not None:
            self._awaiter.target_full()

    def resume_writing(self) -> None:
        """As asyncio calls it."""
        if self._awaiter is not None:
            self._awaiter.target_drained()
