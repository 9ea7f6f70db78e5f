"""What no row may be: asserted where it is decided and where a tick reads it."""

from dataclasses import replace

import pytest

from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.changes import changed
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.rollout.soundness import contradiction
from tests.core.stages import OPERATOR, at, rolling_back, row, rule, seen_of


@pytest.mark.parametrize("phase", [Phase.PENDING, Phase.PREPARING, Phase.SHIFTING, Phase.SETTLING])
def test_rows_of_every_phase_are_sound(phase: Phase) -> None:
    assert contradiction(row(phase)) == ""


@pytest.mark.parametrize(
    ("known", "why"),
    [
        (changed(row(Phase.SHIFTING), rules=(rule(1001),)), "which is no share"),
        (replace(row(Phase.SHIFTING), colours=None), "it has rules and knows neither colour"),
        (changed(rolling_back(100), end=None), "does not know why"),
        (changed(rolling_back(100), paused_by=OPERATOR), "a rollback waits for nobody"),
    ],
)
def test_row_that_contradicts_itself_is_told_apart(known: Rollout, why: str) -> None:
    assert why in contradiction(known)


def test_decision_that_would_leave_such_a_row_stops_its_tick() -> None:
    known = changed(rolling_back(100), paused_by=OPERATOR)
    with pytest.raises(AssertionError, match="a decided row cannot be"):
        at(known, seen_of(known))
