"""How green leaves the rules: first its traffic goes, then its tasks, and only then its target groups.

A target group in no rule is unused, and an unused target is dropped at once, whatever its group's deregistration delay
is: its task would be stopped amid its last answers. So green stays in a rule at weight 0 until its tasks are drained.
Where cookies would keep users on it (group stickiness) it leaves at once, and its tasks wait out the delay before they
are stopped. Source: "Deregistration delay" and "Target health status" of the Elastic Load Balancing guide.
"""

from dataclasses import dataclass, replace
from datetime import timedelta

from orchestrator.core.cloud.deregistration_delay import longest_delay
from orchestrator.core.cloud.forward_action import cookie_life, read_forward, says_the_same
from orchestrator.core.cloud.resources import Absent, RuleSeen, ServiceSeen, TargetsSeen
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import TargetGroupArn
from orchestrator.core.domain.plan import NONE
from orchestrator.core.rollout import rule_lists
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.rollout.rule_state import Pair, RuleState
from orchestrator.core.tick.draft import Draft
from orchestrator.core.traffic import rule_looks, rules

# What a drained task may take besides: SIGTERM, its stop timeout, and that ELB and ECS see it.
SLACK = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How the rules were found: `is_clear` of all that could bring anybody to green; `is_restored` to the letter."""

    is_clear: bool
    is_restored: bool


def has_served(row: Rollout) -> bool:
    """True if green may ever have answered a user."""
    return any(any(rule.intended) for rule in row.rules)


def targets_to_read(row: Rollout) -> tuple[TargetGroupArn, ...]:
    """Green's target groups, whose targets are read while its tasks drain."""
    is_draining = row.way_out.stopping_since is not None and row.green is not None and not row.green.is_gone
    return tuple(pair.green for pair in row.pairs if pair.green) if is_draining and has_served(row) else ()


def take(draft: Draft) -> Standing:
    """Look at every rule, and ask for what is missing: nothing for green, then the first list, to the letter.

    A rule that somebody changed keeps the change. Test rules, which no users come by, get their first lists at once.
    """
    is_drained = not not_drained(draft)
    users = [_user_rule(draft, rule, is_drained=is_drained) for rule in draft.row.rules]
    tests = [_test_rule(draft, rule) for rule in draft.row.test_rules]
    asked = {rule.arn: rule.asked_at for rule in (*draft.row.rules, *draft.row.test_rules)}
    draft.change(
        rules=tuple(replace(rule, asked_at=asked[rule.arn]) for rule, _ in users),
        test_rules=tuple(replace(rule, asked_at=asked[rule.arn]) for rule, _ in tests),
    )
    found = [standing for _, standing in (*users, *tests)]
    standing = Standing(
        is_clear=all(one.is_clear for one in found), is_restored=all(one.is_restored for one in found)
    )
    if standing.is_clear:
        is_unused = bool(_unused(draft.row))
        since = (draft.row.way_out.detached_since or draft.now) if is_unused else None
        draft.change(detached_since=since)
    return standing


def unused_delay(row: Rollout) -> timedelta:
    """How long the tasks of green's groups that are in no rule any more go on, since AWS drains none of them."""
    unused = _unused(row)
    return longest_delay(pair.attributes for pair in unused) if unused else timedelta(0)


def slowest(row: Rollout) -> timedelta:
    """How long a colour's tasks may take to leave: deregistered first, then stopped. A shorter limit would be wrong."""
    stops_in = row.blue.stops_in if row.blue else timedelta(0)
    return longest_delay(pair.attributes for pair in row.pairs) + stops_in + SLACK


def not_drained(draft: Draft) -> str:
    """What keeps green in the rules, in words; empty once its tasks are gone, or have had their time."""
    row, seen = draft.row, draft.seen.green
    if row.green is None or row.green.is_gone or not has_served(row):
        return ""
    since = row.way_out.stopping_since
    if since is None or (isinstance(seen, ServiceSeen) and seen.status == "ACTIVE" and seen.desired):
        return "green's tasks to be stopped"
    if draft.now >= since + slowest(row):
        return ""
    if isinstance(seen, ServiceSeen) and (seen.desired or seen.running or seen.pending):
        return "green's last tasks to stop"
    for pair in row.pairs:
        targets = draft.seen.targets.get(pair.green) if pair.green else Absent()
        if isinstance(targets, TargetsSeen) and not (targets.registered or targets.draining):
            continue
        if not isinstance(targets, Absent):
            return "green's last requests to be answered: its targets are draining"
    return ""


