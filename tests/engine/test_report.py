"""The report tells auditors a rollout's story from its log, and whether the log is whole."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from orchestrator.core.domain.commands import Actor, CommandKind
from orchestrator.core.domain.events import Event, EventKind
from orchestrator.core.domain.ids import RolloutId, Tenths
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import Plan, Step
from orchestrator.engine.views.report import report
from orchestrator.engine.views.report_parts import Report
from orchestrator.ports.rollouts import EventSeen
from orchestrator.ports.store import Store
from orchestrator.store.memory.store import MemoryStore
from orchestrator.store.opening import open_store
from tests.contract.store_doors import start
from tests.contract.store_values import NOON, TTL, a_decision
from tests.support.rehearsal import Rehearsal

APPROVER = Actor(name="approver", source="slack")
PLAN = Plan(
    name="custom",
    steps=(
        Step(weight=Tenths(100), bake=timedelta(seconds=20), approval=True),
        Step(weight=Tenths(1000), bake=timedelta(seconds=30)),
    ),
)


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    with Rehearsal(requests_per_second=5) as stage:
        yield stage


def report_of(stage: Rehearsal, rollout: RolloutId) -> Report:
    return stage.run(report(stage.store, rollout))


def test_report_says_who_started_what_who_approved_and_how_it_ended(stage: Rehearsal) -> None:
    rollout = stage.start(stage.spec(stage.revision(), plan=PLAN, labels=(("commit", "9fceb02"),)))
    stage.until(rollout, Phase.SHIFTING)
    stage.let_run(timedelta(minutes=2))
    stage.command(rollout, CommandKind.APPROVE, by=APPROVER, reason="graphs are calm")
    stage.until(rollout)
    found = report_of(stage, rollout)
    assert (found.start.by, found.start.source, found.start.at) == ("author", "cli", found.rollout.created_at)
    assert found.rollout.labels == {"commit": "9fceb02"}
    assert found.start.images == "checkout=example.com/checkout:latest"
    (approval,) = found.approvals
    assert (approval.by, approval.source, approval.reason, approval.step) == (
        "approver", "slack", "graphs are calm", 1,
    )  # fmt: skip
    assert found.commands == (approval,)
    assert found.end is not None
    assert (found.end.phase, found.turned_back) == ("succeeded", None)


def test_report_has_the_steps_and_weights_with_their_times_and_the_gates_with_their_reasons(
    stage: Rehearsal,
) -> None:
    rollout = stage.start(stage.spec(stage.revision()))
    stage.until(rollout)
    found = report_of(stage, rollout)
    times = [at for step in found.steps for at in (step.started_at, step.passed_at)]
    assert times == sorted(at for at in times if at is not None)
    assert [step.weight_percent for step in found.steps] == [10, 100]
    assert [weight.green_percent for weight in found.weights][:3] == [0, 10, 100]
    assert found.weights[-1].green_percent in (0, None)
    assert {gate.gate for gate in found.gates} >= {"health", "guard", "alarms"}
    assert next(gate for gate in found.gates if gate.gate == "health").reason == (
        "all 3 targets of green are healthy"
    )
    assert [move.phase for move in found.moves][:3] == ["preparing", "provisioning", "shifting"]


def test_report_has_every_hold_with_its_end(stage: Rehearsal) -> None:
    rollout = stage.start(stage.spec(stage.revision()))
    stage.until(rollout, Phase.SHIFTING)
    stage.command(rollout, CommandKind.PAUSE, reason="lunch")
    stage.let_run(timedelta(seconds=30))
    (pause,) = [hold for hold in report_of(stage, rollout).holds if hold.kind == "paused"]
    assert (pause.until, "lunch" in pause.reason) == (None, True)
    stage.command(rollout, CommandKind.RESUME)
    stage.until(rollout)
    found = report_of(stage, rollout)
    (pause,) = [hold for hold in found.holds if hold.kind == "paused"]
    assert pause.until is not None
    assert pause.until > pause.since
    assert [hold for hold in found.holds if hold.until is None] == []


def test_report_says_why_and_by_whom_a_rollout_was_turned_back(stage: Rehearsal) -> None:
    rollout = stage.start(stage.spec(stage.revision()))
    stage.until(rollout, Phase.SHIFTING)
    stage.let_run(timedelta(seconds=10))
    stage.command(rollout, CommandKind.ROLLBACK, reason="odd", by=APPROVER)
    stage.until(rollout)
    found = report_of(stage, rollout)
    assert found.turned_back is not None
    assert (found.turned_back.by, found.turned_back.source) == ("approver", "slack")
    assert "odd" in found.turned_back.reason
    assert found.turned_back.traffic_on_blue_at is not None
    assert found.turned_back.traffic_on_blue_at >= found.turned_back.at
    assert found.end is not None
    assert found.end.phase == "rolled_back"


def test_a_log_as_it_was_written_is_whole_and_its_last_link_is_told(stage: Rehearsal) -> None:
    rollout = stage.start(stage.spec(stage.revision()))
    stage.until(rollout)
    log: tuple[EventSeen, ...] = stage.events(rollout)
    chain = report_of(stage, rollout).chain
    assert (chain.is_whole, chain.first_broken) == (True, None)
    assert (chain.events, chain.last) == (len(log), log[-1].chain)


async def log_of(store: Store, events: int) -> RolloutId:
    """A rollout with so many events."""
    stored = await start(store)
    (leased,) = await store.lease_due(owner="one", now=NOON, ttl=TTL, limit=1)
    told = tuple(Event(kind=EventKind.HELD, at=NOON, message=f"{n}") for n in range(events - 1))
    await store.commit(leased, a_decision(leased, events=told))
    return stored.rollout.id


@pytest.mark.parametrize(
    ("crime", "place"),
    [
        ("UPDATE events SET body = replace(body, '\"1\"', '\"9\"') WHERE number = 3", 3),
        ("DELETE FROM events WHERE number = 2", 2),
        ("UPDATE events SET chain = '' WHERE number = 4", 4),
    ],
)
def test_a_log_that_was_altered_says_where(tmp_path: Path, crime: str, place: int) -> None:
    url = f"sqlite:///{tmp_path}/teal.db"

    async def written() -> RolloutId:
        store = open_store(url)
        try:
            return await log_of(store, 5)
        finally:
            await store.close()

    async def read(rollout: RolloutId) -> Report:
        store = open_store(url)
        try:
            return await report(store, rollout)
        finally:
            await store.close()

    rollout = asyncio.run(written())
    engine = create_engine(url)
    with engine.begin() as connection:
        assert connection.execute(text(crime)).rowcount == 1
    engine.dispose()
    chain = asyncio.run(read(rollout)).chain
    assert (chain.is_whole, chain.first_broken) == (False, place)


def test_a_log_longer_than_a_page_is_read_whole() -> None:
    async def main() -> None:
        store = MemoryStore()
        rollout = await log_of(store, 2500)
        chain = (await report(store, rollout)).chain
        assert (chain.events, chain.is_whole) == (2500, True)

    asyncio.run(main())
