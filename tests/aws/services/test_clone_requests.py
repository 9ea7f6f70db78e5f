import json
from collections.abc import Mapping
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from docs.pages import cloning
from orchestrator.aws.services import clone_fields, clone_requests
from orchestrator.aws.services.clone_fields import Fate, Field, of_fate

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


@pytest.mark.parametrize(
    ("table", "api", "shape"),
    [
        (clone_fields.SERVICE, "ecs", "CreateServiceRequest"),
        (clone_fields.LOAD_BALANCER, "ecs", "LoadBalancer"),
        (clone_fields.CONFIGURATION, "ecs", "DeploymentConfiguration"),
        (clone_fields.BREAKER, "ecs", "DeploymentCircuitBreaker"),
        (clone_fields.GROUP, "elbv2", "CreateTargetGroupInput"),
        (clone_fields.DEFINITION, "ecs", "RegisterTaskDefinitionRequest"),
    ],
)
def test_every_member_that_aws_knows_has_its_place_and_a_new_one_fails_until_somebody_decides(
    table: Mapping[str, Field], api: str, shape: str
) -> None:
    assert set(table) == set(MODELS.get_service_model(api).shape_for(shape).members)
    assert all(field.why for field in table.values())
    assert all(bool(field.refusal) is (field.fate is Fate.REFUSED) for field in table.values())


def test_everything_that_describes_a_group_and_can_be_created_is_copied() -> None:
    described = MODELS.get_service_model("elbv2").shape_for("TargetGroup").members
    assert set(of_fate(clone_fields.GROUP, Fate.COPIED)) == set(described) & set(CREATE_GROUP.members)


def test_a_clone_is_what_create_service_accepts() -> None:
    params = clone_requests.service_template(blue()) | {"serviceName": "green"}
    assert not ParamValidator().validate(params, CREATE_SERVICE).has_errors()
    assert json.loads(json.dumps(params)) == params


@pytest.mark.parametrize(
    "name", ["platformVersion", "networkConfiguration", "enableECSManagedTags", "launchType", "propagateTags"]
)
def test_what_blue_runs_on_is_copied(name: str) -> None:
    assert clone_requests.service_template(blue())[name] == blue()[name]


def test_the_grace_period_is_sent_since_the_default_kills_slow_starters() -> None:
    assert clone_requests.service_template(blue())["healthCheckGracePeriodSeconds"] == 90


def test_no_grace_period_is_sent_without_a_load_balancer() -> None:
    assert "healthCheckGracePeriodSeconds" not in clone_requests.service_template(blue(loadBalancers=[]))


@pytest.mark.parametrize(
    ("has", "sends"), [("ENABLED", "ENABLED"), ("DISABLED", "DISABLED"), (None, "DISABLED")]
)
def test_zone_rebalancing_is_always_sent_since_the_default_differs_from_an_unset_blue(
    has: str | None, sends: str
) -> None:
    service = blue(availabilityZoneRebalancing=has) if has else blue()
    assert clone_requests.service_template(service)["availabilityZoneRebalancing"] == sends


