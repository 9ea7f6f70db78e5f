"""Engine and doors tell each other what they have to, and neither ever waits for the other."""

import asyncio
import socket
from contextlib import suppress

from api.serving.channel import HINT, DoorsEnd, EngineEnd, News, Opening
from orchestrator.settings import Secret, Settings, Slack

LARGE = b"x" * 4_000_000  # more than the kernel holds between them


async def ends() -> tuple[EngineEnd, DoorsEnd]:
    ours, theirs = socket.socketpair()
    return await EngineEnd.over(ours), await DoorsEnd.over(theirs)


def test_doors_are_opened_with_the_settings_and_their_secrets() -> None:
    async def script() -> None:
        engine, doors = await ends()
        slack = Slack(token=Secret("a"), signing_secret=Secret("b"), channel="#releases")
        opening = Opening(settings=Settings(slack=slack), is_auth_required=True)
        engine.say(opening)
        assert await doors.heard() == opening
        assert "Secret" not in repr(opening)
        doors.say(HINT)
        assert await engine.heard() == HINT
        engine.close()
        doors.close()

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
