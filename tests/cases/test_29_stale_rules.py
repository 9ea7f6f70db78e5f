"""Rules that read as before Teal's last write: an old answer of AWS is nobody's change, and a change is found out."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.core.cloud.readiness import STALE_LONGEST
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.gates.health import HealthSpec
from orchestrator.core.gates.registry import GatesSpec
from sandbox.world.kernel.settings import WorldSettings
from tests.cases.looks import shifting, tasks_of
from tests.cases.rule_stage import call, green_group, rule_of, weights_of
from tests.support.rehearsal import Rehearsal

BEHIND = timedelta(seconds=8)
WITHOUT_HEALTH = GatesSpec(health=HealthSpec(on=False))
FIRST = 100  # the first step's weight, in tenths of a percent
LOOK = timedelta(seconds=5)  # a tick, its look and its commit


def settings(behind: timedelta) -> WorldSettings:
    """Reads that go back, by up to so much, and nothing else that may surprise."""
    return replace(WorldSettings.kind(), staleness=behind, staleness_share=0.6, reads_go_back=True)


@pytest.fixture(params=range(4))
def stage(request: pytest.FixtureRequest) -> Iterator[Rehearsal]:
    with Rehearsal(seed=request.param, settings=settings(BEHIND), rules=3, scalable=False) as rehearsal:
        yield rehearsal


def somebody(stage: Rehearsal, rollout: RolloutId) -> list[str]:
    """What was said of a rule that somebody else changed."""
    return [seen.event.message for seen in stage.events(rollout, EventKind.DRIFT_FOUND)]


def test_case_29_reads_that_go_back_are_taken_for_nobodys_change(stage: Rehearsal) -> None:
    """AWS promises no order of its reads: a rollout that nobody touches ends as if they had one."""
    rollout = stage.start(stage.spec(stage.revision()))
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
    assert somebody(stage, rollout) == []
    assert "may be an old answer of AWS" in stage.story(rollout), "reads did go back"


def test_case_29_traffic_given_to_blue_by_hand_right_after_a_write_rolls_back_once_reads_agree(
    stage: Rehearsal,
) -> None:
    """What a person without Teal does to roll back counts, as soon as it cannot be an old answer any more."""
    rollout = shifting(stage, gates=WITHOUT_HEALTH)
    for _ in range(60):
        if all(rule.verified == FIRST for rule in stage.row(rollout).rules):
            break
        stage.let_run(timedelta(seconds=1))
    blue, green, rule = stage.scenery.target_group, green_group(stage), rule_of(stage)
    rule["Actions"][-1]["ForwardConfig"]["TargetGroups"] = [
        {"TargetGroupArn": blue, "Weight": 999},
        {"TargetGroupArn": green, "Weight": 0},
    ]
    rule["Actions"][-1].pop("TargetGroupArn", None)
    call(stage, "ModifyRule", RuleArn=rule["RuleArn"], Actions=rule["Actions"])
    stage.let_run(BEHIND + STALE_LONGEST + LOOK)
    row = stage.row(rollout)
    assert row.end is not None, stage.story(rollout)
    assert "somebody gave blue all traffic" in row.end.reason
    assert stage.until(rollout).phase is Phase.ROLLED_BACK
    stage.let_run(BEHIND)
    assert all(green not in weights_of(stage, arn) for arn in stage.scenery.rules)


def test_case_29_a_green_that_loses_its_health_rolls_back_though_reads_go_back(stage: Rehearsal) -> None:
    """An old answer between says that all is well, and the doubt begins anew: it ends with the old answers."""
    rollout = shifting(stage)
    for _ in range(60):
        if all(rule.verified == FIRST for rule in stage.row(rollout).rules):
            break
        stage.let_run(timedelta(seconds=1))
    green = stage.row(rollout).known.green.name
    for task in tasks_of(stage, green):
        stage.world.virtual_tasks.change(task, never_healthy=True)
    for _ in range(60):
        if stage.row(rollout).phase is not Phase.SHIFTING:
            break
        stage.let_run(timedelta(seconds=2))
    row = stage.row(rollout)
    assert row.end is not None, stage.story(rollout)
    assert row.end.reason.startswith("health: "), row.end.reason
    assert stage.until(rollout).phase is Phase.ROLLED_BACK
