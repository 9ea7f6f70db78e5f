"""What ``terraform apply`` sends before, during and after a rollout, replayed with the blocks of docs/terraform.md."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.rollout import HoldKind
from sandbox.scenarios.scenery import register
from tests.cases.looks import active_revisions, service_of
from tests.iac import page
from tests.iac.stage import Built
from tests.iac.terraform import Terraform

LISTENER, SERVICE = "aws_lb_listener.https", "aws_ecs_service.checkout"
PLAIN, SHARED = "aws_lb_listener_rule.checkout", "aws_lb_listener_rule.shared"
SCALING = "aws_appautoscaling_target.checkout"
LOOK = timedelta(seconds=4)


@pytest.fixture
def stage() -> Iterator[Built]:
    """What the page's blocks make, with users; nothing is planned any more."""
    with Built(page.blocks("hcl")) as built:
        yield built


def begun(stage: Built, phase: Phase, *, after: float = 2) -> RolloutId:
    """A rollout that has been in this phase for some seconds."""
    rollout = stage.start(stage.spec(stage.revision()))
    stage.until(rollout, phase)
    stage.let_run(timedelta(seconds=after))
    assert stage.row(rollout).phase is phase
    return rollout


def with_actions(terraform: Terraform) -> Terraform:
    """The page's blocks without the lines that leave the rules' actions to Teal."""
    for address in (LISTENER, PLAIN, SHARED):
        terraform = terraform.edit(address, ignoring=())
    return terraform


def with_nothing_ignored(terraform: Terraform) -> Terraform:
    """The page's blocks without any of the lines that leave something to Teal."""
    return with_actions(terraform).edit(SERVICE, ignoring=()).edit(SCALING, ignoring=())


def held(stage: Built, rollout: RolloutId) -> dict[HoldKind, str]:
    return {hold.kind: hold.reason for hold in stage.row(rollout).waiting.holds}


@pytest.mark.long
def test_case_77_with_the_pages_blocks_an_apply_changes_nothing_in_any_phase(stage: Built) -> None:
    """Before, in every second of a rollout and after it, Terraform finds nothing to change but what it ignores."""
    assert stage.terraform.plan().changes == ()
    rollout = stage.start(stage.spec(stage.revision()))
    phases = set()
    while not stage.row(rollout).phase.is_final:
        stage.let_run(timedelta(seconds=1))
        phases.add(stage.row(rollout).phase)
        assert stage.terraform.apply().changes == ()
    assert phases >= {Phase.PROVISIONING, Phase.SHIFTING, Phase.WATCHING, Phase.SETTLING, Phase.SUCCEEDED}
    left = with_nothing_ignored(stage.terraform).plan().attributes
    assert left == {f"{SERVICE}.task_definition"}, "which is all that a rollout is for"


def test_case_77_after_settle_only_the_revision_differs_from_what_nothing_ignores(stage: Built) -> None:
    """Without any ignore_changes the only thing left to apply is the revision that the rollout brought."""
    rollout = stage.start(stage.spec(stage.revision()))
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
    assert with_nothing_ignored(stage.terraform).plan().attributes == {f"{SERVICE}.task_definition"}


def test_case_77_after_a_rollback_nothing_differs_at_all(stage: Built) -> None:
    """A rollback leaves nothing to apply, whatever is ignored."""
    rollout = begun(stage, Phase.SHIFTING)
    stage.command(rollout, CommandKind.ROLLBACK)
    assert stage.until(rollout).phase is Phase.ROLLED_BACK
    assert with_nothing_ignored(stage.terraform).plan().changes == ()


def test_case_77_a_change_of_something_else_leaves_the_rules_and_the_rollout_alone(stage: Built) -> None:
    """An apply in the middle of the shift that changes tags and a grace period sends just these."""
    rollout = begun(stage, Phase.SHIFTING)
    changed = stage.terraform.edit(PLAIN, tags={"team": "shop"})
    changed = changed.edit(SERVICE, health_check_grace_period_seconds=60)
    assert changed.apply().attributes == {f"{PLAIN}.tags", f"{SERVICE}.health_check_grace_period_seconds"}
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
    assert changed.plan().changes == ()


