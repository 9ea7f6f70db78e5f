"""Targets that leave slowly: their delay is waited for, and nobody is called before it can be over."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.spec import Ending, Limits
from tests.cases.looks import service_of
from tests.cases.swap_stage import swap, until_recorded
from tests.support.rehearsal import Rehearsal

DELAY = timedelta(minutes=15)
SHORT = timedelta(minutes=1)


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    with Rehearsal(scalable=False, draining=DELAY) as rehearsal:
        yield rehearsal


def limits(stage: Rehearsal) -> Limits:
    return replace(stage.spec("").limits, settle=SHORT)


@pytest.mark.long
def test_case_51_a_long_deregistration_delay_is_waited_for_and_calls_nobody(stage: Rehearsal) -> None:
    """Streams get their delay before blue's tasks stop, and a limit that is shorter than it pages nobody."""
    rollout = swap(stage, Ending.DELETE, limits=limits(stage))
    until_recorded(stage, rollout, EventKind.TRAFFIC_ON_GREEN)
    stage.let_run(DELAY - timedelta(minutes=1))
    row = stage.row(rollout)
    assert row.phase is Phase.RETIRING
    assert "the last connections to leave blue, until" in row.waiting.waiting_for, stage.story(rollout)
    assert service_of(stage)["runningCount"] == 3
    row = stage.until(rollout)
    assert row.phase is Phase.SUCCEEDED, stage.story(rollout)
    assert service_of(stage)["status"] == "INACTIVE"
    assert not stage.events(rollout, EventKind.PAGED)
