"""The demo application misbehaves in more ways, and revisions can hurt each other, over real connections."""

import asyncio
import json

import pytest

from sandbox.plane.tasks.application import LEAK_SLOWS_SECONDS, Behaviour
from sandbox.plane.tasks.control import BadFault, Control, FaultRequest, MetricTrouble
from sandbox.plane.tasks.pool import SharedPool
from sandbox.plane.tasks.supervisor import Supervisor
from tests.sandbox.plane.board import Board, forward, run, spec, until
from tests.sandbox.plane.client import connected


async def status(board: Board, arn: str, path: str = "/") -> int:
    async with connected(board.running[arn][1]) as client:
        return (await client.get(path)).status


@pytest.mark.machine
def test_its_errors_have_the_status_that_was_asked_for() -> None:
    async def scene() -> None:
        board = Board()
        async with Supervisor(board) as tasks:
            tasks.start(spec(TEAL_DEMO_ERROR_RATE="1", TEAL_DEMO_ERROR_STATUS="403"))
            await until(lambda: board.running)
            assert await status(board, "task-1") == 403
            assert await status(board, "task-1", "/healthz") == 200

    run(scene())


@pytest.mark.machine
def test_a_share_of_requests_stays_unanswered() -> None:
    async def scene() -> None:
        board = Board()
        async with Supervisor(board) as tasks:
            tasks.start(spec(TEAL_DEMO_UNANSWERED="1"))
            await until(lambda: board.running)
            assert await status(board, "task-1", "/healthz") == 200
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await status(board, "task-1")

    run(scene())


def test_a_leak_slows_answers_with_age() -> None:
    behaviour = Behaviour({"TEAL_DEMO_LEAK_AFTER": "30", "TEAL_DEMO_LATENCY": "100"})
    assert behaviour.delay_seconds(30) == pytest.approx(0.1)
    assert behaviour.delay_seconds(40) == pytest.approx(0.1 + 10 * LEAK_SLOWS_SECONDS)


@pytest.mark.machine
def test_a_leak_ends_as_if_killed_for_its_memory() -> None:
    async def scene() -> None:
        board = Board()
        async with Supervisor(board) as tasks:
            tasks.start(spec(TEAL_DEMO_LEAK_AFTER="-60"))  # a minute after that
            await until(lambda: board.stopped)
        assert board.stopped["task-1"] == (137, "out of memory as TEAL_DEMO_LEAK_AFTER asked")

    run(scene())


@pytest.mark.machine
def test_a_revision_that_exhausts_what_is_shared_fails_everybodys_requests_while_it_has_weight() -> None:
    async def scene() -> None:
        board = Board()
        async with Supervisor(board) as tasks:
            tasks.start(spec("blue"))
            greedy = {"TEAL_DEMO_ERROR_SHARED": "1", "TEAL_DEMO_SHARED_ABOVE": "0.2"}
            tasks.start(spec("green", revision="checkout:2", **greedy))
            await until(lambda: len(board.running) == 2)
            for arn in ("blue", "green"):
                board.set_group(arn, (board.running[arn][1], "healthy"))
            pool = SharedPool(board, tasks)
            seen = []
            for weights in ((1, 0), (80, 20), (79, 21), (1, 0)):
                board.set_listener(1, forward(("blue", weights[0]), ("green", weights[1])))
                pool.look()
                seen.append((await status(board, "blue"), await status(board, "green")))
            assert seen == [(200, 200), (200, 200), (500, 500), (200, 200)]

    run(scene())


class Misfortunes:
    """Keeps what the World would suffer."""

    def __init__(self) -> None:
        self.trouble: MetricTrouble | None = None

    def no_capacity(self, *, on: bool) -> None:
        pass

    def api(self, **_: object) -> None:
        pass

    def metrics(self, trouble: MetricTrouble | None) -> None:
        self.trouble = trouble


@pytest.mark.machine
def test_an_outage_of_a_dependency_hits_every_revision_and_ends() -> None:
    async def scene() -> None:
        board, misfortunes = Board(), Misfortunes()
        async with Supervisor(board) as tasks:
            control = Control(board, tasks, misfortunes)
            tasks.start(spec("blue"))
            tasks.start(spec("green", revision="checkout:2"))
            await until(lambda: len(board.running) == 2)

            async def both(asked: object) -> list[int]:
                assert control.answer("POST", "/_sandbox/faults", json.dumps(asked).encode())[0] == 200
                return [await status(board, arn) for arn in ("blue", "green")]

            async def trouble(asked: object) -> MetricTrouble | None:
                await both(asked)
                return misfortunes.trouble

            assert await both({"fault": "dependency"}) == [500, 500]
            assert await both({"fault": "dependency", "end": True}) == [200, 200]
            assert await trouble({"fault": "metrics", "answer": "partial"}) == "partial"
            assert await trouble({"fault": "metrics", "end": True}) is None
            control.close()

    run(scene())


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"fault": "dependency", "revision": "checkout:1"}, "knows no `revision`"),
        ({"fault": "dependency", "rate": 2}, "`rate` is a number from 0 to 1"),
        ({"fault": "metrics"}, "`answer` is partial or failed"),
        ({"fault": "metrics", "answer": "late"}, "`answer` is partial or failed"),
        ({"fault": "unanswered"}, "`rate` is a number from 0 to 1"),
    ],
)
def test_a_new_fault_asked_for_wrongly_says_what_to_write(asked: object, why: str) -> None:
    with pytest.raises(BadFault, match=why):
        FaultRequest.of(json.dumps(asked).encode())
