"""Rules that authenticate, rules that rewrite, and users whom cookies keep on a target group."""

from datetime import timedelta

import pytest

from sandbox.world import AwsRefusal
from tests.sandbox.world.places import Shop, Wire, seconds, shop
from tests.support.virtual_traffic import VirtualTraffic

OIDC = {
    "Issuer": "https://idp.example",
    "AuthorizationEndpoint": "https://idp.example/a",
    "TokenEndpoint": "https://idp.example/t",
    "UserInfoEndpoint": "https://idp.example/u",
    "ClientId": "shop",
}
CONDITIONS = [{"Field": "path-pattern", "Values": ["/admin/*"]}]


def https(s: Shop, *actions: Wire, **more: object) -> str:
    """A rule with these actions, and the service's forward after them, on an HTTPS listener."""
    forward = {"Type": "forward", "TargetGroupArn": s.scenery.target_group}
    params = {
        "LoadBalancerArn": s.scenery.load_balancer,
        "Protocol": "HTTPS",
        "Port": 443,
        "Certificates": [{"CertificateArn": "arn:aws:acm:eu-west-1:123456789012:certificate/1"}],
        "DefaultActions": [forward],
    }
    listener = s.world.call("elbv2", "CreateListener", params)["Listeners"][0]["ListenerArn"]
    listed = [{**action, "Order": n} for n, action in enumerate((*actions, forward), start=1)]
    rule = {"ListenerArn": listener, "Priority": 5, "Conditions": CONDITIONS, "Actions": listed, **more}
    return str(s.world.call("elbv2", "CreateRule", rule)["Rules"][0]["RuleArn"])


def read(s: Shop, rule: str) -> Wire:
    return s.world.call("elbv2", "DescribeRules", {"RuleArns": [rule]})["Rules"][0]


def oidc(**more: object) -> Wire:
    return {"Type": "authenticate-oidc", "AuthenticateOidcConfig": {**OIDC, **more}}


def test_a_client_secret_is_never_shown_and_kept_only_by_a_write_that_says_so() -> None:
    s = shop()
    rule = https(s, oidc(ClientSecret="hush"))
    shown = read(s, rule)["Actions"]
    assert "hush" not in str(shown)
    with pytest.raises(AwsRefusal, match="client secret must be specified"):
        s.world.call("elbv2", "ModifyRule", {"RuleArn": rule, "Actions": shown})
    shown[0]["AuthenticateOidcConfig"]["UseExistingClientSecret"] = True
    s.world.call("elbv2", "ModifyRule", {"RuleArn": rule, "Actions": shown})
    assert s.world.client_secret(rule) == "hush"
    assert "UseExistingClientSecret" not in str(read(s, rule))


def test_a_new_rule_cannot_use_the_secret_of_another() -> None:
    s = shop()
    with pytest.raises(AwsRefusal, match="client secret must be specified"):
        https(s, oidc(UseExistingClientSecret=True))


def test_a_rule_without_oidc_has_no_secret_to_keep() -> None:
    s = shop()
    rule = https(s)
    actions = [
        {**oidc(UseExistingClientSecret=True), "Order": 1},
        {"Type": "forward", "TargetGroupArn": s.scenery.target_group, "Order": 2},
    ]
    with pytest.raises(AwsRefusal, match="client secret must be specified"):
        s.world.call("elbv2", "ModifyRule", {"RuleArn": rule, "Actions": actions})


def test_cognito_and_jwt_actions_read_back_as_written() -> None:
    s = shop()
    jwt = {
        "Type": "jwt-validation",
        "JwtValidationConfig": {"JwksEndpoint": "https://idp.example/k", "Issuer": "https://idp.example"},
    }
    pool = {"UserPoolArn": "arn:aws:cognito:pool", "UserPoolClientId": "c", "UserPoolDomain": "d"}
    cognito = {"Type": "authenticate-cognito", "AuthenticateCognitoConfig": pool}
    rule = https(s, cognito, jwt)
    first, second, forward = read(s, rule)["Actions"]
    assert first["AuthenticateCognitoConfig"].items() >= pool.items()
    assert second == {**jwt, "Order": 2}
    assert forward["Order"] == 3


def test_a_write_of_actions_leaves_a_rules_transforms_as_they_are() -> None:
    s = shop()
    rewrite = {"Type": "url-rewrite", "UrlRewriteConfig": {"Rewrites": [{"Regex": "^/a", "Replace": "/b"}]}}
    rule = https(s, Transforms=[rewrite])
    s.world.call("elbv2", "ModifyRule", {"RuleArn": rule, "Actions": read(s, rule)["Actions"]})
    assert read(s, rule)["Transforms"] == [rewrite]
    s.world.call("elbv2", "ModifyRule", {"RuleArn": rule, "ResetTransforms": True})
    assert "Transforms" not in read(s, rule)


def sticky_split(s: Shop, life: int, **weights: int) -> None:
    groups = {name: s.scenery.target_group if name == "blue" else s.group(name) for name in weights}
    config = {
        "TargetGroups": [{"TargetGroupArn": groups[n], "Weight": w} for n, w in weights.items()],
        "TargetGroupStickinessConfig": {"Enabled": True, "DurationSeconds": life},
    }
    actions = [{"Type": "forward", "ForwardConfig": config}]
    s.world.call("elbv2", "ModifyRule", {"RuleArn": s.scenery.rules[0], "Actions": actions})


def test_users_stay_on_their_group_until_their_cookie_ends_or_the_group_is_out_of_the_rule() -> None:
    s = shop()
    sticky_split(s, 60, blue=1)
    traffic = VirtualTraffic(s.world, s.scenery.listeners[0], 50, users=100, path="/")
    s.world.advance(seconds(20))
    answered = traffic.totals.answered[s.scenery.target_group]
    sticky_split(s, 60, blue=0, green=1)
    s.world.advance(seconds(10))
    assert traffic.totals.answered[s.scenery.target_group] == answered + 500, "weight 0 frees nobody"
    s.world.advance(timedelta(minutes=2))
    later = traffic.totals.answered[s.scenery.target_group]
    s.world.advance(seconds(10))
    assert traffic.totals.answered[s.scenery.target_group] == later, "every cookie has ended"
    assert traffic.totals.rejected > 0, "green has no target"


def test_a_group_out_of_the_rule_frees_its_users_at_once() -> None:
    s = shop()
    s.group("green")
    sticky_split(s, 600, green=1, blue=0)
    traffic = VirtualTraffic(s.world, s.scenery.listeners[0], 50, users=100, path="/")
    s.world.advance(seconds(10))
    assert traffic.totals.answered[s.scenery.target_group] == 0
    sticky_split(s, 600, blue=1)
    s.world.advance(seconds(10))
    assert traffic.totals.answered[s.scenery.target_group] == 500
