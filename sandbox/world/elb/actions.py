"""A rule's actions: what AWS refuses, and how it writes the same thing back.

Sources: "Action types for listener rules", "Quotas for your Application Load Balancers", and the ELBv2 API
reference of Action and ForwardActionConfig.
"""

from sandbox.world.elb import authentication
from sandbox.world.elb.state import Balancing, LoadBalancer
from sandbox.world.kernel.errors import AwsRefusal, Json, not_here
from sandbox.world.kernel.operation import only

FINAL = ("forward", "redirect", "fixed-response")
GROUPS_PER_ACTION = 5
GROUPS_PER_BALANCER = 100


def normalised(
    balancing: Balancing, balancer: LoadBalancer, actions: list[Json], *, protocol: str = "HTTP"
) -> list[Json]:
    """The action list as AWS reads it back; `protocol` is its listener's. Raises AwsRefusal for what AWS refuses."""
    if not actions:
        raise AwsRefusal("ValidationError", "At least one action must be specified")
    if len(actions) > 1 and any("Order" not in action for action in actions):
        raise AwsRefusal("InvalidLoadBalancerAction", "An Order is required when several actions are given")
    ordered = sorted(actions, key=lambda action: action.get("Order", 1))
    if ordered[-1]["Type"] not in FINAL or any(a["Type"] in FINAL for a in ordered[:-1]):
        raise AwsRefusal(
            "InvalidLoadBalancerAction", "The last action must be forward, redirect or fixed-response"
        )
    several, is_secure = len(ordered) > 1, protocol == "HTTPS"
    shown = []
    for action in ordered:
        order = {"Order": action.get("Order", 1)} if several or "Order" in action else {}
        if action["Type"] in authentication.KINDS:
            shown.append(
                {"Type": action["Type"], **authentication.shown(action, is_secure=is_secure), **order}
            )
        else:
            shown.append(_one(balancing, balancer, action, order))
    return shown


def _one(balancing: Balancing, balancer: LoadBalancer, action: Json, order: Json) -> Json:
    kind = action["Type"]
    if kind == "forward":
        only(action, ("Type", "Order", "TargetGroupArn", "ForwardConfig"), "forward action")
        return {"Type": kind, **_forward(balancing, balancer, action), **order}
    if kind == "fixed-response":
        only(action, ("Type", "Order", "FixedResponseConfig"), "fixed-response action")
        return {"Type": kind, "FixedResponseConfig": _fixed(action.get("FixedResponseConfig")), **order}
    if kind == "redirect":
        only(action, ("Type", "Order", "RedirectConfig"), "redirect action")
        return {"Type": kind, "RedirectConfig": _redirect(action.get("RedirectConfig")), **order}
    raise not_here(f"action type {kind}")


def _forward(balancing: Balancing, balancer: LoadBalancer, action: Json) -> Json:
    single = action.get("TargetGroupArn")
    config = action.get("ForwardConfig")
    if config is not None:
        only(config, ("TargetGroups", "TargetGroupStickinessConfig"), "ForwardConfig")
    tuples = list(config.get("TargetGroups", ())) if config else []
    if not tuples:
        if single is None:
            raise AwsRefusal("ValidationError", "A forward action needs a target group")
        tuples = [{"TargetGroupArn": single}]
    elif single is not None and (len(tuples) != 1 or tuples[0]["TargetGroupArn"] != single):
        raise AwsRefusal(
            "InvalidLoadBalancerAction",
            "You cannot specify both a target group ARN and a different ForwardConfig",
        )
    if len(tuples) > GROUPS_PER_ACTION:
        raise AwsRefusal(
            "TooManyTargetGroups", f"An action can have {GROUPS_PER_ACTION} target groups at most"
        )
    groups = [_weighted(balancing, balancer, entry) for entry in tuples]
    if len({g["TargetGroupArn"] for g in groups}) != len(groups):
        raise AwsRefusal("InvalidLoadBalancerAction", "A target group can be in an action once")
    stickiness = _stickiness(config.get("TargetGroupStickinessConfig") if config else None)
    _sticky_groups_need_it(balancing, groups, stickiness)
    shape: Json = {"ForwardConfig": {"TargetGroups": groups, "TargetGroupStickinessConfig": stickiness}}
    if len(groups) == 1:  # a single group reads back with both members
        shape = {"TargetGroupArn": groups[0]["TargetGroupArn"], **shape}
    return shape


def _weighted(balancing: Balancing, balancer: LoadBalancer, entry: Json) -> Json:
    weight = entry.get("Weight", 1)
    if not 0 <= weight <= 999:
        raise AwsRefusal("ValidationError", f"Weight {weight} is not between 0 and 999")
    group = balancing.group(entry["TargetGroupArn"])
    if group.load_balancer not in ("", balancer.arn):
        raise AwsRefusal(
            "TargetGroupAssociationLimit",
            f"Target group {group.name} is already associated with another load balancer",
        )
    if not group.is_function and group.settings["VpcId"] != balancer.vpc:
        raise AwsRefusal(
            "InvalidConfigurationRequest", "The target group and the load balancer differ in their VPC"
        )
    return {"TargetGroupArn": group.arn, "Weight": weight}


def _stickiness(given: Json | None) -> Json:
    if not given or not given.get("Enabled"):
        return {"Enabled": False}
    seconds = given.get("DurationSeconds")
    if seconds is None or not 1 <= seconds <= 604800:
        raise AwsRefusal("ValidationError", "The stickiness duration must be from 1 to 604800 seconds")
    return {"Enabled": True, "DurationSeconds": seconds}


def _sticky_groups_need_it(balancing: Balancing, groups: list[Json], stickiness: Json) -> None:
    if len(groups) < 2 or stickiness["Enabled"]:
        return
    for entry in groups:
        if balancing.groups[entry["TargetGroupArn"]].attributes.get("stickiness.enabled") == "true":
            raise AwsRefusal(
                "InvalidLoadBalancerAction",
                "Target group stickiness must be enabled when a target group of the action has sticky sessions",
            )


def _fixed(config: Json | None) -> Json:
    if not config:
        raise AwsRefusal("ValidationError", "A fixed-response action needs its FixedResponseConfig")
    status = config["StatusCode"]
    if not (status.isdecimal() and len(status) == 3 and status[0] in "245"):
        raise AwsRefusal("ValidationError", f"The status code {status} is not 2XX, 4XX or 5XX")
    return dict(config)


def _redirect(config: Json | None) -> Json:
    if not config:
        raise AwsRefusal("ValidationError", "A redirect action needs its RedirectConfig")
    defaults = {
        "Protocol": "#{protocol}",
        "Port": "#{port}",
        "Host": "#{host}",
        "Path": "/#{path}",
        "Query": "#{query}",
    }
    return defaults | config


def groups_of(actions: list[Json]) -> set[str]:
    """The ARNs of every target group that the actions refer to, whatever the weight."""
    return {
        entry["TargetGroupArn"]
        for action in actions
        if action["Type"] == "forward"
        for entry in action["ForwardConfig"]["TargetGroups"]
    }
