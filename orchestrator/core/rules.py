"""What the rules hold, whether it is what Teal wrote, and the writes that lead to what is wanted.

Seen = wanted: done. Seen = verified: write. Something Teal wanted before: a late write of its own. Anything else:
drift, somebody else wrote.
"""

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from orchestrator.core.draft import Draft
from orchestrator.core.effects import WriteRule
from orchestrator.core.errors import Rejected
from orchestrator.core.events import EventKind
from orchestrator.core.ids import Json, TargetGroupArn, Tenths
from orchestrator.core.observed import Absent, RuleSeen, Unread
from orchestrator.core.plan import HOME_STEPS, NONE, percent
from orchestrator.core.rollout import HoldKind, Rollout, RuleState
from orchestrator.core.traffic import (
    canonical,
    cookie_life,
    green_share,
    read_forward,
    same_but_for_weights,
    says_the_same,
    with_stickiness,
    with_weights,
    without_green,
    without_stickiness,
)
from orchestrator.core.words import group_name, span

GREEN_GROUP = re.compile(r"teal-.*-[0-9a-f]{8}-\d+")  # the names that rollouts give green's target groups

UNREAD_LONGEST = timedelta(minutes=1)  # a write that was acknowledged reads back by then
WRITES_LEAST = 2


class Found(StrEnum):
    """What a look at one rule found."""

    AS_WRITTEN = "as_written"
    UNREAD = "unread"
    GONE = "gone"
    RAISED = "raised"  # green has more than Teal ever gave it
    TAKEN_BACK = "taken_back"  # somebody gave blue everything
    DRIFT = "drift"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One rule: what Teal knows of it after this look, what was found, and in which words."""

    rule: RuleState
    found: Found
    words: str = ""
    actions: Json | None = None  # as read


def conditions_of(seen: RuleSeen) -> Json:
    """What decides which requests a rule gets, and what it rewrites of them, in a form that can be compared."""
    return canonical([seen.priority, seen.conditions, *([seen.transforms] if seen.transforms else [])])


def green_of(row: Rollout, rule: RuleState) -> TargetGroupArn | None:
    """The group of green that stands beside the rule's blue group, once AWS has made it."""
    return next((pair.green for pair in row.pairs if pair.blue == rule.blue_group), None)


def ground(rule: RuleState) -> Json:
    """The list that the two weights are written into: the base, with the stickiness that AWS demands beside green."""
    return with_stickiness(rule.base, rule.lent_stickiness_s) if rule.lent_stickiness_s else rule.base


def is_base_but_for_weights(rule: RuleState, actions: Json, green: TargetGroupArn | None) -> bool:
    """True if a list differs from the first one in nothing but the two weights, and what AWS demands beside green."""
    return any(
        same_but_for_weights(actions, known, blue=rule.blue_group, green=green)
        for known in dict.fromkeys((ground(rule), rule.base))
    )


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


def listed(row: Rollout, rule: RuleState, weight: Tenths | None) -> Json:
    """The rule's whole action list with green at this weight; None: the base, to the letter."""
    green = green_of(row, rule)
    if weight is None or green is None:
        return rule.base
    return with_weights(ground(rule), blue=rule.blue_group, green=green, weight=weight)


def look(draft: Draft, rule: RuleState) -> Look:
    """Compare one rule with what Teal wrote."""
    seen = draft.seen.rules.get(rule.arn)
    match seen:
        case None | Unread():
            why = seen.why if isinstance(seen, Unread) else "it was not looked at"
            return Look(rule=rule, found=Found.UNREAD, words=f"{rule.name} could not be read: {why}")
        case Absent():
            return Look(rule=rule, found=Found.GONE, words=f"{rule.name} does not exist any more")
        case RuleSeen():
            return _compare(draft.row, rule, seen)


