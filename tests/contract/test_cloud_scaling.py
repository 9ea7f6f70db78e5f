"""Scaling, as every ``ports.cloud.Cloud`` promises to read, give and remove it: on the World and by real clients."""

import asyncio
import json
from dataclasses import replace

import pytest

from orchestrator.core.cloud import effects
from orchestrator.core.cloud.resources import Absent, AlarmSeen, ScalesSeen, ScalingSeen, ScheduleSeen, Unread
from orchestrator.core.cloud.survey import Survey
from orchestrator.core.domain.errors import Missing, Rejected
from orchestrator.core.domain.ids import Json
from sandbox.scenarios.scenery_scaling import KINDS, scale_by
from tests.contract.cloud import Stage, Way, set_stage

pytestmark = pytest.mark.world  # policies that act, and alarms that drive them, moto has not

TAGS = (("teal:managed", "true"), ("teal:rollout", "r-1"))
BOUNDS = ScalingSeen(
    min_capacity=2,
    max_capacity=9,
    scale_in_suspended=True,
    scale_out_suspended=False,
    scheduled_suspended=True,
)
OTHER = "basket"


@pytest.fixture
def stage(way: Way, runner: asyncio.Runner) -> Stage:
    made = set_stage(way, runner)
    target = {"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount"}
    made.call(
        "application-autoscaling",
        "RegisterScalableTarget",
        ResourceId="service/prod/checkout",
        Tags={"team": "shop"},
        **target,
    )
    scale_by(made.world, made.scenery, *KINDS)
    group = {"targetGroupArn": made.scenery.target_group, "containerName": "checkout", "containerPort": 8080}
    blue = made.call("ecs", "DescribeServices", cluster="prod", services=["checkout"])["services"][0]
    made.call(
        "ecs",
        "CreateService",
        cluster="prod",
        serviceName=OTHER,
        taskDefinition=made.scenery.task_definition,
        desiredCount=2,
        launchType="FARGATE",
        networkConfiguration=blue["networkConfiguration"],
        loadBalancers=[group],
    )
    return made


def scales(survey: Survey) -> ScalesSeen:
    assert survey.scales is not None
    return survey.scales


def of_other(stage: Stage, *alarms: str) -> ScalesSeen:
    seen = stage.observe(green_scales=OTHER, drivers=alarms).green_scales
    assert isinstance(seen, ScalesSeen)
    return seen


def register(stage: Stage, wanted: ScalingSeen = BOUNDS, tags: effects.Tags = TAGS) -> None:
    cluster = stage.scenery.cluster_arn
    stage.perform(effects.SetScaling(cluster=cluster, service=OTHER, wanted=wanted, tags=tags))


def put(stage: Stage, survey: Survey, name: str) -> effects.PutScalingPolicy:
    policy = next(policy for policy in scales(survey).policies if policy.name == name)
    return effects.PutScalingPolicy(
        cluster=stage.scenery.cluster_arn,
        service=OTHER,
        name=name,
        policy_type=policy.kind,
        configuration=policy.configuration,
    )


def test_a_survey_tells_everything_that_scales_blue(stage: Stage) -> None:
    survey = stage.survey()
    found = scales(survey)
    assert found.target == survey.scaling
    assert [policy.name for policy in found.policies] == ["requests", "cpu", "queue", "steps", "forecast"]
    assert survey.policies == tuple(policy.name for policy in found.policies)
    assert [action.name for action in found.schedules] == ["evening"]
    assert found.tags == (("team", "shop"),)
    steps = next(policy for policy in found.policies if policy.name == "steps")
    assert [driver.name for driver in found.drivers] == ["checkout-busy"]
    assert found.drivers[0].actions == (("AlarmActions", (steps.arn,)),), "whom it calls is left out"
    assert json.loads(found.drivers[0].settings)["MetricName"] == "RequestCount"


