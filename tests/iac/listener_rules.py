"""``aws_lb_listener`` and ``aws_lb_listener_rule``: action lists, which are read in the shape that was declared.

An API answer of a forward to one group has its ARN twice, at the top and in ForwardConfig; of a forward to several it
has ForwardConfig alone. The provider (since its pull request 35671) reads ``forward`` where a ``forward`` block was
declared, else ``target_group_arn``, which is then empty while there are several groups: a difference.
"""

from collections.abc import Callable, Collection
from typing import Any

from sandbox.world.world import World
from tests.iac.kind import ELB, Attributes, Kind, as_set, change_elb_tags, elb_tags, one

# Each condition's block, and what the API calls its member.
CONDITIONS = {"path_pattern": "path-pattern", "host_header": "host-header"}
CONFIGS = {"path_pattern": "PathPatternConfig", "host_header": "HostHeaderConfig"}
OIDC = {
    "issuer": "Issuer",
    "authorization_endpoint": "AuthorizationEndpoint",
    "token_endpoint": "TokenEndpoint",
    "user_info_endpoint": "UserInfoEndpoint",
    "client_id": "ClientId",
    "client_secret": "ClientSecret",
}


# action lists -----------------------------------------------------------------------------------------------------


def normal_actions(declared: list[Attributes]) -> list[Attributes]:
    """Weights have a default, the groups of a forward are a set."""
    return [
        action | ({"forward": [_normal_forward(action["forward"][0])]} if "forward" in action else {})
        for action in declared
    ]


def _normal_forward(forward: Attributes) -> Attributes:
    return forward | {"target_group": as_set([{"weight": 1, **each} for each in forward["target_group"]])}


def read_actions(actions: list[Any], declared: list[Attributes]) -> list[Attributes]:
    """What the API answered, each forward in the shape of the declared action at its place."""
    shapes = [*declared, *({} for _ in actions)]
    return [_read_action(action, shape) for action, shape in zip(actions, shapes, strict=False)]


def _read_action(action: Attributes, shape: Attributes) -> Attributes:
    found: Attributes = {"type": action["Type"], "order": action.get("Order", 1)}
    if action["Type"] == "forward" and "forward" in shape:
        found["forward"] = [_read_forward(action["ForwardConfig"])]
    elif action["Type"] == "forward":
        found["target_group_arn"] = action.get("TargetGroupArn", "")
    elif action["Type"] == "authenticate-oidc":
        # The API never shows the secret: the provider takes it from its own state.
        known = {"client_secret": shape.get("authenticate_oidc", [{}])[0].get("client_secret", "")}
        read = {name: action["AuthenticateOidcConfig"].get(member) for name, member in OIDC.items()}
        found["authenticate_oidc"] = [read | known]
    return found


def _read_forward(config: Attributes) -> Attributes:
    groups = [{"arn": each["TargetGroupArn"], "weight": each["Weight"]} for each in config["TargetGroups"]]
    sticky = config.get("TargetGroupStickinessConfig", {})
    kept = {"enabled": sticky.get("Enabled", False), "duration": sticky.get("DurationSeconds", 0)}
    return {"target_group": as_set(groups), "stickiness": [kept]}


def write_actions(actions: list[Attributes]) -> list[Attributes]:
    """The whole list as the provider sends it; each action's order is its place unless it has one."""
    return [_write_action(place, action) for place, action in enumerate(actions, 1)]


def _write_action(place: int, action: Attributes) -> Attributes:
    made: Attributes = {"Type": action["type"], "Order": action.get("order", place)}
    if action.get("target_group_arn"):
        made["TargetGroupArn"] = action["target_group_arn"]
    if action.get("forward"):
        made["ForwardConfig"] = _write_forward(action["forward"][0])
    if action.get("authenticate_oidc"):
        config = action["authenticate_oidc"][0]
        made["AuthenticateOidcConfig"] = {member: config[name] for name, member in OIDC.items()}
    return made


def _write_forward(forward: Attributes) -> Attributes:
    groups = [{"TargetGroupArn": each["arn"], "Weight": each["weight"]} for each in forward["target_group"]]
    made: Attributes = {"TargetGroups": groups}
    for sticky in forward.get("stickiness", ()):
        seconds = {"DurationSeconds": sticky["duration"]} if sticky.get("duration") else {}
        made["TargetGroupStickinessConfig"] = {"Enabled": sticky.get("enabled", False), **seconds}
    return made


# aws_lb_listener --------------------------------------------------------------------------------------------------


def read_listener(world: World, arn: str, declared: Attributes) -> Attributes | None:
    """DescribeListeners and DescribeTags."""
    listener = one(world, ELB, "DescribeListeners", "Listeners", ListenerArns=[arn])
    if listener is None:
        return None
    certificates = listener.get("Certificates") or [{"CertificateArn": ""}]
    return {
        "load_balancer_arn": listener["LoadBalancerArn"],
        "port": listener["Port"],
        "protocol": listener["Protocol"],
        "certificate_arn": certificates[0]["CertificateArn"],
        "default_action": read_actions(listener["DefaultActions"], declared["default_action"]),
        "tags": elb_tags(world, arn),
    }


