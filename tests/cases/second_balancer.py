"""A service behind a second, internal load balancer."""

from typing import Any

from sandbox.scenarios.scenery import until_steady
from tests.support.rehearsal import Rehearsal

SUBNETS = ["subnet-0aaa", "subnet-0bbb"]


def on_a_second_load_balancer(stage: Rehearsal) -> tuple[str, str]:
    """Put the service's container behind an internal load balancer too; its target group and its rule."""
    call, scenery = stage.world.call, stage.scenery
    params: dict[str, Any] = {"Name": "internal-lb", "Subnets": SUBNETS, "SecurityGroups": ["sg-0123"]}
    balancer = call("elbv2", "CreateLoadBalancer", params)["LoadBalancers"][0]
    first = call("elbv2", "DescribeTargetGroups", {"TargetGroupArns": [scenery.target_group]})[
        "TargetGroups"
    ][0]
    like = ("Protocol", "Port", "VpcId", "TargetType", "HealthCheckPath", "HealthCheckIntervalSeconds")
    made = {name: first[name] for name in (*like, "HealthCheckTimeoutSeconds")} | {
        "Name": "checkout-internal"
    }
    group = call("elbv2", "CreateTargetGroup", made)["TargetGroups"][0]["TargetGroupArn"]
    listener = call(
        "elbv2",
        "CreateListener",
        {
            "LoadBalancerArn": balancer["LoadBalancerArn"],
            "Protocol": "HTTP",
            "Port": 80,
            "DefaultActions": [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
        },
    )["Listeners"][0]["ListenerArn"]
    rule = call(
        "elbv2",
        "CreateRule",
        {
            "ListenerArn": listener,
            "Priority": 10,
            "Conditions": [{"Field": "path-pattern", "Values": ["/*"]}],
            "Actions": [{"Type": "forward", "TargetGroupArn": group}],
        },
    )["Rules"][0]["RuleArn"]
    entry = {"containerName": scenery.container, "containerPort": scenery.container_port}
    entries = [{**entry, "targetGroupArn": each} for each in (scenery.target_group, group)]
    call(
        "ecs",
        "UpdateService",
        {"cluster": scenery.cluster, "service": scenery.service, "loadBalancers": entries},
    )
    until_steady(stage.world, scenery)
    return group, rule
