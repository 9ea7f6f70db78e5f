"""What AWS refuses, and the World with it, in its own words; what any AWS can be asked is in ``tests/verify``."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from sandbox.world import AwsRefusal
from tests.sandbox.world.places import Shop, Wire, seconds, shop

Attempt = Callable[[Shop], Wire]


def elb(operation: str, **params: object) -> Attempt:
    return lambda s: s.world.call("elbv2", operation, dict(params))


def rule(*, groups: int = 0, **action: object) -> Attempt:
    """Write the shop's rule with this action, or with so many groups."""

    def attempt(s: Shop) -> Wire:
        shape: Wire = {"Type": "forward", **action}
        if groups:
            tuples = [{"TargetGroupArn": s.group(f"g{n}"), "Weight": 1} for n in range(groups)]
            shape["ForwardConfig"] = {"TargetGroups": tuples}
        return s.world.call("elbv2", "ModifyRule", {"RuleArn": s.scenery.rules[0], "Actions": [shape]})

    return attempt


def both_forms(s: Shop) -> Wire:
    tuples = [{"TargetGroupArn": s.scenery.target_group}, {"TargetGroupArn": s.group("green")}]
    return rule(TargetGroupArn=s.scenery.target_group, ForwardConfig={"TargetGroups": tuples})(s)


def weight(value: int) -> Attempt:
    def attempt(s: Shop) -> Wire:
        entry = {"TargetGroupArn": s.scenery.target_group, "Weight": value}
        return rule(ForwardConfig={"TargetGroups": [entry]})(s)

    return attempt


def slower_than_its_interval(s: Shop) -> Wire:
    check = {"HealthCheckTimeoutSeconds": 10, "HealthCheckIntervalSeconds": 5}
    return s.world.call("elbv2", "ModifyTargetGroup", {"TargetGroupArn": s.scenery.target_group, **check})


def default_rule(s: Shop) -> Wire:
    rules = s.world.call("elbv2", "DescribeRules", {"ListenerArn": s.scenery.listeners[0]})["Rules"]
    action = {"Type": "forward", "TargetGroupArn": s.scenery.target_group}
    return s.world.call("elbv2", "ModifyRule", {"RuleArn": rules[-1]["RuleArn"], "Actions": [action]})


def without_order(s: Shop) -> Wire:
    action = {"Type": "forward", "TargetGroupArn": s.scenery.target_group}
    return s.world.call("elbv2", "ModifyRule", {"RuleArn": s.scenery.rules[0], "Actions": [action, action]})


def sticky_without_group_stickiness(s: Shop) -> Wire:
    sticky = [{"Key": "stickiness.enabled", "Value": "true"}]
    params = {"TargetGroupArn": s.scenery.target_group, "Attributes": sticky}
    s.world.call("elbv2", "ModifyTargetGroupAttributes", params)
    s.split(blue=1, green=1)


def second_balancer(s: Shop) -> Wire:
    params = {"Name": "other", "Subnets": ["subnet-a", "subnet-b"]}
    balancer = s.world.call("elbv2", "CreateLoadBalancer", params)["LoadBalancers"][0]["LoadBalancerArn"]
    action = {"Type": "forward", "TargetGroupArn": s.scenery.target_group}
    listener = {"LoadBalancerArn": balancer, "Protocol": "HTTP", "Port": 80, "DefaultActions": [action]}
    return s.world.call("elbv2", "CreateListener", listener)


def same_priority(s: Shop) -> Wire:
    params = {
        "ListenerArn": s.scenery.listeners[0],
        "Priority": 1000,
        "Conditions": [{"Field": "path-pattern", "Values": ["/x"]}],
        "Actions": [{"Type": "forward", "TargetGroupArn": s.scenery.target_group}],
    }
    return s.world.call("elbv2", "CreateRule", params)


def from_addresses(*addresses: str) -> Attempt:
    """Have the shop's rule take requests from these addresses only."""

    def attempt(s: Shop) -> Wire:
        condition = {"Field": "source-ip", "SourceIpConfig": {"Values": list(addresses)}}
        params = {"RuleArn": s.scenery.rules[0], "Conditions": [condition]}
        return s.world.call("elbv2", "ModifyRule", params)

    return attempt


