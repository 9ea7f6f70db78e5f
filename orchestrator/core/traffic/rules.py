"""What the rules hold, whether it is what Teal wrote, and the writes that lead to what is wanted.

Seen = wanted: done. Seen = verified: write. Something Teal wanted before: a late write of its own. Anything else:
drift, somebody else wrote.
"""

from dataclasses import replace

from orchestrator.core.cloud.effects import WriteRule, rule_write_key
from orchestrator.core.cloud.forward_action import (
    cookie_life,
    read_forward,
    says_the_same,
    with_weights,
    without_green,
    without_stickiness,
)
from orchestrator.core.cloud.resources import RuleSeen
from orchestrator.core.domain.errors import Rejected
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import Json, TargetGroupArn, Tenths
from orchestrator.core.domain.plan import NONE, RETURN_STEPS, percent
from orchestrator.core.domain.text import span
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.rollout.rule_lists import (
    base_to_write,
    conditions_of,
    green_of,
    is_base_but_for_weights,
    listed,
)
from orchestrator.core.rollout.rule_state import RuleState
from orchestrator.core.tick.draft import Draft
from orchestrator.core.traffic.rule_looks import UNREAD_LONGEST, Found, Look

WRITES_LEAST = 2


def mended(rule: RuleState, actions: Json, green: TargetGroupArn) -> Json:
    """A list that somebody else changed, with nothing of green in it and what it had given to blue."""
    left = without_green(actions, blue=rule.blue_group, green=green)
    forward = read_forward(left)
    is_lent = rule.lent_stickiness_s and cookie_life(left).total_seconds() == rule.lent_stickiness_s
    return without_stickiness(left) if is_lent and forward and len(forward.groups) == 1 else left


def keeps_lent_stickiness(rule: RuleState, actions: Json) -> bool:
    """True if a list without green still has the stickiness that was only there for green's sake."""
    is_lent = rule.lent_stickiness_s and cookie_life(actions).total_seconds() == rule.lent_stickiness_s
    return bool(is_lent) and says_the_same(without_stickiness(actions), rule.base)


def without_green_at_all(rule: RuleState, actions: Json, green: TargetGroupArn) -> Json:
    """The rule's first list, to the letter, if nobody changed it meanwhile; else what they left, without green."""
    return rule.base if is_base_but_for_weights(rule, actions, green) else mended(rule, actions, green)


def without_traffic(rule: RuleState, actions: Json, green: TargetGroupArn) -> tuple[Json, Tenths | None]:
    """The list with nothing for green, and green's weight in it: 0; None where green leaves the list altogether.

    A weight of 0 frees nobody whom a cookie keeps on green; only green's leaving the rule does.
    """
    if cookie_life(actions):
        return without_green_at_all(rule, actions, green), None
    return with_weights(actions, blue=rule.blue_group, green=green, weight=NONE), NONE


def accept(draft: Draft, looks: tuple[Look, ...]) -> None:
    """Take what somebody else wrote as the new base (`on_drift: accept`)."""
    rules = []
    for found in looks:
        seen = draft.seen.rules.get(found.rule.arn)
        green = green_of(draft.row, found.rule)
        rule = found.rule
        if found.found is Found.DRIFT and isinstance(seen, RuleSeen):
            base = mended(rule, seen.actions, green) if green else seen.actions
            forward = read_forward(base)
            if (
                forward is not None
                and forward.weight(rule.blue_group)
                and _is_fine_enough(draft.row, rule, base)
            ):
                draft.tell(EventKind.DRIFT_FOUND, f"{found.words}; taken as the new base", rule=rule.arn)
                rule = replace(
                    rule,
                    base=base,
                    conditions=conditions_of(seen),
                    first=rule.first or rule.base,
                    first_conditions=rule.first_conditions or rule.conditions,
                )
        rules.append(rule)
    draft.change(rules=tuple(rules))


def _is_fine_enough(row: Rollout, rule: RuleState, base: Json) -> bool:
    """True if every weight of this rollout can be written on a rule that holds this list."""
    weights = {*(step.weight for step in row.plan.steps), *RETURN_STEPS, *rule.intended}
    green = green_of(row, rule) or TargetGroupArn("green, which is not made yet")
    held = base_to_write(replace(rule, base=base))
    try:
        for weight in weights:
            with_weights(held, blue=rule.blue_group, green=green, weight=weight)
    except Rejected:
        return False
    return True


def want(draft: Draft, weight: Tenths | None) -> None:
    """Note the weight that the phase asks for on every rule; committed before it is written."""
    if all(rule.wanted == weight for rule in draft.row.rules):
        return
    words = "its first list" if weight is None else f"green at {percent(weight)}"
    draft.tell(EventKind.WEIGHT_WANTED, f"every rule is to have {words}", green_tenths=weight)
    draft.change(
        rules=tuple(
            replace(
                rule,
                wanted=weight,
                intended=rule.intended
                if weight is None or weight in rule.intended
                else (*rule.intended, weight),
            )
            for rule in draft.row.rules
        )
    )


