"""What was seen of each rule, held against what Teal wrote there: as wanted, as before, or changed by somebody else."""

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from orchestrator.core.cloud.effects import rule_write_key
from orchestrator.core.cloud.forward_action import (
    green_share,
    read_forward,
    says_the_same,
)
from orchestrator.core.cloud.readiness import STALE_LONGEST
from orchestrator.core.cloud.resources import Absent, RuleSeen, Unread
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import Json, TargetGroupArn, Tenths
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import NONE, percent
from orchestrator.core.domain.text import group_name, span
from orchestrator.core.rollout import late_calls
from orchestrator.core.rollout.rollout import HoldKind, Rollout
from orchestrator.core.rollout.rule_lists import (
    base_to_write,
    conditions_of,
    green_of,
    is_base_but_for_weights,
    listed,
)
from orchestrator.core.rollout.rule_state import RuleState
from orchestrator.core.tick.draft import Draft
from orchestrator.core.traffic import rule_differences

READABLE = "the rules can be read"
AS_WRITTEN, IS_THERE = "{} is again as Teal wrote it", "{} is there again"
UNREAD_LONGEST = timedelta(minutes=1)  # a write that was acknowledged reads back by then
GREEN_GROUP = re.compile(r"teal-.*-[0-9a-f]{8}-\d+")  # the names that rollouts give green's target groups


class Found(StrEnum):
    """What a look at one rule found."""

    AS_WRITTEN = "as_written"
    UNREAD = "unread"
    DOUBTED = "doubted"  # an earlier list of Teal's own: an old answer, or somebody's change
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


def look(draft: Draft, rule: RuleState) -> Look:
    """Compare one rule with what Teal wrote."""
    match draft.seen.rules.get(rule.arn):
        case None | Unread():
            return Look(rule=rule, found=Found.UNREAD)
        case Absent():
            return Look(rule=rule, found=Found.GONE, words=f"{rule.name} does not exist any more")
        case RuleSeen() as seen:
            return _doubt(draft, rule, _compare(draft.row, rule, seen))


def _doubt(draft: Draft, was: RuleState, found: Look) -> Look:
    """As found, unless it may be an old answer: reads of rules are eventually consistent, and may go back.

    An earlier list of Teal's own is taken for what the rule holds once Teal's last write of it is `UNREAD_LONGEST` ago,
    or every look for `STALE_LONGEST` has found such a list. Until then nothing is concluded from it.
    """
    if not _is_earlier(draft.row, was, found):
        return replace(found, rule=replace(found.rule, doubted_since=None))
    since = was.doubted_since or draft.now
    doubted = replace(was, doubted_since=since)
    sure_at = since + STALE_LONGEST
    if was.asked_at is None or draft.now >= min(was.asked_at + UNREAD_LONGEST, sure_at):
        return replace(found, rule=replace(found.rule, doubted_since=since))
    draft.wake_by(min(was.asked_at + UNREAD_LONGEST, sure_at, draft.now + draft.row.spec.metrics.poll))
    words = f"{was.name} reads as before Teal's last write of it, which may be an old answer of AWS"
    return Look(rule=doubted, found=Found.DOUBTED, words=words)


def _is_earlier(row: Rollout, was: RuleState, found: Look) -> bool:
    """True if a rule reads as an earlier list of Teal's own, and what follows from it is no write to safety."""
    if found.found is Found.TAKEN_BACK and found.actions is not None:
        own = (None, *was.intended)
        return any(says_the_same(found.actions, listed(row, was, weight)) for weight in own)
    if found.found is not Found.AS_WRITTEN or found.rule.verified in (was.verified, was.wanted):
        return False
    seen, wanted = found.rule.verified or NONE, was.wanted or NONE
    return seen >= wanted if row.phase is Phase.SETTLING else seen <= wanted


def doubted_on_the_way_back(draft: Draft, rule: RuleState, seen: RuleSeen) -> datetime | None:
    """Since when a rule that gives green nothing reads as before a raise that AWS may have taken; None: it does not.

    Such a list is written again whatever it says, in every look for `STALE_LONGEST`: where it is an old answer, green
    has traffic.
    """
    if rule.doubted_since is None:
        is_raised = rule.wanted and rule.asked_at is not None and draft.now < rule.asked_at + UNREAD_LONGEST
        is_own = any(
            says_the_same(seen.actions, listed(draft.row, rule, weight)) for weight in (None, *rule.intended)
        )
        return draft.now if is_raised and is_own else None
    return rule.doubted_since if draft.now < rule.doubted_since + STALE_LONGEST else None


def read(draft: Draft, rule: RuleState) -> RuleSeen | Absent | str:
    """One rule as seen, or what is waited for, in words: a rule is known in every tick, or it holds."""
    seen = draft.seen.rules.get(rule.arn)
    return draft.must_read(seen, rule.name, clears_when=READABLE)


