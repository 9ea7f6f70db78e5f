"""Can the weights of the rules that carry blue's traffic be divided, and will nobody else divide them?"""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from orchestrator.core.cloud.forward_action import Forward, cookie_life, read_forward, with_weights
from orchestrator.core.cloud.resources import RuleSeen
from orchestrator.core.cloud.survey import LB_COOKIE, Finding, GroupSurvey, Survey, is_elsewhere
from orchestrator.core.domain.errors import Rejected
from orchestrator.core.domain.ids import TargetGroupArn
from orchestrator.core.domain.plan import percent
from orchestrator.core.domain.text import counted, group_name, load_balancer_name, span
from orchestrator.core.rollout.spec import Spec, Sticky
from orchestrator.core.traffic.discovery import in_scope, test_rules_of
from orchestrator.core.traffic.rule_looks import GREEN_GROUP
from orchestrator.preflight.findings import error, note, warning
from orchestrator.preflight.timing import steps_of

GROUPS_PER_ACTION = 5  # Quotas for your Application Load Balancers; not adjustable
GROUPS_PER_LOAD_BALANCER = 100  # likewise
WHOLE = 100  # percent of a service's tasks
_NOBODY = TargetGroupArn("arn:of:a:target:group:that:is:not:there")


def look(spec: Spec, survey: Survey) -> Iterator[Finding]:
    """What speaks against the rules and target groups that carry blue's traffic."""
    if not survey.groups:
        yield error(
            "no-load-balancer",
            f"{survey.blue.name} has no target group",
            "without a load balancer there are no weights to move",
            "put the service behind an Application Load Balancer",
        )
        return
    yield from _named(spec, survey)
    yield from _scope(spec, survey)
    for group in survey.groups:
        yield from _group(group)
    yield from _quota(survey)
    for rule in (*in_scope(spec, survey), *test_rules_of(spec, survey)):
        yield from _rule(rule, spec, survey)


def _named(spec: Spec, survey: Survey) -> Iterator[Finding]:
    for arn in survey.missing_rules:
        is_test = arn in spec.test_rules
        yield error(
            "test-rule-missing" if is_test else "rule-missing",
            f"{arn} does not exist",
            "the file names it",
            f"correct traffic.{'test_rules' if is_test else 'rules'}, or remove it",
        )
    known = {rule.arn for rule in survey.rules} | {rule.listener for rule in survey.rules if rule.is_default}
    for arn in spec.rules:
        is_foreign = is_elsewhere(arn, account=survey.account, region=survey.region)
        if arn not in known and arn not in survey.missing_rules and not is_foreign:
            yield error(
                "rule-not-blues",
                f"{arn} does not forward to a target group of {survey.blue.name}",
                "moving its weights would move somebody else's traffic",
                "correct traffic.rules, or remove it to take every rule that does",
            )


def _scope(spec: Spec, survey: Survey) -> Iterator[Finding]:
    if not survey.rules:
        yield error(
            "no-rule",
            f"no listener rule forwards to a target group of {survey.blue.name}",
            "no traffic reaches blue that could be moved",
            "add a rule that forwards to blue's target group",
        )
        return
    chosen = in_scope(spec, survey)
    tests = test_rules_of(spec, survey)
    for rule in survey.rules:
        if rule not in chosen and rule not in tests and not spec.ending.is_swap:
            yield warning(
                "rule-left-out",
                f"{rule.name} also forwards to {survey.blue.name} and is not in traffic.rules",
                "its traffic stays on blue and never meets green; in settling it meets blue's new revision",
                "add it to traffic.rules, or remove traffic.rules to take every rule",
            )
    yield from _unreached(chosen, survey)


def _unreached(chosen: tuple[RuleSeen, ...], survey: Survey) -> Iterator[Finding]:
    forwards = [read_forward(rule.actions) for rule in chosen]
    reached = {w.group for forward in forwards if forward for w in forward.groups}
    for group in survey.groups:
        if chosen and group.arn not in reached:
            yield error(
                "group-without-rule",
                f"no rule of this rollout forwards to target group {group.name}",
                "ECS gives a service only target groups that a load balancer uses",
                "add a rule that forwards to it to traffic.rules, or take it off the service",
            )


def _group(group: GroupSurvey) -> Iterator[Finding]:
    if not group.load_balancers:
        yield error(
            "group-without-load-balancer",
            f"target group {group.name} is used by no load balancer",
            "its traffic cannot be divided",
            "add a rule that forwards to it, or take it off the service",
        )
    if any(":loadbalancer/app/" not in arn for arn in group.load_balancers):
        yield error(
            "no-application-load-balancer",
            f"target group {group.name} belongs to a load balancer of another kind",
            "only an Application Load Balancer's rules and metrics are known to Teal",
            "use an Application Load Balancer",
        )
    if group.strangers:
        yield error(
            "foreign-targets",
            f"target group {group.name} holds {counted(len(group.strangers), 'target')} besides the service's tasks: "
            f"{', '.join(group.strangers)}",
            "its weight would move somebody else's traffic with it, and green would get only a part of what blue has",
            "give whatever answers there a target group of its own",
        )
    if group.stickiness not in ("", LB_COOKIE):
        yield error(
            "target-stickiness",
            f"target group {group.name} has sticky sessions by a cookie of the application",
            "the load balancer does not follow such a cookie where it divides by weight",
            f"set stickiness.type to {LB_COOKIE}, or stickiness.enabled to false, on the target group",
        )


