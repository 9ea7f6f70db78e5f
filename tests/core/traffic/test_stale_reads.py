"""A rule that reads as before Teal's last write: an old answer of AWS, or somebody's change. Which, two looks tell."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from orchestrator.core.cloud.effects import WriteRule, rule_write_key
from orchestrator.core.cloud.readiness import STALE_LONGEST
from orchestrator.core.cloud.resources import RuleSeen
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import Tenths
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import ALL
from orchestrator.core.rollout.changes import changed
from orchestrator.core.rollout.rollout import HoldKind, Rollout, Unanswered
from orchestrator.core.rollout.rule_state import RuleState
from orchestrator.core.tick.draft import Draft
from orchestrator.core.tick.seen import Seen
from orchestrator.core.traffic import rule_looks, rules, test_rules
from orchestrator.core.traffic.drift import drift_ends_it
from orchestrator.core.traffic.rule_looks import UNREAD_LONGEST, Found, Look
from tests.builders import BLUE_GROUP, NOON, RULE, forward, good_rule
from tests.core.stages import GREEN_GROUP, row, rule

SECOND = timedelta(seconds=1)
BASE = good_rule()


def shares(blue: int, green: int) -> RuleSeen:
    return good_rule(actions=forward((BLUE_GROUP, blue), (GREEN_GROUP, green)))


def written(
    verified: int | None, wanted: int | None = -1, *, ago: timedelta = SECOND, earlier: tuple[int, ...] = (0,)
) -> RuleState:
    """The rule as Teal wrote it so long ago, with these weights before."""
    state = rule(verified, wanted)
    known = tuple(map(Tenths, earlier))
    return replace(state, asked_at=NOON - ago, intended=(*known, *state.intended))


def looked(
    state: RuleState, seen: RuleSeen, *, at: datetime = NOON, phase: Phase = Phase.SHIFTING
) -> tuple[Draft, Look]:
    draft = Draft(row(phase, weight=0, rules=(state,)), Seen(rules={RULE: seen}), at)
    (found,) = rule_looks.take_looks(draft)
    return draft, found


EARLIER = [
    pytest.param(written(100), BASE, Phase.SHIFTING, id="the first list"),
    pytest.param(written(100), shares(999, 0), Phase.SHIFTING, id="green without traffic"),
    pytest.param(written(500, earlier=(0, 100)), shares(900, 100), Phase.SHIFTING, id="the step before"),
    pytest.param(written(0, 100), BASE, Phase.SHIFTING, id="before green was in it"),
    pytest.param(written(0), BASE, Phase.PROVISIONING, id="before green was in it, without traffic yet"),
    pytest.param(written(1000, 100), shares(999, 0), Phase.SHIFTING, id="nothing, on the way down"),
    pytest.param(written(500, earlier=(0, 1000)), shares(0, 999), Phase.SETTLING, id="more, in settling"),
    pytest.param(written(500, earlier=(0, 1000)), BASE, Phase.SETTLING, id="the first list, in settling"),
]


@pytest.mark.parametrize(("state", "seen", "phase"), EARLIER)
def test_an_earlier_list_right_after_a_write_is_nobodys_change_and_holds(
    state: RuleState, seen: RuleSeen, phase: Phase
) -> None:
    draft, found = looked(state, seen, phase=phase)
    assert found.found is Found.DOUBTED
    assert not drift_ends_it(draft, (found,))
    assert draft.turning_back is None
    rule_looks.hold_for(draft, (found,))
    assert [hold.kind for hold in draft.holds] == [HoldKind.AWS]
    rules.write(draft, (found,), safe_is_less=phase is not Phase.SETTLING)
    assert not draft.effects, "nothing is written on what is unsure"
    assert draft.row.rules == (replace(state, doubted_since=NOON),), "what was verified stays so"
    assert not draft.events
    assert draft.wake_at is not None
    assert draft.wake_at <= NOON + STALE_LONGEST


@pytest.mark.parametrize(("state", "seen", "phase"), EARLIER)
def test_an_earlier_list_in_looks_far_enough_apart_is_what_the_rule_holds(
    state: RuleState, seen: RuleSeen, phase: Phase
) -> None:
    first, _ = looked(state, seen, phase=phase)
    (doubted,) = first.row.rules
    _, early = looked(doubted, seen, phase=phase, at=NOON + STALE_LONGEST - SECOND)
    assert early.found is Found.DOUBTED
    _, sure = looked(doubted, seen, phase=phase, at=NOON + STALE_LONGEST)
    _, plain = looked(replace(state, asked_at=None), seen, phase=phase)
    assert (sure.found, sure.words, sure.rule.verified) == (plain.found, plain.words, plain.rule.verified)


def test_traffic_given_to_blue_by_hand_right_after_a_step_rolls_back_after_the_second_look() -> None:
    state = written(100)
    first, _ = looked(state, BASE)
    draft, found = looked(first.row.rules[0], BASE, at=NOON + STALE_LONGEST)
    assert drift_ends_it(draft, (found,))
    assert draft.turning_back is not None
    assert draft.turning_back.by.name == "somebody"


def test_one_look_that_shows_the_write_ends_the_doubt() -> None:
    first, _ = looked(written(100), BASE)
    between, found = looked(first.row.rules[0], shares(900, 100), at=NOON + 5 * SECOND)
    assert found.found is Found.AS_WRITTEN
    assert between.row.rules[0].doubted_since is None
    _, again = looked(between.row.rules[0], BASE, at=NOON + STALE_LONGEST)
    assert again.found is Found.DOUBTED


@pytest.mark.parametrize("ago", [UNREAD_LONGEST, timedelta(hours=1)])
def test_an_earlier_list_long_after_the_last_write_is_somebodys_change_at_once(ago: timedelta) -> None:
    _, found = looked(written(100, ago=ago), BASE)
    assert found.found is Found.TAKEN_BACK


def test_a_list_that_teal_never_wrote_is_somebodys_change_at_once() -> None:
    _, found = looked(written(100), shares(7, 0))
    assert found.found is Found.TAKEN_BACK


@pytest.mark.parametrize("earlier", [(0,), (0, 1000)])
def test_green_raised_right_after_a_write_is_put_back_at_once(earlier: tuple[int, ...]) -> None:
    draft, found = looked(written(100, earlier=earlier), shares(0, 999))
    rules.write(draft, (found,), safe_is_less=True, may_grow=False)
    assert [(e.green, e.to_safety) for e in draft.effects if isinstance(e, WriteRule)] == [(100, True)]


def test_a_write_is_remembered_by_its_rule_and_one_that_is_not_repeated_is_not() -> None:
    draft, found = looked(rule(100, 500), shares(900, 100))
    rules.write(draft, (found,), safe_is_less=True)
    assert draft.row.rules[0].asked_at == NOON
    again = Draft(draft.row, draft.seen, NOON + SECOND)
    again.change(asked=())
    rules.write(again, rule_looks.take_looks(again), safe_is_less=True)
    assert not again.effects
    assert again.row.rules[0].asked_at == NOON


def test_a_test_rule_that_reads_as_first_right_after_it_was_pointed_holds() -> None:
    pointed = replace(written(1000), arn=RULE)
    known = changed(row(Phase.PROVISIONING, weight=0), rules=(), test_rules=(pointed,))
    draft = Draft(known, Seen(rules={RULE: BASE}), NOON)
    assert not test_rules.point(draft)
    assert [hold.kind for hold in draft.holds] == [HoldKind.AWS]
    assert not draft.effects
    assert draft.row.test_rules[0].verified == ALL
    assert EventKind.DRIFT_FOUND not in {event.kind for event in draft.events}
    later = Draft(draft.row, draft.seen, NOON + STALE_LONGEST)
    test_rules.point(later)
    assert EventKind.DRIFT_FOUND in {event.kind for event in later.events}


# calls that AWS carries out late ----------------------------------------------------------------------------------


def with_unanswered(known: Rollout, weight: int, *, ago: timedelta) -> Rollout:
    """The row with a write of which no answer came."""
    key = rule_write_key(RULE, Tenths(weight))
    one = Unanswered(key=key, at=NOON - ago, until=NOON + UNREAD_LONGEST)
    return changed(known, unanswered=(one,))


def test_a_write_without_an_answer_that_lands_late_is_written_over_and_is_nobodys_rollback() -> None:
    state = replace(written(100, ago=timedelta(seconds=20)), doubted_since=NOON - STALE_LONGEST)
    known = with_unanswered(row(Phase.SHIFTING, weight=0, rules=(state,)), 0, ago=timedelta(seconds=40))
    draft = Draft(known, Seen(rules={RULE: shares(999, 0)}), NOON)
    (found,) = rule_looks.take_looks(draft)
    assert found.found is Found.AS_WRITTEN
    assert not drift_ends_it(draft, (found,))
    (event,) = draft.events
    assert event.kind is EventKind.WEIGHT_VERIFIED
    assert "which AWS carried out late" in event.message
    rules.write(draft, (found,), safe_is_less=True)
    assert [effect.green for effect in draft.effects if isinstance(effect, WriteRule)] == [100]


def test_what_aws_has_answered_is_not_taken_for_a_late_write() -> None:
    draft, found = looked(written(100, ago=UNREAD_LONGEST), shares(999, 0))
    assert found.found is Found.TAKEN_BACK
    assert drift_ends_it(draft, (found,))


def test_every_write_of_a_rule_may_be_carried_out_late() -> None:
    draft, found = looked(rule(0, 100), shares(999, 0))
    rules.write(draft, (found,), safe_is_less=True)
    (state,) = draft.row.rules
    assert (state.asked, state.asked_at) == (100, NOON)
    (one,) = draft.row.ticks.unanswered
    assert (one.key, one.at) == (rule_write_key(RULE, Tenths(100)), NOON)
