"""Who is told: what the settings name; and an engine that stops has told what it committed last."""

import asyncio
from datetime import timedelta

import pytest

from orchestrator.bootstrap import engine_of, sinks_of
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.settings import Hook, Secret, Settings, Slack
from tests.notify.receiver import SECRET
from tests.notify.stage import Down, ManualClock, Recorder
from tests.support.rehearsal import Rehearsal


def test_settings_name_who_is_told() -> None:
    hooks = tuple(
        Hook(name=name, url=f"https://{name}.example.com/", secret=Secret(SECRET))
        for name in ("chat", "pager")
    )
    slack = Slack(token=Secret("xoxb-1"), signing_secret=Secret("s"), channel="#deploys")
    clock = ManualClock()
    assert sinks_of(Settings(), clock) == ()
    assert [sink.name for sink in sinks_of(Settings(hooks=hooks, slack=slack), clock)] == [
        "slack",
        "hook chat",
        "hook pager",
    ]


def rolled_out(stage: Rehearsal, *sinks: Recorder) -> RolloutId:
    """A rollout that an engine with these sinks took to its end; the engine has stopped."""
    engine = engine_of(stage.store, stage.cloud, stage.clock, sinks=sinks)
    for sink in sinks:
        stage.run(stage.store.open_sink(sink.name, now=stage.clock.now()))
    rollout = stage.start(stage.spec(stage.revision()))

    async def until_it_ends() -> None:
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(engine.run(stop))
            while True:
                stored = await stage.store.load(rollout)
                if stored.rollout.phase.is_final:
                    break
                await asyncio.sleep(0.05)
            stop.set()

    stage.run(until_it_ends())
    assert stage.row(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
    return rollout


def test_an_engine_tells_a_whole_rollout_in_the_order_of_its_log_and_its_end_before_it_stops() -> None:
    with Rehearsal(requests_per_second=2) as stage:
        sink = Recorder(at_once=5)
        rollout = rolled_out(stage, sink)
        assert sink.told == [seen.event.message for seen in stage.events(rollout)]
        assert sink.rows[-1].rollout.phase is Phase.SUCCEEDED


@pytest.mark.long
def test_a_receiver_that_is_down_makes_no_rollout_slower() -> None:
    def lasted(*sinks: Recorder) -> timedelta:
        with Rehearsal(requests_per_second=2) as stage:
            rollout = rolled_out(stage, *sinks)
            (ended,) = stage.events(rollout, EventKind.ENDED)
            return ended.event.at - stage.row(rollout).created_at

    stuck, down = Recorder("stuck"), Recorder("down")
    stuck.stuck, down.trouble = asyncio.Event(), Down()
    assert lasted(stuck, down) == lasted()
    assert min(stuck.attempts, down.attempts) > 0
