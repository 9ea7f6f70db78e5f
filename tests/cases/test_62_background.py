"""Weight 0 is not work 0: what green's tasks do in the background, they do from the first one's first moment."""

from collections.abc import Iterator

import pytest

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.spec import ApprovalSpec, Background
from tests.cases.looks import definition_of, service_of
from tests.support.rehearsal import Rehearsal


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    with Rehearsal() as rehearsal:
        yield rehearsal


def green_name(stage: Rehearsal, rollout: str) -> str:
    return f"checkout-{rollout.rpartition('-')[2]}"


def counts_before_traffic(stage: Rehearsal, background: Background) -> list[int]:
    """Green's wanted tasks, one after the other, until its first traffic."""
    rollout = stage.start(stage.spec(stage.revision(), background=background))
    seen: list[int] = []
    while stage.row(rollout).phase in (Phase.PENDING, Phase.PREPARING, Phase.PROVISIONING):
        stage.let_run(stage.world.minute / 20)
        green = service_of(stage, green_name(stage, rollout))
        if green and green["desiredCount"] not in seen[-1:]:
            seen.append(green["desiredCount"])
    assert stage.row(rollout).phase is Phase.SHIFTING, stage.story(rollout)
    return seen


def test_case_62_tasks_that_only_answer_requests_start_all_at_once(stage: Rehearsal) -> None:
    """`background: none`: green is as large as blue from the first moment."""
    assert counts_before_traffic(stage, Background.NONE) == [3]


@pytest.mark.parametrize("background", [Background.SAFE, Background.SUSPEND])
def test_case_62_tasks_that_work_in_the_background_start_with_one_and_grow_before_traffic(
    stage: Rehearsal, background: Background
) -> None:
    """`safe` and `suspend`: one task until everything before traffic has passed, then all, then traffic."""
    assert counts_before_traffic(stage, background) == [1, 3]


def test_case_62_one_task_waits_for_the_approval_of_the_first_traffic(stage: Rehearsal) -> None:
    """A person looks at one task's background work before all do it."""
    spec = stage.spec(
        stage.revision(), background=Background.SAFE, approval=ApprovalSpec(before_traffic=True)
    )
    rollout = stage.start(spec)
    stage.let_run(6 * stage.world.minute)
    assert service_of(stage, green_name(stage, rollout))["desiredCount"] == 1
    stage.command(rollout, CommandKind.APPROVE)
    row = stage.until(rollout)
    assert row.phase is Phase.SUCCEEDED, stage.story(rollout)
    totals = stage.traffic.totals
    assert (totals.rejected, totals.unanswered.total(), totals.errors.total()) == (0, 0, 0)


def test_case_62_green_can_leave_its_background_work_alone_since_it_is_told_its_colour(
    stage: Rehearsal,
) -> None:
    """Green runs a sibling definition that differs in one variable; blue settles on the plain one."""
    revision = stage.revision()
    spec = stage.spec(revision, background=Background.SUSPEND, colour_variable="TEAL_COLOUR")
    rollout = stage.start(spec)
    stage.until(rollout, Phase.SHIFTING)
    green = service_of(stage, green_name(stage, rollout))
    environment = definition_of(stage, green["taskDefinition"])["containerDefinitions"][0]["environment"]
    assert environment == [{"name": "TEAL_COLOUR", "value": "green"}]
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
    assert service_of(stage)["taskDefinition"] == revision