def _unused(row: Rollout) -> tuple[Pair, ...]:
    """The pairs whose green had traffic and is in no rule, by what was last seen of the rules."""
    used = {rule.blue_group for rule in (*row.rules, *row.test_rules) if rule.verified is not None}
    served = {rule.blue_group for rule in row.rules if any(rule.intended)}
    return tuple(pair for pair in row.pairs if pair.blue in served - used)


CLEAR, KEPT, HELD = (
    Standing(is_clear=True, is_restored=True),
    Standing(is_clear=True, is_restored=False),
    Standing(is_clear=False, is_restored=False),
)


def _user_rule(draft: Draft, rule: RuleState, *, is_drained: bool) -> tuple[RuleState, Standing]:
    gone = replace(rule, wanted=None, verified=None)
    green = rule_lists.green_of(draft.row, rule)
    match rule_looks.read(draft, rule):
        case str():
            return replace(rule, wanted=None), HELD
        case Absent():
            return gone, CLEAR
        case RuleSeen() as found:
            forward = read_forward(found.actions)
            weight = forward.weight(green) if forward and green else None
            if rules.keeps_lent_stickiness(rule, found.actions):
                rules.ask_write(draft, rule, rules.write_of(rule, rule.base, None, to_safety=False))
                return replace(rule, wanted=None), HELD
            if green is None or weight is None:
                return gone, CLEAR
            if weight:
                return _take_traffic(draft, rule, found), HELD
            if cookie_life(found.actions) or not has_served(draft.row):
                _restore(draft, rule, found)
                return replace(rule, wanted=None), HELD
            if is_drained:
                _restore(draft, rule, found)
                return replace(rule, wanted=None, verified=NONE), KEPT
            return replace(rule, wanted=NONE, verified=NONE), KEPT


def _take_traffic(draft: Draft, rule: RuleState, seen: RuleSeen) -> RuleState:
    """A late write gave green traffic again: what waits for all traffic on blue waits anew."""
    draft.change(on_blue_since=draft.now)
    green = rule_lists.known_green_of(draft.row, rule)
    actions, weight = rules.without_traffic(rule, seen.actions, green)
    write = rules.write_of(rule, actions, weight, to_safety=True, expects=seen.actions)
    rules.ask_write(draft, rule, write)
    return replace(rule, wanted=weight)


def _restore(draft: Draft, rule: RuleState, seen: RuleSeen) -> None:
    green = rule_lists.known_green_of(draft.row, rule)
    actions = rules.without_green_at_all(rule, seen.actions, green)
    rules.ask_write(draft, rule, rules.write_of(rule, actions, None, to_safety=False, expects=seen.actions))


def _test_rule(draft: Draft, rule: RuleState) -> tuple[RuleState, Standing]:
    state = replace(rule, wanted=None)
    green = rule_lists.green_of(draft.row, rule)
    match rule_looks.read(draft, rule):
        case str():
            return state, HELD
        case Absent():
            return replace(state, verified=None), CLEAR
        case RuleSeen() as found:
            forward = read_forward(found.actions)
            if rules.keeps_lent_stickiness(rule, found.actions):
                rules.ask_write(draft, rule, rules.write_of(state, rule.base, None, to_safety=False))
                return state, HELD
            if forward is None or green is None or forward.weight(green) is None:
                if rule.verified is not None:
                    _tell_test_rule(draft, rule, found)
                return replace(state, verified=None), CLEAR
            _restore(draft, state, found)
            return state, HELD


def _tell_test_rule(draft: Draft, rule: RuleState, seen: RuleSeen) -> None:
    """Say that a test rule is as it was, or that somebody has changed it and it stays so."""
    is_as_first = rule_lists.conditions_of(seen) == rule.conditions and says_the_same(seen.actions, rule.base)
    if is_as_first:
        words = f"{rule.name}, a test rule, forwards again where it did at first"
        draft.tell(EventKind.TEST_RULE_POINTED, words, rule=rule.arn, is_at_green=False)
    else:
        words = f"somebody changed {rule.name}, a test rule, meanwhile: left as it is"
        draft.tell(EventKind.DRIFT_FOUND, words, rule=rule.arn)