def create_listener(world: World, wanted: Attributes) -> str:
    """CreateListener."""
    asked = _listener(wanted) | {"LoadBalancerArn": wanted["load_balancer_arn"]}
    asked["DefaultActions"] = write_actions(wanted["default_action"])
    return str(world.call(ELB, "CreateListener", asked)["Listeners"][0]["ListenerArn"])


def update_listener(world: World, arn: str, wanted: Attributes, changed: Collection[str]) -> None:
    """ModifyListener with port and protocol in any case, and the default actions only if they changed."""
    if set(changed) - {"tags"}:
        asked = _listener(wanted) | {"ListenerArn": arn}
        if "default_action" in changed:
            asked["DefaultActions"] = write_actions(wanted["default_action"])
        world.call(ELB, "ModifyListener", asked)
    if "tags" in changed:
        change_elb_tags(world, arn, wanted["tags"])


def _listener(wanted: Attributes) -> Attributes:
    asked: Attributes = {"Port": wanted["port"], "Protocol": wanted["protocol"]}
    if wanted.get("certificate_arn"):
        asked["Certificates"] = [{"CertificateArn": wanted["certificate_arn"]}]
    return asked


# aws_lb_listener_rule ---------------------------------------------------------------------------------------------


def normal_rule(declared: Attributes) -> Attributes:
    """Conditions are a set of blocks with a set of values each."""
    return declared | {
        "action": normal_actions(declared["action"]),
        "condition": as_set([_sorted_values(each) for each in declared["condition"]]),
    }


def _sorted_values(condition: Attributes) -> Attributes:
    return {name: [{"values": sorted(blocks[0]["values"])}] for name, blocks in condition.items()}


def read_rule(world: World, arn: str, declared: Attributes) -> Attributes | None:
    """DescribeRules and DescribeTags."""
    rule = one(world, ELB, "DescribeRules", "Rules", RuleArns=[arn])
    if rule is None:
        return None
    names = {field: name for name, field in CONDITIONS.items()}
    conditions = [
        {names[each["Field"]]: [{"values": sorted(each[CONFIGS[names[each["Field"]]]]["Values"])}]}
        for each in rule["Conditions"]
    ]
    return {
        "listener_arn": arn.replace(":listener-rule/", ":listener/").rpartition("/")[0],
        "priority": int(rule["Priority"]),
        "action": read_actions(rule["Actions"], declared["action"]),
        "condition": as_set(conditions),
        "tags": elb_tags(world, arn),
    }


def create_rule(world: World, wanted: Attributes) -> str:
    """CreateRule."""
    asked = {
        "ListenerArn": wanted["listener_arn"],
        "Priority": wanted["priority"],
        "Actions": write_actions(wanted["action"]),
        "Conditions": _write_conditions(wanted),
    }
    return str(world.call(ELB, "CreateRule", asked)["Rules"][0]["RuleArn"])


def update_rule(world: World, arn: str, wanted: Attributes, changed: Collection[str]) -> None:
    """SetRulePriorities for the priority; ModifyRule with those of the two lists that changed, each whole."""
    if "priority" in changed:
        pair = {"RuleArn": arn, "Priority": wanted["priority"]}
        world.call(ELB, "SetRulePriorities", {"RulePriorities": [pair]})
    lists: dict[str, Callable[[], list[Attributes]]] = {
        "Actions": lambda: write_actions(wanted["action"]),
        "Conditions": lambda: _write_conditions(wanted),
    }
    asked = {
        member: made()
        for member, made in lists.items()
        if {"Actions": "action", "Conditions": "condition"}[member] in changed
    }
    if asked:
        world.call(ELB, "ModifyRule", {"RuleArn": arn, **asked})
    if "tags" in changed:
        change_elb_tags(world, arn, wanted["tags"])


def _write_conditions(wanted: Attributes) -> list[Attributes]:
    return [
        {"Field": CONDITIONS[name], CONFIGS[name]: {"Values": blocks[0]["values"]}}
        for condition in wanted["condition"]
        for name, blocks in condition.items()
    ]


def normal_listener(declared: Attributes) -> Attributes:
    """The default actions with their defaults."""
    return declared | {"default_action": normal_actions(declared["default_action"])}


LISTENER = Kind(
    read=read_listener,
    create=create_listener,
    update=update_listener,
    normal=normal_listener,
    defaults={"tags": {}, "certificate_arn": ""},
)
RULE = Kind(read=read_rule, create=create_rule, update=update_rule, normal=normal_rule, defaults={"tags": {}})