def _compare(row: Rollout, rule: RuleState, seen: RuleSeen) -> Look:
    if conditions_of(seen) != rule.conditions:
        changes = rule_differences.of_conditions(rule.conditions, conditions_of(seen))
        return _drift(rule, seen, f"somebody changed it: {rule_differences.in_words(changes)}")
    if says_the_same(seen.actions, listed(row, rule, rule.verified)):
        return Look(rule=rule, found=Found.AS_WRITTEN, actions=seen.actions)
    if says_the_same(seen.actions, listed(row, rule, rule.wanted)):
        return Look(rule=replace(rule, verified=rule.wanted), found=Found.AS_WRITTEN, actions=seen.actions)
    green = green_of(row, rule)
    share = green_share(seen.actions, blue=rule.blue_group, green=green)
    if not is_base_but_for_weights(rule, seen.actions, green) or share is None:
        return _drift(rule, seen, _what_changed(row, rule, seen, green))
    nothing = _gives_nothing(row, rule, seen) if share == NONE else None
    return nothing or _weights_changed(row, rule, seen, share)


def _gives_nothing(row: Rollout, rule: RuleState, seen: RuleSeen) -> Look | None:
    """A rule that gives green nothing where Teal read or wants something else; None: it is as any other weight."""
    late = late_calls.may_be_carried_out(row, rule_write_key(rule.arn, NONE))
    if late and says_the_same(seen.actions, listed(row, rule, NONE)):
        return Look(rule=replace(rule, verified=NONE), found=Found.AS_WRITTEN, actions=seen.actions)
    if (rule.verified or 0) > 0:
        words = f"somebody gave blue all traffic on {rule.name}"
        return Look(rule=rule, found=Found.TAKEN_BACK, words=words, actions=seen.actions)
    if rule.wanted == NONE and _is_in_rule(seen, green_of(row, rule)):
        # Somebody wrote the same in other numbers: 1 and 0, where Teal writes 999 and 0.
        return Look(rule=replace(rule, verified=NONE), found=Found.AS_WRITTEN, actions=seen.actions)
    if says_the_same(seen.actions, rule.base):
        # Green hung there without traffic, and somebody took it out: it is hung there again.
        words = f"{rule.name}: somebody took green out, which had no traffic there; it is put in again"
        return Look(
            rule=replace(rule, verified=None), found=Found.AS_WRITTEN, words=words, actions=seen.actions
        )
    return None


def _what_changed(row: Rollout, rule: RuleState, seen: RuleSeen, green: TargetGroupArn | None) -> str:
    """What besides the weights is not as it was, in words; another rollout's target group is named."""
    forward, known = read_forward(seen.actions), read_forward(base_to_write(rule))
    ours = {w.group for w in known.groups} if known else set()
    others = [group_name(w.group) for w in forward.groups if w.group not in (*ours, green)] if forward else []
    rival = next((name for name in others if GREEN_GROUP.fullmatch(name)), None)
    if rival is not None:
        return f"another rollout, perhaps of another store, has put its target group {rival} in"
    if others:
        return f"target group {others[0]} was put in"
    changes = rule_differences.of_lists(_written(row, rule), seen.actions)
    return f"somebody changed it: {rule_differences.in_words(changes)}"


def _written(row: Rollout, rule: RuleState) -> Json:
    """The list that Teal read back last, which a change is told against."""
    return listed(row, rule, rule.verified)


def _is_in_rule(seen: RuleSeen, green: TargetGroupArn | None) -> bool:
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
    """Look at every rule; what was verified goes into the row and is recorded."""
    looks = tuple(look(draft, rule) for rule in draft.row.rules)
    for was, now in zip(draft.row.rules, looks, strict=True):
        if now.found is Found.AS_WRITTEN and now.words:
            draft.tell(EventKind.DRIFT_FOUND, now.words, rule=was.arn)
        if now.rule.verified != was.verified:
            weight = "its first list" if now.rule.verified is None else percent(now.rule.verified)
            is_late = not now.words and now.rule.verified not in (was.wanted, was.verified)
            late = ", as an earlier write of Teal's left it, which AWS carried out late" if is_late else ""
            draft.tell(
                EventKind.WEIGHT_VERIFIED,
                f"green's weight on {was.name} was read back: {weight}{late}",
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
                read(draft, found.rule)
                draft.keep_holds(*(words.format(found.rule.name) for words in (AS_WRITTEN, IS_THERE)))
            case Found.DOUBTED:
                clears = f"{found.rule.name} reads the same for {span(STALE_LONGEST)}"
                draft.hold(HoldKind.AWS, found.words, clears_when=clears)
            case Found.GONE:
                draft.hold(HoldKind.DRIFT, found.words, clears_when=IS_THERE.format(found.rule.name))
            case Found.DRIFT | Found.RAISED | Found.TAKEN_BACK:
                clears = AS_WRITTEN.format(found.rule.name)
                if not any(h.clears_when == clears for h in draft.before.waiting.holds):
                    draft.tell(EventKind.DRIFT_FOUND, found.words, rule=found.rule.arn)
                draft.hold(HoldKind.DRIFT, found.words, clears_when=clears)
            case Found.AS_WRITTEN:
                pass
