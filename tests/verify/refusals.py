"""What AWS refuses: a list of calls, each with the answer that Teal and its World count on and what that rests on.

Run against the World always, against moto with its lies named, and against a real account by ``make verify-aws``.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from orchestrator.sandbox.world.errors import AwsRefusal
from tests.verify.place import Answer, Needs, Place

MEMORY = "general knowledge, not read anywhere: to be settled on a real account"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One call that is refused with `code`; without a code, something that is true where nothing is refused."""

    name: str
    source: str  # the documentation page, report or model that it rests on
    attempt: Callable[[Place], object]
    code: str = ""
    says: str = ""  # a pattern that the message holds


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a check: as believed, otherwise, or not made for want of something."""

    check: Check
    is_as_believed: bool | None  # None: it was not made
    answer: str


def made(check: Check, place: Place) -> Outcome:
    """Make one check."""
    try:
        found = check.attempt(place)
    except AwsRefusal as refusal:
        fits = refusal.code == check.code and re.search(check.says, refusal.message) is not None
        return Outcome(check=check, is_as_believed=fits, answer=f"{refusal.code}: {refusal.message}")
    except Needs as lack:
        return Outcome(check=check, is_as_believed=None, answer=str(lack))
    if check.code:
        return Outcome(check=check, is_as_believed=False, answer="it was accepted")
    return Outcome(
        check=check, is_as_believed=found is True, answer=f"it is {'so' if found is True else 'not so'}"
    )


def nowhere(arn: str) -> str:
    """An ARN like this one, of a thing that does not exist."""
    return f"{arn[:-16]}{'0' * 16}"


def write(p: Place, *actions: Answer) -> Answer:
    """Give the place's rule these actions."""
    return p.elb("ModifyRule", RuleArn=p.rule, Actions=list(actions))


# load balancing ------------------------------------------------------------------------------------------------------


def _default_rule(p: Place) -> object:
    rules = p.elb("DescribeRules", ListenerArn=p.listener)["Rules"]
    default = next(rule["RuleArn"] for rule in rules if rule["IsDefault"])
    return p.elb("ModifyRule", RuleArn=default, Actions=[p.forward(p.blue)])


def _without_group_stickiness(p: Place) -> object:
    sticky = p.group("sticky")
    wanted = [{"Key": "stickiness.enabled", "Value": "true"}]
    p.elb("ModifyTargetGroupAttributes", TargetGroupArn=sticky, Attributes=wanted)
    return write(p, p.forward(p.blue, sticky))


def _weight(value: int) -> Callable[[Place], object]:
    def attempt(p: Place) -> object:
        tuples = [{"TargetGroupArn": p.blue, "Weight": value}]
        return write(p, {"Type": "forward", "ForwardConfig": {"TargetGroups": tuples}})

    return attempt


def _second_balancer(p: Place) -> object:
    assert p.rule
    return p.new_listener(p.new_balancer("other"), p.forward(p.blue))


def _from(address: str) -> Callable[[Place], object]:
    condition = {"Field": "source-ip", "SourceIpConfig": {"Values": [address]}}
    return lambda p: p.elb("ModifyRule", RuleArn=p.rule, Conditions=[condition])


def _in_use(p: Place) -> object:
    assert p.rule
    return p.elb("DeleteTargetGroup", TargetGroupArn=p.blue)


def _same_priority(p: Place) -> object:
    assert p.rule
    return p.elb("CreateRule", **p.rule_params(p.forward(p.blue)))


def _delay(p: Place) -> object:
    wanted = [{"Key": "deregistration_delay.timeout_seconds", "Value": "3601"}]
    return p.elb("ModifyTargetGroupAttributes", TargetGroupArn=p.blue, Attributes=wanted)


def _stickiness_left_out(p: Place) -> object:
    other = p.group("guest")
    on = {"Enabled": True, "DurationSeconds": 60}
    write(p, p.forward(p.blue, other, TargetGroupStickinessConfig=on))
    write(p, p.forward(p.blue, other))
    after = p.actions()[0]["ForwardConfig"].get("TargetGroupStickinessConfig", {})
    write(p, p.forward(p.blue))
    return not after.get("Enabled")


def _all_zero(p: Place) -> object:
    tuples = [{"TargetGroupArn": group, "Weight": 0} for group in (p.blue, p.group("none"))]
    write(p, {"Type": "forward", "ForwardConfig": {"TargetGroups": tuples}})
    write(p, p.forward(p.blue))
    return True


