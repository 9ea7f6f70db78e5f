"""A rollout about which nothing can be decided: people are called, others go on, and it can still be taken back."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from orchestrator.core.decide import decide
from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.rollout import Decision, Rollout
from orchestrator.core.tick.seen import Seen
from orchestrator.engine import tick
from orchestrator.ports.leases import Leased
from orchestrator.store.errors import Unusable
from tests.support.rehearsal import Rehearsal


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    with Rehearsal() as rehearsal:
        yield rehearsal


def test_a_rollout_whose_every_look_fails_calls_people_once_and_can_be_taken_back(
    stage: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    rollout = stage.start(stage.spec(stage.revision()))
    stage.until(rollout, Phase.SHIFTING)

    def failing(row: Rollout, seen: Seen, now: datetime) -> Decision:
        if row.phase is Phase.SHIFTING and not seen.commands:
            raise ValueError("green's share cannot be written")
        return decide(row, seen, now)

    monkeypatch.setattr(tick, "decide", failing)
    stage.let_run(timedelta(seconds=10))
    assert not stage.events(rollout, EventKind.PAGED), "it may have been one bad answer"
    stage.let_run(timedelta(minutes=5))
    (page,) = stage.events(rollout, EventKind.PAGED)
    assert "ValueError: green's share cannot be written" in page.event.message
    assert f"teal rollback {rollout}" in page.event.message
    assert stage.row(rollout).phase is Phase.SHIFTING
    stage.command(rollout, CommandKind.ROLLBACK)
    assert stage.until(rollout).phase is Phase.ROLLED_BACK, stage.story(rollout)


def test_a_store_that_fails_is_asked_less_and_less_often_and_at_once_again_when_it_answers(
    stage: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    rollout = stage.start(stage.spec(stage.revision()))
    stage.until(rollout, Phase.SHIFTING)
    asked: list[datetime] = []

    async def fails(**_: object) -> tuple[Leased, ...]:
        asked.append(stage.clock.now())
        raise Unusable(what="the store cannot be read", why="a test")

    with monkeypatch.context() as broken:
        broken.setattr(stage.store, "lease_due", fails)
        stage.let_run(timedelta(minutes=1))
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(asked)]
    assert gaps[:5] == [0.5, 1, 2, 4, 4]
    assert len(asked) < 20
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
