"""Questions to webhooks on loopback: signatures, and what every kind of answer means."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from orchestrator.core.cloud.probes_and_webhooks import (
    HookAccepted,
    HookNeed,
    HookSeen,
    HookTrouble,
    HookVerdict,
)
from orchestrator.core.domain.ids import Json
from orchestrator.core.domain.verdict import Verdict
from orchestrator.outbound.http_outbound import HttpOutward
from orchestrator.settings import Hook, Hosts, Secret
from tests.notify.receiver import SECRET, sample

pytestmark = pytest.mark.machine

HERE = Hosts(private=("127.0.0.1",))
NEED = HookNeed(
    key="checkout-0a1b2c3d/1/webhook-1/7",
    attempt=7,
    url="",
    check="",
    body=Json('{"rollout":"checkout-0a1b2c3d"}'),
)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Now:
    """The machine's time."""

    def now(self) -> datetime:
        return datetime.now(UTC)


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


async def until_answered(outward: HttpOutward, need: HookNeed) -> HookSeen:
    async with asyncio.timeout(10):
        while (seen := await outward.ask(need)) is None:  # noqa: ASYNC110 - as a tick asks
            await asyncio.sleep(0.01)
        return seen


def asked(answer: Handler, need: HookNeed = NEED, *, path: str = "/run") -> HookSeen:
    async def main() -> HookSeen:
        async with listening(answer) as url:
            hooks = (Hook(name="smoke", url=f"{url}/events", secret=Secret(SECRET)),)
            async with HttpOutward(HERE, hooks, Now()) as outward:
                check = f"{url}{need.check}" if need.check else ""
                return await until_answered(outward, replace(need, url=f"{url}{path}", check=check))

    return asyncio.run(main())


def answering(status: int, body: object = None, **headers: str) -> Handler:
    text = body if isinstance(body, str) else json.dumps(body) if body is not None else ""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text=text, headers=headers)

    return answer


@pytest.mark.parametrize("word", ["pass", "fail", "hold"])
def test_a_verdict_is_taken_with_its_reason(word: str) -> None:
    seen = asked(answering(200, {"verdict": word, "reason": "42 checks\nran", "more": [1]}))
    assert seen == HookVerdict(verdict=Verdict(word), reason="42 checks ran")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (answering(200), "its answer makes no sense: it is empty"),
        (answering(204), "it answered 204"),
        (answering(200, "all good"), "it is no JSON object: all good"),
        (answering(200, ["pass"]), "it is no JSON object"),
        (answering(200, "[" * 20000), "it is no JSON object"),
        (answering(200, {"verdict": "PASS"}), "verdict PASS is not pass, fail or hold"),
        (answering(200, {"verdict": True}), "verdict True is not pass, fail or hold"),
        (answering(200, {"ok": True}), "verdict None is not pass, fail or hold"),
        (answering(200, {"verdict": "pass", "pad": "x" * 70_000}), "it is longer than 64 KiB"),
        (answering(500, {"verdict": "pass"}), "it answered 500"),
        (answering(404, {"verdict": "pass"}), "it answered 404"),
        (answering(302, location="/pass"), "it redirects elsewhere"),
        (answering(202), "it answered 202 without saying where its verdict will be"),
        (answering(202, location="https://elsewhere.example/x"), "points to another host for its verdict"),
        (answering(202, {"check": "http://127.0.0.1:1/x"}), "points to another host for its verdict"),
    ],
)
def test_whatever_is_no_verdict_is_trouble_and_never_a_pass(answer: Handler, why: str) -> None:
    seen = asked(answer)
    assert isinstance(seen, HookTrouble)
    assert why in seen.why


@pytest.mark.parametrize(
    "answer",
    [answering(202, location="/runs/7"), answering(202, {"check": "/runs/7"})],
    ids=["header", "body"],
)
def test_a_long_check_says_where_its_verdict_will_be(answer: Handler) -> None:
    seen = asked(answer)
    assert isinstance(seen, HookAccepted)
    assert seen.check.endswith("/runs/7")


