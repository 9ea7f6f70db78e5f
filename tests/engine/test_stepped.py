"""`capacity: stepped`: green grows ahead of its weight, and no weight is written that it could not carry."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import RolloutId, Tenths
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import NAMED_PLANS, Plan, Step
from orchestrator.core.rollout.rollout import HoldKind
from orchestrator.core.rollout.spec import Background, Capacity, Ending
from orchestrator.engine.commands import look_before
from tests.cases.looks import service_of
from tests.cases.scaling_stage import bounds_of, scaled, scaling_of
from tests.support.rehearsal import Rehearsal

WEIGHTS = (100, 500, 1000)


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    with Rehearsal(desired=10) as rehearsal:
        yield rehearsal


def plan(*weights: int, bake: int = 20) -> Plan:
    made = tuple(Step(weight=Tenths(weight), bake=timedelta(seconds=bake)) for weight in weights or WEIGHTS)
    return Plan(name="custom", steps=made)


def start(stage: Rehearsal, **changes: object) -> RolloutId:
    given = {"plan": plan(), "capacity": Capacity.STEPPED, **changes}
    return stage.start(stage.spec(stage.revision(), **given))


def sizes_at_each_growth(stage: Rehearsal, rollout: RolloutId) -> list[tuple[int, int]]:
    """(green's share in percent, green's healthy targets) each time its weight was raised."""
    green, healthy, had, found = stage.row(rollout).pairs[0].green, 0, 0, []
    for record in stage.world.log:
        if record.operation == "DescribeTargetHealth" and record.params["TargetGroupArn"] == green:
            states = (record.answer or {}).get("TargetHealthDescriptions", [])
            healthy = sum(each["TargetHealth"]["State"] == "healthy" for each in states)
        elif record.operation == "ModifyRule":
            tuples = record.params["Actions"][-1].get("ForwardConfig", {}).get("TargetGroups", [])
            weights = {each["TargetGroupArn"]: each["Weight"] for each in tuples}
            share = round(100 * weights.get(green, 0) / (sum(weights.values()) or 1))
            found += [(share, healthy)] if share > had else []
            had = max(had, share)
    return found


def green_of(stage: Rehearsal, rollout: RolloutId) -> str:
    green = stage.row(rollout).green
    assert green is not None
    return green.name


def test_green_grows_ahead_of_each_weight(stage: Rehearsal) -> None:
    rollout = start(stage)
    stage.until(rollout, Phase.PROVISIONING)
    stage.let_run(timedelta(seconds=4))
    assert service_of(stage, green_of(stage, rollout))["desiredCount"] == 2, "one in each of two zones"
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
    assert sizes_at_each_growth(stage, rollout) == [(10, 2), (50, 6), (100, 10)]


def test_blue_keeps_all_its_tasks_meanwhile_and_takes_over_with_as_many(stage: Rehearsal) -> None:
    rollout = start(stage)
    stage.until(rollout, Phase.WATCHING)
    assert service_of(stage)["runningCount"] == 10
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
    assert service_of(stage)["desiredCount"] == 10


def test_promote_full_grows_green_to_everything_before_it_gets_everything(stage: Rehearsal) -> None:
    rollout = start(stage, plan=plan(bake=600))
    stage.until(rollout, Phase.SHIFTING)
    while stage.row(rollout).progress.bake.since is None:
        stage.let_run(timedelta(seconds=1))
    stage.command(rollout, CommandKind.PROMOTE, full=True)
    row = stage.until(rollout, Phase.WATCHING)
    assert row.phase is Phase.WATCHING, stage.story(rollout)
    assert sizes_at_each_growth(stage, rollout) == [(10, 2), (100, 10)]


@pytest.mark.long
def test_going_back_keeps_what_green_has(stage: Rehearsal) -> None:
    rollout = start(stage, plan=plan(bake=60))
    stage.until(rollout, Phase.SHIFTING)
    while stage.row(rollout).progress.step < 1 or stage.row(rollout).progress.bake.since is None:
        stage.let_run(timedelta(seconds=1))
    stage.command(rollout, CommandKind.BACK, to=Tenths(100))
    stage.let_run(timedelta(seconds=10))
    assert stage.row(rollout).green_weight == 100
    assert service_of(stage, green_of(stage, rollout))["desiredCount"] == 6
    assert stage.until(rollout, within=timedelta(hours=1)).phase is Phase.SUCCEEDED, stage.story(rollout)


@pytest.mark.long
def test_auto_grows_green_for_weights_that_it_plans_as_it_goes(stage: Rehearsal) -> None:
    stage.traffic.requests_per_second = 400
    rollout = start(stage, plan=NAMED_PLANS["auto"])
    row = stage.until(rollout, within=timedelta(hours=1))
    assert row.phase is Phase.SUCCEEDED, stage.story(rollout)
    for share, healthy in sizes_at_each_growth(stage, rollout):
        assert healthy >= min(10, max(2, -(-share * 11 // 100))), (share, healthy)


@pytest.mark.long
def test_tasks_that_cannot_be_placed_hold_the_step_and_end_it_at_the_limit(stage: Rehearsal) -> None:
    rollout = start(stage)
    stage.until(rollout, Phase.SHIFTING)
    while stage.row(rollout).progress.bake.since is None:
        stage.let_run(timedelta(seconds=1))
    stage.world.capacity.limit = 12  # blue's ten and the two that green has
    stage.let_run(timedelta(seconds=60))
    row = stage.row(rollout)
    assert HoldKind.CAPACITY in {hold.kind for hold in row.waiting.holds}
    assert any("2 of 6 targets are healthy" in hold.reason for hold in row.waiting.holds)
    assert row.green_weight == 100
    assert stage.until(rollout).phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert sizes_at_each_growth(stage, rollout) == [(10, 2)]


def test_one_task_shows_its_background_work_before_the_first_share_does(stage: Rehearsal) -> None:
    rollout = start(stage, background=Background.SAFE)
    stage.until(rollout, Phase.PROVISIONING)
    stage.let_run(timedelta(seconds=3))
    assert service_of(stage, green_of(stage, rollout))["desiredCount"] == 1
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
    assert sizes_at_each_growth(stage, rollout)[0] == (10, 2)


def test_green_scales_from_its_share_and_everything_of_scaling_is_the_same_after(stage: Rehearsal) -> None:
    scaled(stage)
    before = scaling_of(stage)
    rollout = start(stage)
    row = stage.until(rollout, Phase.SHIFTING)
    assert row.green is not None
    assert bounds_of(stage, row.green.name) == (2, 40)
    row = stage.until(rollout)
    assert row.phase is Phase.SUCCEEDED, stage.story(rollout)
    assert scaling_of(stage) == before
    assert len(stage.events(rollout, EventKind.SCALING_GIVEN)) == 1


def test_preflight_says_what_each_step_takes(stage: Rehearsal) -> None:
    spec = stage.spec(stage.revision(), plan=plan(), capacity=Capacity.STEPPED)
    looked = stage.run(look_before(spec, cloud=stage.cloud, clock=stage.clock, others=()))
    told = [finding.what for finding in looked.findings if finding.code == "capacity-step"]
    assert [words.partition(" of green")[0] for words in told] == [
        "step 1, 10 %: 2 tasks",
        "step 2, 50 %: 6 tasks",
        "the watch, 100 %: 10 tasks",
        "until traffic is back on blue: 10 tasks",
    ]
    assert "0.5 vCPU and 1 GiB" in told[0]
    assert "vCPU hours" in told[0]
    cost = next(finding.what for finding in looked.findings if finding.code == "cost")
    assert cost.startswith("2 to 10 more tasks for about")


def test_preflight_of_a_swap_says_how_long_both_run_after_the_watch(stage: Rehearsal) -> None:
    spec = stage.spec(stage.revision(), plan=plan(), capacity=Capacity.STEPPED, ending=Ending.KEEP)
    looked = stage.run(look_before(spec, cloud=stage.cloud, clock=stage.clock, others=()))
    told = [finding.what for finding in looked.findings if finding.code == "capacity-step"]
    assert told[-1].startswith(
        "until blue's tasks have stopped: 10 tasks of green for about 32 s"
    )  # its delay of 2 s, after 30
    when = next(finding.why for finding in looked.findings if finding.code == "expected-time")
    assert when.endswith("then retiring blue")
