"""Which calls AWS may still carry out."""

from datetime import timedelta

import pytest

from orchestrator.core.cloud.effects import UpdateService
from orchestrator.core.domain.ids import TaskDefinitionArn
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.changes import changed
from orchestrator.core.rollout.late_calls import (
    KEPT,
    SIGNATURE_AGE,
    SIGNED_WITHIN,
    SKEW,
    may_be_carried_out,
    with_asked,
    without_answered,
)
from orchestrator.core.rollout.rollout import Rollout, Ticks
from tests.builders import NOON
from tests.core.stages import row

SECOND = timedelta(seconds=1)
KEY = "update_service checkout 1"
TOO_OLD = SIGNATURE_AGE + SIGNED_WITHIN + SKEW


def update() -> UpdateService:
    return UpdateService(
        cluster="prod",
        service="checkout",
        task_definition=TaskDefinitionArn("checkout:2"),
        desired=3,
        deployment_configuration=None,
        attempt=1,
    )


@pytest.mark.parametrize(
    ("ago", "answered", "kept"),
    [
        pytest.param(SECOND, {KEY}, 0, id="answered"),
        pytest.param(SECOND, set(), 1, id="not answered"),
        pytest.param(3 * SECOND, {KEY}, 1, id="an earlier one, where AWS answered one that was sent again"),
        pytest.param(TOO_OLD, set(), 0, id="so old that AWS refuses its signature"),
    ],
)
def test_a_call_may_be_carried_out_until_it_is_answered_or_its_signature_is_too_old(
    ago: timedelta, answered: set[str], kept: int
) -> None:
    asked = with_asked(Ticks(), update(), NOON - ago)
    ticks = Ticks(unanswered=asked, ticked_at=NOON - SECOND)
    assert len(without_answered(ticks, answered, NOON)) == kept


def test_a_call_that_is_asked_for_again_and_again_does_not_fill_the_row() -> None:
    ticks = Ticks()
    for number in range(10):
        ticks = Ticks(unanswered=with_asked(ticks, update(), NOON + number * SECOND))
    assert [one.at for one in ticks.unanswered] == [NOON + number * SECOND for number in range(10 - KEPT, 10)]


def test_a_row_knows_which_call_may_be_carried_out() -> None:
    known: Rollout = changed(row(Phase.SETTLING, weight=1000), unanswered=with_asked(Ticks(), update(), NOON))
    assert may_be_carried_out(known, KEY)
    assert not may_be_carried_out(known, "update_service checkout 2")
