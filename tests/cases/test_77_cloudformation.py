"""What CloudFormation's stack updates send during and after a rollout, with the template of docs/terraform.md."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.rollout import HoldKind
from tests.cases.looks import service_of
from tests.cases.rule_stage import as_text
from tests.iac import page
from tests.iac.stage import Stacked

LOOK = timedelta(seconds=4)


@pytest.fixture
def stage() -> Iterator[Stacked]:
    """What the page's template makes, scaled to three tasks, with users."""
    with Stacked(page.blocks("yaml")[0]) as built:
        yield built


def begun(stage: Stacked, phase: Phase, *, after: float = 2) -> RolloutId:
    rollout = stage.start(stage.spec(stage.revision()))
    stage.until(rollout, phase)
    stage.let_run(timedelta(seconds=after))
    assert stage.row(rollout).phase is phase
    return rollout


def held(stage: Stacked, rollout: RolloutId) -> dict[HoldKind, str]:
    return {hold.kind: hold.reason for hold in stage.row(rollout).waiting.holds}


def serving(stage: Stacked) -> str:
    """The revision that the service runs, as the page's command asks for it."""
    return str(service_of(stage)["taskDefinition"])


@pytest.mark.long
def test_case_77_stack_updates_with_the_revision_that_runs_do_nothing_in_any_phase(stage: Stacked) -> None:
    """In every second of a rollout the service alone may be sent, whole, and nothing of it is deployed or resized."""
    rollout = stage.start(stage.spec(stage.revision()))
    sent: set[str] = set()
    while not stage.row(rollout).phase.is_final:
        stage.let_run(timedelta(seconds=1))
        sent.update(stage.stack.update(Revision=serving(stage)))
    assert stage.row(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
    assert sent == {"Service"}
    assert all(hold.kind is not HoldKind.BLUE for hold in stage.row(rollout).waiting.holds)


def test_case_77_after_settle_a_stack_update_that_sends_everything_changes_nothing(stage: Stacked) -> None:
    """Every property of every resource of the template is what is there, with the revision that runs."""
    rollout = stage.start(stage.spec(stage.revision()))
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
    before = as_text(stage), service_of(stage), stage.scaling()
    sent = stage.stack.update(everything=True, Revision=serving(stage))
    assert sent == ("TargetGroup", "Rule", "Service", "ScalableTarget")
    assert (as_text(stage), service_of(stage), stage.scaling()) == before


def test_case_77_all_properties_of_service_and_scaling_leave_a_shift_alone(stage: Stacked) -> None:
    """What Teal suspended stays suspended, the count stays, and nothing is deployed."""
    rollout = begun(stage, Phase.SHIFTING)
    suspended = stage.scaling()["SuspendedState"]
    assert suspended["DynamicScalingInSuspended"]
    stage.stack.revert("Service", "ScalableTarget", "TargetGroup")
    assert stage.scaling()["SuspendedState"] == suspended
    assert service_of(stage)["desiredCount"] == 3
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)


@pytest.mark.parametrize("phase", [Phase.SHIFTING, Phase.WATCHING])
def test_case_77_a_rule_that_a_stack_update_resets_is_a_rollback_and_said(
    stage: Stacked, phase: Phase
) -> None:
    """A drift-aware change set finds the rule to differ, and writes the template's list."""
    rollout = begun(stage, phase)
    stage.stack.revert("Rule")
    row = stage.until(rollout)
    assert row.phase is Phase.ROLLED_BACK
    assert row.end is not None
    assert "somebody gave blue all traffic on rule 100" in row.end.reason


def test_case_77_a_former_revision_that_a_stack_update_sends_while_blue_settles_holds_and_calls_people(
    stage: Stacked,
) -> None:
    """A parameter that was left behind gives blue its former revision: green serves until a person decides."""
    rollout = begun(stage, Phase.SETTLING, after=4)
    text = page.blocks("yaml")[0].replace(
        "HealthCheckGracePeriodSeconds: 30", "HealthCheckGracePeriodSeconds: 45"
    )
    assert stage.stack.update(text) == ("Service",)
    stage.let_run(LOOK)
    assert "blue did not take checkout:2, it is on checkout:1" in held(stage, rollout)[HoldKind.BLUE]
    stage.command(rollout, CommandKind.RESUME)
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)


def test_case_77_a_parameter_that_was_left_behind_does_nothing_while_nothing_else_changes(
    stage: Stacked,
) -> None:
    """A stack update compares with its former self: what Teal did meanwhile is nothing to it."""
    rollout = stage.start(stage.spec(stage.revision()))
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
    assert stage.stack.update() == ()
    assert serving(stage).endswith("checkout:2")
