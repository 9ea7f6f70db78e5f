"""Values that are as they should be, for tests that change one thing: a good Survey, a good Spec.

They describe one service, ``prod/checkout``: three tasks behind one rule of one Application Load Balancer, to move
from ``checkout:42`` to ``checkout:43``.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from orchestrator.core.cloud.forward_action import canonical
from orchestrator.core.cloud.resources import (
    AlarmSeen,
    DeploymentSeen,
    RuleSeen,
    ScalingSeen,
    ServiceSeen,
    TargetsSeen,
)
from orchestrator.core.cloud.survey import GroupSurvey, Survey, TaskDefinitionSeen
from orchestrator.core.domain.ids import (
    Json,
    ListenerArn,
    LoadBalancerArn,
    RuleArn,
    TargetGroupArn,
    TaskDefinitionArn,
)
from orchestrator.core.domain.plan import NAMED_PLANS
from orchestrator.core.rollout.spec import ServiceName, Spec

ACCOUNT = "123456789012"
REGION = "eu-west-1"
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
_ECS = f"arn:aws:ecs:{REGION}:{ACCOUNT}"
_ELB = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}"

CLUSTER = f"{_ECS}:cluster/prod"
SERVICE = f"{_ECS}:service/prod/checkout"
FORMER = TaskDefinitionArn(f"{_ECS}:task-definition/checkout:42")
WANTED = TaskDefinitionArn(f"{_ECS}:task-definition/checkout:43")
LOAD_BALANCER = LoadBalancerArn(f"{_ELB}:loadbalancer/app/public/50dc6c495c0c9188")
LISTENER = ListenerArn(f"{_ELB}:listener/app/public/50dc6c495c0c9188/f2f7dc8efc522ab2")
RULE = RuleArn(f"{_ELB}:listener-rule/app/public/50dc6c495c0c9188/f2f7dc8efc522ab2/9683b2d02a6cabee")
DEFAULT_RULE = RuleArn(f"{_ELB}:listener-rule/app/public/50dc6c495c0c9188/f2f7dc8efc522ab2/1291d13826f405c3")
# What ECS's scheduler says of tasks that it stops, all with one code. Source: "Viewing Amazon ECS stopped task errors".
SCALED_IN = "Scaling activity initiated by (deployment ecs-svc/3241571034958732112)"
FAILED_CHECKS = (
    f"Task failed ELB health checks in (target-group {_ELB}:targetgroup/checkout/73e2d6bc24d8a067)"
)
BLUE_GROUP = TargetGroupArn(f"{_ELB}:targetgroup/checkout/73e2d6bc24d8a067")
OTHER_GROUP = TargetGroupArn(f"{_ELB}:targetgroup/legacy/943f017f100becff")


def forward(*groups: tuple[str, int], stickiness: dict[str, Any] | None = None) -> Json:
    """An action list that forwards to target groups by weight, as AWS reads it back."""
    config: dict[str, Any] = {
        "TargetGroups": [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in groups],
        "TargetGroupStickinessConfig": stickiness or {"Enabled": False},
    }
    action: dict[str, Any] = {"Type": "forward", "ForwardConfig": config}
    if len(groups) == 1:
        action["TargetGroupArn"] = groups[0][0]
    return canonical([action])


def good_rule(**changes: Any) -> RuleSeen:  # noqa: ANN401 - the fields of RuleSeen
    """A rule that forwards everything to blue's group."""
    rule = RuleSeen(
        arn=RULE,
        listener=LISTENER,
        load_balancer=LOAD_BALANCER,
        is_default=False,
        priority="10",
        conditions=canonical([{"Field": "host-header", "Values": ["checkout.example.com"]}]),
        actions=forward((BLUE_GROUP, 1)),
    )
    return replace(rule, **changes)


def default_rule(**changes: Any) -> RuleSeen:  # noqa: ANN401 - the fields of RuleSeen
    """The same listener's default rule, forwarding everything to blue's group."""
    return good_rule(
        **{
            "arn": DEFAULT_RULE,
            "is_default": True,
            "priority": "default",
            "conditions": Json("[]"),
            **changes,
        }
    )


def good_deployment(**changes: Any) -> DeploymentSeen:  # noqa: ANN401 - the fields of DeploymentSeen
    """Blue's only deployment, COMPLETED."""
    deployment = DeploymentSeen(
        id="ecs-svc/3241571034958732112",
        status="PRIMARY",
        task_definition=FORMER,
        rollout_state="COMPLETED",
        reason="ECS deployment ecs-svc/3241571034958732112 completed.",
        desired=3,
        running=3,
        pending=0,
        failed=0,
    )
    return replace(deployment, **changes)