OIDC = {
    "Issuer": "https://idp.example",
    "AuthorizationEndpoint": "https://idp.example/a",
    "TokenEndpoint": "https://idp.example/t",
    "UserInfoEndpoint": "https://idp.example/u",
    "ClientId": "shop",
}


def _oidc_rule(p: Place, port: int) -> str:
    if not p.certificate:
        raise Needs("it needs a certificate: TEAL_VERIFY_CERTIFICATE")
    certificates = [{"CertificateArn": p.certificate}]
    listener = p.new_listener(p.balancer, Protocol="HTTPS", Port=port, Certificates=certificates)
    signs_in = {"Type": "authenticate-oidc", "Order": 1}
    signs_in["AuthenticateOidcConfig"] = {**OIDC, "ClientSecret": "hush"}
    params = p.rule_params(signs_in, {**p.forward(p.blue), "Order": 2}, listener=listener)
    path = ("Rules", 0, "RuleArn")
    return p.make("DeleteRule", "elbv2", "CreateRule", params, *path, key="RuleArn")


def _secret_shown(p: Place) -> object:
    return "hush" not in str(p.elb("DescribeRules", RuleArns=[_oidc_rule(p, 443)]))


def _secret_left_out(p: Place) -> object:
    rule = _oidc_rule(p, 8443)
    shown = p.elb("DescribeRules", RuleArns=[rule])["Rules"][0]["Actions"]
    for action in shown:
        action.get("AuthenticateOidcConfig", {}).pop("ClientSecret", None)
    return p.elb("ModifyRule", RuleArn=rule, Actions=shown)


def _oidc_on_http(p: Place) -> object:
    config = {**OIDC, "ClientSecret": "hush"}
    signs_in = {"Type": "authenticate-oidc", "Order": 1, "AuthenticateOidcConfig": config}
    return write(p, signs_in, {**p.forward(p.blue), "Order": 2})


_MODIFY = "Elastic Load Balancing API Reference, ModifyRule"
_CREATE_RULE = "Elastic Load Balancing API Reference, CreateRule"
_QUOTAS = "Quotas for your Application Load Balancers"
_GROUP = "Elastic Load Balancing API Reference, CreateTargetGroup"
_ACTION = "botocore model elbv2, shape Action"

