"""The load balancers: one asyncio server on loopback per listener, in pure Python.

The proxy obeys the rules in force and reports what happened to each request; it decides nothing else. All of it
runs on one event loop, the World's, so that a view can be read and an event counted without a lock.

Promises: a request that reached a target which then answered is never lost by a change of weights, and draining
targets get no new requests but finish theirs. An answer in chunks goes to an HTTP/1.0 client as it came.
"""

import asyncio
import socket
import time
from types import TracebackType
from typing import Self

from sandbox.http1.connection import AnsweringConnection
from sandbox.http1.messages import Body, RequestHead
from sandbox.plane.balancer.answers import (
    error_answer,
    fixed_answer,
    function_answer,
    head_for_target,
    redirect_answer,
    sign_in_answer,
)
from sandbox.plane.balancer.exchange import Exchange
from sandbox.plane.balancer.group_cookies import Pin, headers_of, pin_of
from sandbox.plane.balancer.matching import Asked
from sandbox.plane.balancer.routes import Forward, Group, Routes, RouteTable, Split
from sandbox.plane.balancer.upstream import Pools
from sandbox.ports import FixedView, RedirectView, SignInView, Traffic

HOST = "127.0.0.1"
SYNC_SECONDS = 0.02  # how soon a new listener listens


class Proxy:
    """All listeners of a World, as a context manager that stops every one of them."""

    def __init__(
        self,
        traffic: Traffic,
        *,
        split: Split = "random",
        seed: int = 0,
        idle_seconds: float = 60.0,
        connect_seconds: float = 10.0,
    ) -> None:
        """`idle_seconds` is how long a target may be silent (504) and a client connection unused, as on an ALB."""
        self.traffic = traffic
        self.pools = Pools()
        self.table = RouteTable(traffic, self.pools, split=split, seed=seed)
        self.idle_seconds = idle_seconds
        self.connect_seconds = connect_seconds
        self.clients: set[AnsweringConnection] = set()
        self.problems: dict[str, str] = {}  # listener ARN → why its port could not be opened
        self._servers: dict[str, tuple[int, asyncio.Server]] = {}
        self._reserved: dict[int, socket.socket] = {}

    def reserve(self) -> int:
        """A free port, held until a listener with this port appears."""
        held = socket.create_server((HOST, 0), backlog=1024)
        port = int(held.getsockname()[1])
        self._reserved[port] = held
        return port

    async def __aenter__(self) -> Self:
        await self.sync()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for _, server in self._servers.values():
            server.close()
        for client in tuple(self.clients):
            client.abort()
        for held in self._reserved.values():
            held.close()
        self._servers.clear()
        self.pools.close()

    async def run(self) -> None:
        """Follow the World's listeners and time limits until cancelled."""
        loop = asyncio.get_running_loop()
        seen = None
        sweep_at = loop.time()
        while True:
            if self.traffic.route_version != seen:
                seen = self.traffic.route_version
                await self.sync()
            if loop.time() >= sweep_at:
                sweep_at = loop.time() + min(1.0, self.idle_seconds / 4)
                for client in tuple(self.clients):
                    client.check_idle(loop.time() - self.idle_seconds)
            await asyncio.sleep(SYNC_SECONDS)

    async def sync(self) -> None:
        """Open the port of every listener that is new and close those that are gone; compile the routes."""
        self.table.refresh()
        wanted = {view.arn: view.port for view in self.traffic.listeners()}
        for arn, (port, server) in tuple(self._servers.items()):
            if wanted.get(arn) != port:
                server.close()
                del self._servers[arn]
        for arn, port in wanted.items():
            if arn not in self._servers:
                await self._listen(arn, port)
        self.problems = {arn: why for arn, why in self.problems.items() if arn in wanted}

    async def _listen(self, arn: str, port: int) -> None:
        loop = asyncio.get_running_loop()
        held = self._reserved.pop(port, None)
        try:
            held = held or socket.create_server((HOST, port), backlog=1024)
            server = await loop.create_server(lambda: ClientConnection(self, arn), sock=held, backlog=1024)
        except OSError as error:  # taken, or below 1024 without the right to it
            self.problems[arn] = f"cannot listen on {HOST}:{port}: {error.strerror}"
            return
        self.problems.pop(arn, None)
        self._servers[arn] = (port, server)


