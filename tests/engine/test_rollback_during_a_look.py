"""A rollback that is asked for while the engine looks: nothing that the look still waits for is waited for."""

import asyncio
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.aws.client.transport import Answer
from orchestrator.aws.cloud import AwsCloud
from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.engine import commands
from sandbox.world.kernel.errors import AwsRefusal, CallLost
from tests.support.direct_transport import DirectTransport
from tests.support.rehearsal import OPERATOR, Rehearsal, quick_plan

SLOW = 6.0  # seconds that CloudWatch takes to answer
METRICS = "GetMetricData"


class SlowMetrics:
    """An AWS whose CloudWatch takes its time, once it was told to."""

    def __init__(self, direct: DirectTransport) -> None:
        self._direct = direct
        self.is_slow = False
        self.is_asked = asyncio.Event()

    async def call(self, service: str, operation: str, params: Mapping[str, Any]) -> Answer:
        if operation == METRICS and self.is_slow:
            self.is_asked.set()
            await asyncio.sleep(SLOW)
        return await self._direct.call(service, operation, params)


class SlowLooks(Rehearsal):
    """A rollout under way whose every look waits for CloudWatch."""

    def __init__(self) -> None:
        super().__init__()
        self.transport = SlowMetrics(DirectTransport(self.world.call, refusal=AwsRefusal, lost=CallLost))
        self.cloud: AwsCloud = self.cloud_of(self.transport)

    def begun(self) -> RolloutId:
        """A rollout that holds at 10 % for an hour."""
        rollout = self.start(self.spec(self.revision(), plan=quick_plan(bake=3600)))
        self.until(rollout, Phase.SHIFTING)
        self.let_run(timedelta(seconds=30))
        self.transport.is_slow = True
        return rollout

    def seconds_to_blue(self, rollout: RolloutId, *kinds: CommandKind, hinted: bool = True) -> float:
        """From the last of these commands, given in the middle of a look, until all traffic is on blue."""
        return self.run(self._seconds_to_blue(rollout, kinds, hinted))

    async def _seconds_to_blue(
        self, rollout: RolloutId, kinds: tuple[CommandKind, ...], hinted: bool
    ) -> float:
        working = self._worker()
        async with working:
            self.transport.is_asked.clear()
            await self.transport.is_asked.wait()
            await asyncio.sleep(1)
            for number, kind in enumerate(kinds):
                asked = commands.command(kind, by=OPERATOR, clock=self.clock, key=f"command {number}")
                await commands.accept(rollout, asked, store=self.store)
            if hinted:
                working.worker.hint()
            began = self.clock.now()
            for _ in range(3000):
                if await self._is_on_blue(rollout):
                    return (self.clock.now() - began).total_seconds()
                await asyncio.sleep(0.01)
        raise TimeoutError("blue never had all traffic")

    async def _is_on_blue(self, rollout: RolloutId) -> bool:
        seen = await self.store.events(rollout, limit=10_000)
        return any(one.event.kind is EventKind.TRAFFIC_ON_BLUE for one in seen)


@pytest.fixture
def stage() -> Iterator[SlowLooks]:
    with SlowLooks() as rehearsal:
        yield rehearsal


def test_a_rollback_does_not_wait_for_the_metrics_that_a_look_still_reads(stage: SlowLooks) -> None:
    rollout = stage.begun()
    assert stage.seconds_to_blue(rollout, CommandKind.ROLLBACK) < 1
    stage.transport.is_slow = False
    assert stage.until(rollout).phase is Phase.ROLLED_BACK, stage.story(rollout)


def test_a_rollback_by_another_process_is_found_within_the_interval_of_asking_the_store(
    stage: SlowLooks,
) -> None:
    rollout = stage.begun()
    assert stage.seconds_to_blue(rollout, CommandKind.ROLLBACK, hinted=False) < 1


def test_a_pause_waits_for_the_look_and_many_rollbacks_do_not_begin_it_again_and_again(
    stage: SlowLooks,
) -> None:
    rollout = stage.begun()
    many = (CommandKind.PAUSE, *[CommandKind.ROLLBACK] * 12)
    assert stage.seconds_to_blue(rollout, *many) < 1
    stage.transport.is_slow = False
    assert stage.until(rollout).phase is Phase.ROLLED_BACK, stage.story(rollout)
