"""Whatever is called in whatever order, the World answers in AWS's shapes or refuses, and comes to rest."""

from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sandbox.scenarios.scenery import register, until_steady
from sandbox.world import AwsRefusal, CallLost, Fault, World, WorldSettings
from tests.sandbox.world.places import START, Shop, seconds, shop

BEHAVIOURS: tuple[dict[str, str], ...] = (
    {},
    {"TEAL_DEMO_CRASH_AFTER": "0"},
    {"TEAL_DEMO_CRASH_AFTER": "15"},
    {"TEAL_DEMO_UNHEALTHY": "1"},
    {"TEAL_DEMO_SLOW_START": "20"},
)
FAULTS = st.builds(
    Fault,
    nth=st.integers(1, 3),
    when=st.sampled_from(["before", "after", "late"]),
    kind=st.sampled_from(["timeout", "throttle", "unavailable", "expired", "denied", "page"]),
)
MOVES = st.one_of(
    st.tuples(st.just("wait"), st.integers(1, 90)),
    st.tuples(st.just("count"), st.integers(0, 6)),
    st.tuples(st.just("deploy"), st.integers(0, len(BEHAVIOURS) - 1)),
    st.tuples(st.just("breaker"), st.booleans()),
    st.tuples(st.just("weights"), st.integers(0, 10)),
    st.tuples(st.just("only green"), st.just(0)),
    st.tuples(st.just("create green"), st.integers(0, 3)),
    st.tuples(st.just("delete green"), st.just(0)),
    st.tuples(st.just("delete group"), st.just(0)),
    st.tuples(st.just("fault"), FAULTS),
    st.tuples(st.just("room"), st.integers(0, 12)),
    st.tuples(st.just("look"), st.just(0)),
)


def make(s: Shop, move: str, value: int | Fault) -> None:  # noqa: C901, PLR0912 - one arm a move
    world, ecs = s.world, {"cluster": "prod"}
    green = {"cluster": "prod", "service": "checkout-green"}
    match move, value:
        case "wait", int():
            world.advance(seconds(value))
        case "count", int():
            s.update(desiredCount=value)
        case "deploy", int():
            s.update(taskDefinition=register(world, family="checkout", environment=BEHAVIOURS[value]))
        case "breaker", _:
            s.update(
                deploymentConfiguration={
                    "deploymentCircuitBreaker": {"enable": True, "rollback": bool(value)}
                }
            )
        case "weights", int():
            s.split(blue=10, green=value)
        case "only green", _:
            s.split(green=1)
        case "create green", int():
            world.call("ecs", "CreateService", s.green_params(s.group("green"), desiredCount=value))
        case "delete green", _:
            world.call("ecs", "DeleteService", green | {"force": True})
        case "delete group", _:
            world.call("elbv2", "DeleteTargetGroup", {"TargetGroupArn": s.group("green")})
        case "fault", Fault():
            world.faults.add(value)
        case "room", int():
            world.capacity.limit = value
        case "look", _:
            s.states()
            arns = world.call("ecs", "ListTasks", ecs)["taskArns"]
            if arns:
                world.call("ecs", "DescribeTasks", ecs | {"tasks": arns})
            world.call("ecs", "ListServiceDeployments", ecs | {"service": "checkout"})


@pytest.mark.long
@settings(max_examples=60, deadline=None)
@example(moves=[("deploy", 2), ("wait", 71)], seed=608)
@given(moves=st.lists(MOVES, max_size=20), seed=st.integers(0, 1000))
def test_any_sequence_of_calls_is_answered_in_shape_and_comes_to_rest(
    moves: list[tuple[str, int | Fault]], seed: int
) -> None:
    s = shop(World(start=START, seed=seed, settings=WorldSettings(validate=True, throttling=False)))
    for move, value in moves:
        with suppress(AwsRefusal, CallLost):  # the caller's business; the World goes on
            make(s, move, value)
        for view in s.world.traffic.listeners():
            assert view.rules[-1].conditions == ()
    s.world.faults.clear()
    s.world.capacity.limit = None
    s.world.advance(timedelta(minutes=1))
    s.split(blue=1)
    s.world.advance(seconds(2))
    s.update(taskDefinition=register(s.world, family="checkout"), desiredCount=2)
    s.world.advance(seconds(2))  # or the first look may still see what was there before
    until_steady(s.world, s.scenery, within=timedelta(minutes=30))
    s.world.advance(
        seconds(2)
    )  # the last target leaves its group about when ECS says that the service is steady
    assert s.states() == ["healthy"] * 2
    assert {t.state for t in s.world.traffic.group(s.scenery.target_group).targets} == {"healthy"}