class ClientConnection(AnsweringConnection):
    """One client's connection."""

    __slots__ = ("_exchange", "_listener", "_peer", "_proxy")

    def __init__(self, proxy: Proxy, listener: str) -> None:
        super().__init__(proxy.clients)
        self._proxy = proxy
        self._listener = listener
        self._exchange: Exchange | None = None  # the last one; it goes on as long as its request is under way
        self._peer = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """As asyncio calls it."""
        super().connection_made(transport)
        self._peer = str(transport.get_extra_info("peername")[0])

    def asked(self, head: RequestHead, body: Body, raw: bytes, content: bytes) -> None:
        """As ``AnsweringConnection``: do what the first matching rule says."""
        proxy = self._proxy
        routes = proxy.table.listener(self._listener)
        action = routes.action(head, self._peer) if routes is not None else None
        keep_alive = head.keep_alive and body.done
        if routes is None or action is None:
            self._own(head, error_answer(503, keep_alive=False), keep_alive=False)
        elif isinstance(action, FixedView):
            self._own(head, fixed_answer(action, keep_alive=keep_alive), keep_alive=keep_alive)
        elif isinstance(action, RedirectView):
            asked = Asked.of(head, self._peer)
            moved = redirect_answer(action, asked, routes.port, keep_alive=keep_alive)
            proxy.traffic.count_rejected(load_balancer=routes.load_balancer, status=action.status)
            self._own(head, moved, keep_alive=keep_alive)
        elif isinstance(action, SignInView):
            status, answer = sign_in_answer(action, Asked.of(head, self._peer), keep_alive=keep_alive)
            proxy.traffic.count_rejected(load_balancer=routes.load_balancer, status=status)
            self._own(head, answer, keep_alive=keep_alive)
        else:
            self._forward(routes, action, head, body, (raw, content))

    def _forward(
        self, routes: Routes, forward: Forward, head: RequestHead, body: Body, arrived: tuple[bytes, bytes]
    ) -> None:
        proxy = self._proxy
        group, cookies = _chosen(forward, head)
        pool = group.pick() if group is not None else None
        keep_alive = head.keep_alive and body.done
        if group is not None and group.function:
            self._invoke(group, head, keep_alive=keep_alive)
            return
        if group is None or pool is None:
            proxy.traffic.count_rejected(load_balancer=routes.load_balancer, status=503)
            self._own(head, error_answer(503, keep_alive=keep_alive), keep_alive=keep_alive)
            return
        raw, content = arrived
        request = head_for_target(head, raw, self._peer, routes.port) + content
        self._exchange = exchange = Exchange(
            self, proxy.traffic, group, pool, head, body, request, cookies=cookies
        )
        exchange.begin(self._loop, proxy.connect_seconds)

    def _invoke(self, group: Group, head: RequestHead, *, keep_alive: bool) -> None:
        """A Lambda function answers at once; it takes no upgrade of the protocol, which the load balancer refuses."""
        traffic = self._proxy.traffic
        if head.is_upgrade:
            traffic.count_rejected(load_balancer=group.load_balancer, status=400)
            self._own(head, error_answer(400, keep_alive=False), keep_alive=False)
            return
        traffic.count_routed(load_balancer=group.load_balancer, group=group.arn)
        traffic.count_answer(load_balancer=group.load_balancer, group=group.arn, status=200, seconds=0.001)
        self._own(head, function_answer(group.function, keep_alive=keep_alive), keep_alive=keep_alive)

    def _own(self, head: RequestHead, answer: bytes, *, keep_alive: bool) -> None:
        if head.method == b"HEAD":
            answer = answer[: answer.find(b"\r\n\r\n") + 4]
        self.write(answer)
        self.answered(keep_alive=keep_alive)

    def asked_more(self, content: bytes) -> None:
        """As ``AnsweringConnection``."""
        if self._exchange is not None:
            self._exchange.request_bytes(content)

    def asker_left(self) -> None:
        """As ``AnsweringConnection``. A client that half-closes has left, as an ALB sees it (its 460)."""
        if self._exchange is not None:
            self._exchange.abandon()

    def refusal(self, status: int, why: str) -> bytes:
        """As ``AnsweringConnection``."""
        return error_answer(status, keep_alive=False)

    def check_answer(self, since: float) -> None:
        """As ``AnsweringConnection``: the target has been silent."""
        if self._exchange is not None and self._exchange.last_moved < since:
            self._exchange.fail(504)

    def pause_writing(self) -> None:
        """As asyncio calls it."""
        if self._exchange is not None:
            self._exchange.client_full()

    def resume_writing(self) -> None:
        """As asyncio calls it."""
        if self._exchange is not None:
            self._exchange.client_drained()


def _chosen(forward: Forward, head: RequestHead) -> tuple[Group | None, tuple[bytes, ...]]:
    """The group that a request goes to, by its cookie or else by weight, and the cookies that keep its user there."""
    if not forward.pins_for:
        return forward.pick(), ()
    now = time.time()
    pin = pin_of(head.headers.get(b"cookie", b""), now)
    kept = forward.pinned(pin.group) if pin is not None else None
    if pin is not None and kept is not None:
        return kept, headers_of(pin, now)
    group = forward.pick()
    return group, headers_of(Pin(group.arn, now + forward.pins_for), now) if group is not None else ()
