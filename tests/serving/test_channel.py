"""Engine and doors tell each other what they have to, and neither ever waits for the other."""

import asyncio
import socket
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from api.serving.channel import HINT, ORDER, DoorsEnd, EngineEnd, News, Opening
from api.serving.orders import LINE_MAX, Orders, Taken, line_of, read
from orchestrator.core.domain.commands import Actor, Command, CommandKind
from orchestrator.core.domain.errors import Unwritable
from orchestrator.core.domain.ids import RolloutId
from orchestrator.engine.steady_clock import Reading
from orchestrator.settings import Secret, Settings, Slack
from tests.notify.stage import ManualClock

ROLLBACK = Command(
    key="k",
    kind=CommandKind.ROLLBACK,
    by=Actor(name="operator", source="http"),
    at=datetime(2026, 3, 2, tzinfo=UTC),
    reason="looks\nodd",
)
LARGE = b"x" * 4_000_000  # more than the kernel holds between them


async def ends() -> tuple[EngineEnd, DoorsEnd]:
    ours, theirs = socket.socketpair()
    return await EngineEnd.over(ours), await DoorsEnd.over(theirs)


def test_doors_are_opened_with_the_settings_and_their_secrets() -> None:
    async def script() -> None:
        engine, doors = await ends()
        slack = Slack(token=Secret("a"), signing_secret=Secret("b"), channel="#releases")
        time = Reading(at=ROLLBACK.at, boot_seconds=5.0)
        opening = Opening(settings=Settings(slack=slack), is_auth_required=True, time=time)
        engine.say(opening)
        assert await doors.heard() == opening
        assert "Secret" not in repr(opening)
        doors.say(HINT)
        assert await engine.heard() == [HINT]
        engine.close()
        doors.close()

    asyncio.run(script())


def test_an_order_is_heard_whole_among_hints_however_it_comes() -> None:
    async def script() -> None:
        ours, theirs = socket.socketpair()
        engine = await EngineEnd.over(ours)
        line = line_of(RolloutId("r1"), ROLLBACK)
        with theirs:
            theirs.setblocking(True)
            theirs.sendall(HINT + ORDER + line[:7])
            assert await engine.heard() == [HINT]
            theirs.sendall(line[7:] + HINT)
            heard = await engine.heard()
            assert heard == [ORDER + line.rstrip(b"\n"), HINT]
            rollout, command = read(heard[0].removeprefix(ORDER), now=ROLLBACK.at)
            assert (rollout, command.by, command.reason) == ("r1", ROLLBACK.by, ROLLBACK.reason)
            theirs.sendall(ORDER + b"x" * (LINE_MAX + 1))
            while said := await engine.heard():
                assert list(said) == [HINT], "an order without an end is no order"
        engine.close()

    asyncio.run(script())


@pytest.mark.parametrize("line", [b"", b"[]", b"{", b'{"rollout": 1}', b'{"rollout": "r1", "key": "k"}'])
def test_a_line_that_is_no_order_is_none(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read(line, now=ROLLBACK.at)


def test_what_became_of_an_order_reaches_whoever_waits_for_it() -> None:
    async def done(rollout: RolloutId, command: Command) -> None:
        if rollout != "r1":
            raise Unwritable(what="not done", why="AWS has not taken it yet")

    async def script() -> None:
        taken = Taken(done, ManualClock())
        orders = Orders(taken.take)
        for rollout, words in (("r1", ""), ("r2", "AWS has not taken it yet")):
            giving = asyncio.create_task(orders.give(RolloutId(rollout), replace(ROLLBACK, key=rollout)))
            for _ in range(5):  # it is given, taken, and done
                await asyncio.sleep(0)
            assert taken.outcomes[-1] == (rollout, words)
            orders.hear(taken.outcomes)
            if words:
                with pytest.raises(Unwritable, match=words):
                    await giving
            else:
                await giving

    asyncio.run(script())


def test_doors_that_do_not_listen_never_hold_the_engine() -> None:
    async def script() -> None:
        engine, doors = await ends()
        for number in range(1000):
            engine.say(News(metrics=b"%d" % number if number else LARGE))
        assert await doors.heard() == News(metrics=LARGE)
        with suppress(TimeoutError):
            async with asyncio.timeout(0.1):
                await doors.heard()
        engine.say(News(metrics=b"now"))
        assert await doors.heard() == News(metrics=b"now")
        engine.close()
        doors.close()

    asyncio.run(script())


def test_a_word_that_was_given_up_half_way_is_heard_whole_later() -> None:
    async def script() -> None:
        ours, theirs = socket.socketpair()
        doors = await DoorsEnd.over(theirs)
        with ours:
            reader, writer = await asyncio.open_connection(sock=ours.dup())
            end = EngineEnd(reader, writer)
            whole: list[bytes] = []
            writer.write = whole.append  # type: ignore[method-assign, assignment]
            end.say(News(metrics=b"now"))
            ours.sendall(whole[0][:7])
            with suppress(TimeoutError):
                async with asyncio.timeout(0.05):
                    await doors.heard()
            ours.sendall(whole[0][7:])
            assert await doors.heard() == News(metrics=b"now")
            writer.close()
            doors.close()

    asyncio.run(script())
