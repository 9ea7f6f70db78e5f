"""Batches of requests to a real listener on loopback: at their rate, each judged alone, none outside the settings."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from aiohttp import web

from orchestrator.core.cloud.probes_and_webhooks import ProbeNeed, ProbeSeen
from orchestrator.core.cloud.resources import Unread
from orchestrator.outbound.probes import probe
from orchestrator.outbound.send import Outbound
from orchestrator.settings import Hosts

pytestmark = pytest.mark.machine

HERE = Hosts(private=("127.0.0.1",))
NEED = ProbeNeed(
    key="checkout-0a1b2c3d/before-traffic/probe/1-1",
    url="",
    paths=("/a", "/b?dry=1"),
    first=0,
    count=6,
    rate=100,
)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def listening(answer: Handler) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def probed(answer: Handler, need: ProbeNeed, hosts: Hosts = HERE) -> ProbeSeen | Unread:
    async def main() -> ProbeSeen | Unread:
        async with listening(answer) as url:
            return await probe(Outbound(hosts), replace(need, url=url))

    return asyncio.run(main())


def test_paths_are_taken_in_turn_and_every_request_bears_its_own_key() -> None:
    heard: list[tuple[str, str, str, str]] = []

    async def answer(request: web.Request) -> web.Response:
        headers = request.headers
        heard.append((request.method, request.path_qs, headers["idempotency-key"], headers["host"]))
        return web.Response(text=f"{await request.text()} ok")

    need = replace(
        NEED, method="POST", body="hi", contains="hi ok", headers=(("Host", "checkout.example.com"),)
    )
    seen = probed(answer, need)
    assert isinstance(seen, ProbeSeen)
    assert all(a.status == 200 and a.has_text and 0 < a.seconds < 5 for a in seen.answers)
    assert sorted(heard, key=lambda one: one[2]) == [
        ("POST", ("/a", "/b?dry=1")[n % 2], f"{NEED.key}/{n}", "checkout.example.com") for n in range(6)
    ]


def test_statuses_texts_and_redirects_are_told_as_they_are() -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=302 if request.path == "/a" else 503, headers={"location": "/elsewhere"})

    seen = probed(answer, replace(NEED, count=2, contains="ok"))
    assert isinstance(seen, ProbeSeen)
    assert sorted((a.path, a.status, a.has_text) for a in seen.answers) == [
        ("/a", 302, False),
        ("/b?dry=1", 503, False),
    ]


def test_a_listener_that_answers_too_late_or_hangs_up_has_failed_not_gone() -> None:
    async def answer(request: web.Request) -> web.Response:
        if request.path == "/a":
            await asyncio.sleep(5)
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    seen = probed(answer, replace(NEED, count=2, timeout=timedelta(milliseconds=200)))
    assert isinstance(seen, ProbeSeen)
    assert sorted((a.status, a.trouble) for a in seen.answers) == [
        (0, "it closed the connection before its answer was whole"),
        (0, "no answer within 0.2 s"),
    ]


def test_a_listener_that_cannot_be_reached_is_unread_case_71() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        need = replace(NEED, url=f"http://127.0.0.1:{taken.getsockname()[1]}")
        seen = asyncio.run(probe(Outbound(HERE), need))
    assert isinstance(seen, Unread)
    assert "no connection could be made" in seen.why


def test_a_host_that_the_settings_do_not_allow_is_unread_and_gets_nothing() -> None:
    heard: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        heard.append(request.path)
        return web.Response()

    seen = probed(answer, NEED, hosts=Hosts())
    assert isinstance(seen, Unread)
    assert "without TLS" in seen.why
    assert heard == []