def test_a_target_is_registered_with_tags_and_its_suspensions_and_twice_is_once(stage: Stage) -> None:
    for _ in range(2):
        register(stage)
    seen = stage.observe(scaling="checkout", green_scaling=OTHER)
    assert seen.green_scaling == BOUNDS
    assert isinstance(seen.scaling, ScalingSeen)
    assert of_other(stage).target == BOUNDS
    register(stage, replace(BOUNDS, min_capacity=1), tags=())
    asked = {"ServiceNamespace": "ecs", "ResourceIds": [f"service/prod/{OTHER}"]}
    shown = stage.call("application-autoscaling", "DescribeScalableTargets", **asked)["ScalableTargets"][0]
    tags = stage.call(
        "application-autoscaling", "ListTagsForResource", ResourceARN=shown["ScalableTargetARN"]
    )
    assert tags["Tags"] == dict(TAGS)


def test_policies_and_scheduled_actions_read_back_as_they_were_put_and_twice_is_once(stage: Stage) -> None:
    register(stage)
    survey = stage.survey()
    for _ in range(2):
        for policy in scales(survey).policies:
            stage.perform(put(stage, survey, policy.name))
        for action in scales(survey).schedules:
            cluster = stage.scenery.cluster_arn
            stage.perform(effects.PutScheduledAction(cluster=cluster, service=OTHER, action=action))
    found = of_other(stage)
    assert [replace(policy, arn="") for policy in found.policies] == [
        replace(policy, arn="") for policy in scales(survey).policies
    ]
    assert found.schedules == scales(survey).schedules


def test_a_scheduled_action_keeps_its_zone_and_its_times(stage: Stage) -> None:
    register(stage)
    start = stage.world.now.replace(microsecond=0)
    action = ScheduleSeen(
        name="sale",
        schedule="rate(1 day)",
        zone="Europe/Berlin",
        start=start.replace(year=2027),
        end=start.replace(year=2028),
        max_capacity=7,
    )
    effect = effects.PutScheduledAction(cluster=stage.scenery.cluster_arn, service=OTHER, action=action)
    stage.perform(effect)
    assert of_other(stage).schedules == (action,)


def test_an_alarm_is_made_like_another_and_drives_the_policies_that_it_names(stage: Stage) -> None:
    register(stage)
    survey = stage.survey()
    stage.perform(put(stage, survey, "steps"))
    arn = of_other(stage).policies[0].arn
    driver = scales(survey).drivers[0]
    effect = effects.PutAlarm(
        name="teal-checkout-1-alarm-0",
        settings=driver.settings,
        actions=(("AlarmActions", (arn,)),),
        tags=TAGS,
    )
    for _ in range(2):
        stage.perform(effect)
    found = of_other(stage, effect.name).drivers
    assert found == (replace(driver, name=effect.name, actions=effect.actions),)
    assert isinstance(stage.observe(alarms=(effect.name,)).alarms[effect.name], AlarmSeen)
    for _ in range(2):
        stage.perform(effects.DeleteAlarms(names=(effect.name,)))
    assert stage.observe(alarms=(effect.name,)).alarms[effect.name] == Absent()


def test_a_target_goes_with_everything_on_it_and_one_that_is_gone_is_done(stage: Stage) -> None:
    register(stage)
    survey = stage.survey()
    stage.perform(put(stage, survey, "cpu"))
    for _ in range(2):
        stage.perform(effects.DeregisterScaling(cluster=stage.scenery.cluster_arn, service=OTHER))
    assert of_other(stage) == ScalesSeen()
    assert stage.observe(green_scaling=OTHER).green_scaling == Absent()
    assert stage.survey().scales == survey.scales


def test_a_policy_without_a_target_is_missing_something(stage: Stage) -> None:
    with pytest.raises(Missing):
        stage.perform(put(stage, stage.survey(), "cpu"))


def test_a_label_that_names_nothing_is_refused(stage: Stage) -> None:
    register(stage)
    wrong = put(stage, stage.survey(), "requests")
    text = wrong.configuration.replace("targetgroup/checkout-blue", "targetgroup/elsewhere")
    with pytest.raises(Rejected, match="ResourceLabel"):
        stage.perform(replace(wrong, configuration=Json(text)))


def test_scaling_that_cannot_be_read_is_unread(stage: Stage) -> None:
    stage.world.faults.outage(("application-autoscaling",))
    seen = stage.observe(scaling="checkout", green_scaling=OTHER, green_scales=OTHER)
    assert isinstance(seen.scaling, Unread)
    assert isinstance(seen.green_scaling, Unread)
    assert isinstance(seen.green_scales, Unread)
