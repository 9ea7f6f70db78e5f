"""Case 74: traffic grows by half in mid-rollout, since another region has failed over."""

from collections.abc import Iterator

import pytest

from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.rollout import HoldKind
from orchestrator.core.rollout.spec import Ending
from tests.cases.looks import service_of, shifting
from tests.cases.swap_stage import swapped
from tests.support.rehearsal import MINUTE, Rehearsal, quick_plan


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    with Rehearsal() as rehearsal:
        rehearsal.let_run(6 * MINUTE)  # a past that says what is usual
        yield rehearsal


def too_small(stage: Rehearsal, rollout: RolloutId) -> list[str]:
    holds = stage.row(rollout).waiting.holds
    return [h.reason for h in holds if h.kind is HoldKind.CAPACITY and "traffic has grown" in h.reason]


def test_case_74_more_traffic_for_green_waits_until_both_colours_have_grown(stage: Rehearsal) -> None:
    rollout = shifting(stage)
    stage.traffic.requests_per_second *= 1.8
    stage.let_run(10 * MINUTE)
    row = stage.row(rollout)
    assert (row.phase, row.green_weight) == (Phase.SHIFTING, 100), stage.story(rollout)
    assert too_small(stage, rollout), row.waiting.holds
    stage.world.autoscaling.scale_out(stage.scenery.service, 6, cluster=stage.scenery.cluster)
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
    assert service_of(stage)["runningCount"] == 6


def test_case_74_the_hold_ends_when_the_traffic_does(stage: Rehearsal) -> None:
    rollout = shifting(stage)
    stage.traffic.requests_per_second *= 1.8
    stage.let_run(6 * MINUTE)
    assert too_small(stage, rollout)
    stage.traffic.requests_per_second /= 1.8
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)


def test_case_74_a_third_more_is_what_a_day_brings(stage: Rehearsal) -> None:
    rollout = shifting(stage)
    stage.traffic.requests_per_second *= 1.3
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
    assert "traffic has grown" not in stage.story(rollout)


@pytest.mark.long
def test_case_74_a_swap_soon_after_another_takes_the_canary_before_for_no_growth() -> None:
    """Most of the last hour of a green that stayed is from when it had 10 %: that is not what is usual."""
    with Rehearsal(scalable=False) as stage:
        swapped(stage, Ending.KEEP, key="first", plan=quick_plan(bake=200))
        row = swapped(stage, Ending.KEEP, key="second")
        assert "traffic has grown" not in stage.story(row.id)
