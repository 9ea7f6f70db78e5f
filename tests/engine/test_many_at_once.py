"""Many rollouts begun at the same moment: what Teal allows itself of AWS brings each of them on in its turn."""

from datetime import timedelta

import pytest

from orchestrator.aws.client.call import Caller
from orchestrator.aws.client.rate_limits import BESIDE_DOORS
from orchestrator.aws.client.rate_limits import Limits as RateLimits
from orchestrator.aws.cloud import AwsCloud
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.spec import Limits, MetricsSpec, ServiceName
from orchestrator.engine.tick import Ticker
from orchestrator.engine.worker import Worker
from sandbox.scenarios.scenery import furnish, register, until_steady
from sandbox.world.kernel.errors import AwsRefusal, CallLost
from tests.support.direct_transport import DirectTransport
from tests.support.rehearsal import Rehearsal, quick_plan

AT_ONCE = 24
MINUTE = timedelta(seconds=60)  # looks are as far apart as on a real account


class Fleet(Rehearsal):
    """Services beside each other, and an engine that keeps to its part of what AWS answers."""

    def __init__(self) -> None:
        super().__init__(requests_per_second=1, minute=MINUTE)
        self.shops = [
            furnish(self.world, service=f"shop-{n}", listener_port=8000 + n, desired=1)
            for n in range(AT_ONCE)
        ]
        for shop in self.shops:
            until_steady(self.world, shop)
        transport = DirectTransport(self.world.call, refusal=AwsRefusal, lost=CallLost)
        limited = Caller(transport, limits=RateLimits(BESIDE_DOORS), chance=lambda: 0.5)
        self.bounded = AwsCloud(limited, region=self.world.region, window=0.05)

    def _new_worker(self) -> Worker:
        return Worker(Ticker(self.store, self.bounded, self.clock), owner="rehearsal")


@pytest.mark.long
def test_a_fleet_begun_at_once_comes_to_its_first_traffic_one_after_the_other() -> None:
    with Fleet() as stage:
        rollouts = []
        for shop in stage.shops:
            name = ServiceName(cluster=shop.cluster, service=shop.service)
            spec = stage.spec(
                register(stage.world, family=shop.service),
                service=name,
                metrics=MetricsSpec(period=MINUTE, lag=2 * MINUTE),
                plan=quick_plan(bake=3600),
                limits=Limits(),
            )
            rollouts.append(stage.start(spec, key=shop.service))
            stage.world.advance(timedelta(seconds=1))
        stage.let_run(timedelta(minutes=7))
        phases = [stage.row(rollout).phase for rollout in rollouts]
        waiting = [phase for phase in phases if phase in (Phase.PENDING, Phase.PREPARING, Phase.PROVISIONING)]
        assert not waiting, phases
