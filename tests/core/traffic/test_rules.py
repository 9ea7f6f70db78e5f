"""Rules: what a look finds, what it holds for, and which writes lead from there to what is wanted."""

import json
from dataclasses import replace
from typing import Any

import pytest

from orchestrator.core.cloud.effects import WriteRule
from orchestrator.core.cloud.forward_action import canonical
from orchestrator.core.cloud.resources import Absent, RuleSeen, Unread
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import Json, Tenths
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout import rule_lists
from orchestrator.core.rollout.changes import changed
from orchestrator.core.rollout.rollout import HoldKind, Rollout
from orchestrator.core.rollout.rule_state import RuleState
from orchestrator.core.tick.draft import Draft
from orchestrator.core.tick.seen import Seen
from orchestrator.core.traffic import rule_looks, rules
from orchestrator.core.traffic.rule_looks import Found
from tests.builders import BLUE_GROUP, DEFAULT_RULE, NOON, OTHER_GROUP, RULE, forward, good_rule
from tests.core.stages import GREEN_GROUP, a_hold, row, rule

STICKY = {"Enabled": True, "DurationSeconds": 60}
REDIRECT = canonical(
    [{"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301", "Host": "elsewhere"}}]
)
RuleLook = RuleSeen | Absent | Unread | None


def with_rule(state: RuleState) -> Rollout:
    """A rollout with this one rule."""
    return row(Phase.SHIFTING, weight=0, rules=(state,))


def shares(blue: int, green: int, **changes: Any) -> RuleSeen:  # noqa: ANN401 - the fields of RuleSeen
    """The rule as read with these weights."""
    return good_rule(actions=forward((BLUE_GROUP, blue), (GREEN_GROUP, green)), **changes)


def draft_of(known: Rollout, seen: RuleLook) -> Draft:
    """A tick that saw this of the one rule."""
    return Draft(known, Seen(rules={} if seen is None else {RULE: seen}), NOON)


def looked(state: RuleState, seen: RuleLook) -> tuple[Draft, rule_looks.Look]:
    """The tick after its look at the rule, and what it found."""
    draft = draft_of(with_rule(state), seen)
    (found,) = rule_looks.take_looks(draft)
    return draft, found


def writes(draft: Draft) -> list[tuple[int | None, bool]]:
    """The weights asked for, and whether each takes traffic to safety."""
    return [(e.green, e.to_safety) for e in draft.effects if isinstance(e, WriteRule)]