def _compare(row: Rollout, rule: RuleState, seen: RuleSeen) -> Look:
    if conditions_of(seen) != rule.conditions:
        return _drift(rule, seen, "its conditions, its priority or its transforms were changed")
    if says_the_same(seen.actions, listed(row, rule, rule.verified)):
        return Look(rule=rule, found=Found.AS_WRITTEN, actions=seen.actions)
    if says_the_same(seen.actions, listed(row, rule, rule.wanted)):
        return Look(rule=replace(rule, verified=rule.wanted), found=Found.AS_WRITTEN, actions=seen.actions)
    green = green_of(row, rule)
    share = green_share(seen.actions, blue=rule.blue_group, green=green)
    if not is_base_but_for_weights(rule, seen.actions, green) or share is None:
        return _drift(rule, seen, _what_changed(rule, seen, green))
    if share == NONE and (rule.verified or 0) > 0:
        words = f"somebody gave blue all traffic on {rule.name}"
        return Look(rule=rule, found=Found.TAKEN_BACK, words=words, actions=seen.actions)
    if share == NONE and rule.wanted == NONE and _hangs(seen, green):
        # Somebody wrote the same in other numbers: 1 and 0, where Teal writes 999 and 0.
        return Look(rule=replace(rule, verified=NONE), found=Found.AS_WRITTEN, actions=seen.actions)
    if share == NONE and says_the_same(seen.actions, rule.base):
        # Green hung there without traffic, and somebody took it out: it is hung there again.
        words = f"{rule.name}: somebody took green out, which had no traffic there; it is put in again"
        return Look(
            rule=replace(rule, verified=None), found=Found.AS_WRITTEN, words=words, actions=seen.actions
        )
    return _weights_changed(row, rule, seen, share)


def _what_changed(rule: RuleState, seen: RuleSeen, green: TargetGroupArn | None) -> str:
    """What besides the weights is not as it was, in words; another rollout's target group is named."""
    forward, known = read_forward(seen.actions), read_forward(ground(rule))
    ours = {w.group for w in known.groups} if known else set()
    others = [group_name(w.group) for w in forward.groups if w.group not in (*ours, green)] if forward else []
    rival = next((name for name in others if GREEN_GROUP.fullmatch(name)), None)
    if rival is not None:
        return f"another rollout, perhaps of another store, has put its target group {rival} in"
    if others:
        return f"target group {others[0]} was put in"
    return "something besides the two weights was changed"


def _hangs(seen: RuleSeen, green: TargetGroupArn | None) -> bool:
    forward = read_forward(seen.actions)
    return forward is not None and green is not None and forward.weight(green) is not None


def _weights_changed(row: Rollout, rule: RuleState, seen: RuleSeen, share: Tenths) -> Look:
    late = next((w for w in rule.intended if says_the_same(seen.actions, listed(row, rule, w))), None)
    if late is not None:
        return Look(rule=replace(rule, verified=late), found=Found.AS_WRITTEN, actions=seen.actions)
    if share > max(rule.verified or 0, rule.wanted or 0):
        words = f"somebody gave green {percent(share)} on {rule.name}, more than Teal wrote"
        return Look(rule=rule, found=Found.RAISED, words=words, actions=seen.actions)
    return _drift(rule, seen, f"green's weight is {percent(share)}, which Teal did not write")


def _drift(rule: RuleState, seen: RuleSeen, what: str) -> Look:
    return Look(rule=rule, found=Found.DRIFT, words=f"{rule.name}: {what}", actions=seen.actions)


def take_looks(draft: Draft) -> tuple[Look, ...]:
    """Look at every rule; what was verified goes into the row and is told."""
    looks = tuple(look(draft, rule) for rule in draft.row.rules)
    for was, now in zip(draft.row.rules, looks, strict=True):
        if now.found is Found.AS_WRITTEN and now.words:
            draft.tell(EventKind.DRIFT_FOUND, now.words, rule=was.arn)
        if now.rule.verified != was.verified:
            weight = "its first list" if now.rule.verified is None else percent(now.rule.verified)
            draft.tell(
                EventKind.WEIGHT_VERIFIED,
                f"green's weight on {was.name} was read back: {weight}",
                rule=was.arn,
                green_tenths=now.rule.verified,
                was_tenths=was.verified,
            )
    draft.change(rules=tuple(found.rule for found in looks))
    return looks


