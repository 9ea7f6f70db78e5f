"""Load is open-loop and bounded, and says by whose fault a request failed."""

import asyncio

import pytest

from sandbox.plane.clients.load import Load
from sandbox.plane.clients.load_process import Generator, Plan, beats_of
from sandbox.plane.clients.tally import LoadSeen, RevisionSeen, Tally, bucket_of
from tests.sandbox.plane.board import run, until
from tests.sandbox.plane.client import Script
from tests.support.loopback import listening as scripted

pytestmark = pytest.mark.machine


def answering_with(*answers: str) -> Script:
    """A script that answers in turn, on whatever connection, with raw answers."""
    turns = iter(range(10**9))

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(answers[next(turns) % len(answers)].encode())

    return script


def answer(status: int, *headers: str) -> str:
    return "\r\n".join((f"HTTP/1.1 {status} Said", *headers, "Content-Length: 0", "", ""))


GOOD = answer(200, "X-Teal-Revision: checkout:2", "X-Teal-Version: 2")
BAD = answer(500, "X-Teal-Revision: checkout:3", "X-Teal-Version: 3")


def test_load_counts_by_revision_and_by_cause() -> None:
    async def scene() -> LoadSeen:
        script = answering_with(GOOD, GOOD, BAD, answer(503), answer(502, "X-Teal-Target: 127.0.0.1:77"))
        async with scripted(script) as port, Load(f"http://127.0.0.1:{port}/", rate=500, count=100) as load:
            return await load.ended()

    seen = run(scene())
    assert (seen.sent, seen.requests, seen.unsent, seen.in_flight) == (100, 100, 0, 0)
    assert {name: (r.version, r.ok, r.failed) for name, r in seen.revisions.items()} == {
        "checkout:2": ("2", 40, 0),
        "checkout:3": ("3", 0, 20),
    }
    assert seen.shift == {"503": 20, "502": 20}
    assert (seen.failed_by_revision, seen.failed_by_shift) == (20, 40)
    assert seen.revisions["checkout:2"].first_failure is None
    assert seen.revisions["checkout:3"].first_failure is not None


def test_request_lost_by_a_task_that_died_of_its_own_fault_is_its_revisions_failure() -> None:
    async def scene() -> LoadSeen:
        script = answering_with(
            answer(502, "X-Teal-Target: 127.0.0.1:77"), answer(502, "X-Teal-Target: 127.0.0.1:78")
        )
        culprits = {("127.0.0.1", 77): "checkout:3"}
        async with (
            scripted(script) as port,
            Load(
                f"http://127.0.0.1:{port}/",
                rate=500,
                count=20,
                culprit=lambda host, at: culprits.get((host, at)),
            ) as load,
        ):
            return await load.ended()

    seen = run(scene())
    assert seen.revisions["checkout:3"].failed == 10
    assert seen.revisions["checkout:3"].first_failure is not None
    assert seen.shift == {"502": 10}


def test_refused_and_unanswered_requests_are_the_shifts() -> None:
    async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def loaded(port: int, timeout_seconds: float) -> LoadSeen:
        url = f"http://127.0.0.1:{port}/"
        async with Load(url, rate=200, count=10, timeout_seconds=timeout_seconds) as load:
            return await load.ended()

    async def scene() -> tuple[LoadSeen, LoadSeen]:
        async with scripted(silent) as port:
            timed_out = await loaded(port, timeout_seconds=0.1)
        return timed_out, await loaded(port, timeout_seconds=10)

    timed_out, refused = run(scene())
    assert timed_out.shift == {"timeout": 10}
    assert refused.shift == {"refused": 10}
    assert refused.first_shift is not None


def test_request_is_given_up_after_so_many_beats_and_never_while_the_machine_lets_either_side_wait() -> None:
    async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def scene() -> None:
        async with scripted(silent) as port:
            url = f"http://127.0.0.1:{port}/"
            plan = Plan(url=url, rate=1000, count=10, seconds=60, in_flight=256, timeout_seconds=0.1)
            generator = Generator(plan)
            running = asyncio.create_task(generator.run(lambda _: None))
            await until(lambda: generator.tally.sent == 10)
            assert generator.tally.shift == {}
            for _ in range(beats_of(0.1)):
                generator.beat()
            assert generator.tally.shift == {}
            generator.beat()
            assert generator.tally.shift == {"timeout": 10}
            await running

    run(scene())


def test_arrivals_wait_for_no_answer_and_are_bounded_in_flight() -> None:
    async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def scene() -> LoadSeen:
        async with (
            scripted(silent) as port,
            Load(f"http://127.0.0.1:{port}/", rate=1000, count=50, in_flight=8, timeout_seconds=1) as load,
        ):
            return await load.ended()

    seen = run(scene())
    assert (seen.sent, seen.unsent) == (8, 42)


def test_finish_stops_sending_and_counts_what_was_in_flight() -> None:
    async def scene() -> None:
        async with (
            scripted(answering_with(GOOD)) as port,
            Load(f"http://127.0.0.1:{port}/", rate=300) as load,
        ):
            await until(lambda: load.seen().requests > 30)
            seen = await load.finish()
            assert seen.requests == seen.sent
            assert seen.in_flight == 0

    run(scene())


def test_load_whose_process_dies_says_so() -> None:
    async def scene() -> None:
        async with (
            scripted(answering_with(GOOD)) as port,
            Load(f"http://127.0.0.1:{port}/", rate=300) as load,
        ):
            await until(lambda: load.seen().requests)
            load.kill()
            with pytest.raises(RuntimeError, match="before its time"):
                await load.finish()

    run(scene())


def test_latency_percentiles_are_within_a_bucket() -> None:
    tally = Tally()
    for milliseconds in range(1, 1001):
        tally.answered("checkout:1", "1", 200, float(milliseconds), 0.0)
    seen = RevisionSeen(buckets=tally.revisions["checkout:1"].buckets)
    for percent, exact in ((50, 500), (95, 950), (99, 990)):
        latency = seen.latency_ms(percent)
        assert latency is not None
        assert exact <= latency <= exact * 1.06
    assert RevisionSeen().latency_ms(50) is None
    assert bucket_of(0.0) == 0


def test_what_came_since_an_earlier_look_is_the_difference() -> None:
    tally = Tally()
    tally.answered("checkout:1", "1", 200, 5.0, 10.0)
    before = LoadSeen.of(tally.wire(elapsed=1.0, in_flight=0, done=False), lambda _host, _port: None)
    tally.answered("checkout:1", "1", 500, 7.0, 11.0)
    tally.failed("503", "", 12.0)
    after = LoadSeen.of(tally.wire(elapsed=2.0, in_flight=0, done=False), lambda _host, _port: None)
    between = after.since(before)
    assert between.revisions["checkout:1"].failed == 1
    assert between.revisions["checkout:1"].ok == 0
    assert between.revisions["checkout:1"].first_failure == 11.0
    assert between.shift == {"503": 1}
    assert between.first_shift == 12.0
    assert sum(between.revisions["checkout:1"].buckets.values()) == 1
