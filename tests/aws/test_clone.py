import json
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from orchestrator.aws import clone

MODELS = botocore.session.get_session()
CREATE_SERVICE = MODELS.get_service_model("ecs").operation_model("CreateService").input_shape
CREATE_GROUP = MODELS.get_service_model("elbv2").operation_model("CreateTargetGroup").input_shape
GROUP = "arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/blue/1"


def blue(**changes: object) -> dict[str, Any]:
    service: dict[str, Any] = {
        "serviceName": "checkout",
        "serviceArn": "arn:aws:ecs:eu-west-1:1:service/prod/checkout",
        "clusterArn": "arn:aws:ecs:eu-west-1:1:cluster/prod",
        "status": "ACTIVE",
        "desiredCount": 3,
        "launchType": "FARGATE",
        "platformVersion": "LATEST",
        "roleArn": "arn:aws:iam::1:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
        "loadBalancers": [{"targetGroupArn": GROUP, "containerName": "app", "containerPort": 8080}],
        "healthCheckGracePeriodSeconds": 90,
        "schedulingStrategy": "REPLICA",
        "enableECSManagedTags": True,
        "enableExecuteCommand": False,
        "propagateTags": "SERVICE",
        "deploymentConfiguration": {"minimumHealthyPercent": 50, "maximumPercent": 150},
        "deployments": [{"id": "ecs-svc/1", "status": "PRIMARY"}],
        "tags": [{"key": "team", "value": "shop"}, {"key": "aws:cloudformation:stack-id", "value": "x"}],
    }
    return {**service, **changes}


def primary(**members: object) -> dict[str, Any]:
    return {"deployments": [{"id": "ecs-svc/1", "status": "PRIMARY", **members}]}


def test_every_member_of_create_service_has_its_place() -> None:
    tables = [clone.GIVEN, clone.COPIED, clone.BUILT, frozenset(clone.NOT_CLONED)]
    assert frozenset().union(*tables) == frozenset(CREATE_SERVICE.members)
    assert sum(len(table) for table in tables) == len(CREATE_SERVICE.members)


def test_every_member_of_create_target_group_has_its_place() -> None:
    tables = [clone.GROUP_GIVEN, frozenset(clone.GROUP_COPIED), clone.GROUP_BUILT]
    assert frozenset().union(*tables) == frozenset(CREATE_GROUP.members)
    assert sum(len(table) for table in tables) == len(CREATE_GROUP.members)


def test_everything_that_describes_a_group_and_can_be_created_is_copied() -> None:
    described = MODELS.get_service_model("elbv2").shape_for("TargetGroup").members
    assert set(clone.GROUP_COPIED) == set(described) & set(CREATE_GROUP.members)


def test_a_clone_is_what_create_service_accepts() -> None:
    params = clone.service_template(blue()) | {"serviceName": "green"}
    assert not ParamValidator().validate(params, CREATE_SERVICE).has_errors()
    assert json.loads(json.dumps(params)) == params


@pytest.mark.parametrize(
    "name", ["platformVersion", "networkConfiguration", "enableECSManagedTags", "launchType", "propagateTags"]
)
def test_what_blue_runs_on_is_copied(name: str) -> None:
    assert clone.service_template(blue())[name] == blue()[name]


def test_the_grace_period_is_sent_since_the_default_kills_slow_starters() -> None:
    assert clone.service_template(blue())["healthCheckGracePeriodSeconds"] == 90


def test_no_grace_period_is_sent_without_a_load_balancer() -> None:
    assert "healthCheckGracePeriodSeconds" not in clone.service_template(blue(loadBalancers=[]))


@pytest.mark.parametrize(
    ("has", "sends"), [("ENABLED", "ENABLED"), ("DISABLED", "DISABLED"), (None, "DISABLED")]
)
def test_zone_rebalancing_is_always_sent_since_the_default_differs_from_an_unset_blue(
    has: str | None, sends: str
) -> None:
    service = blue(availabilityZoneRebalancing=has) if has else blue()
    assert clone.service_template(service)["availabilityZoneRebalancing"] == sends


def test_a_capacity_provider_strategy_replaces_the_launch_type() -> None:
    template = clone.service_template(blue(capacityProviderStrategy=[{"capacityProvider": "FARGATE_SPOT"}]))
    assert template["capacityProviderStrategy"] == [{"capacityProvider": "FARGATE_SPOT"}]
    assert "launchType" not in template


def test_green_rolls_with_blues_percents_and_a_breaker_that_ends_in_failed() -> None:
    configuration = {
        "strategy": "ROLLING",
        "minimumHealthyPercent": 50,
        "maximumPercent": 150,
        "bakeTimeInMinutes": 5,
        "alarms": {"alarmNames": ["a"], "enable": True, "rollback": True},
        "lifecycleHooks": [{"hookTargetArn": "h"}],
        "deploymentCircuitBreaker": {
            "enable": False,
            "rollback": True,
            "resetOnHealthyTask": False,
            "thresholdConfiguration": {"type": "BOUNDED_PERCENT", "value": 20},
        },
    }
    assert clone.service_template(blue(deploymentConfiguration=configuration))["deploymentConfiguration"] == {
        "strategy": "ROLLING",
        "minimumHealthyPercent": 50,
        "maximumPercent": 150,
        "deploymentCircuitBreaker": {
            "enable": True,
            "rollback": False,
            "resetOnHealthyTask": False,
            "thresholdConfiguration": {"type": "BOUNDED_PERCENT", "value": 20},
        },
    }


