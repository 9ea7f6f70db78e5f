"""A tick keeps within its lease, whatever AWS takes its time for, and brings traffic to safety before all else."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.aws.client.call import Caller
from orchestrator.aws.cloud import AwsCloud
from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.errors import Lost, Unwritable
from orchestrator.core.domain.ids import Tenths
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.changes import changed
from orchestrator.core.rollout.rollout import Decision
from orchestrator.core.tick.needs import Needs
from orchestrator.core.tick.seen import Seen
from orchestrator.engine.tick import CALL_LONGEST, DEADLINE, LEASE, RENEW_BEFORE, Ticked, Ticker
from orchestrator.ports.leases import Leased
from orchestrator.store.memory.store import MemoryStore
from sandbox.world.kernel.errors import AwsRefusal, CallLost
from tests.support.direct_transport import DirectTransport
from tests.support.rehearsal import Rehearsal, quick_plan

SECOND = timedelta(seconds=1)


class LateCloud(AwsCloud):
    """An AWS whose looks take as long as they are told to."""

    takes = timedelta(0)

    async def observe(self, needs: Needs) -> Seen:
        await asyncio.sleep(self.takes.total_seconds())
        return await super().observe(needs)


class Stage(Rehearsal):
    """A rollout whose next tick makes green's target group, ticked by hand."""

    def __init__(self) -> None:
        super().__init__(requests_per_second=10)
        transport = DirectTransport(self.world.call, refusal=AwsRefusal, lost=CallLost)
        self.late = LateCloud(Caller(transport), region=self.world.region)
        self.ticker = Ticker(self.store, self.late, self.clock)
        self.rollout = self.start(self.spec(self.revision()))
        self.run(self.store.release(self.tick(self.lease()).leased))  # blue was read
        assert self.row(self.rollout).phase is Phase.PREPARING
        self.begun = len(self.world.log)

    def lease(self, *, owner: str = "one") -> Leased:
        (leased,) = self.run(self.store.lease_due(owner=owner, now=self.clock.now(), ttl=LEASE, limit=9))
        return leased

    def tick(self, leased: Leased) -> Ticked:
        return self.run(self.ticker.tick(leased))

    def wait(self, duration: timedelta) -> None:
        self.run(asyncio.sleep(duration.total_seconds()))

    def made(self) -> int:
        return sum(call.operation == "CreateTargetGroup" for call in self.world.log[self.begun :])


@pytest.fixture
def stage() -> Iterator[Stage]:
    with Stage() as stage:
        yield stage


def test_a_look_that_hangs_is_given_up_before_anybody_else_can_have_the_row(stage: Stage) -> None:
    leased = stage.lease()
    stage.wait(LEASE - RENEW_BEFORE)  # as late as a tick begins without a longer lease
    stage.late.takes = timedelta(minutes=10)
    with pytest.raises(TimeoutError):
        stage.tick(leased)
    assert stage.clock.now() < leased.until
    assert stage.made() == 0


def test_a_tick_that_begins_on_the_last_seconds_of_its_lease_holds_on_to_the_row_first(stage: Stage) -> None:
    leased = stage.lease()
    stage.wait(LEASE - 4 * SECOND)
    stage.late.takes = 6 * SECOND
    ticked = stage.tick(leased)
    assert ticked.leased.until > leased.until
    assert stage.made() == 1, "there was time enough under the longer lease"


def test_no_call_is_begun_that_could_outlive_the_lease(stage: Stage) -> None:
    leased = stage.lease()
    stage.wait(LEASE - RENEW_BEFORE)
    stage.late.takes = DEADLINE - SECOND
    with pytest.raises(Lost, match="the lease would pass on before it could end"):
        stage.tick(leased)
    assert timedelta(0) < leased.until - stage.clock.now() < CALL_LONGEST
    assert stage.made() == 0
    stage.wait(CALL_LONGEST)
    stage.late.takes = timedelta(0)
    stage.tick(stage.lease(owner="another"))
    assert stage.made() == 1, "the next lease makes up for it"


def test_what_was_not_committed_is_not_done(stage: Stage) -> None:
    """The row is somebody else's by now, who decides about it anew."""
    mine = stage.lease()
    stage.run(stage.store.release(mine))
    others = stage.lease(owner="another")
    with pytest.raises(Lost, match="the lease of rollout"):
        stage.tick(mine)
    assert stage.made() == 0
    stage.tick(others)
    assert stage.made() == 1


class Overtaken(MemoryStore):
    """A store that says of a commit that it was not taken, where another decision was in the meantime."""

    async def commit(self, leased: Leased, decision: Decision) -> Leased:
        theirs = changed(leased.stored.rollout, waiting_for="another's decision")
        await super().commit(leased, replace(decision, rollout=theirs, events=()))
        raise Unwritable(what="the store cannot be written", why="a test")


def test_another_s_commit_is_not_taken_for_one_s_own(stage: Stage) -> None:
    leased = stage.lease()
    store = Overtaken()
    store.__dict__.update(stage.store.__dict__)
    stage.ticker.store = store
    ticked = stage.tick(leased)
    assert not ticked.is_recorded
    assert stage.made() == 0
    assert stage.row(stage.rollout).waiting.waiting_for == "another's decision"


def test_a_row_that_cannot_be_is_not_acted_on(stage: Stage) -> None:
    leased = stage.lease()
    row = changed(leased.stored.rollout, phase=Phase.ROLLING_BACK)
    with pytest.raises(AssertionError, match="cannot be acted on: it is rolling back and does not know why"):
        stage.tick(replace(leased, stored=replace(leased.stored, rollout=row)))
    assert stage.made() == 0


def test_a_look_that_outlived_its_lease_leaves_the_next_one_of_the_same_process_alone(stage: Stage) -> None:
    """As after a process was stopped for longer than a lease: it takes the row anew while the old look goes on."""
    mine = stage.lease()
    stage.run(stage.store.release(mine))
    again = stage.lease()
    stage.late.takes = 4 * SECOND

    async def both() -> tuple[Ticked | BaseException, Ticked | BaseException]:
        first = asyncio.ensure_future(stage.ticker.tick(mine))
        await asyncio.sleep(1)
        return await asyncio.gather(first, stage.ticker.tick(again), return_exceptions=True)

    first, second = stage.run(both())
    assert isinstance(first, Lost)
    assert isinstance(second, Ticked), second
    assert stage.made() == 1
    assert not stage.ticker.looking_at


def test_traffic_goes_to_safety_before_anything_else_is_written() -> None:
    """Somebody has scaled blue out, which green follows, and somebody else takes green's weight back."""
    with Rehearsal() as stage:
        rollout = stage.start(stage.spec(stage.revision(), plan=quick_plan(bake=30, watch=3600)))
        stage.until(rollout, Phase.WATCHING)
        grown = {"cluster": stage.scenery.cluster, "service": stage.scenery.service, "desiredCount": 8}
        stage.world.call("ecs", "UpdateService", grown)
        stage.command(rollout, CommandKind.BACK, to=Tenths(100))
        before = len(stage.world.log)
        stage.let_run(2 * SECOND)
        writes = [call.operation for call in stage.world.log[before:]]
        made = [operation for operation in writes if operation in ("ModifyRule", "UpdateService")]
        assert made[:2] == ["ModifyRule", "UpdateService"], stage.story(rollout)