def same_name_other_settings(s: Shop) -> Wire:
    params = {
        "Name": "checkout-blue",
        "Protocol": "HTTP",
        "Port": 1,
        "VpcId": "vpc-0a1b2c3d",
        "TargetType": "ip",
    }
    return s.world.call("elbv2", "CreateTargetGroup", params)


def delete_used_group(s: Shop) -> Wire:
    return s.world.call("elbv2", "DeleteTargetGroup", {"TargetGroupArn": s.scenery.target_group})


def delay(value: str) -> Attempt:
    def attempt(s: Shop) -> Wire:
        wanted = [{"Key": "deregistration_delay.timeout_seconds", "Value": value}]
        params = {"TargetGroupArn": s.scenery.target_group, "Attributes": wanted}
        return s.world.call("elbv2", "ModifyTargetGroupAttributes", params)

    return attempt


def oidc(s: Shop) -> Wire:
    config = {
        name: "https://x"
        for name in ("Issuer", "AuthorizationEndpoint", "TokenEndpoint", "UserInfoEndpoint", "ClientId")
    }
    actions = [
        {"Type": "authenticate-oidc", "Order": 1, "AuthenticateOidcConfig": config},
        {"Type": "forward", "Order": 2, "TargetGroupArn": s.scenery.target_group},
    ]
    return s.world.call("elbv2", "ModifyRule", {"RuleArn": s.scenery.rules[0], "Actions": actions})


ELB_REFUSES = [
    ("RuleNotFound", "a rule that is gone", elb("DescribeRules", RuleArns=["arn:none"])),
    ("ListenerNotFound", "a listener that is gone", elb("DescribeRules", ListenerArn="arn:none")),
    ("TargetGroupNotFound", "a group that is gone", elb("DescribeTargetHealth", TargetGroupArn="arn:none")),
    (
        "LoadBalancerNotFound",
        "a load balancer that is gone",
        elb("DescribeListeners", LoadBalancerArn="arn:none"),
    ),
    ("OperationNotPermitted", "ModifyRule of the default rule", default_rule),
    ("InvalidLoadBalancerAction", "a top-level group beside two groups", both_forms),
    ("InvalidLoadBalancerAction", "several actions without order", without_order),
    ("InvalidLoadBalancerAction", "a sticky group without group stickiness", sticky_without_group_stickiness),
    ("TooManyTargetGroups", "six groups in an action", rule(groups=6)),
    ("ValidationError", "a forward to nothing", rule()),
    ("ValidationError", "weight 1000", weight(1000)),
    ("ValidationError", "weight -1", weight(-1)),
    ("TargetGroupAssociationLimit", "a group for two load balancers", second_balancer),
    ("PriorityInUse", "a priority twice", same_priority),
    ("DuplicateTargetGroupName", "a group's name with other settings", same_name_other_settings),
    ("ResourceInUse", "deleting a group in a rule", delete_used_group),
    ("InvalidConfigurationRequest", "a draining of more than an hour", delay("3601")),
    ("ValidationError", "a health check that outlasts its interval", slower_than_its_interval),
    ("ValidationError", "tags of 21 resources", elb("DescribeTags", ResourceArns=["arn:x"] * 21)),
    ("ValidationError", "a source-ip of no address", from_addresses("10.0.0.0/8", "333.444.555.66/32")),
    ("ValidationError", "a source-ip without a prefix length", from_addresses("10.0.0.1")),
    ("ValidationError", "a source-ip with too long a prefix", from_addresses("10.0.0.0/33")),
    ("ValidationError", "a source-ip with a netmask", from_addresses("10.0.0.0/255.0.0.0")),
    ("ValidationError", "a source-ip with a wildcard", from_addresses("10.0.*.0/16")),
    ("ValidationError", "the broadcast address as source-ip", from_addresses("255.255.255.255/32")),
    ("InvalidLoadBalancerAction", "OIDC on a listener that is not HTTPS", oidc),
    ("NotInThisSandbox", "an operation that is not here yet", elb("DescribeTrustStores")),
]


@pytest.mark.parametrize(
    ("code", "what", "attempt"), [pytest.param(*case, id=case[1]) for case in ELB_REFUSES]
)
def test_elastic_load_balancing_refuses(code: str, what: str, attempt: Attempt) -> None:
    s = shop()
    before = s.actions()
    with pytest.raises(AwsRefusal) as caught:
        attempt(s)
    assert caught.value.code == code
    assert s.actions() == before


