"""Group stickiness keeps a user on a target group, as an Application Load Balancer does it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from sandbox.plane.balancer.group_cookies import Pin, headers_of, pin_of
from sandbox.plane.clients.load import Load
from sandbox.ports import RuleView
from tests.sandbox.plane.board import Board, forward, run, until
from tests.sandbox.plane.client import Client, connected, saying
from tests.sandbox.plane.test_proxy import listening
from tests.support.loopback import listening as scripted

NOW = 1_000_000.0


@asynccontextmanager
async def two_groups(rule: RuleView) -> AsyncIterator[tuple[Board, int]]:
    """Blue and green with a target each behind one rule."""
    board = Board()
    async with scripted(saying("blue")) as blue, scripted(saying("green")) as green:
        board.set_group("blue", (blue, "healthy"))
        board.set_group("green", (green, "healthy"))
        async with listening(board, rule) as port:
            yield board, port


async def asked(user: Client, cookie: str = "") -> tuple[str, str]:
    """Which group answered, and the cookie it came with."""
    answer = await user.get(**({"Cookie": f"a=b; {cookie}"} if cookie else {}))
    return answer.body.decode(), answer.headers.get("set-cookie", "").partition(";")[0]


def pinning(blue: int, green: int, *, pins_for: float = 600) -> RuleView:
    return forward(("blue", blue), ("green", green), pins_for=pins_for)


def test_a_cookie_says_its_group_until_its_duration_is_over() -> None:
    plain, cors = headers_of(Pin("blue", NOW + 60), NOW)
    for line in (plain, cors):
        cookie = line.removeprefix(b"Set-Cookie: ").partition(b";")[0]
        assert pin_of(b"x=y; " + cookie, NOW + 59.9) == Pin("blue", NOW + 60)
        assert pin_of(cookie, NOW + 60) is None


@pytest.mark.parametrize("cookies", [b"", b"AWSALBTG=nonsense", b"AWSALBTG=e30=", b"AWSALB=x; session"])
def test_cookies_that_are_not_the_load_balancers_keep_nobody(cookies: bytes) -> None:
    assert pin_of(cookies, NOW) is None


@pytest.mark.machine
def test_a_user_stays_with_a_group_whatever_its_weight_until_it_leaves_the_rule() -> None:
    async def scene() -> None:
        async with two_groups(pinning(1, 0)) as (board, port), connected(port) as user:
            group, cookie = await asked(user)
            assert group == "blue"
            board.set_listener(port, pinning(0, 1))
            assert [(await asked(user, cookie))[0] for _ in range(20)] == ["blue"] * 20
            assert (await asked(user))[0] == "green"
            board.set_listener(port, pinning(0, 0))
            assert (await asked(user, cookie))[0] == "blue"
            board.set_listener(port, forward(("green", 1), pins_for=600))
            group, cookie = await asked(user, cookie)
            assert group == "green"
            board.set_listener(port, pinning(1, 0))
            assert (await asked(user, cookie))[0] == "green"

    run(scene())


@pytest.mark.machine
def test_a_user_whose_group_is_empty_but_still_in_the_rule_gets_503() -> None:
    async def scene() -> None:
        async with two_groups(pinning(1, 0)) as (board, port), connected(port) as user:
            _, cookie = await asked(user)
            board.set_group("blue")
            board.set_listener(port, pinning(0, 1))
            assert (await user.get(Cookie=cookie)).status == 503
            assert (await user.get()).status == 200

    run(scene())


@pytest.mark.machine
def test_without_group_stickiness_no_cookie_is_set_and_none_counts() -> None:
    async def scene() -> None:
        async with two_groups(pinning(1, 0)) as (board, port), connected(port) as user:
            _, cookie = await asked(user)
            board.set_listener(port, pinning(0, 1, pins_for=0))
            assert await asked(user, cookie) == ("green", "")

    run(scene())


@pytest.mark.machine
def test_a_users_duration_ends_though_they_go_on_asking() -> None:
    async def scene() -> None:
        async with two_groups(pinning(1, 0, pins_for=1)) as (board, port), connected(port) as user:
            _, cookie = await asked(user)
            board.set_listener(port, pinning(0, 1, pins_for=1))
            groups = [(await asked(user, cookie))[0]]
            async with asyncio.timeout(30):
                while groups[-1] == "blue":
                    group, cookie = await asked(user, cookie)
                    groups.append(group)
            assert groups[0] == "blue"

    run(scene())


@pytest.mark.machine
def test_users_of_a_load_keep_their_cookies() -> None:
    async def scene() -> None:
        async with two_groups(pinning(1, 1)) as (board, port):
            async with Load(f"http://127.0.0.1:{port}/", rate=100, users=20) as load:
                await until(lambda: board.answers["blue", 200] and board.answers["green", 200])
                await until(lambda: load.seen().sent > 60)  # everybody has asked
                board.set_listener(port, pinning(0, 1))
                before = board.answers["blue", 200]
                await until(lambda: board.answers["blue", 200] > before + 20)
                board.set_listener(port, forward(("green", 1), pins_for=600))
                await load.finish()
            kept = board.answers["blue", 200]
            async with Load(f"http://127.0.0.1:{port}/", rate=100, users=5, count=20) as load:
                await load.ended()
            assert board.answers["blue", 200] == kept

    run(scene())
