"""Targets are checked over HTTP as their group says, and the World hears AWS's reasons."""

import asyncio
from contextlib import suppress
from datetime import timedelta

import pytest

from sandbox.plane.balancer.health import TURN_SECONDS, HealthChecks, check, within
from tests.sandbox.plane.board import Board, run, until
from tests.sandbox.plane.client import Script, saying
from tests.support.loopback import listening as scripted
from tests.support.virtual import VirtualLoop, play

pytestmark = pytest.mark.machine


async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"hello\r\n\r\n")


@pytest.mark.parametrize(
    ("script", "codes", "reason"),
    [
        (saying("ok"), {200}, ""),
        (saying("ok"), {200, 204}, ""),
        (saying("ok"), {204}, "Target.ResponseCodeMismatch"),
        (silent, {200}, "Target.Timeout"),
        (nonsense, {200}, "Target.FailedHealthChecks"),
    ],
    ids=["passes", "passes one of two codes", "another code", "silent", "no http"],
)
def test_check_says_why_it_failed(script: Script, codes: set[int], reason: str) -> None:
    async def scene() -> None:
        board = Board()
        board.set_group("blue")
        timeout = timedelta(milliseconds=100 if reason == "Target.Timeout" else 5000)
        board.set_check("blue", timeout=timeout, codes=frozenset(codes))
        async with scripted(script) as target:
            assert await check(board.group("blue"), "127.0.0.1", target) == reason

    run(scene())


def test_check_that_is_answered_in_few_turns_passes_however_long_the_sandbox_had_to_wait_between_them() -> (
    None
):
    async def main(loop: VirtualLoop) -> None:
        answer: asyncio.Future[int] = loop.create_future()
        checked = loop.create_task(within(2, wait_for(answer)))
        await asyncio.sleep(TURN_SECONDS / 2)
        loop.jump(60)  # a minute in which nobody had a turn
        loop.call_soon(answer.set_result, 200)
        assert await checked == 200

    async def wait_for(answer: asyncio.Future[int]) -> int:
        return await answer

    play(main)


def test_refused_connection_fails_the_check() -> None:
    async def scene() -> None:
        board = Board()
        board.set_group("blue")
        async with scripted(silent) as target:
            pass
        assert await check(board.group("blue"), "127.0.0.1", target) == "Target.FailedHealthChecks"

    run(scene())


def test_only_targets_in_use_are_checked_again_and_again() -> None:
    async def scene() -> None:
        board = Board()
        async with (
            scripted(saying("ok")) as new,
            scripted(saying("ok")) as leaving,
            scripted(saying("ok")) as unused,
        ):
            checks = asyncio.create_task(HealthChecks(board).run())
            board.set_group("blue", (new, "initial"), (leaving, "draining"), (unused, "unused"))
            await until(lambda: len(board.checks) >= 3)
            assert set(board.checks) == {("blue", "127.0.0.1", new, True, "")}
            board.set_group("blue", (new, "draining"))
            await until(lambda: len(asyncio.all_tasks()) <= 4)
            checks.cancel()
            with suppress(asyncio.CancelledError):
                await checks

    run(scene())
