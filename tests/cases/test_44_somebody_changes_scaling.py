"""Case 44: somebody changes blue's scaling during the rollout: said, held, and never written over at the end."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.rollout import HoldKind
from orchestrator.core.rollout.spec import OnDrift
from sandbox.scenarios.scenery_scaling import scale_by
from tests.cases.looks import service_of
from tests.cases.scaling_stage import (
    LIFTED,
    TWO_PERIODS,
    bounds_of,
    may_scale_in,
    scaled,
    scaling_of,
    somebody,
    target_of,
)
from tests.support.rehearsal import Rehearsal, quick_plan


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    with Rehearsal() as rehearsal:
        yield scaled(rehearsal, "cpu")


def shifting(stage: Rehearsal, *, bake: int = 60, on_drift: OnDrift = OnDrift.HOLD) -> RolloutId:
    """A rollout whose green has a tenth of the traffic."""
    spec = stage.spec(stage.revision(), plan=quick_plan(bake=bake), on_drift=on_drift)
    rollout = stage.start(spec)
    stage.until(rollout, Phase.SHIFTING)
    while not stage.row(rollout).green_weight:
        stage.let_run(timedelta(seconds=1))
    return rollout


def said(stage: Rehearsal, rollout: RolloutId, kind: EventKind = EventKind.DRIFT_FOUND) -> list[str]:
    return [seen.event.message for seen in stage.events(rollout, kind) if "scaling" in seen.event.message]


def held(stage: Rehearsal, rollout: RolloutId) -> set[HoldKind]:
    return {hold.kind for hold in stage.row(rollout).waiting.holds}


def test_case_44_a_suspension_that_somebody_lifts_is_said_and_written_again_while_green_has_traffic(
    stage: Rehearsal,
) -> None:
    before = scaling_of(stage)
    rollout = shifting(stage)
    somebody(stage, SuspendedState=LIFTED)
    stage.let_run(TWO_PERIODS)
    assert not may_scale_in(stage)
    assert said(stage, rollout) == [
        "somebody changed blue's scaling since the rollout began: scale-in is not suspended"
    ]
    assert said(stage, rollout, EventKind.HELD)
    assert said(stage, rollout, EventKind.HOLD_CLEARED), "it is as it was: the rollout goes on"
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
    assert scaling_of(stage) == before


def test_case_44_a_suspension_that_is_lifted_before_any_traffic_is_not_written_again(
    stage: Rehearsal,
) -> None:
    rollout = stage.start(stage.spec(stage.revision()))
    while (holding := stage.row(rollout).blue_scaling.holding) is None or holding.verified is None:
        stage.let_run(timedelta(seconds=0.5))
    assert stage.row(rollout).phase is Phase.PROVISIONING
    somebody(stage, SuspendedState=LIFTED)
    stage.let_run(TWO_PERIODS)
    assert HoldKind.SCALING in held(stage, rollout)
    assert may_scale_in(stage)
    assert stage.row(rollout).green_weight == 0
    stage.command(rollout, CommandKind.ROLLBACK)
    assert stage.until(rollout).phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert may_scale_in(stage)


def test_case_44_bounds_that_somebody_changes_hold_and_stay_at_the_end(stage: Rehearsal) -> None:
    rollout = shifting(stage)
    somebody(stage, MinCapacity=3, MaxCapacity=20)
    stage.let_run(2 * TWO_PERIODS)
    assert held(stage, rollout) == {HoldKind.SCALING}
    assert said(stage, rollout) == [
        "somebody changed blue's scaling since the rollout began: 3 to 20 tasks instead of 2 to 12"
    ]
    stage.command(rollout, CommandKind.ROLLBACK)
    assert stage.until(rollout).phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert bounds_of(stage) == (3, 20)
    assert target_of(stage)["SuspendedState"] == LIFTED, "what Teal wrote is given back"
    last = "somebody changed blue's scaling meanwhile: 3 to 20 tasks instead of 2 to 12; it stays so"
    assert said(stage, rollout)[-1] == last


def test_case_44_bounds_that_are_put_back_let_the_rollout_go_on(stage: Rehearsal) -> None:
    before = scaling_of(stage)
    rollout = shifting(stage)
    somebody(stage, MaxCapacity=20)
    stage.let_run(TWO_PERIODS)
    assert held(stage, rollout) == {HoldKind.SCALING}
    somebody(stage, MaxCapacity=12)
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
    assert scaling_of(stage) == before


def test_case_44_an_apply_that_writes_all_of_it_is_said_and_its_bounds_stay(stage: Rehearsal) -> None:
    """Bounds and suspensions in one call: scale-in is suspended again, and blue gets back what it lost by it."""
    rollout = shifting(stage)
    somebody(stage, MinCapacity=2, MaxCapacity=15, SuspendedState=LIFTED)
    stage.let_run(TWO_PERIODS)
    assert not may_scale_in(stage)
    assert bounds_of(stage) == (3, 15), "the lifted suspension had let it shrink to two tasks at once"
    assert service_of(stage)["desiredCount"] == 3
    assert HoldKind.SCALING in held(stage, rollout)
    stage.command(rollout, CommandKind.ROLLBACK)
    assert stage.until(rollout).phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert (bounds_of(stage), may_scale_in(stage)) == ((2, 15), True)


def test_case_44_where_the_file_accepts_drift_their_bounds_are_what_it_goes_back_to(stage: Rehearsal) -> None:
    rollout = shifting(stage, on_drift=OnDrift.ACCEPT)
    somebody(stage, MinCapacity=3, MaxCapacity=20)
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
    assert bounds_of(stage) == (3, 20)
    assert target_of(stage)["SuspendedState"] == LIFTED
    assert len(said(stage, rollout)) == 1


def test_case_44_somebodys_own_suspension_is_never_lifted(stage: Rehearsal) -> None:
    mine = {**LIFTED, "DynamicScalingInSuspended": True, "DynamicScalingOutSuspended": True}
    somebody(stage, SuspendedState=mine)
    before = scaling_of(stage)
    rollout = shifting(stage, bake=20)
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
    assert scaling_of(stage) == before


def test_case_44_a_schedule_of_blues_own_is_nobodys_change_and_what_it_set_stays() -> None:
    """Its bounds count at the end as they would have without the rollout, and all traffic's need is kept meanwhile."""
    with Rehearsal() as stage:
        scale_by(stage.world, stage.scenery)
        key = {"ServiceNamespace": "ecs", "ResourceId": "service/prod/checkout"}
        put = {"ScheduledActionName": "soon", "Schedule": "rate(1 minute)"}
        bounds = {"MinCapacity": 1, "MaxCapacity": 2}
        stage.world.call(
            "application-autoscaling",
            "PutScheduledAction",
            {
                **key,
                **put,
                "ScalableDimension": "ecs:service:DesiredCount",
                "StartTime": stage.world.now + timedelta(seconds=30),
                "ScalableTargetAction": bounds,
            },
        )
        rollout = stage.start(stage.spec(stage.revision(), plan=quick_plan(bake=90)))
        row = stage.until(rollout)
        assert row.phase is Phase.SUCCEEDED, stage.story(rollout)
        assert HoldKind.SCALING not in {
            hold for seen in stage.events(rollout, EventKind.HELD) for _, hold in seen.event.facts
        }
        assert any("scheduled action soon has set its bounds" in words for words in drift(stage, rollout))
        assert bounds_of(stage) == (1, 2)
        assert may_scale_in(stage)


def drift(stage: Rehearsal, rollout: RolloutId) -> list[str]:
    return [seen.event.message for seen in stage.events(rollout, EventKind.DRIFT_FOUND)]
