"""One request on its way through the load balancer: from a client's connection to a target's and back.

What it counts, when: an answer when it is whole; a connection error when a connection to the target could not be
made; an unanswered request when the load balancer had to answer 502 or 504 itself. A request whose client went
away is counted nowhere.
"""

import asyncio
from typing import Protocol

from sandbox.http1.messages import BODILESS_STATUS, AnswerHead, Body, RequestHead
from sandbox.plane.balancer.answers import error_answer, head_for_client
from sandbox.plane.balancer.routes import Group
from sandbox.plane.balancer.upstream import Pool, TargetConnection
from sandbox.ports import Traffic

# Methods whose request may be sent a second time when a kept connection turns out to have been closed (RFC 9110).
REPEATABLE = frozenset((b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"PUT", b"DELETE"))


class Asker(Protocol):
    """The client's side of an exchange."""

    def write(self, arrived: bytes) -> None:
        """Send bytes of the answer."""
        ...

    def hold(self) -> None:
        """Read no more of the request for now."""
        ...

    def go_on(self) -> None:
        """Read the request on."""
        ...

    def answered_later(self, *, keep_alive: bool) -> None:
        """The answer has been written; the next request may come, or the connection is closed."""
        ...


class Exchange:
    """A request for which a target was chosen."""

    __slots__ = (
        "_asker",
        "_began",
        "_body",
        "_connect_seconds",
        "_connection",
        "_cookies",
        "_group",
        "_keep_alive",
        "_opening",
        "_pool",
        "_repeatable",
        "_request",
        "_sent_at",
        "_status",
        "_traffic",
        "_waited_seconds",
        "last_moved",
        "to_head",
    )

    def __init__(
        self,
        asker: Asker,
        traffic: Traffic,
        group: Group,
        pool: Pool,
        head: RequestHead,
        body: Body,
        request: bytes,
        *,
        cookies: tuple[bytes, ...] = (),
    ) -> None:
        """`request` is what goes to the target: the rewritten head and what has arrived of the body.

        `cookies` are lines of the load balancer's own in the answer's head.
        """
        self._cookies = cookies
        self._asker = asker
        self._traffic = traffic
        self._group = group
        self._pool = pool
        self._body = body
        self._request = request
        self._keep_alive = head.keep_alive
        self._repeatable = body.done and head.method in REPEATABLE
        self.to_head = head.method == b"HEAD"
        self._connection: TargetConnection | None = None
        self._opening: asyncio.Task[None] | None = None
        self._began = False
        self._status = 0
        self._connect_seconds = 0.0
        self._sent_at = self._waited_seconds = self.last_moved = 0.0

    def begin(self, loop: asyncio.AbstractEventLoop, connect_seconds: float) -> None:
        """Send the request, on a kept connection if there is one."""
        self._pool.outstanding += 1
        self._traffic.count_routed(load_balancer=self._group.load_balancer, group=self._group.arn)
        self._connect_seconds = connect_seconds
        self._sent_at = self.last_moved = loop.time()
        connection = self._pool.take()
        if connection is None:
            self._open()
        else:
            self._connection = connection
            connection.ask(self, self._request)

    def _open(self) -> None:
        if not self._body.done:
            self._asker.hold()
        self._opening = asyncio.get_running_loop().create_task(
            self._ask_afresh(), name=f"connect to {self._pool.host}:{self._pool.port}"
        )

    async def _ask_afresh(self) -> None:
        try:
            connection = await self._pool.open(self._connect_seconds)
        except OSError as error:  # a TimeoutError is one
            self._opening = None
            self._traffic.count_connection_error(
                load_balancer=self._group.load_balancer, group=self._group.arn
            )
            self.fail(504 if isinstance(error, TimeoutError) else 502)
            return
        self._opening = None
        self._connection = connection
        self._sent_at = asyncio.get_running_loop().time()
        connection.ask(self, self._request)
        if not self._body.done:
            self._asker.go_on()

    def request_bytes(self, content: bytes) -> None:
        """Pass more of the request's body on."""
        if self._connection is None:  # the connection is still being made
            self._request += content
        else:
            self._connection.write(content)
        self.last_moved = asyncio.get_running_loop().time()

    def answer_began(self, head: AnswerHead, raw: bytes, content: bytes) -> None:
        """As ``Awaiter``."""
        self.last_moved = asyncio.get_running_loop().time()
        self._waited_seconds = self.last_moved - self._sent_at
        self._began = True
        self._status = head.status
        # An answer that ends with its connection, or comes before the whole request, cannot be followed by another.
        framed = self.to_head or head.status in BODILESS_STATUS or not head.ends_with_connection
        self._keep_alive = self._keep_alive and framed and self._body.done
        shown = head_for_client(head, raw, keep_alive=self._keep_alive, added=self._cookies)
        self._asker.write(shown + content)

    def answer_bytes(self, arrived: bytes) -> None:
        """As ``Awaiter``."""
        self.last_moved = asyncio.get_running_loop().time()
        self._asker.write(arrived)

    def answer_ended(self) -> None:
        """As ``Awaiter``."""
        self._pool.outstanding -= 1
        connection, self._connection = self._connection, None
        if not self._body.done and connection is not None:
            connection.close()
        self._traffic.count_answer(
            load_balancer=self._group.load_balancer,
            group=self._group.arn,
            status=self._status,
            seconds=self._waited_seconds,
        )
        self._asker.answered_later(keep_alive=self._keep_alive)

    def answer_lost(self, *, fresh: bool, heard: bool) -> None:
        """As ``Awaiter``: once more where the target cannot have acted on the request, else 502."""
        self._connection = None
        if self._repeatable and not fresh and not heard:
            self._open()
        else:
            self.fail(502)

    def target_full(self) -> None:
        """As ``Awaiter``."""
        self._asker.hold()

    def target_drained(self) -> None:
        """As ``Awaiter``."""
        self._asker.go_on()

    def client_full(self) -> None:
        """The client takes no more bytes of the answer for now."""
        if self._connection is not None:
            self._connection.hold()

    def client_drained(self) -> None:
        """The client takes bytes again."""
        if self._connection is not None:
            self._connection.go_on()

    def fail(self, status: int) -> None:
        """Answer 502 or 504 in the target's place; an answer that had begun is cut off."""
        self._let_go()
        self._traffic.count_unanswered(
            load_balancer=self._group.load_balancer, group=self._group.arn, status=status
        )
        keep_alive = self._keep_alive and self._body.done and not self._began
        if not self._began:
            target = f"{self._pool.host}:{self._pool.port}"
            self._asker.write(error_answer(status, target=target, keep_alive=keep_alive))
        self._asker.answered_later(keep_alive=keep_alive)

    def abandon(self) -> None:
        """The client is gone: give up."""
        self._let_go()

    def _let_go(self) -> None:
        self._pool.outstanding -= 1
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.abort()
        if self._opening is not None:
            self._opening.cancel()
            self._opening = None