LOAD_BALANCING = (
    Check(
        name="a rule that is gone",
        code="RuleNotFound",
        source="Elastic Load Balancing API Reference, DescribeRules",
        attempt=lambda p: p.elb("DescribeRules", RuleArns=[nowhere(p.rule)]),
    ),
    Check(
        name="a listener that is gone",
        code="ListenerNotFound",
        source="Elastic Load Balancing API Reference, DescribeRules",
        attempt=lambda p: p.elb("DescribeRules", ListenerArn=nowhere(p.listener)),
    ),
    Check(
        name="a group that is gone",
        code="TargetGroupNotFound",
        source="Elastic Load Balancing API Reference, DescribeTargetHealth",
        attempt=lambda p: p.elb("DescribeTargetHealth", TargetGroupArn=nowhere(p.blue)),
    ),
    Check(
        name="a load balancer that is gone",
        code="LoadBalancerNotFound",
        source="Elastic Load Balancing API Reference, DescribeListeners",
        attempt=lambda p: p.elb("DescribeListeners", LoadBalancerArn=nowhere(p.balancer)),
    ),
    Check(
        name="ModifyRule of the default rule",
        code="OperationNotPermitted",
        source=_MODIFY,
        attempt=_default_rule,
    ),
    Check(
        name="a top-level group beside two groups",
        code="InvalidLoadBalancerAction",
        source=_ACTION,
        attempt=lambda p: write(p, {**p.forward(p.blue, p.group("green")), "TargetGroupArn": p.blue}),
    ),
    Check(
        name="several actions without order",
        code="InvalidLoadBalancerAction",
        source=_ACTION,
        attempt=lambda p: write(p, p.forward(p.blue), p.forward(p.blue)),
    ),
    Check(
        name="a sticky group without group stickiness",
        code="InvalidLoadBalancerAction",
        source="Action types for listener rules, sticky sessions and weighted target groups",
        attempt=_without_group_stickiness,
    ),
    Check(
        name="six groups in an action",
        code="TooManyTargetGroups",
        source=_QUOTAS,
        attempt=lambda p: write(p, p.forward(p.blue, *(p.group(f"g{n}") for n in range(5)))),
    ),
    Check(
        name="a forward to nothing",
        code="ValidationError",
        source=_ACTION,
        attempt=lambda p: write(p, {"Type": "forward"}),
    ),
    Check(
        name="weight 1000",
        code="ValidationError",
        source="botocore model elbv2, shape TargetGroupTuple: 0 to 999",
        attempt=_weight(1000),
    ),
    Check(
        name="weight -1",
        code="ValidationError",
        source="botocore model elbv2, shape TargetGroupTuple: 0 to 999",
        attempt=_weight(-1),
    ),
    Check(
        name="a group for two load balancers",
        code="TargetGroupAssociationLimit",
        source="Elastic Load Balancing API Reference, CreateListener",
        attempt=_second_balancer,
    ),
    Check(name="a priority twice", code="PriorityInUse", source=_CREATE_RULE, attempt=_same_priority),
    Check(
        name="a group's name with other settings",
        code="DuplicateTargetGroupName",
        source=_GROUP,
        attempt=lambda p: (p.blue, p.group("blue", Port=1)),
    ),
    Check(
        name="deleting a group in a rule",
        code="ResourceInUse",
        source="Elastic Load Balancing API Reference, DeleteTargetGroup",
        attempt=_in_use,
    ),
    Check(
        name="a draining of more than an hour",
        code="InvalidConfigurationRequest",
        source="Target group attributes: 0 to 3600 seconds",
        attempt=_delay,
    ),
    Check(
        name="tags of 21 resources",
        code="ValidationError",
        source="Elastic Load Balancing API Reference, DescribeTags: up to 20",
        attempt=lambda p: p.elb("DescribeTags", ResourceArns=[p.blue, *[nowhere(p.blue)] * 20]),
    ),
    Check(
        name="21 rules by their ARNs",
        code="ValidationError",
        source=MEMORY,
        attempt=lambda p: p.elb("DescribeRules", RuleArns=[f"{p.rule[:-16]}{n:016}" for n in range(21)]),
    ),
    *(
        Check(
            name=f"a source-ip condition {what}",
            code="ValidationError",
            source="Condition types for listener rules, source IP address conditions: CIDR blocks",
            attempt=_from(address),
        )
        for what, address in (
            ("of no address", "333.444.555.66/32"),
            ("without a prefix length", "10.0.0.1"),
            ("with too long a prefix", "10.0.0.0/33"),
            ("with a netmask", "10.0.0.0/255.0.0.0"),
            ("with a wildcard", "10.0.*.0/16"),
            ("of the broadcast address", "255.255.255.255/32"),
        )
    ),
    Check(
        name="OIDC on a listener that is not HTTPS",
        code="InvalidLoadBalancerAction",
        source="Authenticate users using an Application Load Balancer",
        attempt=_oidc_on_http,
    ),
    Check(name="a client secret is never shown", source=MEMORY, attempt=_secret_shown),
    Check(
        name="OIDC written back without its secret",
        code="InvalidLoadBalancerAction",
        says="(?i)client secret",
        source="botocore model elbv2, shape AuthenticateOidcActionConfig",
        attempt=_secret_left_out,
    ),
    Check(name="stickiness that is left out is off", source=MEMORY, attempt=_stickiness_left_out),
    Check(name="weights that are all 0 are taken", source=MEMORY, attempt=_all_zero),
)

# services ------------------------------------------------------------------------------------------------------------


def _orphan(p: Place) -> object:
    entry = {"targetGroupArn": p.group("orphan"), "containerName": p.name, "containerPort": 8080}
    return p.new_service(f"{p.name}-1", loadBalancers=[entry])


def _container(name: str, port: int) -> Callable[[Place], object]:
    def attempt(p: Place) -> object:
        entry = {"targetGroupArn": p.blue, "containerName": name or p.name, "containerPort": port}
        return p.new_service(f"{p.name}-1", loadBalancers=[entry])

    return attempt


def _another_body(p: Place) -> object:
    token = f"{p.name}-token"
    name = p.new_service(f"{p.name}-2", clientToken=token)
    return p.new_service(name, clientToken=token, healthCheckGracePeriodSeconds=7)


def _without_network(p: Place) -> object:
    params = p.service_params(f"{p.name}-1")
    del params["networkConfiguration"]
    return p.ecs("CreateService", **params)


def _both_launch_types(p: Place) -> object:
    return p.new_service(f"{p.name}-1", capacityProviderStrategy=[{"capacityProvider": "FARGATE"}])