@pytest.mark.parametrize("phase", [Phase.SHIFTING, Phase.WATCHING])
def test_case_77_rules_that_an_apply_resets_are_a_rollback_and_said(stage: Built, phase: Phase) -> None:
    """Not ignored, a rule with two groups reads as a difference; the apply gives blue everything, as a person would."""
    rollout = begun(stage, phase)
    terraform = with_actions(stage.terraform)
    assert terraform.apply().attributes == {
        f"{LISTENER}.default_action",
        f"{PLAIN}.action",
        f"{SHARED}.action",
    }
    row = stage.until(rollout)
    assert row.phase is Phase.ROLLED_BACK
    assert row.end is not None
    assert "somebody gave blue all traffic on rule 100" in row.end.reason
    assert terraform.plan().changes == ()


def test_case_77_one_rule_that_an_apply_resets_takes_the_others_back_too(stage: Built) -> None:
    """A rollout is never left half undone: what one rule says counts for all of them."""
    rollout = begun(stage, Phase.SHIFTING)
    stage.terraform.edit(PLAIN, ignoring=()).apply()
    assert stage.until(rollout).phase is Phase.ROLLED_BACK
    assert with_actions(stage.terraform).plan().changes == ()


def test_case_77_green_taken_out_of_the_rules_before_its_traffic_is_put_in_again_and_said(
    stage: Built,
) -> None:
    """Before the first weight an apply takes nothing from anybody: green is put in again, which the log says."""
    rollout = begun(stage, Phase.PROVISIONING, after=0.5)
    with_actions(stage.terraform).apply()
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
    assert "rule 100 of load balancer main: somebody took green out" in stage.story(rollout)


def test_case_77_rules_that_an_apply_resets_while_blue_rolls_give_blue_its_former_revision(
    stage: Built,
) -> None:
    """In settling all traffic on a blue that is not steady is a rollback: blue gets its former revision in place."""
    rollout = begun(stage, Phase.SETTLING, after=4)
    with_actions(stage.terraform).apply()
    row = stage.until(rollout)
    assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert "the weights stay until blue is steady" in stage.story(rollout)
    assert service_of(stage)["taskDefinition"].endswith("checkout:1")


def test_case_77_weights_that_an_apply_wrote_are_drift_and_named(stage: Built) -> None:
    """A changed weighted forward holds the rollout, which says what is in the rule; it is not overwritten."""
    rollout = begun(stage, Phase.SHIFTING)
    texts = [text.replace("weight = 1\n", "weight = 2\n") for text in page.blocks("hcl")]
    assert texts != page.blocks("hcl")
    changed = stage.terraform.written_as(texts).edit(SHARED, ignoring=())
    assert changed.apply().attributes == {f"{SHARED}.action"}
    stage.let_run(LOOK)
    assert "rule 200 of load balancer main" in held(stage, rollout)[HoldKind.DRIFT]
    stage.command(rollout, CommandKind.ROLLBACK)
    assert stage.until(rollout).phase is Phase.ROLLED_BACK
    assert changed.plan().changes == (), "what the apply wrote is still there"


def test_case_77_a_count_that_an_apply_lowers_holds_until_blue_can_take_everything_again(
    stage: Built,
) -> None:
    """Without ignoring desired_count an apply may shrink blue: held by name, and no growth of green meanwhile."""
    rollout = begun(stage, Phase.SHIFTING)
    smaller = stage.terraform.edit(SERVICE, ignoring=("task_definition",), desired_count=2)
    assert smaller.apply().attributes == {f"{SERVICE}.desired_count"}
    stage.let_run(LOOK)
    assert "checkout's desired count is 2, all traffic needs 3" in held(stage, rollout)[HoldKind.CAPACITY]
    smaller.edit(SERVICE, desired_count=3).apply()
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)