# what a look finds -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "seen", "found", "verified"),
    [
        pytest.param(rule(100), shares(900, 100), Found.AS_WRITTEN, 100, id="as verified"),
        pytest.param(rule(100, 500), shares(900, 100), Found.AS_WRITTEN, 100, id="not written yet"),
        pytest.param(rule(100, 500), shares(500, 500), Found.AS_WRITTEN, 500, id="the write shows"),
        pytest.param(rule(500, 100), shares(900, 100), Found.AS_WRITTEN, 100, id="a write downwards shows"),
        pytest.param(rule(None, 0), good_rule(), Found.AS_WRITTEN, None, id="green does not hang there yet"),
        pytest.param(rule(None, 0), shares(999, 0), Found.AS_WRITTEN, 0, id="green hangs there"),
        pytest.param(rule(0), good_rule(), Found.AS_WRITTEN, None, id="green was taken out without traffic"),
        pytest.param(rule(0), shares(1, 0), Found.AS_WRITTEN, 0, id="what is wanted, in somebody's numbers"),
        pytest.param(
            rule(500, intended=(Tenths(100), Tenths(500))),
            shares(900, 100),
            Found.AS_WRITTEN,
            100,
            id="a late write of Teal's own",
        ),
        pytest.param(rule(100), shares(700, 300), Found.RAISED, 100, id="more than was ever wanted"),
        pytest.param(rule(100, 500), shares(400, 600), Found.RAISED, 100, id="more than is wanted"),
        pytest.param(rule(0), shares(990, 10), Found.RAISED, 0, id="something where there was nothing"),
        pytest.param(rule(100), shares(0, 999), Found.RAISED, 100, id="everything"),
        pytest.param(rule(100), shares(999, 0), Found.TAKEN_BACK, 100, id="blue has all weight"),
        pytest.param(rule(100), good_rule(), Found.TAKEN_BACK, 100, id="the rule's first list"),
        pytest.param(rule(500), shares(700, 300), Found.DRIFT, 500, id="less than was written"),
        pytest.param(rule(100, 500), shares(700, 300), Found.DRIFT, 100, id="between verified and wanted"),
        pytest.param(rule(100), shares(0, 0), Found.DRIFT, 100, id="neither colour has any"),
        pytest.param(rule(100), good_rule(actions=REDIRECT), Found.DRIFT, 100, id="no forward any more"),
        pytest.param(
            rule(100),
            good_rule(actions=forward((BLUE_GROUP, 450), (GREEN_GROUP, 50), (OTHER_GROUP, 500))),
            Found.DRIFT,
            100,
            id="another group",
        ),
        pytest.param(
            rule(100),
            good_rule(actions=forward((BLUE_GROUP, 900), (GREEN_GROUP, 100), stickiness=STICKY)),
            Found.DRIFT,
            100,
            id="stickiness",
        ),
        pytest.param(rule(100), shares(900, 100, priority="11"), Found.DRIFT, 100, id="its priority"),
        pytest.param(
            rule(100), shares(900, 100, conditions=Json("[]")), Found.DRIFT, 100, id="its conditions"
        ),
        pytest.param(rule(100), Absent(), Found.GONE, 100, id="gone"),
        pytest.param(rule(100), Unread(why="a test"), Found.UNREAD, 100, id="unread"),
        pytest.param(rule(100), None, Found.UNREAD, 100, id="not looked at"),
    ],
)
def test_a_look_at_a_rule_finds(state: RuleState, seen: RuleLook, found: Found, verified: int | None) -> None:
    draft, look = looked(state, seen)
    assert (look.found, look.rule.verified) == (found, verified), look.words
    assert draft.row.rules == (look.rule,), "what was verified goes into the row"
    assert (EventKind.WEIGHT_VERIFIED in {e.kind for e in draft.events}) is (verified != state.verified)


def test_another_form_of_the_same_list_is_no_drift() -> None:
    """AWS may give the groups in another order, and leave out a stickiness that is off."""
    turned = forward((GREEN_GROUP, 100), (BLUE_GROUP, 900))
    bare = Json(turned.replace('"TargetGroupStickinessConfig":{"Enabled":false},', ""))
    assert bare != turned
    for actions in (turned, bare):
        _, look = looked(rule(100), good_rule(actions=actions))
        assert look.found is Found.AS_WRITTEN


def test_a_rule_without_green_holds_its_first_list_to_the_letter() -> None:
    base = good_rule().actions
    known = row(Phase.SHIFTING, weight=100)
    assert rule_lists.listed(known, known.rules[0], None) == base
    early = row(Phase.PREPARING)
    assert rule_lists.green_of(early, early.rules[0]) is None
    assert rule_lists.listed(early, early.rules[0], Tenths(0)) == base, "there is no green to hang on it yet"


# what it holds for -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seen", "holds", "words"),
    [
        pytest.param(shares(900, 100), [], "", id="as written"),
        pytest.param(Unread(why="a test"), [HoldKind.AWS], "could not be read: a test", id="unread"),
        pytest.param(None, [HoldKind.AWS], "it was not looked at", id="not looked at"),
        pytest.param(Absent(), [HoldKind.DRIFT], "does not exist any more", id="gone"),
        pytest.param(shares(0, 999), [HoldKind.DRIFT], "gave green 100 %", id="raised"),
        pytest.param(shares(999, 0), [HoldKind.DRIFT], "gave blue all traffic", id="taken back"),
        pytest.param(shares(950, 50), [HoldKind.DRIFT], "which Teal did not write", id="lowered"),
    ],
)
def test_a_rule_that_is_not_as_written_holds(seen: RuleLook, holds: list[HoldKind], words: str) -> None:
    draft, look = looked(rule(100), seen)
    rule_looks.hold_for(draft, (look,))
    assert [hold.kind for hold in draft.holds] == holds
    assert all(words in hold.reason for hold in draft.holds)


