"""A task is a real process of the demo application that does as its task definition says and outlives nothing."""

import asyncio
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.plane.tasks.supervisor import End, Misbehaviour, Supervisor
from tests.sandbox.plane.board import Board, run, spec, until
from tests.sandbox.plane.client import Answer, connected

pytestmark = pytest.mark.machine


async def get(board: Board, path: str = "/", arn: str = "task-1") -> Answer:
    async with connected(board.running[arn][1]) as client:
        return await client.get(path)


def is_alive(pid: int) -> bool:
    """True while a process of this number runs; a zombie whose parent has not looked does not run."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z")


def test_task_answers_with_its_version_and_revision() -> None:
    async def scene() -> None:
        board = Board()
        async with Supervisor(board) as tasks:
            tasks.start(spec(revision="checkout:7", TEAL_DEMO_VERSION="1.4"))
            await until(lambda: board.running)
            answer = await get(board, "/anything")
            assert answer.status == 200
            assert (answer.headers["x-teal-revision"], answer.headers["x-teal-version"]) == (
                "checkout:7",
                "1.4",
            )
            assert b'"version": "1.4"' in answer.body
            assert (await get(board, "/healthz")).status == 200

    run(scene())


@pytest.mark.parametrize(
    ("settings", "path", "status"),
    [
        ({"TEAL_DEMO_ERROR_RATE": "1"}, "/", 500),
        ({"TEAL_DEMO_ERROR_RATE": "1"}, "/healthz", 200),
        ({"TEAL_DEMO_UNHEALTHY": "1"}, "/healthz", 503),
        ({"TEAL_DEMO_UNHEALTHY": "1"}, "/", 200),
        ({"TEAL_DEMO_SLOW_START": "60"}, "/healthz", 503),
        ({"TEAL_DEMO_FLAP": "60"}, "/healthz", 200),
        ({"TEAL_DEMO_FLAP": "0"}, "/healthz", 503),
    ],
)
def test_task_misbehaves_as_its_environment_says(settings: dict[str, str], path: str, status: int) -> None:
    async def scene() -> None:
        board = Board()
        async with Supervisor(board) as tasks:
            tasks.start(spec(**settings))
            await until(lambda: board.running)
            answer = await get(board, path)
            assert answer.status == status
            assert answer.headers["x-teal-revision"] == "checkout:1"

    run(scene())


@pytest.mark.parametrize(
    ("settings", "exit_code", "why"),
    [
        ({"TEAL_DEMO_CRASH_AFTER": "0"}, 1, "crashed as TEAL_DEMO_CRASH_AFTER asked"),
        ({"TEAL_DEMO_LATENCY": "slow"}, 1, "TEAL_DEMO_LATENCY must be a number, not 'slow'"),
    ],
)
def test_task_that_ends_by_itself_is_reported_with_its_last_words(
    settings: dict[str, str], exit_code: int, why: str
) -> None:
    async def scene() -> None:
        board = Board()
        async with Supervisor(board) as tasks:
            tasks.start(spec(**settings))
            await until(lambda: board.stopped)
            assert board.stopped["task-1"] == (exit_code, why)
            assert not tasks.running()

    run(scene())


def test_command_is_refused_since_only_the_demo_application_runs() -> None:
    async def scene() -> None:
        board = Board()
        async with Supervisor(board) as tasks:
            tasks.start(replace(spec(), command=("sh", "-c", "true")))
            await until(lambda: board.stopped)
        exit_code, reason = board.stopped["task-1"]
        assert exit_code is None
        assert "CannotStartContainerError" in reason

    run(scene())


def test_stopped_task_finishes_what_is_in_flight_and_exits_with_0() -> None:
    async def scene() -> None:
        board = Board()
        async with Supervisor(board) as tasks:
            tasks.start(spec(TEAL_DEMO_LATENCY="150"))
            await until(lambda: board.running)
            host, port = board.running["task-1"]
            async with connected(port) as idle, connected(port) as busy:
                await idle.get("/healthz")
                busy.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                await asyncio.sleep(0.03)  # it has certainly been asked; the answer takes five times as long
                tasks.stop("task-1")
                answer = await busy.receive()
                assert (answer.status, answer.headers["connection"]) == (200, "close")
                assert await idle.reader.read() == b""
            await until(lambda: board.stopped)
            assert board.stopped["task-1"] == (0, "")
            assert tasks.end_of(host, port) == End(revision="checkout:1", told=True)

    run(scene())


def test_task_that_does_not_stop_is_killed_after_its_stop_timeout() -> None:
    async def scene() -> None:
        board = Board()
        async with Supervisor(board) as tasks:
            stubborn = spec(TEAL_DEMO_LATENCY="60000")
            tasks.start(replace(stubborn, stop_timeout=stubborn.stop_timeout / 20))
            await until(lambda: board.running)
            async with connected(board.running["task-1"][1]) as client:
                client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                await asyncio.sleep(0.03)
                tasks.stop("task-1")
                await until(lambda: board.stopped)
            assert board.stopped["task-1"][0] == 137

    run(scene())


def test_task_that_is_killed_from_outside_died_of_its_own_fault() -> None:
    async def scene() -> None:
        board = Board()
        async with Supervisor(board) as tasks:
            tasks.start(spec(TEAL_DEMO_CRASH_AFTER="0.05"))
            await until(lambda: board.stopped)
            assert tasks.end_of(*board.running["task-1"]) == End(revision="checkout:1", told=False)

    run(scene())


def test_misbehaviour_reaches_matching_tasks_that_run_and_those_to_come_until_it_ends() -> None:
    async def errors(board: Board, arn: str, status: int) -> None:
        async with asyncio.timeout(5):
            while (await get(board, arn=arn)).status != status:
                pass

    async def scene() -> None:
        board = Board()
        async with Supervisor(board) as tasks:
            tasks.start(spec("old", revision="checkout:1"))
            tasks.start(spec("new", revision="checkout:2"))
            await until(lambda: len(board.running) == 2)
            fault = Misbehaviour(revision="checkout:2", environment={"TEAL_DEMO_ERROR_RATE": "1"})
            tasks.misbehave("errors", fault)
            tasks.start(spec("later", revision="checkout:2"))
            await until(lambda: len(board.running) == 3)
            await errors(board, "new", 500)
            assert (await get(board, arn="later")).status == 500
            assert (await get(board, arn="old")).status == 200
            tasks.misbehave("errors", None)
            await errors(board, "new", 200)
            await errors(board, "later", 200)

    run(scene())


def test_crash_on_request_ends_running_tasks() -> None:
    async def scene() -> None:
        board = Board()
        async with Supervisor(board) as tasks:
            tasks.start(spec())
            await until(lambda: board.running)
            tasks.misbehave(
                "crash", Misbehaviour(service="checkout", environment={"TEAL_DEMO_CRASH_AFTER": "0"})
            )
            await until(lambda: board.stopped)
            assert board.stopped["task-1"][0] == 1

    run(scene())


def test_leaving_stops_every_process_and_reports_none() -> None:
    async def scene() -> None:
        board = Board()
        async with Supervisor(board) as tasks:
            for number in range(3):
                tasks.start(spec(f"task-{number}"))
            await until(lambda: len(board.running) == 3)
            ports = [port for _, port in board.running.values()]
        assert not tasks.running()
        assert not board.stopped
        for port in ports:
            with pytest.raises(OSError, match="Connect call failed"):
                await asyncio.open_connection("127.0.0.1", port)

    run(scene())


PARENT = """
import asyncio
from sandbox.plane.tasks.supervisor import Supervisor
from tests.sandbox.plane.board import Board, spec, until

async def main():
    board = Board()
    async with Supervisor(board) as tasks:
        for number in range(3):
            tasks.start(spec(f"task-{number}"))
        await until(lambda: len(board.running) == 3)
        print(*tasks.pids(), flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


def test_parent_killed_with_sigkill_leaves_no_child() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    pids = [int(word) for word in parent.stdout.readline().split()]
    assert len(pids) == 3
    assert all(is_alive(pid) for pid in pids)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    run(until(lambda: not any(is_alive(pid) for pid in pids)))