def _quota(survey: Survey) -> Iterator[Finding]:
    fresh = Counter(arn for group in survey.groups for arn in group.load_balancers)
    more = max(fresh.values(), default=0)
    if survey.groups_per_load_balancer + more > GROUPS_PER_LOAD_BALANCER:
        name = load_balancer_name(fresh.most_common(1)[0][0])
        yield error(
            "too-many-groups",
            f"load balancer {name} has {survey.groups_per_load_balancer} target groups; green needs {more} more",
            f"a load balancer takes {GROUPS_PER_LOAD_BALANCER}, which AWS does not raise",
            "remove target groups that nothing uses",
        )


def _rule(rule: RuleSeen, spec: Spec, survey: Survey) -> Iterator[Finding]:
    forward = read_forward(rule.actions)
    blues = {group.arn for group in survey.groups}
    carried = [w for w in forward.groups if w.group in blues] if forward else []
    if forward is None or not carried:
        yield error(
            "rule-not-blues",
            f"{rule.name} does not forward to a target group of {survey.blue.name}",
            "there is no weight of blue to divide",
            "correct traffic.rules",
        )
        return
    yield from _neighbours(rule, forward, spec, survey)
    yield from _pinning(rule, spec, survey)
    yield from _authentication(rule)
    if len(carried) > 1:
        yield error(
            "two-groups-in-a-rule",
            f"{rule.name} forwards to {len(carried)} target groups of {survey.blue.name}",
            "it would not be clear whose share green takes",
            "forward to one of them in this rule",
        )
    elif len(forward.groups) > 1 and carried[0].weight == 0:
        yield error(
            "blue-without-weight",
            f"{rule.name} gives {group_name(carried[0].group)} weight 0",
            "blue has no share in it that green could take",
            "give blue's target group a weight, or leave the rule out of traffic.rules",
        )
    else:
        yield from _weights(rule, carried[0].group, spec)


def _neighbours(rule: RuleSeen, forward: Forward, spec: Spec, survey: Survey) -> Iterator[Finding]:
    blues = {group.arn for group in survey.groups}
    if len(forward.groups) >= GROUPS_PER_ACTION:
        yield error(
            "too-many-groups-in-a-rule",
            f"{rule.name} already forwards to {len(forward.groups)} target groups",
            f"a rule takes {GROUPS_PER_ACTION}, which AWS does not raise: there is no room for green's",
            "take one out of the rule",
        )
    for name in (group_name(w.group) for w in forward.groups if w.group not in blues):
        if GREEN_GROUP.fullmatch(name):
            yield error(
                "another-rollout",
                f"{rule.name} forwards to {name}, which another rollout made",
                "it may be under way from another machine or store, and both would write this rule's weights",
                "end that rollout where it was started; if nothing will, "
                f"`teal rollback {spec.service.path} --direct` puts all traffic on blue by its tags alone, "
                "and prints the commands that remove what is left",
            )


def _pinning(rule: RuleSeen, spec: Spec, survey: Survey) -> Iterator[Finding]:
    """What it means that cookies keep users of a rule on a target group."""
    forward = read_forward(rule.actions)
    held = {w.group for w in forward.groups} if forward else set()
    lent = [g.cookie_seconds for g in survey.groups if g.stickiness == LB_COOKIE and g.arn in held]
    life = cookie_life(rule.actions) or timedelta(seconds=max(lent, default=0))
    if not life:
        return
    is_lent = not cookie_life(rule.actions)
    yield warning(
        "group-stickiness",
        f"{rule.name} will keep users on their colour for {span(life)}, since its target group has sticky sessions"
        if is_lent
        else f"{rule.name} keeps users on their target group for {span(life)}",
        "they follow no weight until their cookie ends: a colour is left slowly, and no intervention finds out what "
        "hurts blue; a rollback takes green out of the rule, which frees them at once",
        "nobody is waited for (sticky: cut): who is left on blue meets both revisions while it rolls"
        if spec.sticky is Sticky.CUT
        else f"until nobody uses a colour it is waited for, {span(life)} at the longest (sticky: cut does not wait)",
    )
    if spec.sticky is Sticky.CUT and survey.minimum_percent < WHOLE and not spec.ending.is_swap:
        yield error(
            "cut-while-blue-shrinks",
            f"sticky: cut, and {survey.blue.name} may fall to {survey.minimum_percent} % of its tasks while it rolls",
            "whoever a cookie keeps on blue would meet too few tasks",
            f"write sticky: wait, or set the service's minimumHealthyPercent to {WHOLE} or more",
        )


def _authentication(rule: RuleSeen) -> Iterator[Finding]:
    """What writing a rule back takes, beside the permission to write it."""
    if any(action.get("Type") == "authenticate-cognito" for action in json.loads(rule.actions)):
        yield note(
            "cognito-action",
            f"{rule.name} authenticates users by Cognito",
            "whoever writes such a rule needs cognito-idp:DescribeUserPoolClient on its user pool",
        )


def _weights(rule: RuleSeen, blue: TargetGroupArn, spec: Spec) -> Iterator[Finding]:
    for step in steps_of(spec):
        try:
            with_weights(rule.actions, blue=blue, green=_NOBODY, weight=step.weight)
        except Rejected as refused:
            yield error(
                "weight-too-fine",
                f"{percent(step.weight)} cannot be written on {rule.name}",
                refused.why,
                "use a larger weight in the plan",
            )
