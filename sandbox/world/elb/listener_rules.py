"""Rules: written whole, read back at once, in force a moment later."""

from datetime import timedelta

from sandbox.world.elb import actions as action_lists
from sandbox.world.elb import authentication
from sandbox.world.elb import conditions as condition_lists
from sandbox.world.elb import transforms as transform_lists
from sandbox.world.elb.health import Health
from sandbox.world.elb.state import Balancing, Listener, LoadBalancer, Rule
from sandbox.world.elb.tags import given_tags
from sandbox.world.kernel.errors import AwsRefusal, Json
from sandbox.world.kernel.operation import Operation, operation, page

ARNS_MAX = 20  # of rules in one read, as of tags and load balancers


class Rules:
    """DescribeRules, CreateRule, ModifyRule, DeleteRule, and how a write comes into force."""

    def __init__(self, balancing: Balancing, health: Health) -> None:
        self._all = balancing
        self._health = health

    def operations(self) -> dict[str, Operation]:
        """The operations by their AWS names."""
        return {
            "DescribeRules": operation(self.describe, "ListenerArn", "RuleArns", "Marker", "PageSize"),
            "CreateRule": operation(
                self.create, "ListenerArn", "Conditions", "Priority", "Actions", "Tags", "Transforms"
            ),
            "ModifyRule": operation(
                self.modify, "RuleArn", "Conditions", "Actions", "Transforms", "ResetTransforms"
            ),
            "DeleteRule": operation(self.delete, "RuleArn"),
            "SetRulePriorities": operation(self.set_priorities, "RulePriorities"),
        }

    def describe(self, params: Json) -> Json:
        """DescribeRules of one listener, or by ARN (all must exist)."""
        arns = params.get("RuleArns")
        if arns and len(arns) > ARNS_MAX:
            raise AwsRefusal("ValidationError", f"Up to {ARNS_MAX} rules can be described in a single call")
        if arns:
            rules = [self._all.rule(arn) for arn in arns]
        elif "ListenerArn" in params:
            rules = self._all.listener(params["ListenerArn"]).in_order()
        else:
            raise AwsRefusal("ValidationError", "You must specify either listener ARNs or rule ARNs")
        shown, marker = page(rules, params.get("Marker"), params.get("PageSize", 400), code="ValidationError")
        answer: Json = {"Rules": [self._all.rule_views.read(rule.arn, view(rule)) for rule in shown]}
        return answer | ({"NextMarker": marker} if marker else {})

    def create(self, params: Json) -> Json:
        """CreateRule; the priority must be free."""
        listener = self._all.listener(params["ListenerArn"])
        priority = params["Priority"]
        if any(rule.priority == priority for rule in listener.rules.values()):
            raise AwsRefusal("PriorityInUse", f"Priority '{priority}' is currently in use")
        balancer = self._all.load_balancer(listener.load_balancer)
        actions = action_lists.normalised(self._all, balancer, params["Actions"], protocol=listener.protocol)
        secret = authentication.secret_after(params["Actions"], former=None)
        conditions = condition_lists.normalised(params["Conditions"])
        rule = Rule(
            arn=f"{listener.arn.replace(':listener/', ':listener-rule/')}/{self._all.kernel.hex_id(16)}",
            listener=listener.arn,
            priority=priority,
            conditions=conditions,
            actions=[],
            in_force=[],
            conditions_in_force=[],
            live=False,
            default=False,
            tags={tag["Key"]: tag.get("Value", "") for tag in given_tags(params)},
            transforms=transform_lists.normalised(params.get("Transforms", [])),
            secret=secret,
        )
        self._check_quota(balancer, actions)
        listener.rules[rule.arn] = rule
        self._all.rules[rule.arn] = rule
        self.write(rule, actions=actions)
        return {"Rules": [view(rule)]}

    def modify(self, params: Json) -> Json:
        """ModifyRule: the lists given replace the former ones, the others stay."""
        rule = self._all.rule(params["RuleArn"])
        if rule.default:
            raise AwsRefusal("OperationNotPermitted", "Default rule cannot be modified")
        conditions, actions, transforms, secret = rule.conditions, rule.actions, rule.transforms, rule.secret
        if "Conditions" in params:
            conditions = condition_lists.normalised(params["Conditions"])
        if params.get("Transforms") and params.get("ResetTransforms"):
            raise AwsRefusal("ValidationError", "Transforms cannot be given together with ResetTransforms")
        if "Transforms" in params or params.get("ResetTransforms"):
            transforms = transform_lists.normalised(params.get("Transforms", []))
        if "Actions" in params:
            balancer, protocol = self.balancer_of(rule), self._all.listeners[rule.listener].protocol
            actions = action_lists.normalised(self._all, balancer, params["Actions"], protocol=protocol)
            secret = authentication.secret_after(params["Actions"], former=rule.secret)
            self._check_quota(balancer, actions)
        # Nothing is refused any more: all of it takes effect, or none.
        self._all.rule_views.written(rule.arn, view(rule))
        rule.conditions, rule.transforms, rule.secret = conditions, transforms, secret
        self.write(rule, actions=actions)
        return {"Rules": [view(rule)]}

    def delete(self, params: Json) -> Json:
        """DeleteRule; its requests follow the later rules at once."""
        rule = self._all.rule(params["RuleArn"])
        if rule.default:
            raise AwsRefusal("OperationNotPermitted", "Default rule cannot be deleted")
        self.write(rule, actions=[])
        del self._all.listeners[rule.listener].rules[rule.arn]
        del self._all.rules[rule.arn]
        self._all.routes_changed()
        return {}

    def set_priorities(self, params: Json) -> Json:
        """SetRulePriorities: all of them or none. Requests are matched in the new order at once."""
        wanted = {pair["RuleArn"]: int(pair["Priority"]) for pair in params["RulePriorities"]}
        rules = [self._all.rule(arn) for arn in wanted]
        if any(rule.default for rule in rules):
            raise AwsRefusal("OperationNotPermitted", "The priority of a default rule cannot be set")
        for listener in {rule.listener for rule in rules}:
            after = [wanted.get(r.arn, r.priority) for r in self._all.listeners[listener].rules.values()]
            if len(set(after)) < len(after):
                raise AwsRefusal("PriorityInUse", "A priority is currently in use")
        for rule in rules:
            self._all.rule_views.written(rule.arn, view(rule))
            rule.priority = wanted[rule.arn]
        self._all.routes_changed()
        return {"Rules": [view(rule) for rule in rules]}

    def balancer_of(self, rule: Rule) -> LoadBalancer:
        """The load balancer whose listener has the rule."""
        return self._all.load_balancers[self._all.listeners[rule.listener].load_balancer]

    def write(self, rule: Rule, *, actions: list[Json]) -> None:
        """Put actions on a rule: groups are attached at once, requests are steered after the propagation."""
        before, after = action_lists.groups_of(rule.actions), action_lists.groups_of(actions)
        rule.actions = actions
        balancer = self._all.listeners[rule.listener].load_balancer
        for arn in sorted(after - before):
            self._attach(arn, rule, balancer)
        for arn in sorted(before - after):
            self._detach(arn, rule)
        self._spread(rule)

    def _check_quota(self, balancer: LoadBalancer, actions: list[Json]) -> None:
        used = {group.arn for group in self._all.groups.values() if group.load_balancer == balancer.arn}
        if len(used | action_lists.groups_of(actions)) > action_lists.GROUPS_PER_BALANCER:
            raise AwsRefusal(
                "TooManyUniqueTargetGroupsPerLoadBalancer",
                f"A load balancer can have {action_lists.GROUPS_PER_BALANCER} target groups at most",
            )

    def _attach(self, group_arn: str, rule: Rule, balancer: str) -> None:
        group = self._all.groups[group_arn]
        group.rules.add(rule.arn)
        if not group.load_balancer:
            self._all.attached.written(group_arn, "")
            group.load_balancer = balancer
        if group.used_by != balancer:
            group.used_by = balancer
            self._health.attached(group)

    def _detach(self, group_arn: str, rule: Rule) -> None:
        group = self._all.groups[group_arn]
        group.rules.discard(rule.arn)
        if not group.rules:
            self._all.attached.written(group_arn, group.load_balancer)
            group.load_balancer = ""

    def _spread(self, rule: Rule) -> None:
        settings = self._all.kernel.settings
        jitter = settings.propagation_jitter.total_seconds()
        delay = settings.propagation + timedelta(seconds=self._all.kernel.random.uniform(-jitter, jitter))
        rule.written += 1
        number, actions, conditions = rule.written, rule.actions, rule.conditions

        def arrive() -> None:
            if number > rule.arrived:  # a later write may have been quicker
                rule.arrived, rule.live = number, rule.arn in self._all.rules
                former, rule.in_force, rule.conditions_in_force = rule.in_force, actions, conditions
                self._leave(action_lists.groups_of(former))
                self._all.routes_changed()

        if delay <= timedelta(0):
            arrive()
        else:
            self._all.kernel.after(delay, arrive)

    def _leave(self, groups: set[str]) -> None:
        """Targets fall out of use when the last rule has truly stopped to send them requests, not before."""
        for arn in sorted(groups):
            group = self._all.groups.get(arn)
            if group and not group.rules and not self._is_sent_to(arn):
                group.used_by = ""
                self._health.detached(group)

    def _is_sent_to(self, group: str) -> bool:
        """True while any rule or default action in force has the group: each write propagates in its own time."""
        return any(group in action_lists.groups_of(rule.in_force) for rule in self._all.rules.values())


def default_rule(listener_arn: str, suffix: str, actions: list[Json]) -> Rule:
    """The default rule of a new listener, in force from the start; `Rules.write` still has to attach its groups."""
    return Rule(
        arn=f"{listener_arn.replace(':listener/', ':listener-rule/')}/{suffix}",
        listener=listener_arn,
        priority=0,
        conditions=[],
        actions=[],
        in_force=actions,
        conditions_in_force=[],
        live=True,
        default=True,
        tags={},
    )


def listener_view(listener: Listener) -> Json:
    """A listener as DescribeListeners shows it."""
    return {
        "ListenerArn": listener.arn,
        "LoadBalancerArn": listener.load_balancer,
        "Port": listener.port,
        "Protocol": listener.protocol,
        "DefaultActions": listener.default.actions,
        **listener.extras,
    }


def view(rule: Rule) -> Json:
    """A rule as DescribeRules shows it."""
    return {
        "RuleArn": rule.arn,
        "Priority": "default" if rule.default else str(rule.priority),
        "Conditions": rule.conditions,
        "Actions": rule.actions,
        "IsDefault": rule.default,
        **({"Transforms": rule.transforms} if rule.transforms else {}),
    }