def hold_for(draft: Draft, looks: tuple[Look, ...]) -> None:
    """Hold for every rule that could not be read, is gone, or was changed by somebody else."""
    for found in looks:
        match found.found:
            case Found.UNREAD:
                draft.hold(HoldKind.AWS, found.words, clears_when="the rules can be read")
            case Found.GONE:
                draft.hold(HoldKind.DRIFT, found.words, clears_when=f"{found.rule.name} is there again")
            case Found.DRIFT | Found.RAISED | Found.TAKEN_BACK:
                clears = f"{found.rule.name} is again as Teal wrote it"
                if not any(h.clears_when == clears for h in draft.before.holds):
                    draft.tell(EventKind.DRIFT_FOUND, found.words, rule=found.rule.arn)
                draft.hold(HoldKind.DRIFT, found.words, clears_when=clears)
            case Found.AS_WRITTEN:
                pass


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
                rule = replace(rule, base=base, conditions=conditions_of(seen))
        rules.append(rule)
    draft.change(rules=tuple(rules))


def _is_fine_enough(row: Rollout, rule: RuleState, base: Json) -> bool:
    """True if every weight of this rollout can be written on a rule that holds this list."""
    weights = {*(step.weight for step in row.plan.steps), *HOME_STEPS, *rule.intended}
    try:
        for weight in weights:
            listed(row, replace(rule, base=base), weight)
    except Rejected:
        return False
    return True


def want(draft: Draft, weight: Tenths | None) -> None:
    """Note the weight that the phase asks for on every rule; committed before it is written."""
    if all(rule.wanted == weight for rule in draft.row.rules):
        return
    told = "its first list" if weight is None else f"green at {percent(weight)}"
    draft.tell(EventKind.WEIGHT_WANTED, f"every rule shall hold {told}", green_tenths=weight)
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
        if rule.wanted == rule.verified and not mends:
            continue
        weight = rule.verified if mends else rule.wanted
        change = -1 if mends else (weight or NONE) - (rule.verified or NONE)
        to_safety = change < 0 if safe_is_less else change > 0
        if not to_safety and change != 0 and not may_grow:
            continue
        actions = listed(draft.row, rule, weight)
        ask_write(draft, rule, actions, weight, to_safety=to_safety, expects=found.actions)


def hold_unread(draft: Draft, rule: RuleState, seen: Unread | None) -> None:
    """Hold for a rule that nobody looked at or that could not be read."""
    why = seen.why if seen else "it was not looked at"
    draft.hold(HoldKind.AWS, f"{rule.name} could not be read: {why}", clears_when="it can be read")


def ask_write(
    draft: Draft,
    rule: RuleState,
    actions: Json,
    weight: Tenths | None,
    *,
    to_safety: bool,
    expects: Json | None = None,
    told: str = "",
) -> None:
    """Ask for one rule's whole action list to be replaced, if it still holds what is expected.

    `told`: what it is to hold, in words, where the weight does not say it.
    """
    told = told or ("as it was first" if weight is None else f"green at {percent(weight)}")
    draft.ask(
        WriteRule(
            rule=rule.arn,
            listener=rule.listener,
            is_default=rule.is_default,
            actions=actions,
            green=weight,
            to_safety=to_safety,
            expects=expects,
        ),
        f"write {rule.name} with {told}",
    )


def unread_write(draft: Draft, weight: Tenths | None) -> str:
    """Which rule keeps its former list although AWS has long acknowledged its writing, in words; empty: none."""
    for rule in draft.row.rules:
        key = f"write_rule {rule.arn} {weight}"
        asked = next((one for one in draft.row.asked if one.key == key), None)
        if asked is None or asked.since is None or rule.verified == weight:
            continue
        if draft.now >= asked.since + UNREAD_LONGEST and asked.times - asked.refusals >= WRITES_LEAST:
            return (
                f"{rule.name} does not read back as written: AWS acknowledged {asked.times - asked.refusals} writes of "
                f"{percent(weight or NONE)} within {span(draft.now - asked.since)}"
            )
    return ""


def all_at(row: Rollout, weight: Tenths | None) -> bool:
    """True once this weight was read back on every rule."""
    return all(rule.verified == weight for rule in row.rules)