def test_drift_that_lasts_is_told_once() -> None:
    draft, look = looked(rule(100), shares(950, 50))
    rule_looks.hold_for(draft, (look,))
    again = Draft(changed(draft.row, holds=tuple(draft.holds)), draft.seen, NOON)
    rule_looks.hold_for(again, (look,))
    kinds = [[e.kind for e in told.events] for told in (draft, again)]
    assert kinds == [[EventKind.DRIFT_FOUND], []]
    assert [h.since for h in again.holds] == [h.since for h in draft.holds]


def test_another_hold_of_drift_does_not_silence_this_one() -> None:
    state = rule(100)
    draft = draft_of(changed(with_rule(state), holds=(a_hold(HoldKind.DRIFT),)), shares(950, 50))
    rule_looks.hold_for(draft, rule_looks.take_looks(draft))
    assert EventKind.DRIFT_FOUND in {e.kind for e in draft.events}


# what is wanted and written ----------------------------------------------------------------------------------------


def test_a_wanted_weight_is_noted_on_every_rule_before_it_is_written() -> None:
    second = replace(rule(100), arn=DEFAULT_RULE, is_default=True)
    draft = Draft(row(Phase.SHIFTING, rules=(rule(100), second)), Seen(), NOON)
    rules.want(draft, Tenths(500))
    assert [r.wanted for r in draft.row.rules] == [500, 500]
    assert [r.intended for r in draft.row.rules] == [(100, 500), (100, 500)]
    assert [e.kind for e in draft.events] == [EventKind.WEIGHT_WANTED]
    rules.want(draft, Tenths(500))
    rules.want(draft, Tenths(100))
    assert [r.intended for r in draft.row.rules] == [(100, 500), (100, 500)], "each weight is kept once"
    assert len(draft.events) == 2, "what is wanted already is not told again"


@pytest.mark.parametrize(
    ("state", "seen", "safe_is_less", "may_grow", "asked"),
    [
        pytest.param(rule(100), shares(900, 100), True, True, [], id="done"),
        pytest.param(rule(100, 500), shares(900, 100), True, True, [(500, False)], id="green grows"),
        pytest.param(rule(100, 500), shares(900, 100), True, False, [], id="green may not grow"),
        pytest.param(rule(500, 100), shares(500, 500), True, False, [(100, True)], id="green goes down"),
        pytest.param(rule(None, 0), good_rule(), True, False, [(0, False)], id="green is hung at nothing"),
        pytest.param(rule(0, None), shares(999, 0), True, False, [(None, False)], id="green is taken out"),
        pytest.param(rule(100), shares(0, 999), True, False, [(100, True)], id="raised: put back at once"),
        pytest.param(
            rule(100, 500), shares(0, 999), True, True, [(100, True)], id="raised: to what was read back"
        ),
        pytest.param(rule(1000, 900), shares(0, 999), False, True, [(900, False)], id="blue grows"),
        pytest.param(rule(1000, 900), shares(0, 999), False, False, [], id="blue may not grow"),
        pytest.param(rule(500, 900), shares(500, 500), False, False, [(900, True)], id="back onto green"),
        pytest.param(rule(500), shares(100, 900), False, False, [], id="settling: more for green is left"),
        pytest.param(rule(500, 100), shares(700, 300), True, True, [], id="drift is left alone"),
        pytest.param(rule(100, 500), shares(999, 0), True, True, [], id="taken back is left alone"),
        pytest.param(rule(100, 500), Unread(why="a test"), True, True, [], id="unread is left alone"),
        pytest.param(rule(100, 500), Absent(), True, True, [], id="gone is left alone"),
    ],
)
def test_writes_lead_from_what_is_seen_to_what_is_wanted(
    state: RuleState,
    seen: RuleLook,
    *,
    safe_is_less: bool,
    may_grow: bool,
    asked: list[tuple[int | None, bool]],
) -> None:
    draft, look = looked(state, seen)
    rules.write(draft, (look,), safe_is_less=safe_is_less, may_grow=may_grow)
    assert writes(draft) == asked