def _deletes_above_0(p: Place) -> object:
    service = {"cluster": p.cluster, "service": p.new_service(f"{p.name}-3")}
    p.ecs("UpdateService", **service, desiredCount=1)
    try:
        return p.ecs("DeleteService", **service)
    finally:
        p.ecs("UpdateService", **service, desiredCount=0)


def _inactive_revision(p: Place) -> object:
    revision = p.new_definition()
    p.ecs("DeregisterTaskDefinition", taskDefinition=revision)
    return p.new_service(f"{p.name}-1", taskDefinition=revision)


def _without_memory(p: Place) -> object:
    container = {"name": "a", "image": p.image}
    return p.ecs("RegisterTaskDefinition", family=p.name, containerDefinitions=[container])


def _eleven(p: Place) -> object:
    return p.ecs("DescribeServices", cluster=p.cluster, services=[f"{p.name}-{n}" for n in range(11)])


_CREATE = "Amazon ECS API Reference, CreateService"
_INVALID = "InvalidParameterException"

SERVICES = (
    Check(
        name="a group without a load balancer",
        code=_INVALID,
        says="does not have an associated load balancer",
        source="github.com/aws/aws-cdk#34290",
        attempt=_orphan,
    ),
    Check(
        name="a container that is not in the definition",
        code=_INVALID,
        says="does not exist in the task definition",
        source=_CREATE,
        attempt=_container("stranger", 8080),
    ),
    Check(
        name="a container port that is not in the definition",
        code=_INVALID,
        says="container port 9 defined",
        source=_CREATE,
        attempt=_container("", 9),
    ),
    Check(
        name="a service's name twice",
        code=_INVALID,
        says="not idempotent",
        source=_CREATE,
        attempt=lambda p: p.new_service(p.service, desiredCount=0, healthCheckGracePeriodSeconds=9),
    ),
    Check(
        name="a token with another body",
        code=_INVALID,
        says="not idempotent",
        source="Ensuring idempotency in Amazon ECS API requests",
        attempt=_another_body,
    ),
    Check(
        name="awsvpc without a network",
        code=_INVALID,
        says="Network Configuration must be provided",
        source=_CREATE,
        attempt=_without_network,
    ),
    Check(
        name="a launch type beside a capacity provider strategy",
        code=_INVALID,
        says="(?i)both a launch type",
        source=_CREATE,
        attempt=_both_launch_types,
    ),
    Check(
        name="deleting a service that wants tasks",
        code=_INVALID,
        says="scaled above 0",
        source="Amazon ECS API Reference, DeleteService",
        attempt=_deletes_above_0,
    ),
    Check(
        name="eleven services in a call",
        code=_INVALID,
        source="Amazon ECS API Reference, DescribeServices: up to 10",
        attempt=_eleven,
    ),
    Check(
        name="updating a service that is not there",
        code="ServiceNotFoundException",
        source="Amazon ECS API Reference, UpdateService",
        attempt=lambda p: p.ecs("UpdateService", cluster=p.cluster, service="none"),
    ),
    Check(
        name="a cluster that is not there",
        code="ClusterNotFoundException",
        source="Amazon ECS API Reference, ListServices",
        attempt=lambda p: p.ecs("ListServices", cluster=f"{p.name}-none"),
    ),
    Check(
        name="a task definition that is not there",
        code="ClientException",
        says="Unable to describe",
        source="Amazon ECS API Reference, DescribeTaskDefinition",
        attempt=lambda p: p.ecs("DescribeTaskDefinition", taskDefinition=f"{p.name}-none:1"),
    ),
    Check(
        name="a service of a revision that is deregistered",
        code="ClientException",
        says="(?i)inactive",
        source="Amazon ECS API Reference, DeregisterTaskDefinition",
        attempt=_inactive_revision,
    ),
    Check(
        name="a container without memory",
        code="ClientException",
        says="memoryReservation",
        source="Amazon ECS task definition parameters, memory",
        attempt=_without_memory,
    ),
)

# scaling, metrics, credentials ---------------------------------------------------------------------------------------


def _scaling(p: Place, operation: str, service: str, **params: object) -> Answer:
    key = {"ServiceNamespace": "ecs", "ResourceId": f"service/{p.cluster}/{service}"}
    key["ScalableDimension"] = "ecs:service:DesiredCount"
    return p.call("application-autoscaling", operation, {**key, **params})