def test_how_long_it_wants_to_be_left_alone_is_kept_to() -> None:
    seen = asked(answering(503, **{"retry-after": "30"}))
    assert seen == HookTrouble(why="it answered 503", after=timedelta(seconds=30))


def test_a_check_is_looked_at_and_may_still_be_at_work() -> None:
    heard: list[tuple[str, str]] = []

    async def answer(request: web.Request) -> web.Response:
        heard.append((request.method, request.path))
        return web.Response(status=202)

    seen = asked(answer, replace(NEED, check="/runs/7"))
    assert isinstance(seen, HookAccepted)
    assert heard == [("GET", "/runs/7")]
    assert seen.check.endswith("/runs/7")


def test_the_question_is_signed_as_receivers_libraries_check_and_bears_its_key() -> None:
    heard: list[dict[str, str]] = []

    async def answer(request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        sample("verify")(SECRET, headers, await request.read(), now=datetime.now(UTC).timestamp())
        heard.append(headers)
        return web.json_response({"verdict": "pass"})

    seen = asked(answer, replace(NEED, secret="smoke"))
    assert seen == HookVerdict(verdict=Verdict.PASS, reason="")
    assert heard[0]["webhook-id"] == heard[0]["idempotency-key"] == NEED.key


@pytest.mark.parametrize(
    ("secret", "url", "why"),
    [
        ("other", "http://127.0.0.1:9/run", "the settings have no hook named other"),
        ("smoke", "https://evil.example/run", "the secret of hook smoke is for http://127.0.0.1:9"),
    ],
)
def test_a_secret_signs_nothing_but_questions_to_its_own_host(secret: str, url: str, why: str) -> None:
    async def main() -> HookSeen:
        hooks = (Hook(name="smoke", url="http://127.0.0.1:9/events", secret=Secret(SECRET)),)
        async with HttpOutward(HERE, hooks, Now()) as outward:
            refused = outward.refusal(url, secret)
            assert refused is not None
            assert why in refused[0]
            return await until_answered(outward, replace(NEED, url=url, secret=secret))

    seen = asyncio.run(main())
    assert isinstance(seen, HookTrouble)
    assert why in seen.why


def test_a_webhook_that_takes_long_slows_nobody_down_and_is_asked_once() -> None:
    heard: list[str] = []

    async def main() -> None:
        go_on = asyncio.Event()

        async def answer(request: web.Request) -> web.Response:
            heard.append(request.path)
            await go_on.wait()
            return web.json_response({"verdict": "pass"})

        async with listening(answer) as url, HttpOutward(HERE, (), Now()) as outward:
            need = replace(NEED, url=f"{url}/run")
            assert await outward.ask(need) is None
            assert await outward.ask(need) is None
            go_on.set()
            assert isinstance(await until_answered(outward, need), HookVerdict)
            assert heard == ["/run"]

    asyncio.run(main())


def test_what_is_under_way_at_the_end_is_let_go() -> None:
    async def main() -> None:
        async def answer(_: web.Request) -> web.Response:
            await asyncio.sleep(60)
            return web.Response()

        async with listening(answer) as url:
            async with HttpOutward(HERE, (), Now()) as outward:
                assert await outward.ask(replace(NEED, url=f"{url}/run")) is None
            assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("webhook")]

    asyncio.run(main())


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://127.0.0.1:1/run", "no connection could be made"),
        ("https://10.0.0.1/run", "private, loopback or link-local"),
        ("http://smoke.example/run", "without TLS"),
    ],
)
def test_what_cannot_be_reached_or_may_not_be_is_trouble(url: str, why: str) -> None:
    async def main() -> HookSeen:
        async with HttpOutward(HERE, (), Now()) as outward:
            return await until_answered(outward, replace(NEED, url=url))

    seen = asyncio.run(main())
    assert isinstance(seen, HookTrouble)
    assert why in seen.why
