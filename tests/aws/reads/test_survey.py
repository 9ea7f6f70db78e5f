"""What a survey makes of answers that the World does not give by itself; the rest is in ``tests/contract``."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from orchestrator.aws.client.call import Caller, Patience
from orchestrator.aws.client.transport import Answer
from orchestrator.aws.cloud import AwsCloud
from orchestrator.core.cloud.survey import Survey
from orchestrator.core.domain.errors import Unreachable
from orchestrator.core.tick.needs import SurveyNeed
from sandbox.scenarios.scenery import Scenery, furnish, until_steady
from sandbox.world import AwsRefusal, CallLost, World, quiet_world
from tests.support.direct_transport import DirectTransport

Change = Callable[[Answer], Answer]
NEED = SurveyNeed(
    cluster="prod", service="checkout", task_definition="checkout:1", rules=(), alarms=("checkout-5xx",)
)


@pytest.fixture
def world() -> World:
    return quiet_world(datetime(2026, 3, 1, 12, tzinfo=UTC))


@pytest.fixture
def scenery(world: World) -> Scenery:
    built = furnish(world, desired=1)
    until_steady(world, built)
    return built


def survey(world: World, **changes: Change) -> Survey:
    """A survey to which some operations' answers come changed."""

    def call(service: str, operation: str, params: Answer) -> Answer:
        answer = world.call(service, operation, params)
        return changes[operation](answer) if operation in changes else answer

    transport = DirectTransport(call, refusal=AwsRefusal, lost=CallLost)
    cloud = AwsCloud(Caller(transport, patience=Patience.once()), region=world.region)
    return asyncio.run(cloud.survey(NEED))


def with_service(**members: Any) -> Change:  # noqa: ANN401 - AWS's own shapes
    return lambda answer: {"services": [{**answer["services"][0], **members}], "failures": []}


def in_zone(zone: str) -> Change:
    return lambda answer: {"tasks": [{**task, "availabilityZone": zone} for task in answer["tasks"]]}


@pytest.mark.parametrize(("cross_zone", "empty"), [("false", ("eu-west-1b",)), ("true", ())])
def test_a_zone_without_a_task_is_told_where_each_is_served_by_its_own_targets(
    world: World, scenery: Scenery, cross_zone: str, empty: tuple[str, ...]
) -> None:
    apart = {"Key": "load_balancing.cross_zone.enabled", "Value": cross_zone}
    params: Answer = {"TargetGroupArn": scenery.target_group, "Attributes": [apart]}
    world.call("elbv2", "ModifyTargetGroupAttributes", params)
    assert survey(world, DescribeTasks=in_zone("eu-west-1a")).zones_without_targets == empty


@pytest.mark.usefixtures("scenery")
def test_what_only_a_service_revision_shows_is_not_missed(world: World) -> None:
    def shown(answer: Answer) -> Answer:
        revision = answer["serviceRevisions"][0] | {"gatewayConnectors": [{"portName": "web"}]}
        return {**answer, "serviceRevisions": [revision]}

    (text,) = survey(world, DescribeServiceRevisions=shown).unclonable
    assert "gatewayConnectors" in text


@pytest.mark.usefixtures("scenery")
def test_a_service_of_another_kind_is_told_as_it_is(world: World) -> None:
    found = survey(
        world,
        DescribeServices=with_service(
            deploymentController={"type": "CODE_DEPLOY"},
            schedulingStrategy="DAEMON",
            deploymentConfiguration={
                "strategy": "CANARY",
                "maximumPercent": 150,
                "minimumHealthyPercent": 50,
            },
        ),
    )
    assert (found.controller, found.scheduling, found.strategy) == ("CODE_DEPLOY", "DAEMON", "CANARY")
    assert (found.minimum_percent, found.maximum_percent) == (50, 150)


@pytest.mark.usefixtures("scenery")
def test_a_service_without_a_load_balancer_has_no_groups_and_no_rules(world: World) -> None:
    found = survey(world, DescribeServices=with_service(loadBalancers=[]))
    assert (found.groups, found.rules, found.groups_per_load_balancer) == ((), (), 0)


@pytest.mark.usefixtures("scenery")
def test_policies_and_scheduled_actions_are_named(world: World) -> None:
    policy = {
        "PolicyName": "cpu",
        "PolicyARN": "arn:aws:autoscaling:eu-west-1:123456789012:scalingPolicy:1:policyName/cpu",
        "PolicyType": "PredictiveScaling",
        "PredictiveScalingPolicyConfiguration": {"MetricSpecifications": []},
    }
    found = survey(
        world,
        DescribeScalingPolicies=lambda _: {"ScalingPolicies": [policy]},
        DescribeScheduledActions=lambda _: {
            "ScheduledActions": [{"ScheduledActionName": "morning", "Schedule": "cron(0 8 * * ? *)"}]
        },
    )
    assert (found.policies, found.scheduled_actions) == (("cpu",), ("morning (cron(0 8 * * ? *))",))


@pytest.mark.usefixtures("scenery")
def test_the_kind_of_stickiness_is_told_where_it_is_on(world: World) -> None:
    def sticky(enabled: str) -> Change:
        entries = [
            {"Key": "stickiness.enabled", "Value": enabled},
            {"Key": "stickiness.type", "Value": "app_cookie"},
        ]
        return lambda _: {"Attributes": entries}

    assert survey(world, DescribeTargetGroupAttributes=sticky("true")).groups[0].stickiness == "app_cookie"
    assert survey(world, DescribeTargetGroupAttributes=sticky("false")).groups[0].stickiness == ""


@pytest.mark.usefixtures("scenery")
@pytest.mark.parametrize(
    "changes",
    [
        {"DescribeServices": lambda _: {"services": [{"serviceName": "checkout"}]}},
        {"DescribeRules": lambda _: {"Rules": [{"Priority": "1"}]}},
        {"DescribeAlarms": lambda _: {"MetricAlarms": [{"AlarmName": "checkout-5xx"}]}},
        {"GetCallerIdentity": lambda _: {}},
    ],
)
def test_a_survey_of_answers_that_make_no_sense_is_unreachable(
    world: World, changes: dict[str, Change]
) -> None:
    with pytest.raises(Unreachable):
        survey(world, **changes)