def create(*, group: str = "blue", **changes: object) -> Attempt:
    return lambda s: s.world.call("ecs", "CreateService", s.green_params(s.group(group)) | changes)


def container(name: str, port: int) -> Attempt:
    def attempt(s: Shop) -> Wire:
        entry = {"targetGroupArn": s.scenery.target_group, "containerName": name, "containerPort": port}
        return create(loadBalancers=[entry])(s)

    return attempt


def ecs(operation: str, **params: object) -> Attempt:
    return lambda s: s.world.call("ecs", operation, dict(params))


def twice_with_another_body(s: Shop) -> Wire:
    create(clientToken="t1")(s)
    return create(clientToken="t1", desiredCount=7)(s)


def while_draining(s: Shop) -> Wire:
    s.world.call("ecs", "DeleteService", {"cluster": "prod", "service": "checkout", "force": True})
    return create(serviceName="checkout")(s)


def update_while_draining(s: Shop) -> Wire:
    s.world.call("ecs", "DeleteService", {"cluster": "prod", "service": "checkout", "force": True})
    return s.update(desiredCount=1)


def without_network(s: Shop) -> Wire:
    params = s.green_params(s.scenery.target_group)
    del params["networkConfiguration"]
    return s.world.call("ecs", "CreateService", params)


CIRCLE = {"cluster": "prod"}
ECS_REFUSES = [
    ("InvalidParameterException", "associated load balancer", create(group="orphan")),
    ("InvalidParameterException", "does not exist", container("stranger", 8080)),
    ("InvalidParameterException", "container port 9 defined", container("checkout", 9)),
    ("InvalidParameterException", "not idempotent", create(serviceName="checkout")),
    ("InvalidParameterException", "not idempotent", twice_with_another_body),
    ("InvalidParameterException", "still Draining", while_draining),
    ("InvalidParameterException", "Network Configuration must be provided", without_network),
    (
        "InvalidParameterException",
        "Both a launch type|both a launch type",
        create(capacityProviderStrategy=[{"capacityProvider": "FARGATE"}]),
    ),
    ("InvalidParameterException", "scaled above 0", ecs("DeleteService", service="checkout", **CIRCLE)),
    ("InvalidParameterException", "10 at most", ecs("DescribeServices", services=["a"] * 11, **CIRCLE)),
    ("ServiceNotActiveException", "not ACTIVE", update_while_draining),
    ("ServiceNotFoundException", "not found", ecs("UpdateService", service="none", **CIRCLE)),
    ("ClusterNotFoundException", "not found", ecs("ListServices", cluster="none")),
    ("ClientException", "Unable to describe", ecs("DescribeTaskDefinition", taskDefinition="none:1")),
    ("ClientException", "not found", create(taskDefinition="checkout:99")),
    ("NotInThisSandbox", "strategy BLUE_GREEN", create(deploymentConfiguration={"strategy": "BLUE_GREEN"})),
    ("NotInThisSandbox", "DAEMON", create(schedulingStrategy="DAEMON")),
    ("NotInThisSandbox", "StartTask", ecs("StartTask", task="x")),
]


@pytest.mark.parametrize(("code", "text", "attempt"), ECS_REFUSES)
def test_elastic_container_service_refuses(code: str, text: str, attempt: Attempt) -> None:
    with pytest.raises(AwsRefusal, match=text) as caught:
        attempt(shop())
    assert caught.value.code == code


def scaling(operation: str, **params: object) -> Attempt:
    key = {"ServiceNamespace": "ecs", "ResourceId": "service/prod/checkout"}
    key["ScalableDimension"] = "ecs:service:DesiredCount"
    return lambda s: s.world.call("application-autoscaling", operation, key | params)


def tracking(kind: str, label: str | None = None) -> Attempt:
    named = {"PredefinedMetricType": kind} | ({"ResourceLabel": label} if label else {})
    configuration = {"TargetValue": 50.0, "PredefinedMetricSpecification": named}
    put: dict[str, object] = {"TargetTrackingScalingPolicyConfiguration": configuration}
    return scaling("PutScalingPolicy", PolicyName="x", PolicyType="TargetTrackingScaling", **put)


