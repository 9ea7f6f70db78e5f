"""Case 70: connections that live on (WebSocket, server-sent events, HTTP/2) stay on green after a rollback."""

import itertools
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.spec import DrainSpec
from tests.cases.looks import green_of
from tests.support.rehearsal import Rehearsal

DRAIN = DrainSpec(after=timedelta(seconds=20), slices=3, every=timedelta(seconds=15))


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    with Rehearsal() as rehearsal:
        yield rehearsal


def sizes(stage: Rehearsal, drain: DrainSpec) -> tuple[datetime, list[tuple[datetime, int]]]:
    """When all traffic was on blue, and the sizes that green was given from then on."""
    rollout = stage.start(stage.spec(stage.revision(), drain=drain))
    stage.until(rollout, Phase.WATCHING)
    green = green_of(stage, rollout)
    stage.command(rollout, CommandKind.ROLLBACK)
    row = stage.until(rollout)
    assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert row.end is not None
    assert row.end.traffic_on_blue_at is not None
    asked = [
        (record.at, int(record.params["desiredCount"]))
        for record in stage.world.log
        if record.operation == "UpdateService" and record.params["service"] == green
    ]
    return row.end.traffic_on_blue_at, asked


def test_case_70_green_is_drained_in_slices_some_time_after_the_weights(stage: Rehearsal) -> None:
    """Each slice's connections come back to blue by themselves, the next only once these are there."""
    home, asked = sizes(stage, DRAIN)
    assert [size for _, size in asked] == [2, 1, 0]
    times = [at - home for at, _ in asked]
    assert times[0] >= DRAIN.after
    assert all(later - earlier >= DRAIN.every for earlier, later in itertools.pairwise(times))


def test_case_70_without_a_word_of_it_green_goes_at_once(stage: Rehearsal) -> None:
    _, asked = sizes(stage, DrainSpec())
    assert [size for _, size in asked] == [0]