def test_a_capacity_provider_strategy_replaces_the_launch_type() -> None:
    template = clone_requests.service_template(
        blue(capacityProviderStrategy=[{"capacityProvider": "FARGATE_SPOT"}])
    )
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
    assert clone_requests.service_template(blue(deploymentConfiguration=configuration))[
        "deploymentConfiguration"
    ] == {
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
    assert clone_requests.percents(blue(deploymentConfiguration={})) == (100, 200)


def test_tags_of_aws_and_of_teal_are_not_copied() -> None:
    tags = [
        {"key": "team", "value": "shop"},
        {"key": "aws:x", "value": ""},
        {"key": "teal:rollout", "value": "r"},
    ]
    assert clone_requests.service_template(blue(tags=tags))["tags"] == [{"key": "team", "value": "shop"}]


def test_the_service_linked_role_is_left_out() -> None:
    assert "role" not in clone_requests.service_template(blue())


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
    assert ("role" in clone_requests.service_template(blue(roleArn=role, **changes))) is is_sent


def test_a_service_connect_client_is_cloned_from_the_primary_deployment() -> None:
    connect = {"enabled": True, "namespace": "shop"}
    service = blue(**primary(serviceConnectConfiguration=connect))
    assert clone_requests.service_template(service)["serviceConnectConfiguration"] == connect
    assert clone_requests.unclonable(service, []) == ()


@pytest.mark.parametrize(
    ("service", "revision", "says"),
    [
        (
            blue(**primary(serviceConnectConfiguration={"enabled": True, "services": [{"portName": "web"}]})),
            {},
            "Service Connect",
        ),
        (blue(**primary(vpcLatticeConfigurations=[{"portName": "web"}])), {}, "vpcLatticeConfigurations"),
        (blue(), {"gatewayConnectors": [{"portName": "web"}]}, "gatewayConnectors"),
        (
            blue(loadBalancers=[{"targetGroupArn": GROUP, "advancedConfiguration": {"x": 1}}]),
            {},
            "advancedConfig",
        ),
        (blue(loadBalancers=[{"loadBalancerName": "classic"}]), {}, "Classic"),
        (blue(resourceManagementType="ECS"), {}, "Express"),
    ],
)
def test_what_green_cannot_have_is_named(
    service: dict[str, Any], revision: dict[str, Any], says: str
) -> None:
    (text,) = clone_requests.unclonable(service, [revision])
    assert says in text


def test_volumes_are_cloned_from_the_newest_deployment_with_the_role_that_makes_them() -> None:
    volumes = [
        {"name": "scratch", "managedEBSVolume": {"roleArn": "arn:aws:iam::1:role/ebs", "sizeInGiB": 20}}
    ]
    service = blue(**primary(volumeConfigurations=volumes))
    template = clone_requests.service_template(service)
    assert template["volumeConfigurations"] == volumes
    assert clone_requests.unclonable(service, []) == ()
    assert not ParamValidator().validate(template | {"serviceName": "green"}, CREATE_SERVICE).has_errors()


def test_monitoring_is_cloned_from_the_newest_service_revision() -> None:
    fine = {"metricConfigurations": [{"metricNames": ["CPUUtilization"], "resolutionSeconds": 20}]}
    service = blue(**primary(taskDefinition="checkout:42"))
    revisions = [
        {"taskDefinition": "checkout:41", "monitoring": {"metricConfigurations": []}},
        {"taskDefinition": "checkout:42", "monitoring": fine},
    ]
    assert clone_requests.service_template(service, revisions)["monitoring"] == fine


def test_service_discovery_is_left_out_unless_it_is_asked_for() -> None:
    service = blue(serviceRegistries=[{"registryArn": "r", "containerPort": 8080, "containerName": "app"}])
    assert "serviceRegistries" not in clone_requests.service_template(service)
    assert clone_requests.unclonable(service, []) == ()
    kept = clone_requests.service_template(service, keeps_discovery=True)
    assert kept["serviceRegistries"] == service["serviceRegistries"]
    assert clone_requests.registries(service) == ("r",)


def test_an_ordinary_service_can_be_cloned_whole() -> None:
    monitoring = {"metricConfigurations": [{"metricNames": ["CPU"], "resolutionSeconds": 60}]}
    assert clone_requests.unclonable(blue(), [{"gatewayConnectors": [], "monitoring": monitoring}]) == ()


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
    template = clone_requests.group_template(group, {"team": "shop", "aws:x": "y", "teal:managed": "true"})
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
    attributes = clone_requests.ATTRIBUTE_DEFAULTS | {
        "deregistration_delay.timeout_seconds": "30",
        "some.attribute.of_tomorrow": "on",
    }
    assert clone_requests.group_attributes(attributes) == {
        "deregistration_delay.timeout_seconds": "30",
        "some.attribute.of_tomorrow": "on",
    }


def test_the_page_says_of_every_attribute_that_is_compared_what_a_new_group_has() -> None:
    """docs/cloning.md: what differs, or is not known of a new group, is copied; the same as a new group's is not."""
    page = cloning.page()
    for name, value in clone_requests.ATTRIBUTE_DEFAULTS.items():
        assert f"| `{name}` | `{value}` |" in page
        assert clone_requests.group_attributes({name: value}) == {}
        assert clone_requests.group_attributes({name: "other"}) == {name: "other"}
    assert clone_requests.group_attributes({"of.tomorrow": "on"}) == {"of.tomorrow": "on"}