def test_percents_that_are_not_said_are_those_of_ecs() -> None:
    assert clone.percents(blue(deploymentConfiguration={})) == (100, 200)


def test_tags_of_aws_and_of_teal_are_not_copied() -> None:
    tags = [
        {"key": "team", "value": "shop"},
        {"key": "aws:x", "value": ""},
        {"key": "teal:rollout", "value": "r"},
    ]
    assert clone.service_template(blue(tags=tags))["tags"] == [{"key": "team", "value": "shop"}]


def test_the_service_linked_role_is_left_out() -> None:
    assert "role" not in clone.service_template(blue())


@pytest.mark.parametrize(
    ("changes", "is_sent"),
    [
        ({"networkConfiguration": {}}, True),
        ({}, False),  # with awsvpc ECS uses its own role
        (
            {"networkConfiguration": {}, "loadBalancers": [{"targetGroupArn": "a"}, {"targetGroupArn": "b"}]},
            False,
        ),
    ],
)
def test_a_role_of_ones_own_is_sent_where_ecs_takes_one(changes: dict[str, Any], is_sent: bool) -> None:
    role = "arn:aws:iam::1:role/ecs-elb"
    assert ("role" in clone.service_template(blue(roleArn=role, **changes))) is is_sent


def test_a_service_connect_client_is_cloned_from_the_primary_deployment() -> None:
    connect = {"enabled": True, "namespace": "shop"}
    service = blue(**primary(serviceConnectConfiguration=connect))
    assert clone.service_template(service)["serviceConnectConfiguration"] == connect
    assert clone.unclonable(service, []) == ()


@pytest.mark.parametrize(
    ("service", "revision", "says"),
    [
        (blue(serviceRegistries=[{"registryArn": "r"}]), {}, "serviceRegistries"),
        (
            blue(**primary(serviceConnectConfiguration={"enabled": True, "services": [{"portName": "web"}]})),
            {},
            "Service Connect",
        ),
        (blue(**primary(volumeConfigurations=[{"name": "v"}])), {}, "volumeConfigurations"),
        (blue(**primary(vpcLatticeConfigurations=[{"portName": "web"}])), {}, "vpcLatticeConfigurations"),
        (blue(), {"gatewayConnectors": [{"portName": "web"}]}, "gatewayConnectors"),
        (
            blue(),
            {"monitoring": {"metricConfigurations": [{"metricNames": ["CPU"], "resolutionSeconds": 20}]}},
            "monitoring",
        ),
        (
            blue(loadBalancers=[{"targetGroupArn": GROUP, "advancedConfiguration": {"x": 1}}]),
            {},
            "advancedConfig",
        ),
        (blue(loadBalancers=[{"loadBalancerName": "classic"}]), {}, "Classic"),
        (blue(resourceManagementType="ECS"), {}, "Express"),
        (blue(tags=[{"key": f"t{n}", "value": ""} for n in range(45)]), {}, "tags"),
    ],
)
def test_what_green_cannot_have_is_named(
    service: dict[str, Any], revision: dict[str, Any], says: str
) -> None:
    (text,) = clone.unclonable(service, [revision])
    assert says in text


def test_an_ordinary_service_can_be_cloned_whole() -> None:
    monitoring = {"metricConfigurations": [{"metricNames": ["CPU"], "resolutionSeconds": 60}]}
    assert clone.unclonable(blue(), [{"gatewayConnectors": [], "monitoring": monitoring}]) == ()


def test_a_group_is_copied_with_its_tags_and_without_what_is_its_own() -> None:
    group = {
        "TargetGroupArn": GROUP,
        "TargetGroupName": "blue",
        "LoadBalancerArns": ["lb"],
        "Protocol": "HTTP",
        "ProtocolVersion": "GRPC",
        "Port": 8080,
        "VpcId": "vpc-1",
        "TargetType": "ip",
        "Matcher": {"GrpcCode": "0-99"},
        "HealthCheckPath": "/healthz",
    }
    template = clone.group_template(group, {"team": "shop", "aws:x": "y", "teal:managed": "true"})
    assert template == {
        "Protocol": "HTTP",
        "ProtocolVersion": "GRPC",
        "Port": 8080,
        "VpcId": "vpc-1",
        "TargetType": "ip",
        "Matcher": {"GrpcCode": "0-99"},
        "HealthCheckPath": "/healthz",
        "Tags": [{"Key": "team", "Value": "shop"}],
    }
    assert not ParamValidator().validate(template | {"Name": "green"}, CREATE_GROUP).has_errors()


def test_only_attributes_that_a_new_group_lacks_are_set() -> None:
    attributes = clone.ATTRIBUTE_DEFAULTS | {
        "deregistration_delay.timeout_seconds": "30",
        "some.attribute.of_tomorrow": "on",
    }
    assert clone.group_attributes(attributes) == {
        "deregistration_delay.timeout_seconds": "30",
        "some.attribute.of_tomorrow": "on",
    }
