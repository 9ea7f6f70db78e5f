"""Scalable targets have side effects, and scaling respects what is suspended."""

import pytest

from sandbox.world import AwsRefusal
from tests.sandbox.world.places import Shop, Wire, calm, seconds, shop

KEY = {
    "ServiceNamespace": "ecs",
    "ResourceId": "service/prod/checkout",
    "ScalableDimension": "ecs:service:DesiredCount",
}
ONLY_SCALE_IN = {
    "DynamicScalingInSuspended": True,
    "DynamicScalingOutSuspended": False,
    "ScheduledScalingSuspended": False,
}


def register(s: Shop, **params: object) -> None:
    s.world.call("application-autoscaling", "RegisterScalableTarget", KEY | params)


def targets(s: Shop) -> list[Wire]:
    answer = s.world.call("application-autoscaling", "DescribeScalableTargets", {"ServiceNamespace": "ecs"})
    return list(answer["ScalableTargets"])


def test_registering_moves_the_desired_count_into_the_limits() -> None:
    s = shop()
    register(s, MinCapacity=5, MaxCapacity=9)
    assert s.service()["desiredCount"] == 5
    register(s, MinCapacity=1, MaxCapacity=2)
    assert s.service()["desiredCount"] == 2


def test_even_a_call_only_to_suspend_moves_the_desired_count_into_the_limits() -> None:
    s = shop()
    s.update(desiredCount=1)
    register(s, SuspendedState={"DynamicScalingInSuspended": True})
    assert s.service()["desiredCount"] == 2


def test_a_partial_update_keeps_the_rest() -> None:
    s = shop()
    register(s, SuspendedState={"DynamicScalingInSuspended": True})
    assert (targets(s)[0]["MinCapacity"], targets(s)[0]["MaxCapacity"]) == (2, 12)
    register(s, MaxCapacity=20)
    assert targets(s)[0]["SuspendedState"] == ONLY_SCALE_IN


def test_scale_in_happens_unless_it_is_suspended() -> None:
    s = shop()
    register(s, SuspendedState={"DynamicScalingInSuspended": True})
    assert not s.world.autoscaling.scale_in("checkout", 2)
    assert s.service()["desiredCount"] == 3
    assert s.world.autoscaling.scale_out("checkout", 6)
    register(s, SuspendedState={"DynamicScalingInSuspended": False})
    assert s.world.autoscaling.scale_in("checkout", 1)
    assert s.service()["desiredCount"] == 2  # not below Min


def test_a_target_that_is_deregistered_scales_no_more() -> None:
    s = shop()
    s.world.call("application-autoscaling", "DeregisterScalableTarget", KEY)
    assert targets(s) == []
    assert not s.world.autoscaling.scale_in("checkout", 1)


def test_there_are_neither_policies_nor_scheduled_actions() -> None:
    s = shop()
    ask = {"ServiceNamespace": "ecs"}
    assert s.world.call("application-autoscaling", "DescribeScalingPolicies", ask)["ScalingPolicies"] == []
    assert s.world.call("application-autoscaling", "DescribeScheduledActions", ask)["ScheduledActions"] == []


def test_a_write_beside_another_to_the_same_target_is_refused_and_changes_nothing() -> None:
    s = shop(calm(scaling_write=seconds(2)))
    s.world.advance(seconds(2))
    register(s, MaxCapacity=20)
    writes: list[tuple[str, Wire]] = [
        ("RegisterScalableTarget", {"MaxCapacity": 30}),
        ("DeregisterScalableTarget", {}),
        ("DeleteScalingPolicy", {"PolicyName": "none"}),
        ("DeleteScheduledAction", {"ScheduledActionName": "none"}),
    ]
    for operation, params in writes:
        with pytest.raises(AwsRefusal, match="ConcurrentUpdateException"):
            s.world.call("application-autoscaling", operation, KEY | params)
    assert targets(s)[0]["MaxCapacity"] == 20
    s.world.advance(seconds(2))
    register(s, MaxCapacity=30)
    assert targets(s)[0]["MaxCapacity"] == 30


def test_a_write_that_is_refused_keeps_no_other_waiting() -> None:
    s = shop(calm(scaling_write=seconds(2)))
    s.world.advance(seconds(2))
    with pytest.raises(AwsRefusal, match="ObjectNotFoundException"):
        s.world.call("application-autoscaling", "DeleteScalingPolicy", KEY | {"PolicyName": "none"})
    register(s, MaxCapacity=20)
    assert targets(s)[0]["MaxCapacity"] == 20
