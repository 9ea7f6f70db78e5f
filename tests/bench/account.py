"""An account as large as life, in virtual time: minutes of 60 s, tasks that take 30 s, calls that take time."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from random import Random
from typing import Any

from orchestrator.aws.client.call import Caller
from orchestrator.aws.client.rate_limits import Limits
from orchestrator.aws.client.transport import Answer
from orchestrator.aws.cloud import AwsCloud
from orchestrator.core.domain.plan import NAMED_PLANS
from orchestrator.core.gates.alarms import AlarmSpec, AlarmsSpec
from orchestrator.core.gates.registry import GatesSpec
from orchestrator.core.rollout.spec import MetricsSpec, Spec
from sandbox.world.kernel.errors import AwsRefusal, CallLost
from sandbox.world.kernel.settings import WorldSettings
from sandbox.world.world import World
from tests.support.direct_transport import DirectTransport
from tests.support.rehearsal import Rehearsal

WAY_SECONDS = (0.01, 0.06)  # a call's way to AWS, and as long again back: 20 to 120 ms in all
MINUTE = timedelta(seconds=60)
LONGEST = timedelta(hours=3)


class Distant:
    """A World that is some way off."""

    def __init__(self, world: World, draw: Random) -> None:
        self._direct = DirectTransport(world.call, refusal=AwsRefusal, lost=CallLost)
        self._draw = draw

    async def call(self, service: str, operation: str, params: Mapping[str, Any]) -> Answer:
        """One attempt at one call."""
        way = self._draw.uniform(*WAY_SECONDS)
        await asyncio.sleep(way)
        try:
            return await self._direct.call(service, operation, params)
        finally:
            await asyncio.sleep(way)


class Account(Rehearsal):
    """A service of three tasks with 50 requests a second; groups drain in 30 s and are checked every 10 s."""

    def __init__(self, seed: int, **furnishing: Any) -> None:  # noqa: ANN401 - the parameters of `furnish`
        super().__init__(
            seed=seed,
            settings=WorldSettings(),
            requests_per_second=50,
            minute=MINUTE,
            draining=timedelta(seconds=30),
            check_interval=timedelta(seconds=10),
            **furnishing,
        )
        behaviour = self.world.behaviour
        behaviour.start, behaviour.start_spread = timedelta(seconds=25), timedelta(seconds=10)
        self.cloud = self.new_cloud(seed)
        # Not in step with CloudWatch's minutes.
        self.run(asyncio.sleep(Random(seed).uniform(0, MINUTE.total_seconds())))

    def new_cloud(self, seed: int) -> AwsCloud:
        """The adapters as a process of its own would have them: with limits below AWS's, some way off."""
        draw = Random(seed)
        caller = Caller(Distant(self.world, draw), limits=Limits(), chance=draw.random)
        return AwsCloud(caller, region=self.world.region)

    def canary(self, revision: str, **gates: Any) -> Spec:  # noqa: ANN401 - the fields of GatesSpec
        """The plan ``canary`` as the file's defaults have it."""
        judged = {"alarms": AlarmsSpec(alarms=tuple(AlarmSpec(name=n) for n in self.scenery.alarms)), **gates}
        return self.spec(
            revision, plan=NAMED_PLANS["canary"], metrics=MetricsSpec(), gates=GatesSpec(**judged)
        )
