"""WebSockets and server-sent events stay with their task while weights move, and end in order when it stops."""

import asyncio
import os
import signal

import pytest

from sandbox.plane.clients.streams import Streams
from sandbox.plane.tasks.supervisor import Supervisor
from tests.sandbox.plane.board import Board, forward, run, spec, until
from tests.sandbox.plane.client import connected, saying
from tests.sandbox.plane.test_proxy import listening
from tests.support.loopback import listening as scripted

pytestmark = pytest.mark.machine
BOTH = {"websocket": 3, "events": 3}


def test_streams_stay_with_their_task_through_a_shift_and_end_in_order_with_it() -> None:
    async def scene() -> None:
        board = Board()
        async with Supervisor(board) as tasks:
            for number, name in enumerate(("blue", "green"), 1):
                tasks.start(spec(name, revision=f"checkout:{number}"))
            await until(lambda: len(board.running) == 2)
            for name, (_, port) in board.running.items():
                board.set_group(name, (port, "healthy"))
            async with (
                listening(board, forward(("blue", 1), ("green", 0))) as port,
                Streams(f"http://127.0.0.1:{port}/", websockets=3, events=3) as streams,
            ):
                seen = streams.seen
                await until(lambda: seen.open_on["checkout:1"] == 6)
                board.set_listener(port, forward(("blue", 0), ("green", 1)))
                before = seen.messages["checkout:1"]
                await until(lambda: seen.messages["checkout:1"] > before + 60)
                assert (dict(seen.opened), seen.open_on["checkout:2"]) == (BOTH, 0)
                board.set_group("blue", (board.running["blue"][1], "draining"))
                before = seen.messages["checkout:1"]
                await until(lambda: seen.messages["checkout:1"] > before + 60)
                tasks.stop("blue")
                await until(lambda: seen.open_on["checkout:2"] == 6)
                assert dict(seen.ended) == BOTH
                assert not +seen.cut
                assert not +seen.moved
                assert not +seen.refused

    run(scene())


def test_a_stream_whose_task_dies_is_cut() -> None:
    async def scene() -> None:
        board = Board()
        async with Supervisor(board) as tasks:
            tasks.start(spec("blue"))
            await until(lambda: board.running)
            board.set_group("blue", (board.running["blue"][1], "healthy"))
            async with (
                listening(board, forward(("blue", 1))) as port,
                Streams(f"http://127.0.0.1:{port}/", websockets=2, events=2) as streams,
            ):
                await until(lambda: streams.seen.open_on["checkout:1"] == 4)
                os.kill(tasks.pids()[0], signal.SIGKILL)
                await until(lambda: streams.seen.cut.total() == 4)
                assert not +streams.seen.ended

    run(scene())


def test_bytes_go_both_ways_once_a_target_has_switched_and_the_next_head_is_none() -> None:
    async def scene() -> None:
        async def repeats(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = await reader.readuntil(b"\r\n\r\n")
            assert b"Upgrade: websocket" in head
            assert b"Connection: Upgrade" in head
            assert b"X-Forwarded-For: 127.0.0.1" in head
            writer.write(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
            )
            while data := await reader.read(1000):
                writer.write(data)

        board = Board()
        async with scripted(repeats) as target:
            board.set_group("blue", (target, "healthy"))
            async with listening(board, forward(("blue", 1))) as port, connected(port) as user:
                user.send(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
                assert b" 101 " in await user.reader.readuntil(b"\r\n\r\n")
                said = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n\x00\xff"
                user.send(said)
                assert await user.reader.readexactly(len(said)) == said

    run(scene())


def test_a_target_that_does_not_switch_answers_as_it_likes() -> None:
    async def scene() -> None:
        board = Board()
        async with scripted(saying("no")) as target:
            board.set_group("blue", (target, "healthy"))
            async with listening(board, forward(("blue", 1))) as port, connected(port) as user:
                answer = await user.get(Connection="Upgrade", Upgrade="websocket")
                assert (answer.status, answer.body) == (200, b"no")
                assert board.answers["blue", 200] == 1

    run(scene())