def _past(p: Place) -> object:
    _scaling(p, "RegisterScalableTarget", p.service, MinCapacity=0, MaxCapacity=1)
    try:
        return _scaling(
            p,
            "PutScheduledAction",
            p.service,
            ScheduledActionName=p.name,
            Schedule="at(2020-01-01T00:00:00)",
            ScalableTargetAction={"MinCapacity": 0},
        )
    finally:
        _scaling(p, "DeregisterScalableTarget", p.service)


def _query(**query: object) -> Callable[[Place], object]:
    def attempt(p: Place) -> object:
        end = datetime.now(UTC).replace(second=0, microsecond=0)
        window = {"StartTime": end - timedelta(minutes=10), "EndTime": end}
        return p.call("cloudwatch", "GetMetricData", {"MetricDataQueries": [{"Id": "m1", **query}], **window})

    return attempt


def _stat(stat: str, period: int = 60) -> dict[str, object]:
    metric = {"Namespace": "AWS/ApplicationELB", "MetricName": "RequestCount", "Dimensions": []}
    return {"MetricStat": {"Metric": metric, "Period": period, "Stat": stat}}


def _stranger(service: str, operation: str) -> Callable[[Place], object]:
    def attempt(p: Place) -> object:
        if p.stranger is None:
            raise Needs("it needs requests that are signed")
        return p.stranger(service, operation, {})

    return attempt


_REGISTER = "Application Auto Scaling API Reference, RegisterScalableTarget"
_DATA = "Amazon CloudWatch API Reference, GetMetricData"

OTHERS = (
    Check(
        name="a least capacity above the greatest",
        code="ValidationException",
        source=_REGISTER,
        attempt=lambda p: _scaling(p, "RegisterScalableTarget", p.service, MinCapacity=9, MaxCapacity=2),
    ),
    Check(
        name="scaling a service that is not there",
        code="ValidationException",
        source=_REGISTER,
        attempt=lambda p: _scaling(p, "RegisterScalableTarget", "none", MinCapacity=0, MaxCapacity=2),
    ),
    Check(
        name="a scalable target that is not there",
        code="ObjectNotFoundException",
        source="Application Auto Scaling API Reference, DeregisterScalableTarget",
        attempt=lambda p: _scaling(p, "DeregisterScalableTarget", "none"),
    ),
    Check(name="a scheduled action in the past", code="ValidationException", source=MEMORY, attempt=_past),
    Check(
        name="deleting an alarm that is not there",
        code="ResourceNotFound",
        source="Amazon CloudWatch API Reference, DeleteAlarms",
        attempt=lambda p: p.call("cloudwatch", "DeleteAlarms", {"AlarmNames": [f"{p.name}-none"]}),
    ),
    Check(
        name="a composite alarm of nothing",
        code="ValidationError",
        source="Amazon CloudWatch API Reference, PutCompositeAlarm",
        attempt=lambda p: p.call(
            "cloudwatch",
            "PutCompositeAlarm",
            {"AlarmName": p.name, "AlarmRule": f"ALARM({p.name}-none)"},
        ),
    ),
    Check(
        name="an expression over what is not there",
        code="ValidationError",
        source=_DATA,
        attempt=_query(Expression="m2/m3"),
    ),
    Check(
        name="a statistic that there is none of",
        code="ValidationError",
        source="CloudWatch statistics definitions",
        attempt=_query(**_stat("tm101")),
    ),
    Check(
        name="a period of 45 seconds",
        code="ValidationError",
        source=_DATA,
        attempt=_query(**_stat("Sum", 45)),
    ),
    Check(
        name="a role that trusts somebody else",
        code="AccessDenied",
        source="AWS STS API Reference, AssumeRole",
        attempt=lambda p: p.call(
            "sts",
            "AssumeRole",
            {"RoleArn": f"arn:aws:iam::123456789012:role/{p.name}-none", "RoleSessionName": p.name},
        ),
    ),
    Check(
        name="credentials that nobody gave, at ECS",
        code="UnrecognizedClientException",
        source=MEMORY,
        attempt=_stranger("ecs", "ListClusters"),
    ),
    Check(
        name="credentials that nobody gave, at Elastic Load Balancing",
        code="InvalidClientTokenId",
        source=MEMORY,
        attempt=_stranger("elbv2", "DescribeLoadBalancers"),
    ),
)

CHECKS = (*LOAD_BALANCING, *SERVICES, *OTHERS)
