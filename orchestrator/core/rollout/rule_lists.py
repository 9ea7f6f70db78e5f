"""One rule's action list, pure: what Teal reads in it and what it would be without Teal."""

from datetime import timedelta

from orchestrator.core.cloud.forward_action import (
    canonical,
    cookie_life,
    same_but_for_weights,
    with_stickiness,
    with_weights,
)
from orchestrator.core.cloud.resources import RuleSeen
from orchestrator.core.domain.ids import Json, TargetGroupArn, Tenths
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.rollout.rule_state import RuleState


def conditions_of(seen: RuleSeen) -> Json:
    """What decides which requests a rule gets, and what it rewrites of them, in a form that can be compared."""
    return canonical([seen.priority, seen.conditions, *([seen.transforms] if seen.transforms else [])])


def green_of(row: Rollout, rule: RuleState) -> TargetGroupArn | None:
    """The group of green that stands beside the rule's blue group, once AWS has made it."""
    return next((pair.green for pair in row.pairs if pair.blue == rule.blue_group), None)


def known_green_of(row: Rollout, rule: RuleState) -> TargetGroupArn:
    """As `green_of`, once AWS has made it."""
    green = green_of(row, rule)
    assert green is not None, f"green has no target group beside that of {rule.name}"
    return green


def base_to_write(rule: RuleState) -> Json:
    """The list that the two weights are written into: the base, with the stickiness that AWS demands beside green."""
    return with_stickiness(rule.base, rule.lent_stickiness_s) if rule.lent_stickiness_s else rule.base


def is_base_but_for_weights(rule: RuleState, actions: Json, green: TargetGroupArn | None) -> bool:
    """True if a list differs from the first one in nothing but the two weights, and what AWS demands beside green."""
    return any(
        same_but_for_weights(actions, known, blue=rule.blue_group, green=green)
        for known in dict.fromkeys((base_to_write(rule), rule.base))
    )


def listed(row: Rollout, rule: RuleState, weight: Tenths | None) -> Json:
    """The rule's whole action list with green at this weight; None: the base, to the letter."""
    green = green_of(row, rule)
    if weight is None or green is None:
        return rule.base
    return with_weights(base_to_write(rule), blue=rule.blue_group, green=green, weight=weight)


NO_COOKIE = timedelta(0)


def life(row: Rollout) -> timedelta:
    """The longest life of a cookie that keeps users of this rollout's rules on a colour; 0: none does."""
    return max((cookie_life(base_to_write(rule)) for rule in row.rules), default=NO_COOKIE)
