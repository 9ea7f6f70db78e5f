"""Cases 30 to 32 and 43: the rule, the listener or blue itself is gone, or a write does not show."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.errors import Refused
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.rollout import HoldKind
from orchestrator.core.rollout.spec import OnFailure
from sandbox.world.world import World
from tests.cases.looks import green_of, live_services, paged, reason_of, service_of, shifting
from tests.cases.rule_stage import call, forward_of, green_group, rule_of, weights_of
from tests.support.rehearsal import MINUTE, Rehearsal


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    with Rehearsal() as rehearsal:
        yield rehearsal


def ecs(stage: Rehearsal, operation: str, **params: object) -> None:
    cluster, service = stage.scenery.cluster, stage.scenery.service
    stage.world.call("ecs", operation, {"cluster": cluster, "service": service, **params})


def without_scaling(stage: Rehearsal) -> None:
    asked = {
        "ServiceNamespace": "ecs",
        "ResourceId": f"service/{stage.scenery.cluster}/{stage.scenery.service}",
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    stage.world.call("application-autoscaling", "DeregisterScalableTarget", asked)


def test_case_30_a_rule_that_is_made_anew_under_another_arn_is_named_and_left_alone(
    stage: Rehearsal,
) -> None:
    """Terraform replaces a rule: what was the rollout's is gone, and its successor leads to blue alone."""
    rollout = shifting(stage)
    rule = rule_of(stage)
    call(stage, "DeleteRule", RuleArn=rule["RuleArn"])
    blue = [{"Type": "forward", "TargetGroupArn": stage.scenery.target_group}]
    conditions = [{"Field": one["Field"], "Values": one["Values"]} for one in rule["Conditions"]]
    listener = stage.scenery.listeners[0]
    made = call(
        stage,
        "CreateRule",
        ListenerArn=listener,
        Priority=int(rule["Priority"]),
        Conditions=conditions,
        Actions=blue,
    )["Rules"][0]
    stage.let_run(2 * MINUTE)
    story = stage.story(rollout)
    assert "does not exist any more" in story
    assert "forwards to blue of prod/checkout since a moment ago" in story
    assert forward_of(rule_of(stage, made["RuleArn"]))["TargetGroups"] == [
        {"TargetGroupArn": stage.scenery.target_group, "Weight": 1}
    ]


@pytest.mark.long
def test_case_31_without_its_listener_both_services_keep_running_and_people_are_called(
    stage: Rehearsal,
) -> None:
    rollout = shifting(stage)
    call(stage, "DeleteListener", ListenerArn=stage.scenery.listeners[0])
    stage.let_run(timedelta(minutes=8))  # longer than limits.hold
    row = stage.row(rollout)
    assert row.phase is Phase.SHIFTING, stage.story(rollout)
    assert set(live_services(stage)) == {"checkout", green_of(stage, rollout)}
    (told,) = paged(stage, rollout)
    assert "no rollback is possible: the listener of every rule is gone" in told
    stage.command(rollout, CommandKind.ROLLBACK, reason="it was meant to go")
    assert stage.until(rollout).phase is Phase.ROLLED_BACK, stage.story(rollout)


def never_reads_back(stage: Rehearsal) -> None:
    """AWS acknowledges each write of the second step, and shows the list as it was."""
    arn, ours = stage.scenery.rules[0], rule_of(stage)["Actions"]
    for action in ours:
        action.pop("TargetGroupArn", None)

    def undo(world: World) -> None:
        """Before whoever looks: AWS shows the list as it was before the write."""
        if weights_of(stage).get(green_group(stage)) == 999:
            world.call("elbv2", "ModifyRule", {"RuleArn": arn, "Actions": ours})
        world.faults.before("DescribeRules", 1, undo)

    undo(stage.world)


def test_case_32_a_write_that_never_reads_back_fails_the_rollout(stage: Rehearsal) -> None:
    """That is no way to go on."""
    rollout = shifting(stage)
    never_reads_back(stage)
    row = stage.until(rollout)
    assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert "does not read back as written" in reason_of(stage, rollout)


def test_case_32_a_write_that_never_reads_back_holds_where_the_file_leaves_failures_to_people(
    stage: Rehearsal,
) -> None:
    rollout = shifting(stage, on_failure=OnFailure.HOLD)
    never_reads_back(stage)
    stage.let_run(timedelta(minutes=4))
    row = stage.row(rollout)
    assert "does not read back as written" in row.waiting.failed, stage.story(rollout)
    assert HoldKind.FAILED in {hold.kind for hold in row.waiting.holds}
    stage.command(rollout, CommandKind.ROLLBACK, reason="it does not go on")
    assert stage.until(rollout).phase is Phase.ROLLED_BACK, stage.story(rollout)


def test_case_43_a_blue_that_was_scaled_to_nothing_gets_its_tasks_before_it_gets_traffic(
    stage: Rehearsal,
) -> None:
    """A rollback onto an empty blue would answer everybody with 503: green keeps its share until blue is ready."""
    without_scaling(stage)
    rollout = shifting(stage)
    ecs(stage, "UpdateService", desiredCount=0)
    stage.let_run(MINUTE)
    (told,) = paged(stage, rollout)
    assert "somebody scaled blue to nothing" in told
    stage.command(rollout, CommandKind.ROLLBACK, reason="blue is empty")
    while stage.row(rollout).phase is not Phase.ROLLED_BACK:
        stage.let_run(timedelta(milliseconds=500))
        end = stage.row(rollout).end
        if end is not None and end.traffic_on_blue_at is None:
            assert weights_of(stage)[green_group(stage)] > 0 or service_of(stage)["runningCount"] == 3
    assert service_of(stage)["runningCount"] == 3


@pytest.mark.long
def test_case_43_a_deleted_blue_is_no_way_back_and_both_are_left_as_they_are(stage: Rehearsal) -> None:
    """No gate, no timer and no person can take traffic back to a service that does not exist."""
    without_scaling(stage)
    rollout = shifting(stage)
    ecs(stage, "DeleteService", force=True)
    stage.let_run(timedelta(minutes=8))  # longer than limits.hold
    row = stage.row(rollout)
    assert (row.phase, row.green_weight) == (Phase.SHIFTING, 100), stage.story(rollout)
    assert any("no rollback is possible: checkout" in words for words in paged(stage, rollout))
    with pytest.raises(Refused, match="was deleted, so there is nothing to go back to"):
        stage.command(rollout, CommandKind.ROLLBACK)
    assert green_of(stage, rollout) in live_services(stage)
