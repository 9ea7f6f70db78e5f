"""Case 27: blue scales while green is made, or later: green is compared with what blue wants to be now."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.spec import Capacity
from tests.cases.looks import service_of
from tests.cases.rule_stage import weights_of
from tests.cases.scaling_stage import bounds_of, scaled, scaling_of
from tests.support.rehearsal import Rehearsal, quick_plan


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    with Rehearsal() as rehearsal:
        yield rehearsal


def green_tasks_at_each_growth(stage: Rehearsal, rollout: RolloutId) -> list[int]:
    """How many targets of green were healthy each time its weight was raised."""
    green = stage.row(rollout).pairs[0].green
    healthy, had, found = 0, 0, []
    for record in stage.world.log:
        if record.operation == "DescribeTargetHealth" and record.params["TargetGroupArn"] == green:
            states = (record.answer or {}).get("TargetHealthDescriptions", [])
            healthy = sum(each["TargetHealth"]["State"] == "healthy" for each in states)
        elif record.operation == "ModifyRule":
            weight = weight_in(record.params, green or "")
            found += [healthy] if weight > had else []
            had = max(had, weight)
    return found


def weight_in(params: dict[str, Any], green: str) -> int:
    tuples = params["Actions"][-1].get("ForwardConfig", {}).get("TargetGroups", [])
    return next((each["Weight"] for each in tuples if each["TargetGroupArn"] == green), 0)


def test_case_27_blue_that_scales_out_while_green_is_made_is_met_by_as_many_of_green(
    stage: Rehearsal,
) -> None:
    rollout = stage.start(stage.spec(stage.revision()))
    stage.until(rollout, Phase.PROVISIONING)
    stage.let_run(timedelta(seconds=2))
    assert stage.world.autoscaling.scale_out("checkout", 5)
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
    assert green_tasks_at_each_growth(stage, rollout)[0] == 5


def test_case_27_blue_that_scales_out_in_a_step_holds_the_next_until_green_has_as_many(
    stage: Rehearsal,
) -> None:
    rollout = stage.start(stage.spec(stage.revision()))
    stage.until(rollout, Phase.SHIFTING)
    while not stage.row(rollout).green_weight:
        stage.let_run(timedelta(seconds=1))
    assert stage.world.autoscaling.scale_out("checkout", 7)
    row = stage.until(rollout, Phase.WATCHING)
    assert row.phase is Phase.WATCHING, stage.story(rollout)
    assert green_tasks_at_each_growth(stage, rollout) == [3, 7]


def test_case_27_with_stepped_capacity_green_follows_blue_by_its_share(stage: Rehearsal) -> None:
    spec = stage.spec(stage.revision(), capacity=Capacity.STEPPED)
    rollout = stage.start(spec)
    stage.until(rollout, Phase.SHIFTING)
    while not stage.row(rollout).green_weight:
        stage.let_run(timedelta(seconds=1))
    assert green_tasks_at_each_growth(stage, rollout) == [2], "one in each zone is more than a tenth of three"
    assert stage.world.autoscaling.scale_out("checkout", 10)
    stage.let_run(timedelta(seconds=8))
    assert service_of(stage, stage.row(rollout).green.name)["desiredCount"] == 2  # type: ignore[union-attr] # it has one
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
    assert green_tasks_at_each_growth(stage, rollout) == [2, 10]


def test_case_27_green_that_scales_out_by_itself_raises_blue_until_the_end(stage: Rehearsal) -> None:
    """At 100 % nobody asks blue: what its own scaling sees would leave it too small to take everything back."""
    scaled(stage, "cpu")
    before = scaling_of(stage)
    rollout = stage.start(stage.spec(stage.revision(), plan=quick_plan(watch=240)))
    stage.until(rollout, Phase.WATCHING)
    stage.traffic.requests_per_second = 110  # of 120 that three tasks can do
    stage.let_run(timedelta(seconds=120))
    row = stage.row(rollout)
    assert row.phase is Phase.WATCHING, stage.story(rollout)
    assert row.green is not None
    green, blue = (service_of(stage, name)["desiredCount"] for name in (row.green.name, "checkout"))
    assert green >= 6, "110 requests a second need that many at half of their CPU"
    assert blue == green
    assert bounds_of(stage) == (green, 12)
    assert stage.events(rollout, EventKind.BLUE_RAISED)
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
    assert scaling_of(stage) == before, "its bounds are what they were; its count is its policy's again"
    assert list(weights_of(stage, stage.scenery.rules[0])) == [stage.scenery.target_group]


def test_case_27_blue_that_green_has_outgrown_takes_everything_back_at_once(stage: Rehearsal) -> None:
    scaled(stage, "cpu")
    before = scaling_of(stage)
    rollout = stage.start(
        stage.spec(stage.revision({"TEAL_DEMO_LEAK_AFTER": "150"}), plan=quick_plan(watch=240))
    )
    stage.until(rollout, Phase.WATCHING)
    stage.traffic.requests_per_second = 110
    row = stage.until(rollout)
    assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert service_of(stage)["desiredCount"] >= 6
    assert scaling_of(stage) == before
