"""A service as teams have it: rules on two listeners that authenticate, rewrite, stick and share with others."""

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Protocol

from sandbox.scenarios.scenery import Scenery
from sandbox.world.world import World
from tests.support.rehearsal import Rehearsal

Rule = dict[str, Any]
SECRET = "keep-this"
OIDC = {
    "Issuer": "https://idp.example",
    "AuthorizationEndpoint": "https://idp.example/authorize",
    "TokenEndpoint": "https://idp.example/token",
    "UserInfoEndpoint": "https://idp.example/user",
    "ClientId": "checkout",
    "ClientSecret": SECRET,
}
REWRITE = {"Type": "url-rewrite", "UrlRewriteConfig": {"Rewrites": [{"Regex": "^/old", "Replace": "/new"}]}}
LIFE = 60  # seconds that a cookie keeps its user


class Furnished(Protocol):
    """A World with a service in it."""

    @property
    def world(self) -> World:
        """The World."""
        ...

    @property
    def scenery(self) -> Scenery:
        """The service's names and ARNs."""
        ...


def call(stage: Furnished, operation: str, **params: object) -> dict[str, Any]:
    """One call of Elastic Load Balancing by somebody else than Teal."""
    return stage.world.call("elbv2", operation, params)


def rule_of(stage: Furnished, arn: str = "") -> Rule:
    """A rule as described; the first of the service unless named."""
    found: Rule = call(stage, "DescribeRules", RuleArns=[arn or stage.scenery.rules[0]])["Rules"][0]
    return copy.deepcopy(found)


def forward_of(rule: Rule) -> dict[str, Any]:
    """The forward's configuration of a rule."""
    found: dict[str, Any] = rule["Actions"][-1]["ForwardConfig"]
    return found


def weights_of(stage: Furnished, arn: str = "") -> dict[str, int]:
    """The weights of a rule by target group ARN."""
    groups = forward_of(rule_of(stage, arn))["TargetGroups"]
    return {group["TargetGroupArn"]: group["Weight"] for group in groups}


def green_group(stage: Furnished) -> str:
    """The target group of green."""
    found = call(stage, "DescribeTargetGroups")["TargetGroups"]
    (arn,) = [group["TargetGroupArn"] for group in found if group["TargetGroupName"].startswith("teal-")]
    return str(arn)


def foreign_group(stage: Furnished, name: str = "search") -> str:
    """A target group of another team, in no rule yet."""
    known = call(stage, "DescribeTargetGroups", TargetGroupArns=[stage.scenery.target_group])["TargetGroups"][
        0
    ]
    like = {name: known[name] for name in ("Protocol", "Port", "VpcId", "TargetType")}
    return str(call(stage, "CreateTargetGroup", Name=name, **like)["TargetGroups"][0]["TargetGroupArn"])


def make_sticky(stage: Furnished, arn: str = "", life: int = LIFE) -> None:
    """Turn group stickiness on in a rule."""
    rule = rule_of(stage, arn)
    forward_of(rule)["TargetGroupStickinessConfig"] = {"Enabled": True, "DurationSeconds": life}
    call(stage, "ModifyRule", RuleArn=rule["RuleArn"], Actions=rule["Actions"])


def make_sessions_sticky(stage: Furnished, kind: str = "lb_cookie", life: int = LIFE) -> None:
    """Turn sticky sessions on in blue's target group."""
    wanted = {
        "stickiness.enabled": "true",
        "stickiness.type": kind,
        "stickiness.lb_cookie.duration_seconds": str(life),
    }
    if kind == "app_cookie":
        wanted["stickiness.app_cookie.cookie_name"] = "session"
    attributes = [{"Key": key, "Value": value} for key, value in wanted.items()]
    group = stage.scenery.target_group
    call(stage, "ModifyTargetGroupAttributes", TargetGroupArn=group, Attributes=attributes)


def on_https(stage: Furnished, *, port: int = 443) -> tuple[str, str]:
    """An HTTPS listener: a rule with OIDC and a rewrite, and a default rule that another team has a quarter of."""
    blue, other = stage.scenery.target_group, foreign_group(stage)
    weighted = [{"TargetGroupArn": blue, "Weight": 3}, {"TargetGroupArn": other, "Weight": 1}]
    listener = call(
        stage,
        "CreateListener",
        LoadBalancerArn=stage.scenery.load_balancer,
        Protocol="HTTPS",
        Port=port,
        Certificates=[{"CertificateArn": "arn:aws:acm:eu-west-1:123456789012:certificate/1"}],
        DefaultActions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": weighted}}],
    )["Listeners"][0]["ListenerArn"]
    rule = call(
        stage,
        "CreateRule",
        ListenerArn=listener,
        Priority=7,
        Conditions=[{"Field": "path-pattern", "Values": ["/admin/*"]}],
        Actions=[
            {"Type": "authenticate-oidc", "Order": 10, "AuthenticateOidcConfig": OIDC},
            {"Type": "forward", "Order": 20, "TargetGroupArn": blue},
        ],
        Transforms=[REWRITE],
    )["Rules"][0]["RuleArn"]
    listed = call(stage, "DescribeRules", ListenerArn=listener)["Rules"]
    return rule, next(r["RuleArn"] for r in listed if r["IsDefault"])


def teams_own(**furnishing: Any) -> Iterator[Rehearsal]:  # noqa: ANN401 - the parameters of `furnish`
    """A sticky rule on one listener, and on another one with OIDC and a default rule that is shared with others."""
    with Rehearsal(requests_per_second=60, **furnishing) as stage:
        make_sticky(stage)
        stage.scenery = replace(stage.scenery, rules=(*stage.scenery.rules, *on_https(stage)))
        stage.let_run(2 * stage.world.minute)
        yield stage


def as_text(stage: Furnished) -> str:
    """Everything of the load balancer, to the letter: listeners, rules, target groups, their attributes and tags."""
    balancer = stage.scenery.load_balancer
    listeners = call(stage, "DescribeListeners", LoadBalancerArn=balancer)["Listeners"]
    groups = call(stage, "DescribeTargetGroups")["TargetGroups"]
    arns = [group["TargetGroupArn"] for group in groups]
    told = {
        "listeners": listeners,
        "rules": [call(stage, "DescribeRules", ListenerArn=one["ListenerArn"])["Rules"] for one in listeners],
        "groups": groups,
        "attributes": [call(stage, "DescribeTargetGroupAttributes", TargetGroupArn=arn) for arn in arns],
        "tags": call(stage, "DescribeTags", ResourceArns=arns),
        "secrets": [stage.world.client_secret(rule) for rule in stage.scenery.rules],
    }
    # The order of a structure's members is the wire's, and says nothing; that of lists is kept.
    return json.dumps(told, indent=1, sort_keys=True, default=str)
