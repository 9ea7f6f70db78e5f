"""Swaps of services that scale: green's scaling becomes the service's own, and blue's goes, or is given back."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.spec import Ending
from sandbox.scenarios.scenery_scaling import scale_by
from tests.cases.looks import live_services, service_of
from tests.cases.swap_stage import lose_sight_after, swap, swapped, until_asked, until_recorded
from tests.support.rehearsal import Rehearsal

KINDS = ("requests", "cpu", "steps", "forecast", "evening")
NOT_SUSPENDED = {
    "DynamicScalingInSuspended": False,
    "DynamicScalingOutSuspended": False,
    "ScheduledScalingSuspended": False,
}
ALL_SUSPENDED = dict.fromkeys(NOT_SUSPENDED, True)


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    with Rehearsal() as rehearsal:
        scale_by(rehearsal.world, rehearsal.scenery, *KINDS, target=5000)
        yield rehearsal


def read(stage: Rehearsal, operation: str, items: str, service: str) -> list[dict[str, Any]]:
    which = {"ResourceIds": [f"service/prod/{service}"]}
    if operation != "DescribeScalableTargets":
        which = {"ResourceId": f"service/prod/{service}"}  # type: ignore[dict-item]
    asked = {"ServiceNamespace": "ecs", **which}
    found: list[dict[str, Any]] = stage.world.call("application-autoscaling", operation, asked)[items]
    return found


def target_of(stage: Rehearsal, service: str = "checkout") -> dict[str, Any]:
    """A service's bounds and suspensions; empty: it has no target."""
    found = read(stage, "DescribeScalableTargets", "ScalableTargets", service)
    kept = ("MinCapacity", "MaxCapacity", "SuspendedState")
    return {name: found[0][name] for name in kept} if found else {}


def acts_on(stage: Rehearsal, service: str = "checkout") -> dict[str, Any]:
    """A service's policies by name with their modes, and its scheduled actions."""
    policies = {
        one["PolicyName"]: one.get("PredictiveScalingPolicyConfiguration", {}).get("Mode")
        for one in read(stage, "DescribeScalingPolicies", "ScalingPolicies", service)
    }
    actions = read(stage, "DescribeScheduledActions", "ScheduledActions", service)
    return policies | {one["ScheduledActionName"]: one["Schedule"] for one in actions}


def alarms(stage: Rehearsal) -> list[str]:
    """The names of the alarms that Teal has made."""
    found = stage.world.call("cloudwatch", "DescribeAlarms", {})["MetricAlarms"]
    return sorted(one["AlarmName"] for one in found if one["AlarmName"].startswith("teal-"))


def test_greens_scaling_is_blues_and_a_kept_blue_stays_at_nothing(stage: Rehearsal) -> None:
    bounds, acting = target_of(stage), acts_on(stage)
    row = swapped(stage, Ending.KEEP)
    assert row.green is not None
    assert target_of(stage, row.green.name) == bounds
    assert acts_on(stage, row.green.name) == acting
    assert target_of(stage) == {**bounds, "MinCapacity": 0, "SuspendedState": ALL_SUSPENDED}
    stage.let_run(timedelta(minutes=10))
    assert service_of(stage)["desiredCount"] == 0


def test_a_deleted_blue_leaves_no_scaling_behind_and_swaps_in_a_row_no_alarms(stage: Rehearsal) -> None:
    bounds, acting = target_of(stage), acts_on(stage)
    for number in range(3):
        row = swapped(stage, Ending.DELETE, key=f"swap {number}")
        assert row.green is not None
        assert row.blue is not None
        assert target_of(stage, row.green.name) == bounds, stage.story(row.id)
        assert acts_on(stage, row.green.name) == acting
        assert target_of(stage, row.blue.name) == {}
        assert acts_on(stage, row.blue.name) == {}
        assert alarms(stage) == sorted(row.green.alarms)
        assert live_services(stage) == [row.green.name]


@pytest.mark.parametrize("ending", [Ending.KEEP, Ending.DELETE])
def test_a_rollback_gives_blue_its_tasks_and_its_scaling_back(stage: Rehearsal, ending: Ending) -> None:
    bounds, acting = target_of(stage), acts_on(stage)
    rollout = swap(stage, ending)
    until_recorded(stage, rollout, EventKind.BLUE_DRAINED)
    stage.let_run(timedelta(seconds=1))
    stage.command(rollout, CommandKind.ROLLBACK)
    row = stage.until(rollout)
    assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert (target_of(stage), acts_on(stage)) == (bounds, acting), stage.story(rollout)
    assert service_of(stage)["runningCount"] == 3
    assert alarms(stage) == []


def test_a_blue_that_is_made_anew_gets_its_policies_and_schedules_back(stage: Rehearsal) -> None:
    bounds, acting = target_of(stage), acts_on(stage)
    rollout = swap(stage, Ending.DELETE)
    lose_sight_after(stage, "DeleteService", timedelta(seconds=10))
    until_asked(stage, rollout, "delete_service")
    stage.command(rollout, CommandKind.ROLLBACK)
    row = stage.until(rollout)
    assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert (target_of(stage), acts_on(stage)) == (bounds, acting), stage.story(rollout)
    assert service_of(stage)["runningCount"] >= 2, "its policies may act again"
    told = [seen.event.message for seen in stage.events(rollout, EventKind.DRIFT_FOUND)]
    assert any("attach them to the new ones" in words for words in told), told
