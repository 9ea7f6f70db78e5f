"""What Elastic Load Balancing refuses."""

from collections.abc import Callable

from tests.verify.check import MEMORY, Check, nowhere, write
from tests.verify.place import Needs, Place


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
