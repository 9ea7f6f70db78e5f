"""Test rules: rules that nobody's users come by, pointed at green before any user reaches it.

While green is tried out the whole share of blue's group goes to green's; what else the rule holds stays as it is. Its
first list is kept and restored exactly on every way out (`phases.removing_green`). A rule that somebody changed
meanwhile is never overwritten.
"""

from dataclasses import replace

from orchestrator.core.cloud.effects import WriteRule
from orchestrator.core.cloud.forward_action import read_forward, says_the_same, without_green
from orchestrator.core.cloud.readiness import STALE_LONGEST
from orchestrator.core.cloud.resources import RuleSeen
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.plan import ALL
from orchestrator.core.domain.text import span
from orchestrator.core.rollout import rule_lists
from orchestrator.core.rollout.rollout import HoldKind
from orchestrator.core.rollout.rule_state import RuleState
from orchestrator.core.rollout.spec import OnDrift
from orchestrator.core.tick.draft import TEAL, Draft
from orchestrator.core.tick.turn_back import roll_back
from orchestrator.core.traffic import rule_looks, rules
from orchestrator.core.traffic.rule_looks import Found, Look


def point(draft: Draft) -> bool:
    """True once every test rule was read back pointing at green; asks for the writes that are missing until then."""
    if not draft.row.test_rules:
        return True
    looks = tuple(_look(draft, rule) for rule in draft.row.test_rules)
    _tell(draft, looks)
    if any(found.found is Found.DRIFT for found in looks) and draft.row.spec.on_drift is OnDrift.ROLLBACK:
        words = next(found.words for found in looks if found.found is Found.DRIFT)
        roll_back(draft, f"test rule: {words} (on_drift: rollback)", TEAL)
        return False
    states = tuple(_accepted(draft, found) for found in looks)
    draft.change(test_rules=tuple(replace(state, wanted=ALL) for state in states))
    for found, state in zip(looks, draft.row.test_rules, strict=True):
        if found.found is Found.AS_WRITTEN and state.verified != ALL and not draft.row.waiting.failed:
            _write(draft, state)
        elif found.found is not Found.AS_WRITTEN:
            _hold(draft, found)
    is_there = all(state.verified == ALL for state in draft.row.test_rules)
    if not is_there:
        draft.change(waiting_for="the test rules to forward to green, read back")
    return is_there and all(found.found is Found.AS_WRITTEN for found in looks)


def leads_to_green(draft: Draft) -> bool:
    """True if every test rule was seen in this tick to lead to green: what came back by it is green's doing."""
    row = draft.row
    seen = ((rule, draft.seen.rules.get(rule.arn)) for rule in row.test_rules)
    return all(
        isinstance(found, RuleSeen) and says_the_same(found.actions, rule_lists.listed(row, rule, ALL))
        for rule, found in seen
    )


def _look(draft: Draft, rule: RuleState) -> Look:
    """As `rule_looks.look`; a rule has two right contents here, and anything else is somebody's change."""
    found = rule_looks.look(draft, rule)
    seen = draft.seen.rules.get(rule.arn)
    if not isinstance(seen, RuleSeen) or found.found in (Found.DRIFT, Found.DOUBTED):
        return found
    if rule_lists.conditions_of(seen) == rule.conditions:
        if says_the_same(seen.actions, rule_lists.listed(draft.row, rule, ALL)):
            state = replace(found.rule, verified=ALL)
            return Look(rule=state, found=Found.AS_WRITTEN, actions=seen.actions)
        if rule.verified is None and says_the_same(seen.actions, rule.base):
            return Look(rule=rule, found=Found.AS_WRITTEN, actions=seen.actions)
    words = f"{rule.name}: somebody else changed where it forwards"
    return Look(rule=rule, found=Found.DRIFT, words=words, actions=seen.actions)


def _accepted(draft: Draft, found: Look) -> RuleState:
    """The rule's state after a look; with `on_drift: accept` what somebody else wrote is the new first list."""
    rule, seen = found.rule, draft.seen.rules.get(found.rule.arn)
    green = rule_lists.green_of(draft.row, rule)
    is_accepted = draft.row.spec.on_drift is OnDrift.ACCEPT and found.found is Found.DRIFT
    if not is_accepted or not isinstance(seen, RuleSeen):
        return rule
    base = without_green(seen.actions, blue=rule.blue_group, green=green) if green else seen.actions
    forward = read_forward(base)
    if forward is None or not forward.weight(rule.blue_group):
        return rule
    draft.tell(EventKind.DRIFT_FOUND, f"test rule: {found.words}; taken as its first list", rule=rule.arn)
    return replace(rule, base=base, conditions=rule_lists.conditions_of(seen), verified=None)


def _tell(draft: Draft, looks: tuple[Look, ...]) -> None:
    for was, now in zip(draft.row.test_rules, looks, strict=True):
        if now.rule.verified == ALL and was.verified != ALL:
            words = f"{was.name}, a test rule, forwards to green"
            draft.tell(EventKind.TEST_RULE_POINTED, words, rule=was.arn, is_at_green=True)


def _hold(draft: Draft, found: Look) -> None:
    name = found.rule.name
    match found.found:
        case Found.UNREAD:
            seen = draft.seen.rules.get(found.rule.arn)
            draft.must_read(seen, f"test rule: {name}", clears_when="the test rules can be read")
        case Found.DOUBTED:
            clears = f"{name}, a test rule, reads the same for {span(STALE_LONGEST)}"
            draft.hold(HoldKind.AWS, f"test rule: {found.words}", clears_when=clears)
        case Found.GONE:
            draft.hold(HoldKind.DRIFT, f"test rule: {found.words}", clears_when=f"{name} is there again")
        case _:
            clears = f"{name}, a test rule, is again as Teal wrote it"
            if not any(hold.clears_when == clears for hold in draft.before.waiting.holds):
                draft.tell(EventKind.DRIFT_FOUND, f"test rule: {found.words}", rule=found.rule.arn)
            draft.hold(HoldKind.DRIFT, f"test rule: {found.words}", clears_when=clears)


def _write(draft: Draft, rule: RuleState) -> None:
    effect = WriteRule(
        rule=rule.arn,
        listener=rule.listener,
        is_default=rule.is_default,
        actions=rule_lists.listed(draft.row, rule, ALL),
        green=ALL,
        to_safety=False,
        is_test=True,
    )
    draft.ask(effect, f"forward {rule.name}, a test rule, to green")
    rules.note_asked(draft, effect)