@pytest.mark.parametrize("seen", [shares(900, 100), shares(0, 999)])
def test_a_write_stands_only_while_the_rule_holds_what_it_was_decided_from(seen: RuleSeen) -> None:
    """Whatever somebody writes between the read and the write is not overwritten."""
    draft, look = looked(rule(100, 500), seen)
    rules.write(draft, (look,), safe_is_less=True)
    (effect,) = draft.effects
    assert isinstance(effect, WriteRule)
    assert effect.expects == seen.actions


def test_a_write_says_whether_it_is_a_listeners_default_rule() -> None:
    state = replace(rule(100, 500), arn=DEFAULT_RULE, is_default=True)
    draft = Draft(
        with_rule(state), Seen(rules={DEFAULT_RULE: replace(shares(900, 100), arn=DEFAULT_RULE)}), NOON
    )
    rules.write(draft, rule_looks.take_looks(draft), safe_is_less=True)
    (effect,) = draft.effects
    assert isinstance(effect, WriteRule)
    assert (effect.rule, effect.is_default, effect.listener) == (DEFAULT_RULE, True, state.listener)


# a change that the file accepts ------------------------------------------------------------------------------------


def accepted(seen: RuleSeen, state: RuleState | None = None) -> tuple[RuleState, Draft]:
    """The rule after what was seen was accepted, and the tick."""
    draft, look = looked(state or rule(100), seen)
    rules.accept(draft, (look,))
    return draft.row.rules[0], draft


def test_an_accepted_change_is_the_new_base_without_green() -> None:
    seen = good_rule(actions=forward((BLUE_GROUP, 450), (GREEN_GROUP, 50), (OTHER_GROUP, 500)), priority="11")
    now, draft = accepted(seen)
    groups = json.loads(now.base)[0]["ForwardConfig"]["TargetGroups"]
    assert groups == [
        {"TargetGroupArn": BLUE_GROUP, "Weight": 500},
        {"TargetGroupArn": OTHER_GROUP, "Weight": 500},
    ]
    assert now.conditions == rule_lists.conditions_of(seen)
    assert [e.kind for e in draft.events] == [EventKind.DRIFT_FOUND]
    following = Draft(draft.row, draft.seen, NOON)
    assert [look.found for look in rule_looks.take_looks(following)] == [Found.AS_WRITTEN]


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(good_rule(actions=REDIRECT), id="a redirect"),
        pytest.param(
            good_rule(actions=forward((BLUE_GROUP, 0), (GREEN_GROUP, 0), (OTHER_GROUP, 500))),
            id="blue has no weight",
        ),
        pytest.param(good_rule(actions=forward((OTHER_GROUP, 500))), id="blue is not in it"),
        pytest.param(
            good_rule(actions=forward((BLUE_GROUP, 1), (GREEN_GROUP, 0), (OTHER_GROUP, 999))),
            id="too little for both colours to be divided into the plan's steps",
        ),
        pytest.param(shares(0, 999), id="green raised"),
    ],
)
def test_a_change_that_leaves_nothing_to_divide_is_not_accepted(seen: RuleSeen) -> None:
    now, draft = accepted(seen)
    assert (now.base, now.conditions) == (rule(100).base, rule(100).conditions)
    assert not draft.events


def test_a_weight_is_there_once_every_rule_has_it() -> None:
    second = replace(rule(500), arn=DEFAULT_RULE)
    assert rules.all_at(row(Phase.SHIFTING, rules=(rule(500), second)), Tenths(500))
    assert not rules.all_at(row(Phase.SHIFTING, rules=(rule(100), second)), Tenths(500))
