"""Weights and targets are picked as an Application Load Balancer picks them."""

from collections import Counter
from dataclasses import replace

import pytest

from sandbox.http1.messages import RequestHead
from sandbox.plane.balancer.routes import Forward, Group, RouteTable, Split
from sandbox.plane.balancer.upstream import Pools
from tests.sandbox.plane.board import Board, forward

ASKED = RequestHead(b"GET / HTTP/1.1\r\nHost: shop.example")


def picks(board: Board, count: int, *, split: Split = "random", seed: int = 1) -> Counter[str]:
    routes = RouteTable(board, Pools(), split=split, seed=seed).listener("listener")
    assert routes is not None
    action = routes.action(ASKED, "127.0.0.1")
    assert isinstance(action, Forward)
    chosen = [action.pick() for _ in range(count)]
    return Counter(group.arn if group else "none" for group in chosen)


def split_board(blue: int, green: int) -> Board:
    board = Board()
    board.set_group("blue", (1, "healthy"))
    board.set_group("green", (2, "healthy"))
    board.set_listener(80, forward(("blue", blue), ("green", green)))
    return board


@pytest.mark.parametrize(("blue", "green"), [(900, 100), (990, 10), (500, 500), (1, 2)])
def test_random_split_is_within_half_a_point_over_20000_requests(blue: int, green: int) -> None:
    share = picks(split_board(blue, green), 20_000)["green"] / 20_000
    assert abs(share - green / (blue + green)) < 0.005 + 0.005 * (blue < 999 and green >= 500)


def test_round_robin_split_is_exact() -> None:
    assert picks(split_board(900, 100), 20_000, split="round_robin") == {"blue": 18_000, "green": 2_000}


@pytest.mark.parametrize(("blue", "green", "only"), [(999, 0, "blue"), (0, 999, "green"), (0, 0, "none")])
def test_weight_zero_gets_nothing(blue: int, green: int, only: str) -> None:
    assert set(picks(split_board(blue, green), 5_000)) == {only}


@pytest.mark.parametrize(
    ("states", "ports"),
    [
        (("healthy", "healthy", "unhealthy"), {0, 1}),
        (("healthy", "initial", "draining"), {0}),
        (("unhealthy", "unhealthy", "draining"), {0, 1}),  # fail-open
        (("initial", "unused", "draining"), {0}),
        (("unavailable", "unhealthy", "draining"), {0}),
        (("draining", "unused", "draining"), set()),
    ],
)
def test_targets_take_requests_by_their_state(states: tuple[str, ...], ports: set[int]) -> None:
    board = Board()
    board.set_group("blue", *enumerate(states))
    group = Group(board.group("blue"), Pools(), -1)
    chosen = [group.pick() for _ in range(9)]
    assert {pool.port for pool in chosen if pool is not None} == ports


def test_targets_of_a_group_take_turns() -> None:
    board = Board()
    board.set_group("blue", (1, "healthy"), (2, "healthy"), (3, "healthy"))
    group = Group(board.group("blue"), Pools(), -1)
    chosen = [group.pick() for _ in range(6)]
    assert [pool.port for pool in chosen if pool is not None] == [1, 2, 3, 1, 2, 3]


def test_least_outstanding_requests_prefers_the_idle_target() -> None:
    board = Board()
    board.set_group("blue", (1, "healthy"), (2, "healthy"), algorithm="least_outstanding_requests")
    pools = Pools()
    group = Group(board.group("blue"), pools, -1)
    pools.of("127.0.0.1", 1).outstanding = 3
    chosen = [group.pick() for _ in range(4)]
    assert {pool.port for pool in chosen if pool is not None} == {2}


def test_requests_of_a_rule_in_force_count_for_its_load_balancer_though_the_group_was_let_go() -> None:
    board = split_board(1, 1)
    board.target_groups["green"] = replace(board.target_groups["green"], load_balancer="")
    routes = RouteTable(board, Pools(), split="round_robin", seed=1).listener("listener")
    assert routes is not None
    action = routes.action(ASKED, "127.0.0.1")
    assert isinstance(action, Forward)
    assert {group.load_balancer for group in action.groups} == {routes.load_balancer}