def scheduled(schedule: str, **more: object) -> Attempt:
    bounds = {"MinCapacity": 1, "MaxCapacity": 4}
    given = {"Schedule": schedule, "ScalableTargetAction": bounds, **more}
    return scaling("PutScheduledAction", ScheduledActionName="x", **given)


NO_ARN = {"ResourceARN": "arn:aws:application-autoscaling:eu-west-1:123456789012:scalable-target/none"}


def cloudwatch(operation: str, **params: object) -> Attempt:
    return lambda s: s.world.call("cloudwatch", operation, dict(params))


def metric(stat: str = "Sum", period: int = 60, **changes: object) -> Attempt:
    def attempt(s: Shop) -> Wire:
        shown = {"Namespace": "AWS/ApplicationELB", "MetricName": "RequestCount", "Dimensions": []} | changes
        query = {"Id": "m1", "MetricStat": {"Metric": shown, "Period": period, "Stat": stat}}
        window = {"StartTime": s.world.now - seconds(600), "EndTime": s.world.now}
        return s.world.call("cloudwatch", "GetMetricData", {"MetricDataQueries": [query], **window})

    return attempt


def expression(s: Shop) -> Wire:
    query = {"Id": "e1", "Expression": "m1/m2"}
    window = {"StartTime": s.world.now - seconds(600), "EndTime": s.world.now}
    return s.world.call("cloudwatch", "GetMetricData", {"MetricDataQueries": [query], **window})


OTHERS_REFUSE = [
    ("ValidationException", scaling("RegisterScalableTarget", MinCapacity=9, MaxCapacity=2)),
    ("ValidationException", scaling("RegisterScalableTarget", ResourceId="service/prod/none")),
    ("ObjectNotFoundException", scaling("DeregisterScalableTarget", ResourceId="service/prod/none")),
    ("ValidationException", scaling("PutScalingPolicy", PolicyName="x")),
    ("ObjectNotFoundException", scaling("PutScalingPolicy", PolicyName="x", ResourceId="service/prod/none")),
    ("ValidationException", tracking("ALBRequestCountPerTarget")),
    ("ValidationException", tracking("ALBRequestCountPerTarget", "garbage")),
    ("ValidationException", tracking("ALBRequestCountPerTarget", "app/prod-lb/0/targetgroup/none/0")),
    ("ValidationException", tracking("LambdaProvisionedConcurrencyUtilization")),
    ("ValidationException", scheduled("at(2020-01-01T00:00:00)")),
    ("ValidationException", scheduled("at(tomorrow)")),
    ("ValidationException", scheduled("cron(0 20 * *)")),
    ("ValidationException", scheduled("cron(0 20 * * ? *)", Timezone="Mars/Olympus")),
    ("ValidationException", scheduled("cron(0 20 * * ? *)", EndTime=datetime(2020, 1, 1, tzinfo=UTC))),
    ("ObjectNotFoundException", scaling("DeleteScalingPolicy", PolicyName="none")),
    ("ObjectNotFoundException", scaling("DeleteScheduledAction", ScheduledActionName="none")),
    (
        "ResourceNotFoundException",
        lambda s: s.world.call("application-autoscaling", "ListTagsForResource", NO_ARN),
    ),
    ("ResourceNotFound", cloudwatch("DeleteAlarms", AlarmNames=["none"])),
    ("ResourceNotFound", cloudwatch("SetAlarmState", AlarmName="none", StateValue="OK", StateReason="x")),
    ("ValidationError", cloudwatch("PutCompositeAlarm", AlarmName="x", AlarmRule="ALARM(none)")),
    ("ValidationError", expression),
    ("ValidationError", metric(stat="tm101")),
    ("NotInThisSandbox", metric(MetricName="RuleEvaluations")),
    ("NotInThisSandbox", metric(Namespace="AWS/ECS")),
    ("ValidationError", metric(period=45)),
    ("ValidationError", metric(period=5)),  # this World's minute has 60 seconds
]


@pytest.mark.parametrize(("code", "attempt"), OTHERS_REFUSE)
def test_scaling_and_cloudwatch_refuse(code: str, attempt: Attempt) -> None:
    with pytest.raises(AwsRefusal) as caught:
        attempt(shop())
    assert caught.value.code == code


def test_a_service_that_is_not_here_is_refused_by_name() -> None:
    with pytest.raises(AwsRefusal, match="s3 ListBuckets"):
        shop().world.call("s3", "ListBuckets", {})
