"""Whoever waits is told how long the same took in the service's last rollout."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.engine.views.rollout import view
from tests.support.rehearsal import Rehearsal


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    with Rehearsal(requests_per_second=0) as rehearsal:
        yield rehearsal


def moves(stage: Rehearsal, rollout: RolloutId) -> dict[Phase, datetime]:
    """When each phase was left, by the log."""
    told = [seen.event for seen in stage.events(rollout, EventKind.PHASE_CHANGED)]
    return {Phase(str(dict(event.facts)["start"])): event.at for event in told}


def test_the_length_of_a_phase_is_told_in_the_next_rollout_and_not_that_of_one_cut_short(
    stage: Rehearsal,
) -> None:
    first = stage.start(stage.spec(stage.revision()), key="first")
    stage.until(first, Phase.SHIFTING)
    stage.command(first, CommandKind.ROLLBACK)
    stage.until(first)
    left = moves(stage, first)
    second = stage.start(stage.spec(stage.revision()), key="second")
    row = stage.until(second, Phase.PROVISIONING)
    known = {one.phase: one.time for one in row.lasted_before}
    assert known[Phase.PROVISIONING] == left[Phase.PROVISIONING] - left[Phase.PREPARING]
    assert Phase.SHIFTING not in known, "it was left for a rollback"
    assert known[Phase.ROLLING_BACK] > timedelta(0)
    seen = view(stage.run(stage.store.load(second)))
    assert seen.last_time_seconds == known[Phase.PROVISIONING].total_seconds()
