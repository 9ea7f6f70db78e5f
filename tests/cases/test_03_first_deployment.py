"""A service that runs no task yet: what is safe is done, and the rest is refused with what to do."""

from collections.abc import Iterator

import pytest

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.errors import Missing, Unfit
from orchestrator.core.domain.ids import TaskDefinitionArn
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import Plan
from orchestrator.core.rollout.spec import ServiceName, Spec
from tests.cases.looks import groups_of, live_services, rules_of, service_of
from tests.support.rehearsal import Rehearsal, quick_plan


@pytest.fixture(params=[True, False], ids=["with scaling", "without scaling"])
def stage(request: pytest.FixtureRequest) -> Iterator[Rehearsal]:
    """A service with a rule and a target group, and not one task."""
    with Rehearsal(desired=0, scalable=request.param) as rehearsal:
        yield rehearsal


def first(stage: Rehearsal, revision: str, *, tasks: int = 2) -> Spec:
    plan = Plan(name="instant", steps=quick_plan().steps[-1:])
    return stage.spec(revision, plan=plan, first_tasks=tasks)


def test_case_03_a_blue_without_tasks_is_refused_unless_the_file_calls_it_the_first_deployment(
    stage: Rehearsal,
) -> None:
    """Refused, with both ways out: tasks for blue, or `first_deployment` and `plan: instant`."""
    with pytest.raises(Unfit) as caught:
        stage.start(stage.spec(stage.revision()))
    assert "first_deployment: {tasks: 2}" in str(caught.value)


def test_case_03_a_plan_in_steps_is_refused_since_nobody_answers_the_other_share(stage: Rehearsal) -> None:
    """Refused: what green does not get would go to a group without a target."""
    with pytest.raises(Unfit, match=r"plan: instant"):
        stage.start(stage.spec(stage.revision(), first_tasks=2))


def test_case_03_a_service_that_serves_is_no_first_deployment() -> None:
    """Refused: whoever writes it would lose the way back without meaning to."""
    with Rehearsal() as rehearsal, pytest.raises(Unfit, match=r"no first deployment"):
        rehearsal.start(first(rehearsal, rehearsal.revision()))


def test_case_04_the_first_deployment_brings_green_up_moves_everything_and_settles(stage: Rehearsal) -> None:
    """Green comes up, takes all traffic at once, and blue keeps the tasks that it then gets."""
    before = rules_of(stage)
    revision = stage.revision()
    rollout = stage.start(first(stage, revision))
    row = stage.until(rollout)
    assert row.phase is Phase.SUCCEEDED, stage.story(rollout)
    blue = service_of(stage)
    assert (blue["taskDefinition"], blue["desiredCount"], blue["runningCount"]) == (revision, 2, 2)
    assert rules_of(stage) == before
    assert groups_of(stage) == [stage.scenery.target_group]
    assert live_services(stage) == ["checkout"]


def test_case_04_the_revision_that_the_empty_service_names_already_can_be_its_first(stage: Rehearsal) -> None:
    """Blue names it and runs nothing: its count alone shows whether it was asked to take it over."""
    revision = TaskDefinitionArn(stage.scenery.task_definition)
    rollout = stage.start(first(stage, revision))
    row = stage.until(rollout)
    assert row.phase is Phase.SUCCEEDED, stage.story(rollout)
    assert service_of(stage)["runningCount"] == 2


def test_case_04_a_first_deployment_that_fails_leaves_everything_as_it_was(stage: Rehearsal) -> None:
    """The rule leads where it led, to a group without a target, and nothing of green is left."""
    before = rules_of(stage)
    rollout = stage.start(first(stage, stage.revision()))
    stage.until(rollout, Phase.WATCHING)
    stage.command(rollout, CommandKind.ROLLBACK)
    row = stage.until(rollout)
    assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert (service_of(stage)["desiredCount"], rules_of(stage)) == (0, before)
    assert groups_of(stage) == [stage.scenery.target_group]


def test_case_04_without_any_service_it_is_said_how_to_bring_one_up() -> None:
    """Refused: whoever owns the service makes it, with desired count 0, and Teal does the rest."""
    with Rehearsal() as rehearsal:
        spec = rehearsal.spec(rehearsal.revision(), service=ServiceName(cluster="prod", service="new"))
        with pytest.raises(Missing) as caught:
            rehearsal.start(spec)
    assert "create it with desired count 0" in caught.value.next_step