def test_case_77_a_count_that_an_apply_lowers_while_traffic_returns_is_named_too(stage: Built) -> None:
    """Blue gets no more traffic than it is large enough for."""
    rollout = begun(stage, Phase.SETTLING, after=4)
    smaller = stage.terraform.edit(SERVICE, ignoring=("task_definition",), desired_count=2)
    smaller.apply()
    while not held(stage, rollout):
        stage.let_run(LOOK)
    assert "checkout's desired count is 2, all traffic needs 3" in held(stage, rollout)[HoldKind.CAPACITY]
    smaller.edit(SERVICE, desired_count=3).apply()
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)


def test_case_77_a_revision_that_an_apply_deploys_to_blue_holds_and_is_named(stage: Built) -> None:
    """Not ignored, a changed task definition rolls blue past Teal: the rollout holds and says which revision it is."""
    rollout = begun(stage, Phase.SHIFTING)
    other = register(stage.world, family="checkout")
    stage.terraform.edit(SERVICE, ignoring=("desired_count",), task_definition=other).apply()
    stage.let_run(LOOK)
    assert "somebody deploys checkout:3" in held(stage, rollout)[HoldKind.CAPACITY]
    stage.command(rollout, CommandKind.ROLLBACK)
    assert stage.until(rollout).phase is Phase.ROLLED_BACK
    assert service_of(stage)["taskDefinition"] == other, "somebody's later revision stays"


def test_case_77_a_revision_that_an_apply_puts_back_while_blue_settles_holds_and_calls_people(
    stage: Built,
) -> None:
    """In settling the first revision of the configuration undoes blue's update: green serves on, people are paged."""
    rollout = begun(stage, Phase.SETTLING, after=4)
    stage.terraform.edit(SERVICE, ignoring=("desired_count",)).apply()
    stage.let_run(LOOK)
    assert "blue did not take checkout:2, it is on checkout:1" in held(stage, rollout)[HoldKind.BLUE]
    assert stage.row(rollout).green_weight == 1000
    stage.command(rollout, CommandKind.RESUME)
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)


def test_case_77_a_revision_that_an_apply_registers_is_rolled_out_by_teal_alone(stage: Built) -> None:
    """An apply with a new image registers a revision, keeps the former one and rolls nothing out: Teal does."""
    address = "aws_ecs_task_definition.checkout"
    newer = stage.terraform.written_as([text.replace(":1.4.1", ":1.4.2") for text in page.blocks("hcl")])
    former = stage.terraform.state[address]
    assert newer.apply().attributes == {f"{address}.container_definitions"}
    assert service_of(stage)["taskDefinition"] == former
    assert active_revisions(stage, "checkout") == ["checkout:1", "checkout:2"]
    rollout = stage.start(stage.spec(newer.state[address]))
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
    assert service_of(stage)["taskDefinition"] == newer.state[address]
    assert newer.plan().changes == ()
    assert newer.edit(SERVICE, ignoring=()).plan().changes == (), "what Terraform registered is what runs"


def test_case_77_rules_that_an_apply_resets_when_blue_is_steady_on_the_revision_end_settling(
    stage: Built,
) -> None:
    """Once blue has the new revision and is steady, all traffic on it is where the rollout was going."""
    rollout = begun(stage, Phase.SETTLING)
    while stage.row(rollout).green_weight == 1000:
        stage.let_run(timedelta(seconds=1))
    with_actions(stage.terraform).apply()
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
    assert "taken as settled, since blue is steady on the new revision" in stage.story(rollout)
    assert with_actions(stage.terraform).plan().changes == ()


def suspended(stage: Built) -> dict[str, bool]:
    asked = {"ServiceNamespace": "ecs", "ResourceIds": ["service/prod/checkout"]}
    found = stage.world.call("application-autoscaling", "DescribeScalableTargets", asked)
    state: dict[str, bool] = found["ScalableTargets"][0]["SuspendedState"]
    return state


