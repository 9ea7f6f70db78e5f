"""Many rollouts in one minute: room is promised once, AWS's buckets are left alone, the worst harm ends first."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.aws.client.call import Caller
from orchestrator.aws.client.rate_limits import Limits
from orchestrator.aws.cloud import AwsCloud
from orchestrator.core.cloud.effects import WriteRule
from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.errors import Throttled
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.gates.compare import CompareSpec
from orchestrator.core.gates.guard import GuardSpec
from orchestrator.core.gates.registry import GatesSpec
from orchestrator.core.gates.scene import Counts
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.rollout.spec import ServiceName
from sandbox.scenarios.scenery import furnish, register
from sandbox.world.kernel.errors import AwsRefusal, CallLost
from sandbox.world.kernel.log import CallRecord
from sandbox.world.kernel.settings import WorldSettings
from sandbox.world.other_services.service_quotas import FARGATE_VCPU
from tests.cases.starts import preflight
from tests.core.stages import a_command, baked, commanded, only
from tests.support.direct_transport import DirectTransport
from tests.support.rehearsal import Rehearsal
from tests.support.virtual import VirtualLoop, close

BLIND = GatesSpec(guard=GuardSpec(on=False), compare=CompareSpec(on=False))
SERVICES = 10


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    with Rehearsal(requests_per_second=5) as rehearsal:
        yield rehearsal


def of_another_service(row: Rollout) -> Rollout:
    return replace(row, spec=replace(row.spec, service=ServiceName(cluster="prod", service="basket")))


def test_case_75_vcpu_that_another_rollout_was_promised_is_not_given_away_twice(stage: Rehearsal) -> None:
    """AWS counts tasks that run; those that another rollout is about to start are taken off what is left."""
    rollout = stage.start(stage.spec(stage.revision()))
    stage.until(rollout, Phase.PREPARING, Phase.PROVISIONING)
    other = of_another_service(stage.row(rollout))
    stage.world.quotas.values["fargate"][FARGATE_VCPU] = (
        2.5  # blue's 3 tasks take 0.75, 6 more would take 1.5
    )
    spec = stage.spec(stage.revision())
    assert "vcpu-short" not in preflight(stage, spec)
    told = preflight(stage, spec, other)["vcpu-short"].what
    assert f"are used, 0.75 more are promised to {rollout}; up to 1.5 more are needed" in told


@pytest.mark.long
def test_case_75_rollouts_that_start_together_wait_for_each_other_and_are_not_throttled() -> None:
    """Teal's own buckets are smaller than AWS's, so ten services at once make AWS refuse nothing."""
    settings = replace(WorldSettings.kind(), throttling=True)
    with Rehearsal(requests_per_second=1, settings=settings, rules=1) as stage:
        names = [f"s{number}" for number in range(SERVICES)]
        for number, name in enumerate(names):
            furnish(
                stage.world,
                service=name,
                desired=1,
                listener_port=8001 + number,
                load_balancer=stage.scenery.load_balancer,
                alarms=False,
            )
            stage.let_run(timedelta(seconds=20))
        transport = DirectTransport(stage.world.call, refusal=AwsRefusal, lost=CallLost)
        caller = Caller(transport, limits=Limits(), chance=lambda: 0.5)
        stage.cloud = AwsCloud(caller, region=stage.world.region)
        before = len(stage.world.log)
        rollouts = [started(stage, name) for name in names]
        ends = [stage.until(rollout).phase for rollout in rollouts]
        assert ends == [Phase.SUCCEEDED] * SERVICES
        assert [call.operation for call in stage.world.log[before:] if is_throttled(call)] == []


def is_throttled(call: CallRecord) -> bool:
    return isinstance(call.error, AwsRefusal) and "Throttling" in call.error.code


def started(stage: Rehearsal, name: str) -> RolloutId:
    """Start a rollout of a service, again where Teal's own limit says that there are too many at once."""
    revision = register(stage.world, family=name)
    spec = stage.spec(revision, service=ServiceName(cluster="prod", service=name), gates=BLIND)
    for _ in range(20):
        try:
            return stage.start(spec, key=name)
        except Throttled:
            stage.let_run(timedelta(seconds=1))
    raise AssertionError(f"{name} was never started")


def test_case_75_of_rollbacks_that_must_wait_the_one_that_ends_the_most_harm_goes_first() -> None:
    """A hundred at once outlast AWS's bucket: how many requests green gets decides who waits."""
    loop, order = VirtualLoop(), list[float]()

    async def write(limits: Limits, harm: float) -> None:
        await limits.take("elbv2", "ModifyRule", to_safety=True, harm=harm)
        order.append(harm)

    async def all_at_once() -> None:
        limits = Limits(patience=60)
        while limits._buckets["elbv2 write"].take_now(urgent=True):
            pass
        async with asyncio.TaskGroup() as group:
            for harm in (1.0, 40.0, 0.5, 900.0, 3.0):
                group.create_task(write(limits, harm))
            late = group.create_task(write(limits, 50.0))
            gone = group.create_task(write(limits, 1000.0))
            await asyncio.sleep(0.1)
            gone.cancel()
        assert late.done()

    try:
        loop.run_until_complete(all_at_once())
    finally:
        close(loop)
    assert order == [900.0, 50.0, 40.0, 3.0, 1.0, 0.5]


def test_case_75_the_harm_that_a_rollback_ends_is_greens_share_of_the_requests() -> None:
    """Of a period's 1,000 requests it is green's share that the write takes off it."""
    known = baked(history=(Counts(requests=1000),))
    write = only(commanded(known, a_command(CommandKind.ROLLBACK)), WriteRule)
    share = known.rules[0].verified
    assert share
    assert write.harm == pytest.approx(1000 * share / 1000, rel=0.01)