def good_blue(**changes: Any) -> ServiceSeen:  # noqa: ANN401 - the fields of ServiceSeen
    """A steady service of three tasks."""
    blue = ServiceSeen(
        name="checkout",
        arn=SERVICE,
        cluster=CLUSTER,
        status="ACTIVE",
        task_definition=FORMER,
        desired=3,
        running=3,
        pending=0,
        deployments=(good_deployment(),),
        deployment_configuration=canonical(
            {"minimumHealthyPercent": 100, "maximumPercent": 200, "strategy": "ROLLING"}
        ),
        tags={"team": "payments"},
    )
    return replace(blue, **changes)


def good_group(**changes: Any) -> GroupSurvey:  # noqa: ANN401 - the fields of GroupSurvey
    """Blue's target group with three healthy targets."""
    group = GroupSurvey(
        arn=BLUE_GROUP,
        name="checkout",
        load_balancers=(LOAD_BALANCER,),
        protocol_version="HTTP1",
        container="app",
        port=8080,
        template=canonical(
            {
                "Protocol": "HTTP",
                "ProtocolVersion": "HTTP1",
                "Port": 8080,
                "VpcId": "vpc-0a1b2c3d",
                "TargetType": "ip",
            }
        ),
        attributes=canonical({"deregistration_delay.timeout_seconds": "30"}),
        stickiness="",
        targets=TargetsSeen(healthy=3),
    )
    return replace(group, **changes)


def good_definition(**changes: Any) -> TaskDefinitionSeen:  # noqa: ANN401 - the fields of TaskDefinitionSeen
    """The wanted task definition."""
    definition = TaskDefinitionSeen(
        arn=WANTED,
        status="ACTIVE",
        network_mode="awsvpc",
        architecture="X86_64",
        ports=(("app", 8080),),
        digest="sha256:43",
        images=(("app", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/checkout:1.4.2"),),
    )
    return replace(definition, **changes)


def good_alarm(**changes: Any) -> AlarmSeen:  # noqa: ANN401 - the fields of AlarmSeen
    """An alarm on errors of blue's target group, OK."""
    alarm = AlarmSeen(
        name="checkout-5xx",
        kind="metric",
        state="OK",
        state_since=NOON - timedelta(hours=3),
        reason="Threshold Crossed: no datapoints were received for 1 period",
        namespace="AWS/ApplicationELB",
        metric="HTTPCode_Target_5XX_Count",
        dimensions=(
            ("LoadBalancer", "app/public/50dc6c495c0c9188"),
            ("TargetGroup", "targetgroup/checkout/73e2d6bc24d8a067"),
        ),
        stat="Sum",
        period=timedelta(seconds=60),
        threshold=10.0,
        comparison="GreaterThanThreshold",
    )
    return replace(alarm, **changes)


def good_survey(**changes: Any) -> Survey:  # noqa: ANN401 - the fields of Survey
    """A service that a rollout can start from; nothing in it makes an error or a warning."""
    survey = Survey(
        account=ACCOUNT,
        region=REGION,
        blue=good_blue(),
        controller="ECS",
        strategy="ROLLING",
        scheduling="REPLICA",
        unclonable=(),
        unsettled=(),
        minimum_percent=100,
        maximum_percent=200,
        template=canonical(
            {"cluster": CLUSTER, "launchType": "FARGATE", "healthCheckGracePeriodSeconds": 30}
        ),
        groups=(good_group(),),
        rules=(good_rule(),),
        missing_rules=(),
        revision=good_definition(),
        former=good_definition(arn=FORMER, digest="sha256:42"),
        scaling=ScalingSeen(
            min_capacity=2,
            max_capacity=10,
            scale_in_suspended=False,
            scale_out_suspended=False,
            scheduled_suspended=False,
        ),
        groups_per_load_balancer=4,
    )
    return replace(survey, **changes)


def good_spec(**changes: Any) -> Spec:  # noqa: ANN401 - the fields of Spec
    """The least rollout of that service: plan ``canary``, everything else by default."""
    spec = Spec(
        service=ServiceName(cluster="prod", service="checkout"),
        task_definition="checkout:43",
        plan=NAMED_PLANS["canary"],
    )
    return replace(spec, **changes)