@pytest.mark.long
def test_case_77_bounds_that_an_apply_changes_are_the_teams_and_hold_what_takes_traffic_from_blue(
    stage: Built,
) -> None:
    """A changed scaling target is named; it stays as it was written when the rollout has gone back for it."""
    rollout = begun(stage, Phase.SHIFTING)
    larger = stage.terraform.edit(SCALING, ignoring=(), max_capacity=20)
    assert larger.apply().attributes == {f"{SCALING}.min_capacity", f"{SCALING}.max_capacity"}
    stage.let_run(3 * LOOK)
    words = held(stage, rollout)[HoldKind.SCALING]
    assert "2 to 20 tasks instead of 2 to 12; Teal keeps it at 3 to 20 until the end" in words
    row = stage.until(rollout)
    assert row.phase is Phase.ROLLED_BACK
    assert row.end is not None
    assert "somebody changed blue's scaling" in row.end.reason
    assert larger.plan().changes == ()
    assert not any(suspended(stage).values())


@pytest.mark.parametrize("phase", [Phase.SHIFTING, Phase.SETTLING])
def test_case_77_bounds_that_are_put_back_end_the_hold(stage: Built, phase: Phase) -> None:
    """The configuration's own bounds are those that blue had: its minimum is raised again, and the rollout goes on."""
    rollout = begun(stage, phase)
    stage.terraform.edit(SCALING, ignoring=(), max_capacity=20).apply()
    stage.let_run(3 * LOOK)
    assert HoldKind.SCALING in held(stage, rollout)
    own = stage.terraform.edit(SCALING, ignoring=())
    both = {f"{SCALING}.min_capacity", f"{SCALING}.max_capacity"}
    assert own.apply().attributes == both, (
        "blue's minimum was raised again at once, so that it can take all traffic"
    )
    stage.let_run(3 * LOOK)
    assert own.plan().attributes == {f"{SCALING}.min_capacity"}, "three again, until the end"
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
    assert own.plan().changes == ()


@pytest.mark.long
def test_case_77_a_saved_plan_that_lifts_the_suspension_is_said_and_put_right(stage: Built) -> None:
    """A plan from before the rollout holds the suspended state of then: applied late, it lets blue scale in again."""
    larger = stage.terraform.edit(SCALING, ignoring=(), max_capacity=20)
    plan = larger.plan()
    rollout = begun(stage, Phase.SHIFTING)
    assert suspended(stage)["DynamicScalingInSuspended"]
    larger.apply(plan)
    assert not suspended(stage)["DynamicScalingInSuspended"]
    stage.let_run(4 * LOOK)
    assert suspended(stage)["DynamicScalingInSuspended"], "green has traffic, so blue keeps its tasks"
    assert "somebody changed blue's scaling" in held(stage, rollout)[HoldKind.SCALING]
    assert stage.until(rollout).phase is Phase.ROLLED_BACK
    assert not any(suspended(stage).values())
    assert larger.plan().changes == (), "the bounds stay as they were written"


@pytest.mark.long
def test_case_77_a_policy_and_a_schedule_that_an_apply_changes_stay_as_they_were_written(
    stage: Built,
) -> None:
    """Policies and schedules of blue are never Teal's to write: what an apply gives them stays."""
    rollout = begun(stage, Phase.SHIFTING)
    texts = [text.replace("target_value = 145", "target_value = 150") for text in page.blocks("hcl")]
    texts = [text.replace("cron(0 20 * * ? *)", "cron(0 21 * * ? *)") for text in texts]
    changed = stage.terraform.written_as(texts)
    assert {each.rpartition(".")[2] for each in changed.apply().attributes} == {
        "target_tracking_scaling_policy_configuration",
        "schedule",
    }
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
    assert changed.plan().changes == ()
