"""Which writes need no record: blue's getting all traffic, before settling, of rules that the committed row knows."""

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.core.cloud.effects import WriteRule
from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.ids import Tenths
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.changes import changed
from orchestrator.core.rollout.handover import Retirement
from orchestrator.core.rollout.rollout import Decision, Rollout
from orchestrator.engine.tick import to_safety_at_once
from tests.builders import FORMER, NOON, RULE
from tests.core.stages import a_command, at, attempt, baked, commanded, rolling_back, settling

ROLLBACK = a_command(CommandKind.ROLLBACK)
LONG_AGO = NOON - timedelta(hours=1)


def weights(before: Rollout, decision: Decision) -> list[Tenths | None]:
    return [effect.green for effect in to_safety_at_once(before, decision)]


@pytest.mark.parametrize("before", [baked(2), baked(2, phase=Phase.WATCHING, step=2)])
def test_a_rollback_before_settling_is_written_at_once(before: Rollout) -> None:
    decision = commanded(before, ROLLBACK)
    assert weights(before, decision) == [0]
    assert weights(rolling_back(500), at(rolling_back(500))) == [0]


def test_what_goes_on_is_not_written() -> None:
    assert weights(baked(5), at(baked(5))) == []


def test_nothing_is_written_once_settling_may_have_touched_blue_or_a_swap_has_begun() -> None:
    """There a write to safety may raise green, and a row that does not know of it takes that for somebody else's."""
    before = settling(1000)
    assert weights(before, commanded(before, ROLLBACK)) == []
    back = (attempt(), attempt(number=2, task_definition=FORMER, at=LONG_AGO))
    steady = rolling_back(500, attempts=back, ready_since=LONG_AGO)
    decision = at(steady)
    assert [e.green for e in decision.effects if isinstance(e, WriteRule)] == [0]
    assert weights(steady, decision) == []
    swapping = rolling_back(500, retirement=Retirement(token="again", desired=3))
    assert weights(swapping, at(swapping)) == []


def test_a_rule_that_the_committed_row_does_not_know_is_not_written() -> None:
    before = changed(rolling_back(500), rules=())
    assert weights(before, at(rolling_back(500))) == []
    other = replace(rolling_back(500).rules[0], arn=type(RULE)(RULE + "2"))
    assert weights(changed(before, rules=(other,)), at(rolling_back(500))) == []
