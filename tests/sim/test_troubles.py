"""The simulation's troubles: each is drawn often enough, plays the same again, and does what it says."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestrator.core.domain.commands import Actor, CommandKind
from orchestrator.core.domain.errors import Unwritable
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.rollout import Decision, Rollout
from orchestrator.core.rollout.spec import ServiceName, Spec
from orchestrator.ports.leases import Leased
from orchestrator.ports.store import Store
from orchestrator.store.memory.store import MemoryStore
from tests.sim import shrinking
from tests.sim.disk.disk import CommitFault, CommitKind, Disk, Spell
from tests.sim.disk.ledger import ledger_of
from tests.sim.disk.memory import DiskedMemory
from tests.sim.disk.sql import DiskedSqlStore, Kept
from tests.sim.hosts.process import Stop
from tests.sim.hosts.stopping import OF_PROCESS, StoppingLoop, Stops
from tests.sim.hosts.wall import ClockStep
from tests.sim.names import drawn
from tests.sim.oracles.case import Broken
from tests.sim.run import shrink_it
from tests.sim.scenario import Scenario, scenario_of, swapping
from tests.sim.stage import Played, play
from tests.support.rehearsal import quick_plan
from tests.support.virtual import VirtualLoop, close

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LEASE = timedelta(seconds=30)
ROW = RolloutId("checkout-1")


def test_every_kind_of_trouble_is_drawn_in_one_seed_of_twenty_at_least() -> None:
    seeds = 400
    counts = Counter(name for seed in range(seeds) for name in drawn(scenario_of(seed)))
    assert len(counts) >= 50
    assert {name: count for name, count in counts.items() if count < seeds / 20} == {}


def test_a_seed_plays_the_same_again_on_the_sql_store_with_a_process_that_stops_and_a_clock_that_is_set() -> (
    None
):
    scenario = replace(
        scenario_of(58),
        stops=(Stop(where="sent", nth=2, lasts=45.0),),
        clock_steps=(ClockStep(at=40.0, seconds=-90.0),),
    )
    first, second = play(scenario), play(scenario)
    assert {"clock stepped", "commit: lost", "stopped: sent", "store: busy"} <= first.struck
    assert (first.story, first.calls, first.seconds) == (second.story, second.calls, second.seconds)


@pytest.mark.long
@pytest.mark.parametrize("trouble", ["clock stepped", "stopped: sent", "store: full", "several rollouts"])
def test_a_seed_with_trouble_plays_the_same_again(trouble: str) -> None:
    seed = next(seed for seed in range(400) if trouble in drawn(scenario_of(seed)))
    scenario = replace(scenario_of(seed), requests_per_second=4, store="sql")
    first, second = play(scenario), play(scenario)
    assert (first.story, first.calls, first.seconds, first.struck) == (
        second.story,
        second.calls,
        second.seconds,
        second.struck,
    )


# shrinking -----------------------------------------------------------------------------------------------------------


def test_a_scenario_of_a_file_is_the_same(tmp_path: Path) -> None:
    for seed in range(60):
        for scenario in (scenario_of(seed), swapping(seed)):
            shrinking.write(scenario, tmp_path / "scenario.json")
            assert shrinking.read(tmp_path / "scenario.json") == scenario


def test_a_failing_scenario_is_left_with_what_it_takes_to_fail() -> None:
    def is_wrong(scenario: Scenario) -> bool:
        kinds = {command.kind for command in scenario.commands}
        return any(spell.kind == "full" for spell in scenario.spells) and CommandKind.ROLLBACK in kinds

    large = next(one for seed in range(4000) if is_wrong(one := scenario_of(seed)))
    small = shrinking.shrink(large, is_wrong).scenario
    assert is_wrong(small)
    assert [spell.kind for spell in small.spells] == ["full"]
    assert [command.kind for command in small.commands] == [CommandKind.ROLLBACK]
    assert drawn(small) == {"store: full", "command: rollback"}


def test_only_the_same_promise_counts_and_no_failure_of_the_program() -> None:
    def of(scenario: Scenario) -> Played:
        if scenario.workers == 1:
            raise ValueError("the program fails")
        return Played(seed=0, phase=Phase.SUCCEEDED, story="", broken=[Broken(4, NOW, "another one")])

    large = replace(scenario_of(0), workers=2)
    assert shrink_it(large, 3, of=of).scenario == large


# processes that are stopped ------------------------------------------------------------------------------------------


def test_nothing_of_a_stopped_process_runs_and_what_it_was_doing_comes_before_what_came_due() -> None:
    loop, told = StoppingLoop(), list[tuple[str, float]]()
    stops = Stops(loop)

    async def works() -> None:
        try:
            async with asyncio.timeout(5):
                stops.begin(60)
                await asyncio.sleep(0)
                told.append(("goes on", loop.seconds))
                await asyncio.sleep(10)
        except TimeoutError:
            told.append(("timed out", loop.seconds))

    async def another() -> None:
        await asyncio.sleep(20)
        told.append(("another process", loop.seconds))

    async def main() -> None:
        beside = asyncio.ensure_future(another())
        OF_PROCESS.set(stops)
        await asyncio.get_running_loop().create_task(works())
        await beside

    async def outer() -> None:
        await asyncio.get_running_loop().create_task(main())

    try:
        loop.run_until_complete(outer())
    finally:
        close(loop)
    assert told == [("another process", 20.0), ("goes on", 60.0), ("timed out", 60.0)]


# the store's disk ----------------------------------------------------------------------------------------------------


class Desk:
    """A store with one rollout, on a disk with these troubles."""

    def __init__(self, kind: str, *spells: Spell, commits: tuple[CommitFault, ...] = ()) -> None:
        self.loop = VirtualLoop()
        self.disk = Disk(self.loop, spells, commits)
        self.kept = Kept() if kind == "sql" else MemoryStore()
        self.store: Store
        if isinstance(self.kept, Kept):
            self.store = DiskedSqlStore(self.kept, self.disk, self.loop, None)
        else:
            self.store = DiskedMemory(self.kept, self.disk, self.loop)
        self.ledger = ledger_of(self.kept)

    async def leased(self) -> Leased:
        spec = Spec(
            service=ServiceName(cluster="prod", service="checkout"), task_definition="x:1", plan=quick_plan()
        )
        row = Rollout(id=ROW, spec=spec, author=Actor(name="author"), created_at=NOW, phase_since=NOW)
        await self.store.create(row, claims=frozenset(), key="key", events=(), wake_at=NOW)
        (leased,) = await self.store.lease_due(owner="me", now=NOW, ttl=LEASE, limit=1)
        return leased

    async def commit(self, leased: Leased) -> float:
        """How long it took."""
        began = self.loop.seconds
        await self.store.commit(leased, Decision(rollout=leased.stored.rollout, wake_at=NOW))
        return self.loop.seconds - began

    @property
    def version(self) -> int:
        return self.ledger._rows[ROW].version


@pytest.fixture(params=["sql", "memory"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize(("fault", "version"), [("lost", 1), ("answer lost", 2)])
def test_a_commit_is_lost_or_its_answer_is(kind: str, fault: CommitKind, version: int) -> None:
    desk = Desk(kind, commits=(CommitFault(nth=1, kind=fault),))

    async def story() -> None:
        leased = await desk.leased()
        with pytest.raises(Unwritable):
            await desk.commit(leased)
        assert desk.version == version

    desk.loop.run_until_complete(story())
    close(desk.loop)


def test_a_full_disk_keeps_nothing_and_can_be_read(kind: str) -> None:
    desk = Desk(kind, Spell(at=10, lasts=20, kind="full"))

    async def story() -> None:
        leased = await desk.leased()
        await asyncio.sleep(10)
        with pytest.raises(Unwritable, match="database or disk is full"):
            await desk.commit(leased)
        assert (await desk.store.load(ROW)).version == desk.version == 1
        await asyncio.sleep(20)
        await desk.commit(leased)
        assert desk.version == 2

    desk.loop.run_until_complete(story())
    close(desk.loop)


@pytest.mark.parametrize(("lasts", "takes"), [(4.0, 4.0), (60.0, None)])
def test_a_locked_file_is_waited_for_as_long_as_sqlite_does(
    kind: str, lasts: float, takes: float | None
) -> None:
    desk = Desk(kind, Spell(at=10, lasts=lasts, kind="busy"))

    async def story() -> None:
        leased = await desk.leased()
        await asyncio.sleep(10)
        if takes is not None:
            assert await desk.commit(leased) == pytest.approx(takes)
            return
        with pytest.raises(Unwritable, match="database is locked"):
            await desk.commit(leased)
        assert desk.loop.seconds == pytest.approx(20)

    desk.loop.run_until_complete(story())
    close(desk.loop)


def test_a_slow_disk_answers_late_though_it_has_written(kind: str) -> None:
    desk = Desk(kind, Spell(at=10, lasts=60, kind="slow", slow=8))

    async def story() -> None:
        leased = await desk.leased()
        await asyncio.sleep(10)
        commits = asyncio.ensure_future(desk.commit(leased))
        await asyncio.sleep(5)
        assert desk.version == 2
        assert not commits.done()
        assert await commits == pytest.approx(8)

    desk.loop.run_until_complete(story())
    close(desk.loop)
