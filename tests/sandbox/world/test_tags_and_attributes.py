"""Lists of tags that Elastic Load Balancing refuses and ECS takes, and the attributes of a load balancer."""

from dataclasses import replace

import pytest

from sandbox.world import AwsRefusal, World, WorldSettings
from tests.sandbox.world.places import START, Shop, Wire, shop

BARE = {"Name": "tagged", "Protocol": "HTTP", "Port": 80, "VpcId": "vpc-0a1b2c3d"}
TWICE = [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]


def unchecked() -> Shop:
    """A World that refuses by itself, and not because botocore's shapes do."""
    return shop(World(start=START, settings=replace(WorldSettings.kind(), validate=False)))


@pytest.mark.parametrize(
    ("tags", "code"), [([], "ValidationError"), (TWICE, "DuplicateTagKeys")], ids=["none", "twice"]
)
def test_tags_of_elastic_load_balancing_are_some_and_each_once_or_left_out(tags: Wire, code: str) -> None:
    s = unchecked()
    with pytest.raises(AwsRefusal, match=code):
        s.world.call("elbv2", "CreateTargetGroup", {**BARE, "Tags": tags})
    made = s.world.call("elbv2", "CreateTargetGroup", BARE)["TargetGroups"][0]
    with pytest.raises(AwsRefusal, match=code):
        s.world.call("elbv2", "AddTags", {"ResourceArns": [made["TargetGroupArn"]], "Tags": tags})


def test_ecs_takes_an_empty_list_of_tags() -> None:
    s = shop()
    s.world.call("ecs", "TagResource", {"resourceArn": s.service()["serviceArn"], "tags": []})
    s.world.call("ecs", "CreateCluster", {"clusterName": "other", "tags": []})


def attributes(s: Shop) -> dict[str, str]:
    asked = {"LoadBalancerArn": s.scenery.load_balancer}
    found = s.world.call("elbv2", "DescribeLoadBalancerAttributes", asked)["Attributes"]
    return {each["Key"]: each["Value"] for each in found}


def modify(s: Shop, key: str, value: str) -> None:
    params = {"LoadBalancerArn": s.scenery.load_balancer, "Attributes": [{"Key": key, "Value": value}]}
    s.world.call("elbv2", "ModifyLoadBalancerAttributes", params)


def test_a_load_balancer_has_every_attribute_with_its_default_and_keeps_a_change() -> None:
    s = shop()
    before = attributes(s)
    assert before["load_balancing.cross_zone.enabled"] == "true"
    modify(s, "routing.http.drop_invalid_header_fields.enabled", "true")
    assert attributes(s) == before | {"routing.http.drop_invalid_header_fields.enabled": "true"}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("load_balancing.cross_zone.enabled", "false"),
        ("idle_timeout.timeout_seconds", "4001"),
        ("routing.http2.enabled", "yes"),
        ("routing.http.desync_mitigation_mode", "off"),
        ("no.such.attribute", "true"),
    ],
)
def test_what_an_attribute_of_a_load_balancer_cannot_be_is_refused(key: str, value: str) -> None:
    s = shop()
    before = attributes(s)
    with pytest.raises(AwsRefusal, match="InvalidConfigurationRequest"):
        modify(s, key, value)
    assert attributes(s) == before
