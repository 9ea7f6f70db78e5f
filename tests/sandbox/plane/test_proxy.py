"""A listener carries requests, answers for itself and counts as an Application Load Balancer does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import partial

import pytest

from sandbox.plane.balancer.proxy import Proxy
from sandbox.ports import ConditionView, FixedView, RedirectView, RuleView, SignInView
from tests.sandbox.plane.board import Board, answering, forward, run, until
from tests.sandbox.plane.client import connected, saying
from tests.support.loopback import listening as scripted

pytestmark = pytest.mark.machine


@asynccontextmanager
async def listening(board: Board, *rules: RuleView, idle_seconds: float = 60.0) -> AsyncIterator[int]:
    """A proxy whose only listener has these rules; yields the listener's port. Unset groups are empty."""
    if "blue" not in board.target_groups:
        board.set_group("blue")
    async with Proxy(board, idle_seconds=idle_seconds) as proxy:
        port = proxy.reserve()
        board.set_listener(port, *rules)
        await proxy.sync()
        following = asyncio.create_task(proxy.run())
        try:
            yield port
        finally:
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following
            # Connections that were aborted are told so on the loop's next turn.
            await asyncio.sleep(0)


ONE = forward(("blue", 1))


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer with the request as it came, in chunks."""
    while head := await reader.readuntil(b"\r\n\r\n"):
        body = b""
        if b"chunked" in head:
            body = await reader.readuntil(b"0\r\n\r\n")
        elif b"Content-Length: " in head:
            length = int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0])
            body = await reader.readexactly(length)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for part in (head, body):
            if part:
                writer.write(b"%x\r\n%b\r\n" % (len(part), part))
        writer.write(b"0\r\n\r\n")


def test_request_reaches_a_target_and_is_counted_for_its_group() -> None:
    async def scene() -> None:
        board = Board()
        async with scripted(saying("hello")) as target, listening(board, ONE) as port:
            board.set_group("blue", (target, "healthy"))
            async with connected(port) as client:
                answers = [await client.get() for _ in range(3)]
        assert [(a.status, a.body) for a in answers] == [(200, b"hello")] * 3
        assert board.answers == {("blue", 200): 3}
        assert board.routed == {"blue": 3}, "each request is counted once when it is sent on"
        assert len(board.seconds) == 3

    run(scene())


def test_target_hears_who_asked_and_nothing_of_the_clients_connection() -> None:
    async def scene() -> None:
        board = Board()
        async with scripted(echo) as target, listening(board, ONE) as port:
            board.set_group("blue", (target, "healthy"))
            async with connected(port) as client:
                plain = (await client.get("/a?b=c")).body.decode()
                again = (
                    await client.get(x_forwarded_for="9.9.9.9", connection="keep-alive", x_mine="1")
                ).body.decode()
            forwarded = f"X-Forwarded-Proto: http\r\nX-Forwarded-Port: {port}\r\n\r\n"
            assert (
                plain
                == f"GET /a?b=c HTTP/1.1\r\nHost: shop.example\r\nX-Forwarded-For: 127.0.0.1\r\n{forwarded}"
            )
            assert "X-Forwarded-For: 9.9.9.9, 127.0.0.1\r\n" in again
            assert "x-mine: 1\r\n" in again
            assert "onnection" not in again

    run(scene())


@pytest.mark.parametrize(
    ("framing", "body"),
    [
        ("Content-Length: 200000", b"x" * 200_000),
        ("Transfer-Encoding: chunked", b"5\r\nhello\r\n" * 9 + b"0\r\n\r\n"),
    ],
)
def test_request_body_is_passed_on_to_the_letter(framing: str, body: bytes) -> None:
    async def scene() -> None:
        board = Board()
        async with scripted(echo) as target, listening(board, ONE) as port:
            board.set_group("blue", (target, "healthy"))
            async with connected(port) as client:
                for _ in range(2):
                    client.send(f"POST / HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n".encode())
                    for start in range(0, len(body), 50_000):
                        client.send(body[start : start + 50_000])
                        await client.writer.drain()
                    answer = await client.receive()
                    assert answer.body.endswith(b"\r\n\r\n" + body)
        assert board.answers == {("blue", 200): 2}

    run(scene())


def test_pipelined_requests_are_answered_in_order() -> None:
    async def scene() -> None:
        board = Board()
        async with scripted(echo) as target, listening(board, ONE) as port:
            board.set_group("blue", (target, "healthy"))
            async with connected(port) as client:
                client.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % n for n in range(20)))
                answers = [await client.receive() for _ in range(20)]
        assert [a.body.split(b" ")[1] for a in answers] == [b"/%d" % n for n in range(20)]

    run(scene())


def test_answer_that_ends_with_its_connection_is_whole() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nall of it")
        writer.close()

    async def scene() -> None:
        board = Board()
        async with scripted(script) as target, listening(board, ONE) as port:
            board.set_group("blue", (target, "healthy"))
            async with connected(port) as client:
                answer = await client.get()
        assert (answer.status, answer.body, answer.headers["connection"]) == (200, b"all of it", "close")
        assert board.answers == {("blue", 200): 1}

    run(scene())


def test_answer_to_head_has_no_body_and_keeps_the_connection() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")

    async def scene() -> None:
        board = Board()
        async with scripted(script) as target, listening(board, ONE) as port:
            board.set_group("blue", (target, "healthy"))
            async with connected(port) as client:
                for _ in range(2):
                    client.send(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
                    assert (await client.receive(to_head=True)).headers["content-length"] == "500"

    run(scene())


@pytest.mark.parametrize("weights", [(("blue", 1),), (("blue", 0),)])
def test_group_without_targets_and_forward_without_weight_answer_503(
    weights: tuple[tuple[str, int], ...],
) -> None:
    async def scene() -> None:
        board = Board()
        board.set_group("blue")
        async with listening(board, forward(*weights)) as port, connected(port) as client:
            answers = [await client.get() for _ in range(2)]
        assert [a.status for a in answers] == [503, 503]
        assert "x-teal-target" not in answers[0].headers
        assert board.rejected == {503: 2}
        assert not board.answers
        assert not board.unanswered

    run(scene())


def test_refused_connection_is_a_connection_error_and_502_naming_the_target() -> None:
    async def scene() -> None:
        board = Board()
        async with scripted(saying("x")) as gone:
            pass
        board.set_group("blue", (gone, "healthy"))
        async with listening(board, ONE) as port, connected(port) as client:
            answer = await client.get()
        assert (answer.status, answer.headers["x-teal-target"]) == (502, f"127.0.0.1:{gone}")
        assert board.connection_errors == {"blue": 1}
        assert board.unanswered == {("blue", 502): 1}

    run(scene())


def test_target_that_dies_before_its_answer_is_502() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    async def scene() -> None:
        board = Board()
        async with scripted(script) as target, listening(board, ONE) as port:
            board.set_group("blue", (target, "healthy"))
            async with connected(port) as client:
                answer = await client.get()
        assert answer.status == 502
        assert board.unanswered == {("blue", 502): 1}
        assert not board.connection_errors

    run(scene())


@pytest.mark.parametrize("nonsense", [b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"])
def test_answer_that_is_no_http_is_502(nonsense: bytes) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(nonsense)
        await reader.read()

    async def scene() -> None:
        board = Board()
        async with scripted(script) as target, listening(board, ONE) as port:
            board.set_group("blue", (target, "healthy"))
            async with connected(port) as client:
                assert (await client.get()).status == 502
        assert board.unanswered == {("blue", 502): 1}

    run(scene())


def test_answer_cut_off_half_way_is_cut_off_for_the_client_and_counted_unanswered() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        writer.close()

    async def scene() -> None:
        board = Board()
        async with scripted(script) as target, listening(board, ONE) as port:
            board.set_group("blue", (target, "healthy"))
            async with connected(port) as client:
                with pytest.raises(asyncio.IncompleteReadError):
                    await client.get()
        assert board.unanswered == {("blue", 502): 1}
        assert not board.answers

    run(scene())


def test_silent_target_is_504_after_the_idle_time() -> None:
    async def script(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def scene() -> None:
        board = Board()
        async with scripted(script) as target, listening(board, ONE, idle_seconds=0.1) as port:
            board.set_group("blue", (target, "healthy"))
            async with connected(port) as client:
                answer = await client.get()
        assert (answer.status, answer.headers["x-teal-target"]) == (504, f"127.0.0.1:{target}")
        assert board.unanswered == {("blue", 504): 1}

    run(scene())


def test_kept_connection_that_was_closed_meanwhile_loses_no_request() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")
        await reader.readuntil(b"\r\n\r\n")  # takes the second request and closes without a byte
        writer.close()

    async def scene() -> None:
        board = Board()
        async with scripted(script) as target, listening(board, ONE) as port:
            board.set_group("blue", (target, "healthy"))
            async with connected(port) as client:
                assert [(await client.get()).status for _ in range(4)] == [200] * 4
        assert board.answers == {("blue", 200): 4}
        assert not board.unanswered


def test_request_that_may_have_had_its_effect_is_not_sent_twice() -> None:
    heard: list[bytes] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.close()

    async def scene() -> None:
        board = Board()
        async with scripted(script) as target, listening(board, ONE) as port:
            board.set_group("blue", (target, "healthy"))
            async with connected(port) as client:
                await client.get()
                client.send(b"POST / HTTP/1.1\r\nHost: a\r\n\r\n")
                assert (await client.receive()).status == 502
        assert len(heard) == 2

    run(scene())


def test_rules_are_tried_in_the_order_of_their_priority() -> None:
    async def scene() -> None:
        board = Board()
        teapot = answering(
            FixedView(status=418, content_type="text/plain", body="short and stout"),
            ConditionView(field="path-pattern", values=("/tea",)),
        )
        moved = answering(
            RedirectView(
                status=301,
                protocol="HTTPS",
                host="#{host}",
                port="443",
                path="/new/#{path}",
                query="#{query}",
            ),
            ConditionView(field="path-pattern", values=("/old",)),
        )
        async with scripted(saying("blue")) as target, listening(board, teapot, moved, ONE) as port:
            board.set_group("blue", (target, "healthy"))
            async with connected(port) as client:
                answers = [await client.get(path) for path in ("/tea", "/old?x=1", "/")]
        assert [(a.status, a.body) for a in answers] == [
            (418, b"short and stout"),
            (301, b""),
            (200, b"blue"),
        ]
        assert answers[1].headers["location"] == "https://shop.example:443/new/old?x=1"

    run(scene())


@pytest.mark.parametrize(
    "nonsense",
    [
        b"what\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    ],
)
def test_request_that_is_no_http_is_400_and_reaches_no_target(nonsense: bytes) -> None:
    async def scene() -> None:
        board = Board()
        async with listening(board, ONE) as port, connected(port) as client:
            board.set_group("blue", (1, "healthy"))
            client.send(nonsense)
            assert (await client.receive()).status == 400
            assert await client.reader.read() == b""
        assert not board.connection_errors

    run(scene())


def test_listener_is_there_while_the_world_has_it_and_says_when_its_port_is_taken() -> None:
    async def scene() -> None:
        board = Board()
        async with scripted(saying("x")) as taken, Proxy(board) as proxy:
            board.set_listener(taken)
            await proxy.sync()
            assert "cannot listen" in proxy.problems["listener"]
            port = proxy.reserve()
            board.set_listener(port, answering(FixedView(status=200, content_type="", body="")))
            await proxy.sync()
            assert not proxy.problems
            async with connected(port) as client:
                assert (await client.get()).status == 200
            board.drop_listener()
            await proxy.sync()
            with pytest.raises(OSError, match="Connect call failed"):
                await asyncio.open_connection("127.0.0.1", port)

    run(scene())


def test_no_request_is_lost_while_weights_flip_and_targets_drain() -> None:
    async def ask(port: int, statuses: set[int], stop: asyncio.Event) -> int:
        count = 0
        async with connected(port) as client:
            while not stop.is_set():
                statuses.add((await client.get()).status)
                count += 1
        return count

    def answered_more_than(board: Board, count: int) -> bool:
        return sum(board.answers.values()) > count

    async def flip(board: Board, blue: int, green: int, port: int) -> None:
        for turn in range(50):
            weights = (("blue", 999), ("green", 0)) if turn % 2 else (("blue", 0), ("green", 999))
            board.set_listener(port, forward(*weights))
            board.set_group("blue", (blue, "draining" if turn % 2 == 0 else "healthy"))
            board.set_group("green", (green, "draining" if turn % 2 else "healthy"))
            await until(partial(answered_more_than, board, sum(board.answers.values()) + 50))

    async def scene() -> None:
        board, statuses, stop = Board(), set[int](), asyncio.Event()
        async with (
            scripted(saying("b")) as blue,
            scripted(saying("g")) as green,
            listening(board, ONE) as port,
        ):
            board.set_group("blue", (blue, "healthy"))
            board.set_group("green", (green, "healthy"))
            async with asyncio.TaskGroup() as group:
                clients = [group.create_task(ask(port, statuses, stop)) for _ in range(16)]
                await flip(board, blue, green, port)
                stop.set()
        asked = sum(client.result() for client in clients)
        assert statuses == {200}
        assert sum(board.answers.values()) == asked > 2_500
        assert not board.unanswered
        assert not board.connection_errors

    run(scene())


def test_draining_target_finishes_what_it_has() -> None:
    asked, release = asyncio.Event(), asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.set()
        await release.wait()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate")

    async def scene() -> None:
        board = Board()
        async with scripted(script) as old, scripted(saying("new")) as new, listening(board, ONE) as port:
            board.set_group("blue", (old, "healthy"))
            async with connected(port) as first, connected(port) as second:
                late = asyncio.create_task(first.get())
                await asked.wait()
                board.set_group("blue", (old, "draining"), (new, "healthy"))
                assert (await second.get()).body == b"new"
                release.set()
                assert (await late).body == b"late"

    run(scene())


def test_client_that_leaves_is_counted_nowhere_and_frees_its_target() -> None:
    asked, gone = asyncio.Event(), asyncio.Event()

    async def script(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.set()
        with suppress(ConnectionError):
            await reader.read()
        gone.set()

    async def scene() -> None:
        board = Board()
        async with scripted(script) as target, listening(board, ONE) as port:
            board.set_group("blue", (target, "healthy"))
            async with connected(port) as client:
                client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                await asked.wait()
                client.writer.transport.abort()
            await gone.wait()
        assert not board.unanswered
        assert not board.answers

    run(scene())


@pytest.mark.parametrize(
    ("otherwise", "cookie", "status"),
    [
        ("authenticate", "", 302),
        ("authenticate", "a=b; Session-0=x", 200),
        ("authenticate", "Session=x", 200),
        ("authenticate", "Sessions=x", 302),
        ("deny", "", 401),
        ("allow", "", 200),
    ],
)
def test_a_rule_that_signs_users_in_forwards_those_who_have_a_session(
    otherwise: str, cookie: str, status: int
) -> None:
    view = SignInView(cookie="Session", location="https://idp.example/authorize", otherwise=otherwise)

    async def scene() -> None:
        board = Board()
        guarded = replace(ONE, sign_in=view)
        async with scripted(saying("hello")) as target, listening(board, guarded) as port:
            board.set_group("blue", (target, "healthy"))
            async with connected(port) as client:
                answer = await client.get("/a", **({"cookie": cookie} if cookie else {}))
        assert answer.status == status
        if status == 302:
            assert answer.headers["location"].startswith("https://idp.example/authorize?response_type=code")
        assert board.routed == ({"blue": 1} if status == 200 else {}), "it is no request of the group"
        assert board.rejected == ({} if status == 200 else {status: 1}), (
            "the load balancer counts it for itself"
        )

    run(scene())


def test_a_function_answers_by_its_share_and_takes_no_upgrade() -> None:
    async def scene() -> None:
        board = Board()
        board.set_group("search")
        named = replace(board.target_groups["search"], function="arn:aws:lambda:x:1:function:search")
        board.target_groups["search"] = named
        async with listening(board, forward(("blue", 0), ("search", 1))) as port:
            async with connected(port) as client:
                answer = await client.get()
            async with connected(port) as client:
                upgraded = await client.get(connection="upgrade", upgrade="websocket")
        assert (answer.status, answer.body) == (200, b"search answers\r\n")
        assert upgraded.status == 400
        assert board.answers == {("search", 200): 1}
        assert board.rejected == {400: 1}

    run(scene())
