"""A rollback while blue is retired: blue gets its tasks back first, and then everybody."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.spec import Ending
from tests.cases.looks import groups_of, live_services, rules_of, service_of
from tests.cases.rule_stage import make_sessions_sticky
from tests.cases.swap_stage import BREAKER, swap, until_recorded
from tests.support.rehearsal import Rehearsal


@pytest.fixture(params=[Ending.KEEP, Ending.DELETE], ids=["keep", "delete"])
def ending(request: pytest.FixtureRequest) -> Ending:
    found: Ending = request.param
    return found


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    with Rehearsal(scalable=False, deployment=BREAKER) as rehearsal:
        yield rehearsal


def test_case_47_blue_gets_its_tasks_back_and_then_all_traffic(stage: Rehearsal, ending: Ending) -> None:
    """The count from before is restored, blue is waited for while green serves, and it is said how long it takes."""
    before, configuration = rules_of(stage), service_of(stage)["deploymentConfiguration"]
    rollout = swap(stage, ending)
    until_recorded(stage, rollout, EventKind.BLUE_DRAINED)
    stage.let_run(timedelta(seconds=1))
    assert service_of(stage)["desiredCount"] == 0
    stage.command(rollout, CommandKind.ROLLBACK)
    row = stage.until(rollout)
    assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
    (told,) = stage.events(rollout, EventKind.BLUE_CALLED_BACK)
    assert "gets back 3 tasks, which takes about" in told.event.message
    assert "green serves until blue is ready" in told.event.message
    blue = service_of(stage)
    assert (blue["desiredCount"], blue["runningCount"], blue["taskDefinition"]) == (
        3,
        3,
        stage.scenery.task_definition,
    )
    assert blue["deploymentConfiguration"] == configuration
    assert not [tag for tag in blue.get("tags", ()) if tag["key"].startswith("teal:")]
    assert rules_of(stage) == before
    assert groups_of(stage) == [stage.scenery.target_group]
    assert live_services(stage) == [stage.scenery.service]
    assert stage.traffic.totals.rejected == 0


def test_case_47_blue_that_has_its_tasks_still_takes_everything_back_within_a_minute(
    stage: Rehearsal,
) -> None:
    """Before its tasks were stopped there is nothing to start: it is in the rules again and takes over."""
    rollout = swap(stage, Ending.KEEP)
    until_recorded(stage, rollout, EventKind.TRAFFIC_ON_GREEN)
    stage.command(rollout, CommandKind.ROLLBACK)
    asked = stage.clock.now()
    row = stage.until(rollout)
    assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert row.end is not None
    assert row.end.traffic_on_blue_at is not None
    assert row.end.traffic_on_blue_at - asked < timedelta(minutes=1)
    assert stage.traffic.totals.rejected == 0


def test_case_47_sticky_sessions_are_there_for_both_colours_while_blue_comes_back(stage: Rehearsal) -> None:
    """A group with sessions stands beside another only in a sticky rule: it is lent again, and taken away again."""
    make_sessions_sticky(stage, life=20)
    stage.let_run(stage.world.minute)
    before = rules_of(stage)
    rollout = swap(stage, Ending.KEEP)
    until_recorded(stage, rollout, EventKind.BLUE_DRAINED)
    stage.command(rollout, CommandKind.ROLLBACK)
    assert stage.until(rollout).phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert rules_of(stage) == before


def test_case_47_green_that_does_not_do_well_keeps_what_is_left_of_blue_and_calls_people(
    stage: Rehearsal,
) -> None:
    """A failing health gate holds: blue is not drained, and people are told how to go back."""
    revision = stage.revision({"TEAL_DEMO_CRASH_AFTER": "115"})
    rollout = stage.start(stage.spec(revision, ending=Ending.KEEP))
    until_recorded(stage, rollout, EventKind.TRAFFIC_ON_GREEN)
    stage.let_run(timedelta(minutes=1))
    assert service_of(stage)["desiredCount"] == 3, stage.story(rollout)
    (page,) = stage.events(rollout, EventKind.PAGED)
    assert f"`teal rollback {rollout}` gives blue its tasks" in page.event.message
    assert stage.row(rollout).phase is Phase.RETIRING, "it never rolls back by itself"
    stage.command(rollout, CommandKind.ROLLBACK)
    assert stage.until(rollout).phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert service_of(stage)["runningCount"] == 3
