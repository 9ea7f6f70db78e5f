"""Cases 58 and 59: Teal is away for longer than a bake, and two engines hold one rollout to be theirs."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest

from orchestrator.core.domain.errors import Lost
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import RolloutId, Tenths
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import Plan, Step
from orchestrator.engine.tick import LEASE, Ticker
from tests.cases.looks import green_of, tasks_of
from tests.cases.rule_stage import weights_of
from tests.support.rehearsal import MINUTE, Rehearsal

BAKE = 6 * MINUTE


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    with Rehearsal() as rehearsal:
        yield rehearsal


def baking(stage: Rehearsal) -> RolloutId:
    steps = (Step(weight=Tenths(100), bake=BAKE), Step(weight=Tenths(1000), bake=BAKE))
    rollout = stage.start(stage.spec(stage.revision(), plan=Plan(name="custom", steps=steps)))
    stage.until(rollout, Phase.SHIFTING)
    stage.let_run(2 * MINUTE)
    return rollout


def nobody_ticks(stage: Rehearsal, duration: timedelta) -> None:
    """Time passes, and no engine runs."""

    stage.run(asyncio.sleep(duration.total_seconds()))


def test_case_58_time_in_which_nobody_looked_is_no_bake(stage: Rehearsal) -> None:
    rollout = baking(stage)
    done = stage.row(rollout).bake.done
    nobody_ticks(stage, 3 * BAKE)
    stage.let_run(timedelta(seconds=1))
    row = stage.row(rollout)
    assert row.phase is Phase.SHIFTING, stage.story(rollout)
    assert row.bake.done - done < timedelta(seconds=2), "the bake goes on where it was"
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)


def test_case_58_what_happened_meanwhile_is_judged_before_anything_else(stage: Rehearsal) -> None:
    """Green went bad while Teal was away: its first look finds what the load balancer counted."""
    rollout = baking(stage)
    for task in tasks_of(stage, green_of(stage, rollout)):
        stage.world.virtual_tasks.change(task, error_rate=0.8)
    nobody_ticks(stage, 3 * BAKE)
    back = stage.clock.now()
    row = stage.until(rollout)
    assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert row.end is not None
    assert row.end.at - back < 2 * MINUTE


def test_case_59_the_engine_that_lost_the_row_writes_nothing(stage: Rehearsal) -> None:
    """It was frozen while its lease passed on: what it decided cannot be committed, so it is not performed."""
    rollout = baking(stage)
    ticker = Ticker(stage.store, stage.cloud, stage.clock, outward=stage.outward)

    async def split() -> None:
        now = stage.clock.now()
        (first,) = await stage.store.lease_due(
            owner="first", now=now + MINUTE, ttl=LEASE, limit=1, only=rollout
        )
        later = first.until + timedelta(seconds=1)
        (second,) = await stage.store.lease_due(owner="second", now=later, ttl=LEASE, limit=1, only=rollout)
        assert second.fence > first.fence
        with pytest.raises(Lost):
            await ticker.tick(first)

    weights, events = weights_of(stage), len(stage.events(rollout))
    calls = [record.operation for record in stage.world.log]
    stage.run(split())
    after = [record.operation for record in stage.world.log[len(calls) :]]
    assert not [name for name in after if not name.startswith(("Describe", "List", "Get"))]
    assert (weights_of(stage), len(stage.events(rollout))) == (weights, events)


def test_case_59_with_two_engines_every_decision_is_taken_once(stage: Rehearsal) -> None:
    """Both run all the time, on one store: one story comes of it, and each step is begun once."""
    rollout = stage.start(stage.spec(stage.revision()))

    async def both() -> None:
        async with stage._worker(), stage._worker():
            await stage._until(rollout, (), timedelta(minutes=30))

    stage.run(both())
    row = stage.row(rollout)
    assert row.phase is Phase.SUCCEEDED, stage.story(rollout)
    begun = [seen.event.message for seen in stage.events(rollout, EventKind.STEP_STARTED)]
    assert len(begun) == len(set(begun)) == 5
