"""What every ``ports.cloud.Cloud`` promises of acting, on every AWS that the suite knows (``cloud.py``)."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.core.cloud import effects
from orchestrator.core.cloud.forward_action import green_share, read_forward, says_the_same
from orchestrator.core.cloud.resources import Absent, GroupSeen, ScalingSeen, ServiceSeen, TargetsSeen
from orchestrator.core.domain.errors import Denied, Missing, Rejected, Throttled, Unreachable
from orchestrator.core.domain.ids import RuleArn, TargetGroupArn, TaskDefinitionArn
from sandbox.world import Fault
from sandbox.world.kernel.faults import Kind
from tests.contract.acts import TAGS, SetStage, create, hang_green, make_green, write
from tests.contract.cloud import Stage


@pytest.mark.long
def test_a_group_is_made_once_however_often_it_is_asked_for(stage: Stage) -> None:
    (blue,) = stage.survey().groups
    effect = effects.CreateTargetGroup(name="teal-checkout-1-0", template=blue.template, tags=TAGS)
    stage.perform(effect)
    before = stage.observe(groups=(effect.name,)).groups
    stage.perform(effect)
    assert stage.observe(groups=(effect.name,)).groups == before


def test_a_group_is_made_like_blues(stage: Stage) -> None:
    (blue,) = stage.survey().groups
    effect = effects.CreateTargetGroup(name="teal-checkout-1-0", template=blue.template, tags=TAGS)
    stage.perform(effect)
    group = stage.observe(groups=(effect.name,)).groups[effect.name]
    assert isinstance(group, GroupSeen)
    assert (group.load_balancers, group.tags) == ((), dict(TAGS))
    wanted = tuple(json.loads(blue.attributes).items())
    stage.perform(effects.ConfigureTargetGroup(group=group.arn, attributes=wanted))
    group = stage.observe(groups=(effect.name,)).groups[effect.name]
    assert isinstance(group, GroupSeen)
    assert group.attributes.items() >= dict(wanted).items()


@pytest.mark.parametrize("scenery", [{}, {"rules": 0, "default_rule": True}])
def test_weights_are_written_read_back_and_taken_away_again(
    staged: SetStage, scenery: dict[str, Any]
) -> None:
    stage = staged(**scenery)
    survey = stage.survey()
    base, blue = survey.rules[0], survey.groups[0].arn
    green = hang_green(stage, survey)
    for weight in (100, 1000, 0):
        stage.perform(write(base, survey, green, weight))
        assert green_share(stage.rule().actions, blue=blue, green=green) == weight
    stage.perform(replace(write(base, survey, green, 0), actions=base.actions, green=None))
    after = stage.rule()
    assert says_the_same(after.actions, base.actions)
    assert (after.conditions, after.priority) == (base.conditions, base.priority)


@pytest.mark.parametrize("scenery", [{}, {"rules": 0, "default_rule": True}])
def test_a_group_belongs_to_the_load_balancer_whose_rule_has_it(
    staged: SetStage, scenery: dict[str, Any]
) -> None:
    stage = staged(**scenery)
    hang_green(stage, stage.survey())
    group = stage.observe(groups=("teal-checkout-1-0",)).groups["teal-checkout-1-0"]
    assert isinstance(group, GroupSeen)
    assert group.load_balancers == (stage.scenery.load_balancer,)


@pytest.mark.world
def test_a_rule_write_sends_the_actions_and_nothing_else(stage: Stage) -> None:
    survey = stage.survey()
    hang_green(stage, survey)
    (call,) = stage.world.log.of("ModifyRule")
    assert call.params.keys() == {"RuleArn", "Actions"}


def test_green_is_made_like_blue_in_its_own_groups(stage: Stage) -> None:
    _, group = make_green(stage)
    seen = stage.observe(green="checkout-1", targets=(group,))
    assert isinstance(seen.green, ServiceSeen)
    assert (seen.green.running, seen.targets[group]) == (2, TargetsSeen(healthy=2))
    assert seen.green.tags == {"team": "shop", **dict(TAGS)}
    asked = {"cluster": "prod", "services": ["checkout", "checkout-1"]}
    blue, green = stage.call("ecs", "DescribeServices", **asked)["services"]
    same = (
        "networkConfiguration",
        "healthCheckGracePeriodSeconds",
        "launchType",
        "availabilityZoneRebalancing",
    )
    assert {name: green[name] for name in same} == {name: blue[name] for name in same}
    assert green["deploymentConfiguration"]["deploymentCircuitBreaker"] == {"enable": True, "rollback": False}


def test_creating_green_again_with_the_same_token_changes_nothing(stage: Stage) -> None:
    survey, group = make_green(stage)
    before = stage.observe(green="checkout-1").green
    stage.perform(create(stage, survey, group))
    assert stage.observe(green="checkout-1").green == before


def test_green_is_never_put_into_blues_group(stage: Stage) -> None:
    survey = stage.survey()
    with pytest.raises(Rejected, match="no target group of green"):
        stage.perform(replace(create(stage, survey, TargetGroupArn("x")), groups=()))
    assert stage.observe(green="checkout-1").green == Absent()


def test_a_name_that_is_taken_is_rejected_in_the_words_of_aws(stage: Stage) -> None:
    survey, group = make_green(stage)
    with pytest.raises(Rejected, match="idempotent"):
        stage.perform(create(stage, survey, group, token="another"))


def test_a_group_in_no_rule_is_missing_for_a_service(stage: Stage) -> None:
    survey = stage.survey()
    stage.perform(effects.CreateTargetGroup(name="orphan", template=survey.groups[0].template, tags=TAGS))
    group = stage.observe(groups=("orphan",)).groups["orphan"]
    assert isinstance(group, GroupSeen)
    with pytest.raises(Missing, match="associated load balancer"):
        stage.perform(create(stage, survey, group.arn))


def test_blue_takes_a_revision_and_gets_its_configuration_back(stage: Stage) -> None:
    before = stage.survey().blue
    new = TaskDefinitionArn(stage.register({"A": "b"}))
    quiet = json.dumps(json.loads(before.deployment_configuration) | {"maximumPercent": 150})
    effect = effects.UpdateService(
        cluster=before.cluster,
        service="checkout",
        task_definition=new,
        desired=4,
        deployment_configuration=quiet,  # type: ignore[arg-type] # canonical enough
        attempt=1,
    )
    stage.perform(effect)
    stage.advance(timedelta(minutes=5))
    blue = stage.observe(blue="checkout").blue
    assert isinstance(blue, ServiceSeen)
    assert (blue.task_definition, blue.running) == (new, 4)
    assert json.loads(blue.deployment_configuration)["maximumPercent"] == 150
    restore = effects.RestoreDeploymentConfiguration(
        cluster=before.cluster, service="checkout", deployment_configuration=before.deployment_configuration
    )
    stage.perform(restore)
    after = stage.observe(blue="checkout").blue
    assert isinstance(after, ServiceSeen)
    assert after.deployment_configuration == before.deployment_configuration
    assert [deployment.id for deployment in after.deployments] == [d.id for d in blue.deployments]


def test_green_and_its_groups_are_tagged_with_blues_former_revision(stage: Stage) -> None:
    survey, group = make_green(stage)
    green = stage.observe(green="checkout-1").green
    assert isinstance(green, ServiceSeen)
    former = survey.blue.task_definition
    stage.perform(effects.TagFormer(service=green.arn, groups=(group,), former=former))
    seen = stage.observe(green="checkout-1", groups=("teal-checkout-1-0",))
    assert isinstance(seen.green, ServiceSeen)
    tagged = seen.groups["teal-checkout-1-0"]
    assert isinstance(tagged, GroupSeen)
    assert (seen.green.tags["teal:former"], tagged.tags["teal:former"]) == (former, former)
    assert seen.green.tags.items() >= dict(TAGS).items()


def test_scaling_is_suspended_and_restored_to_the_letter(stage: Stage) -> None:
    before = stage.observe(scaling="checkout").scaling
    assert isinstance(before, ScalingSeen)
    for wanted in (replace(before, scale_in_suspended=True, min_capacity=3), before):
        stage.perform(
            effects.SetScaling(cluster=stage.scenery.cluster_arn, service="checkout", wanted=wanted)
        )
        assert stage.observe(scaling="checkout").scaling == wanted


def test_green_is_scaled_down_deleted_and_its_group_after_it_and_twice_is_once(stage: Stage) -> None:
    survey, group = make_green(stage)
    cluster = survey.blue.cluster
    base = survey.rules[0]
    stage.perform(replace(write(base, survey, group, 0), actions=base.actions, green=None))
    stage.perform(effects.ScaleService(cluster=cluster, service="checkout-1", desired=0))
    stage.advance(timedelta(minutes=2))
    green = stage.observe(green="checkout-1").green
    assert isinstance(green, ServiceSeen)
    assert (green.desired, green.running) == (0, 0)
    gone: list[effects.Effect] = [
        effects.DeleteService(cluster=cluster, service="checkout-1"),
        effects.DeleteTargetGroup(group=group),
    ]
    for effect in gone:
        stage.perform(effect)
    stage.advance(timedelta(minutes=1))
    seen = stage.observe(green="checkout-1", groups=("teal-checkout-1-0",))
    assert (seen.green, seen.groups["teal-checkout-1-0"]) == (Absent(), Absent())
    for effect in (*gone, effects.ScaleService(cluster=cluster, service="checkout-1", desired=0)):
        stage.perform(effect)


def test_a_group_that_a_rule_uses_is_not_deleted(stage: Stage) -> None:
    survey = stage.survey()
    group = hang_green(stage, survey)
    with pytest.raises(Rejected, match="ResourceInUse"):
        stage.perform(effects.DeleteTargetGroup(group=group))


@pytest.mark.world
def test_a_write_whose_answer_is_lost_is_unreachable_sent_once_and_found_by_looking(stage: Stage) -> None:
    survey = stage.survey()
    green = hang_green(stage, survey)
    stage.world.faults.add(Fault(operation="ModifyRule", when="after", kind="timeout"))
    with pytest.raises(Unreachable):
        stage.perform(write(survey.rules[0], survey, green, 250))
    assert len(stage.world.log.of("ModifyRule")) == 2
    assert green_share(stage.rule().actions, blue=survey.groups[0].arn, green=green) == 250


@pytest.mark.world
@pytest.mark.parametrize(
    ("kind", "error"),
    [("throttle", Throttled), ("unavailable", Unreachable), ("denied", Denied), ("expired", Denied)],
)
def test_a_failed_write_raises_who_must_act(stage: Stage, kind: Kind, error: type[Exception]) -> None:
    survey = stage.survey()
    green = hang_green(stage, survey)
    stage.world.faults.add(Fault(operation="ModifyRule", kind=kind))
    with pytest.raises(error):
        stage.perform(write(survey.rules[0], survey, green, 100))
    forward = read_forward(stage.rule().actions)
    assert forward is not None
    assert forward.weight(green) == 0


def test_a_write_to_a_rule_that_is_gone_is_missing(stage: Stage) -> None:
    survey = stage.survey()
    green = hang_green(stage, survey)
    gone = RuleArn(survey.rules[0].arn[:-16] + "0" * 16)
    with pytest.raises(Missing, match="RuleNotFound"):
        stage.perform(replace(write(survey.rules[0], survey, green, 10), rule=gone))
