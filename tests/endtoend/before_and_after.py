"""Blue, its rule, tags and scaling before and after a good rollout, compared through boto3."""

import asyncio
from typing import Any

import boto3

from tests.endtoend.stage import Shop, Stage

# What ECS itself writes anew with every deployment of a service.
OF_A_DEPLOYMENT = (
    "taskDefinition",
    "deployments",
    "events",
    "currentServiceDeployment",
    "currentServiceRevisions",
)


def snapshot(shop: Shop) -> dict[str, Any]:
    """Everything of the service's that a rollout could touch, as an unmodified boto3 reads it."""
    told = {"endpoint_url": shop.sandbox.endpoint, "region_name": shop.sandbox.world.region}
    keys = {"aws_access_key_id": "sandbox", "aws_secret_access_key": "sandbox"}
    ecs, elb, scaling, cloudwatch = (
        boto3.client(name, **told, **keys)
        for name in ("ecs", "elbv2", "application-autoscaling", "cloudwatch")
    )
    service = ecs.describe_services(cluster="prod", services=[shop.name], include=["TAGS"])["services"][0]
    group, balancer = shop.scenery.target_group, shop.scenery.load_balancer
    found = {
        "service": service,
        "services": ecs.list_services(cluster="prod")["serviceArns"],
        "rules": elb.describe_rules(ListenerArn=shop.scenery.listeners[0])["Rules"],
        "listeners": elb.describe_listeners(LoadBalancerArn=balancer)["Listeners"],
        "groups": elb.describe_target_groups()["TargetGroups"],
        "attributes": elb.describe_target_group_attributes(TargetGroupArn=group)["Attributes"],
        "tags": elb.describe_tags(ResourceArns=[group, balancer])["TagDescriptions"],
        "scaling": scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"],
        "policies": scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"],
        "alarms": [
            {name: value for name, value in alarm.items() if not name.startswith("State")}
            for alarm in cloudwatch.describe_alarms()["MetricAlarms"]
        ],
    }
    for client in (ecs, elb, scaling, cloudwatch):
        client.close()
    return found


async def good_rollout(made: Stage) -> None:
    shop = await made.shop("checkout", rules=2, default_rule=True)
    before = await asyncio.to_thread(snapshot, shop)
    new = shop.revision(TEAL_DEMO_VERSION="2")
    ended = await (await shop.deploy(shop.file(new))).ended()
    assert ended.code == 0, ended
    after = await asyncio.to_thread(snapshot, shop)
    differ = sorted(
        name for name in before["service"] if before["service"][name] != after["service"].get(name)
    )
    print("differs on blue:", differ)
    assert after["service"]["taskDefinition"].endswith(f"/{new}")
    assert set(differ) <= set(OF_A_DEPLOYMENT)
    for part in before.keys() - {"service"}:
        assert after[part] == before[part], part
    seen = await shop.load.finish()
    assert (seen.shift, seen.failed_by_revision) == ({}, 0)


SCENES = (good_rollout,)
