"""Turning back is a value: whoever decides it may go on, and nothing of what follows is left in the decision."""

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.core.decide import conclude
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import Tenths
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import ALL
from orchestrator.core.rollout.progress import Loss
from orchestrator.core.rollout.rollout import HoldKind
from orchestrator.core.tick.draft import TEAL, Draft
from orchestrator.core.tick.turn_back import roll_back
from orchestrator.core.traffic import rule_looks, rules
from tests.builders import NOON, RULE
from tests.core.stages import OPERATOR, at, recorded, row, rule_seen, seen_of, written


def test_hold_that_lasted_too_long_rolls_back_although_somebody_raised_green() -> None:
    known = row(Phase.SHIFTING, weight=100, step=1, held=timedelta(hours=3))
    decision = at(known, seen_of(known, rules={RULE: rule_seen(known, 500)}))
    assert decision.rollout.phase is Phase.ROLLING_BACK
    assert written(decision) == [0], "raised green is not set right to 10 %, but taken back"


@pytest.mark.parametrize("weight", [500, 1000])
def test_phase_that_goes_on_after_turning_back_can_no_longer_raise_greens_weight(weight: int) -> None:
    known = row(Phase.SHIFTING, weight=100)
    draft = Draft(known, seen_of(known), NOON)
    looks = rule_looks.take_looks(draft)
    roll_back(draft, "health: 2 of 3 targets are unhealthy", TEAL)
    # As a phase function would that does not notice:
    rules.want(draft, Tenths(weight))
    rules.write(draft, looks, safe_is_less=True)
    draft.hold(HoldKind.GATE, "compare: not yet", clears_when="it has evidence")
    draft.move(Phase.WATCHING, "the last step's weight is on every rule")
    assert written(conclude(draft)) == [0]


def test_what_was_decided_after_turning_back_is_in_neither_row_nor_log() -> None:
    known = row(Phase.SHIFTING, weight=100)
    draft = Draft(known, seen_of(known), NOON)
    roll_back(draft, "guard: too many errors", TEAL)
    rules.want(draft, ALL)
    draft.change(step=2)
    draft.move(Phase.WATCHING, "the last step's weight is on every rule")
    decision = conclude(draft)
    assert (decision.rollout.phase, decision.rollout.progress.step) == (
        Phase.ROLLING_BACK,
        known.progress.step,
    )
    assert [rule.wanted for rule in decision.rollout.rules] == [0]
    assert not any(ALL in rule.intended for rule in decision.rollout.rules)
    events = [(event.kind, dict(event.facts).get("end")) for event in decision.events]
    assert (EventKind.PHASE_CHANGED, Phase.WATCHING.value) not in events
    assert EventKind.WEIGHT_WANTED not in {event.kind for event in decision.events}


def test_first_reason_of_a_tick_to_turn_back_is_the_one_that_counts() -> None:
    known = row(Phase.SHIFTING, weight=100)
    draft = Draft(known, seen_of(known), NOON)
    roll_back(draft, "guard: too many errors", TEAL)
    roll_back(draft, "held for 2 h", OPERATOR)
    end = conclude(draft).rollout.end
    assert end is not None
    assert (end.reason, end.by) == ("guard: too many errors", TEAL)


def test_where_there_is_no_way_back_the_tick_goes_on_and_holds() -> None:
    known = replace(row(Phase.SHIFTING, weight=100), blue_loss=Loss.DELETED)
    draft = Draft(known, seen_of(known), NOON)
    roll_back(draft, "guard: too many errors", TEAL)
    decision = conclude(draft)
    assert decision.rollout.phase is Phase.SHIFTING
    assert [hold.kind for hold in decision.rollout.waiting.holds] == [HoldKind.FAILED]
    assert EventKind.PAGED in recorded(decision)
