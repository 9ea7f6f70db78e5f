"""What a tick asked for before it decided to roll back is not done."""

from datetime import timedelta

from orchestrator.core.domain.phases import Phase
from tests.builders import RULE
from tests.core.stages import at, row, rule_seen, seen_of, written


def test_hold_that_lasted_too_long_rolls_back_although_somebody_raised_green() -> None:
    known = row(Phase.SHIFTING, weight=100, step=1, held=timedelta(hours=3))
    decision = at(known, seen_of(known, rules={RULE: rule_seen(known, 500)}))
    assert decision.rollout.phase is Phase.ROLLING_BACK
    assert written(decision) == [0], "raised green is not set right to 10 %, but taken back"