def write(draft: Draft, looks: tuple[Look, ...], *, safe_is_less: bool, may_grow: bool = True) -> None:
    """Ask for the writes that lead each rule to what is wanted; drifted and unread rules are left alone.

    `may_grow`: the colour under judgement may be given more; what takes traffic off it is written in any case.

    `safe_is_less`: green's traffic goes down towards the safe side (until the watch has passed); in settling the
    safe side is green, and it is the other way round.
    """
    current = {rule.arn: rule for rule in draft.row.rules}
    for found in looks:
        rule = current[found.rule.arn]
        mends = found.found is Found.RAISED and safe_is_less
        if found.found is not Found.AS_WRITTEN and not mends:
            continue
        if rule.wanted == rule.verified and not rule.is_unwritten and not mends:
            continue
        weight = rule.verified if mends else rule.wanted
        held = rule.asked if rule.wanted == rule.verified else rule.verified
        change = -1 if mends else (weight or NONE) - (held or NONE)
        to_safety = change < 0 if safe_is_less else change > 0
        if not to_safety and change != 0 and not may_grow:
            continue
        actions = listed(draft.row, rule, weight)
        ask_write(draft, rule, write_of(rule, actions, weight, to_safety=to_safety, expects=found.actions))


def write_of(
    rule: RuleState, actions: Json, weight: Tenths | None, *, to_safety: bool, expects: Json | None = None
) -> WriteRule:
    """The write that replaces one rule's whole action list, if it still holds what is expected."""
    return WriteRule(
        rule=rule.arn,
        listener=rule.listener,
        is_default=rule.is_default,
        actions=actions,
        green=weight,
        to_safety=to_safety,
        expects=expects,
    )


def ask_write(draft: Draft, rule: RuleState, write: WriteRule, words: str = "") -> None:
    """Ask for it. `words`: what the rule is to hold, in words, where the weight does not say it."""
    words = words or (
        _without_green(rule, write) if write.green is None else f"green at {percent(write.green)}"
    )
    draft.ask(write, f"write {rule.name} with {words}")
    note_asked(draft, write)


def note_asked(draft: Draft, write: WriteRule) -> None:
    """Keep what Teal last wrote on a rule and when: reads from about then on may answer what was there before."""
    if write in draft.effects:
        draft.change(rules=_asked(draft, draft.row.rules, write))
        draft.change(test_rules=_asked(draft, draft.row.test_rules, write))


def _asked(draft: Draft, states: tuple[RuleState, ...], write: WriteRule) -> tuple[RuleState, ...]:
    return tuple(
        replace(state, asked_at=draft.now, asked=write.green) if state.arn == write.rule else state
        for state in states
    )


def _without_green(rule: RuleState, write: WriteRule) -> str:
    is_first = says_the_same(write.actions, rule.first or rule.base)
    return "as it was first" if is_first else "as others have left it, without green"


def unread_write(draft: Draft, weight: Tenths | None) -> str:
    """Which rule keeps its former list although AWS has long acknowledged its writing, in words; empty: none."""
    for rule in draft.row.rules:
        key = rule_write_key(rule.arn, weight)
        asked = next((one for one in draft.row.ticks.asked if one.key == key), None)
        if asked is None or asked.since is None or rule.verified == weight:
            continue
        if draft.now >= asked.since + UNREAD_LONGEST and asked.times - asked.refusals >= WRITES_LEAST:
            return (
                f"{rule.name} does not read back as written: AWS acknowledged {asked.times - asked.refusals} writes of "
                f"{percent(weight or NONE)} within {span(draft.now - asked.since)}"
            )
    return ""


def withdraw_growth(draft: Draft) -> None:
    """Ask for no more for green than it has: something speaks against it that was found after it was asked for."""
    grown = [
        effect
        for effect in draft.effects
        if isinstance(effect, WriteRule)
        and not effect.to_safety
        and (effect.green or NONE) > draft.before.green_weight
    ]
    keys = {effect.key for effect in grown}
    draft.effects = [effect for effect in draft.effects if effect not in grown]
    unsent = [one for one in draft.row.ticks.unanswered if one.key in keys and one.at == draft.now]
    left = tuple(one for one in draft.row.ticks.unanswered if one not in unsent)
    draft.change(unanswered=left)


def all_at(row: Rollout, weight: Tenths | None) -> bool:
    """True once this weight was written last and read back on every rule."""
    return all(rule.verified == weight and not rule.is_unwritten for rule in row.rules)
