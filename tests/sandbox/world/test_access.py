"""IAM in the World: what policies say of a call, and that nobody is asked until somebody was given some."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from sandbox.scenarios.scenery import Scenery, furnish, until_steady
from sandbox.world import AwsRefusal, World, quiet_world
from sandbox.world.access.actions import ACTIONS
from sandbox.world.access.documents import Decision, Document, Request, decide
from tests.builders import NOON
from tests.support import reference

ROLE = "arn:aws:iam::123456789012:role/teal"
CALLER = "arn:aws:sts::123456789012:assumed-role/teal/session"
SERVICE = "arn:aws:ecs:eu-west-1:123456789012:service/prod/checkout"
CLUSTER = "arn:aws:ecs:eu-west-1:123456789012:cluster/prod"


Condition = Mapping[str, Mapping[str, str | list[str]]]


def allow(*actions: str, on: str | list[str] = "*", when: Condition | None = None) -> dict[str, Any]:
    found: dict[str, Any] = {"Effect": "Allow", "Action": list(actions), "Resource": on}
    return found | ({"Condition": when} if when else {})


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def said(statement: dict[str, Any] | list[dict[str, Any]], **request: Any) -> Decision:  # noqa: ANN401
    statements = statement if isinstance(statement, list) else [statement]
    asked = {"action": "ecs:UpdateService", "resource": SERVICE, **request}
    return decide((Document.read(document(*statements)),), Request(**asked))


Place = tuple[World, Scenery]


@pytest.fixture
def place() -> Place:
    world = quiet_world(NOON)
    scenery = furnish(world)
    until_steady(world, scenery)
    return world, scenery


def by_role(world: World, service: str, operation: str, /, **params: object) -> dict[str, Any]:
    return world.call(service, operation, params, by=CALLER)


# what is evaluated ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "is_allowed"),
    [
        ("*", True),
        ("ecs:*", True),
        ("ecs:Update*", True),
        ("ECS:updateservice", True),
        ("ecs:UpdateServic?", True),
        ("ecs:UpdateServices", False),
        ("ecs:Describe*", False),
    ],
)
def test_actions_are_matched_by_wildcards_and_without_regard_to_case(pattern: str, is_allowed: bool) -> None:
    assert (said(allow(pattern)) is Decision.ALLOWED) is is_allowed


@pytest.mark.parametrize(
    ("pattern", "is_allowed"),
    [
        ("arn:aws:ecs:eu-west-1:123456789012:service/prod/*", True),
        ("arn:aws:ecs:*:*:service/prod/checkout", True),
        ("arn:aws:ecs:eu-west-1:123456789012:service/Prod/*", False),
        ("arn:aws:ecs:eu-west-1:123456789012:cluster/prod", False),
    ],
)
def test_resources_are_matched_by_wildcards_and_with_regard_to_case(pattern: str, is_allowed: bool) -> None:
    assert (said(allow("ecs:*", on=pattern)) is Decision.ALLOWED) is is_allowed


@pytest.mark.parametrize(
    ("operator", "wanted", "keys", "is_allowed"),
    [
        ("StringEquals", "true", ("true",), True),
        ("StringEquals", "tru*", ("true",), False),
        ("StringEquals", "true", None, False),
        ("StringEqualsIfExists", "true", None, True),
        ("StringNotEquals", "true", None, True),
        ("StringNotEquals", "true", ("true",), False),
        ("StringLike", "tr*", ("true",), True),
        ("Null", "true", None, True),
        ("Null", "true", ("true",), False),
        ("ForAllValues:StringLike", "teal:*", ("teal:a", "teal:b"), True),
        ("ForAllValues:StringLike", "teal:*", ("teal:a", "team"), False),
        ("ForAllValues:StringLike", "teal:*", None, True),
        ("ForAnyValue:StringLike", "teal:*", ("teal:a", "team"), True),
        ("ForAnyValue:StringLike", "teal:*", None, False),
        ("ForAllValues:StringLikeIfExists", "teal:*", ("teal:a", "team"), False),
        ("ForAllValues:StringLikeIfExists", "teal:*", None, True),
        ("ForAnyValue:StringLikeIfExists", "teal:*", ("teal:a", "team"), True),
        ("ForAnyValue:StringLikeIfExists", "teal:*", None, True),
    ],
)
def test_a_condition_holds_as_its_operator_says_also_of_a_key_that_is_absent(
    operator: str, wanted: str, keys: tuple[str, ...] | None, is_allowed: bool
) -> None:
    given = {} if keys is None else {"some:key": keys}
    found = said(allow("ecs:*", when={operator: {"some:Key": wanted}}), keys=given)
    assert (found is Decision.ALLOWED) is is_allowed


@pytest.mark.parametrize("operator", ["ArnEquals", "ArnLike"])
def test_a_wildcard_in_an_arn_does_not_reach_over_its_colons(operator: str) -> None:
    keys = {"ecs:cluster": (CLUSTER,)}

    def found(pattern: str) -> bool:
        return said(allow("ecs:*", when={operator: {"ecs:cluster": pattern}}), keys=keys) is Decision.ALLOWED

    assert found("arn:aws:ecs:*:*:cluster/prod")
    assert not found("arn:aws:*:cluster/prod")


def test_every_line_of_a_condition_must_hold_and_one_of_its_values() -> None:
    both: Condition = {"StringEquals": {"a": ["1", "2"], "b": "3"}}
    assert said(allow("*", when=both), keys={"a": ("2",), "b": ("3",)}) is Decision.ALLOWED
    assert said(allow("*", when=both), keys={"a": ("2",)}) is Decision.IMPLICIT_DENY


def test_an_explicit_denial_outweighs_every_permission() -> None:
    denied = {**allow("ecs:UpdateService"), "Effect": "Deny"}
    assert said([allow("*"), denied]) is Decision.EXPLICIT_DENY
    assert said([denied], action="ecs:DeleteService") is Decision.IMPLICIT_DENY


@pytest.mark.parametrize("body", ["no policy", '{"Statement": [{"Effect": "Perhaps"}]}', "{}", "[]"])
def test_what_is_no_policy_is_refused(body: str) -> None:
    with pytest.raises(AwsRefusal, match="MalformedPolicyDocument"):
        Document.read(body)


def test_what_this_world_does_not_evaluate_is_refused_by_name() -> None:
    with pytest.raises(AwsRefusal, match="NotAction"):
        Document.read(document({"Effect": "Allow", "NotAction": "*", "Action": "*", "Resource": "*"}))
    with pytest.raises(AwsRefusal, match="IpAddress"):
        Document.read(document(allow("*", when={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})))


# what a call asks ----------------------------------------------------------------------------------------------


def test_until_somebody_has_policies_everything_is_allowed(place: Place) -> None:
    world, _ = place
    assert by_role(world, "ecs", "ListClusters")
    world.gate.attach(ROLE)
    with pytest.raises(AwsRefusal, match="no identity-based policy allows the ecs:ListClusters action"):
        by_role(world, "ecs", "ListClusters")
    assert world.call("ecs", "ListClusters", {})


def test_a_path_in_a_roles_arn_makes_no_difference_to_whose_policies_they_are(place: Place) -> None:
    world, _ = place
    world.gate.attach("arn:aws:iam::123456789012:role/ci/teal", document())
    with pytest.raises(AwsRefusal, match="AccessDenied"):
        by_role(world, "ecs", "ListClusters")


def test_a_denied_call_is_in_the_log_and_did_nothing(place: Place) -> None:
    world, scenery = place
    world.gate.attach(ROLE, document(allow("ecs:*"), {**allow("ecs:UpdateService"), "Effect": "Deny"}))
    with pytest.raises(AwsRefusal, match="explicit deny in an identity-based policy"):
        by_role(world, "ecs", "UpdateService", cluster="prod", service=scenery.service, desiredCount=0)
    assert world.log[-1].answer is None
    found = world.call("ecs", "DescribeServices", {"cluster": "prod", "services": [scenery.service]})
    assert found["services"][0]["desiredCount"] == 3


def revision_of(world: World, scenery: Scenery) -> str:
    asked = {"cluster": "prod", "services": [scenery.service]}
    service = world.call("ecs", "DescribeServices", asked)["services"][0]
    return str(service["currentServiceRevisions"][0]["arn"])


@pytest.mark.parametrize("missing", ["service", "service-revision"])
def test_an_action_must_be_allowed_on_each_of_its_required_resource_types(place: Place, missing: str) -> None:
    world, scenery = place
    kinds = ("service", "service-revision")
    on = {kind: f"arn:aws:ecs:eu-west-1:123456789012:{kind}/prod/*" for kind in kinds}
    arn = revision_of(world, scenery)
    world.gate.attach(ROLE, document(allow("ecs:DescribeServiceRevisions", on=list(on.values()))))
    assert by_role(world, "ecs", "DescribeServiceRevisions", serviceRevisionArns=[arn])["serviceRevisions"]
    world.gate.attach(
        ROLE, document(allow("ecs:DescribeServiceRevisions", on=[on[k] for k in kinds if k != missing]))
    )
    with pytest.raises(AwsRefusal, match=f":{missing}/prod/"):
        by_role(world, "ecs", "DescribeServiceRevisions", serviceRevisionArns=[arn])


def test_a_key_that_an_action_does_not_have_is_absent_from_its_requests(place: Place) -> None:
    world, scenery = place
    condition = {"StringEquals": {"application-autoscaling:service-namespace": "ecs"}}
    world.gate.attach(ROLE, document(allow("application-autoscaling:*", when=condition)))
    target = {
        "ServiceNamespace": "ecs",
        "ResourceId": f"service/prod/{scenery.service}",
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    limits = {"MinCapacity": 1, "MaxCapacity": 9}
    by_role(world, "application-autoscaling", "RegisterScalableTarget", **target, **limits)
    with pytest.raises(AwsRefusal, match="application-autoscaling:TagResource"):
        by_role(
            world, "application-autoscaling", "RegisterScalableTarget", **target, **limits, Tags={"a": "b"}
        )


def test_who_tags_what_it_makes_needs_the_permission_of_tagging_with_its_create_action(place: Place) -> None:
    world, _ = place
    group = {"Name": "teal-x", "Protocol": "HTTP", "Port": 80, "VpcId": "vpc-1", "TargetType": "ip"}
    tags = [{"Key": "teal:managed", "Value": "true"}]
    made = allow(
        "elasticloadbalancing:CreateTargetGroup",
        on="arn:aws:elasticloadbalancing:*:*:targetgroup/teal-*/*",
        when={"StringEquals": {"aws:RequestTag/teal:managed": "true"}},
    )
    world.gate.attach(ROLE, document(made))
    with pytest.raises(AwsRefusal, match="elasticloadbalancing:AddTags"):
        by_role(world, "elbv2", "CreateTargetGroup", **group, Tags=tags)
    tagging = {"StringEquals": {"elasticloadbalancing:CreateAction": "CreateTargetGroup"}}
    world.gate.attach(ROLE, document(made, allow("elasticloadbalancing:AddTags", when=tagging)))
    (group_made,) = by_role(world, "elbv2", "CreateTargetGroup", **group, Tags=tags)["TargetGroups"]
    with pytest.raises(AwsRefusal, match="elasticloadbalancing:AddTags"):
        by_role(world, "elbv2", "AddTags", ResourceArns=[group_made["TargetGroupArn"]], Tags=tags)


def test_tags_of_a_resource_are_keys_of_its_requests(place: Place) -> None:
    world, scenery = place
    arn = f"arn:aws:ecs:eu-west-1:123456789012:service/prod/{scenery.service}"
    tagged = {"StringEquals": {"aws:ResourceTag/teal:managed": "true"}}
    world.gate.attach(ROLE, document(allow("ecs:UpdateService", when=tagged)))
    with pytest.raises(AwsRefusal, match="ecs:UpdateService"):
        by_role(world, "ecs", "UpdateService", cluster="prod", service=scenery.service, desiredCount=3)
    tags = [{"key": "teal:managed", "value": "true"}]
    world.call("ecs", "TagResource", {"resourceArn": arn, "tags": tags})
    assert by_role(world, "ecs", "UpdateService", cluster="prod", service=scenery.service, desiredCount=3)


def test_a_role_is_passed_to_the_service_that_takes_it(place: Place) -> None:
    world, _ = place
    task = "arn:aws:iam::123456789012:role/checkout-task"
    definition = {
        "family": "checkout",
        "taskRoleArn": task,
        "networkMode": "awsvpc",
        "containerDefinitions": [{"name": "app", "image": "a:1", "memory": 64}],
    }
    passing = {"StringEquals": {"iam:PassedToService": "ecs.amazonaws.com"}}
    world.gate.attach(ROLE, document(allow("ecs:*"), allow("iam:PassRole", on=task, when=passing)))
    with pytest.raises(AwsRefusal, match=r"iam:PassRole on resource: .*:role/checkout-task"):
        by_role(world, "ecs", "RegisterTaskDefinition", **definition)
    passing = {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
    world.gate.attach(ROLE, document(allow("ecs:*"), allow("iam:PassRole", on=task, when=passing)))
    assert by_role(world, "ecs", "RegisterTaskDefinition", **definition)


@pytest.mark.parametrize(
    ("on", "shown"), [("*", ["whole"]), ("arn:aws:cloudwatch:eu-west-1:123456789012:alarm:*", [])]
)
def test_composite_alarms_are_shown_only_to_whoever_may_ask_about_all(
    place: Place, on: str, shown: list[str]
) -> None:
    world, scenery = place
    world.call(
        "cloudwatch",
        "PutCompositeAlarm",
        {"AlarmName": "whole", "AlarmRule": f"ALARM({scenery.alarms[0]})"},
    )
    world.gate.attach(ROLE, document(allow("cloudwatch:Describe*", on=on)))
    kinds = ["MetricAlarm", "CompositeAlarm"]
    found = by_role(world, "cloudwatch", "DescribeAlarms", AlarmTypes=kinds)
    assert [alarm["AlarmName"] for alarm in found["CompositeAlarms"]] == shown
    assert found["MetricAlarms"]
    items = by_role(world, "cloudwatch", "DescribeAlarmHistory", AlarmTypes=kinds)["AlarmHistoryItems"]
    assert {item["AlarmName"] for item in items if item["AlarmType"] == "CompositeAlarm"} == set(shown)


def test_who_writes_a_rule_with_cognito_needs_the_pools_permission(place: Place) -> None:
    world, scenery = place
    pool = "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_A"
    listener = world.call(
        "elbv2",
        "CreateListener",
        {
            "LoadBalancerArn": scenery.load_balancer,
            "Protocol": "HTTPS",
            "Port": 443,
            "Certificates": [{"CertificateArn": "arn:aws:acm:eu-west-1:123456789012:certificate/1"}],
            "DefaultActions": [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
        },
    )["Listeners"][0]["ListenerArn"]
    config = {"UserPoolArn": pool, "UserPoolClientId": "c", "UserPoolDomain": "d"}
    actions = [
        {"Type": "authenticate-cognito", "Order": 1, "AuthenticateCognitoConfig": config},
        {"Type": "forward", "Order": 2, "TargetGroupArn": scenery.target_group},
    ]
    world.gate.attach(ROLE, document(allow("elasticloadbalancing:*")))
    with pytest.raises(AwsRefusal, match=r"InvalidLoadBalancerAction: .*'describeUserPoolClient'"):
        by_role(world, "elbv2", "ModifyListener", ListenerArn=listener, DefaultActions=actions)
    world.gate.attach(
        ROLE, document(allow("elasticloadbalancing:*"), allow("cognito-idp:DescribeUserPoolClient", on=pool))
    )
    assert by_role(world, "elbv2", "ModifyListener", ListenerArn=listener, DefaultActions=actions)


def test_a_session_may_do_what_both_its_role_and_its_own_policy_allow(place: Place) -> None:
    world, _ = place
    session = Document.of_session(json.dumps(document(allow("ecs:*"))))

    def may(operation: str) -> bool:
        try:
            world.call("ecs", operation, {}, by=CALLER, policy=session)
        except AwsRefusal:
            return False
        return True

    world.gate.attach(ROLE, document(allow("ecs:ListClusters", "elasticloadbalancing:*")))
    assert may("ListClusters")
    assert not may("ListTaskDefinitions")
    session = Document.of_session(json.dumps(document(allow("elasticloadbalancing:*"))))
    assert not may("ListClusters")


def test_a_simulation_evaluates_the_principals_policies_with_the_keys_that_it_was_told(place: Place) -> None:
    world, _ = place
    statement = allow(
        "ecs:UpdateService", on=SERVICE.replace("checkout", "*"), when={"ArnEquals": {"ecs:cluster": CLUSTER}}
    )
    world.gate.attach(ROLE, document(statement))

    def simulated(**more: object) -> tuple[str, list[str]]:
        asked = {"PolicySourceArn": ROLE, "ActionNames": ["ecs:UpdateService"], "ResourceArns": [SERVICE]}
        (result,) = world.call("iam", "SimulatePrincipalPolicy", {**asked, **more})["EvaluationResults"]
        return result["EvalDecision"], result["ResourceSpecificResults"][0]["MissingContextValues"]

    told = {"ContextKeyName": "ecs:cluster", "ContextKeyValues": [CLUSTER], "ContextKeyType": "string"}
    assert simulated(ContextEntries=[told]) == ("allowed", [])
    assert simulated() == ("implicitDeny", ["ecs:cluster"])
    assert simulated(ResourceArns=["*"], ContextEntries=[told]) == ("implicitDeny", [])


# the World's table ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ACTIONS)
def test_what_the_world_knows_of_an_action_is_what_the_reference_says(action: str) -> None:
    known = reference.known(action)
    assert known is not None
    mine = ACTIONS[action]
    assert set(mine.types) == known.required
    strange = [
        key for key in mine.keys if not reference.is_key(f"{key}x" if key.endswith("/") else key, action)
    ]
    assert strange == []
