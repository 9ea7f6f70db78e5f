"""The rules' final lists where green stays: the first list with green's target group in blue's place, to the letter.

A plain forward stays a plain forward, and other target groups, authentication, stickiness and order stay as they were.
Stickiness that was only lent for green's sake goes: a single target group needs none. Test rules get theirs too.
"""

from collections.abc import Collection
from dataclasses import replace

from orchestrator.core.cloud.forward_action import read_forward, says_the_same, with_group
from orchestrator.core.cloud.resources import Absent, RuleSeen
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import Json, TargetGroupArn
from orchestrator.core.domain.plan import ALL
from orchestrator.core.rollout import rule_lists
from orchestrator.core.rollout.rollout import HoldKind, Rollout
from orchestrator.core.rollout.rule_state import RuleState
from orchestrator.core.tick.draft import Draft
from orchestrator.core.traffic import rule_looks, rules
from orchestrator.core.traffic.rule_looks import Found, Look


def final(row: Rollout, rule: RuleState) -> Json:
    """The rule's whole action list once green has taken blue's place."""
    green = rule_lists.known_green_of(row, rule)
    return with_group(rule.base, was=rule.blue_group, now=green)


def is_final(row: Rollout, found: Look) -> bool:
    """True if the rule was seen with its final list."""
    return found.actions is not None and says_the_same(found.actions, final(row, found.rule))


def take_looks(draft: Draft) -> tuple[Look, ...]:
    """Look at every rule, those for tests too; a final list is as Teal wrote it."""
    users = tuple(_look(draft, rule) for rule in draft.row.rules)
    tests = tuple(_look(draft, rule) for rule in draft.row.test_rules)
    draft.change(rules=tuple(found.rule for found in users), test_rules=tuple(found.rule for found in tests))
    return (*users, *tests)


def _look(draft: Draft, rule: RuleState) -> Look:
    seen = draft.seen.rules.get(rule.arn)
    if isinstance(seen, RuleSeen) and rule_lists.conditions_of(seen) == rule.conditions:
        known = (final(draft.row, rule), rule_lists.listed(draft.row, rule, ALL))
        if any(says_the_same(seen.actions, each) for each in known):
            as_written = replace(rule, verified=ALL, wanted=ALL, doubted_since=None)
            return Look(rule=as_written, found=Found.AS_WRITTEN, actions=seen.actions)
    return rule_looks.look(draft, rule)


def write(draft: Draft, looks: tuple[Look, ...]) -> None:
    """Ask for the final lists that are missing; a rule that somebody changed is left alone."""
    for found in looks:
        if found.found is Found.AS_WRITTEN and not is_final(draft.row, found):
            actions = final(draft.row, found.rule)
            write = rules.write_of(found.rule, actions, ALL, to_safety=False, expects=found.actions)
            rules.ask_write(draft, found.rule, write, words="its first list, green in blue's place")


def hold_for_rules_on_blue(draft: Draft) -> bool:
    """True once every rule of every listener was read and none but the rollout's own gives blue's groups traffic."""
    row = draft.row
    ours = {rule.arn for rule in (*row.rules, *row.test_rules)}
    blues = {pair.blue for pair in row.pairs}
    is_read = True
    for balancer in dict.fromkeys(pair.load_balancer for pair in row.pairs):
        seen: tuple[RuleSeen, ...] | Absent | str = draft.read(
            draft.seen.balancers.get(balancer),
            "the load balancer's rules",
            clears_when=rule_looks.READABLE,
        )
        match seen:
            case str():
                is_read = False
            case Absent():
                is_read = False
                draft.hold(
                    HoldKind.AWS, "the load balancer is gone", clears_when="the load balancer is there again"
                )
            case found:
                for rule in found:
                    if rule.arn not in ours and _carries(rule, blues):
                        _hold_for(draft, rule)
                        is_read = False
    return is_read


def _carries(rule: RuleSeen, blues: Collection[TargetGroupArn]) -> bool:
    forward = read_forward(rule.actions)
    if forward is None:
        return False
    is_alone = len(forward.groups) == 1  # a single group takes everything, whatever its weight
    return any(one.group in blues and (one.weight or is_alone) for one in forward.groups)


def _hold_for(draft: Draft, rule: RuleSeen) -> None:
    clears = f"{rule.name} forwards elsewhere"
    words = f"{rule.name} still gives blue traffic, and is not one of this rollout's: blue is kept"
    if not any(hold.clears_when == clears for hold in draft.before.waiting.holds):
        draft.tell(EventKind.DRIFT_FOUND, words, rule=rule.arn)
    draft.hold(HoldKind.DRIFT, words, clears_when=clears)
