"""Swaps whose engine is killed somewhere in retiring: another one goes on, or takes it back, and nobody is refused."""

import asyncio
import json
from contextlib import suppress
from datetime import timedelta
from random import Random

import pytest

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.errors import Refused
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.rollout.spec import Ending
from orchestrator.engine import commands
from tests.cases.looks import groups_of, live_services, rules_of, service_of
from tests.cases.swap_stage import in_place, swap, swapped
from tests.sim.hosts.process import Process, run_process
from tests.support.rehearsal import OPERATOR, Rehearsal

AWAY = timedelta(seconds=31)  # a lease, and a second
WITHIN = timedelta(minutes=20)
DEATHS = (3, 29, 61, 97, 139, 191, 251, 331)  # the n-th point between two lines since retiring began


class Life:
    """One rollout that is being retired, and the engines that carry it on."""

    def __init__(self, stage: Rehearsal, rollout: RolloutId) -> None:
        self.stage, self.rollout = stage, rollout
        self.stop = asyncio.Event()
        self.failed: list[Exception] = []

    async def play(self, dies_at: int, *, is_taken_back: bool) -> Rollout:
        """One engine until it is killed, a while of nobody, and another until the end."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._engines(dies_at, is_taken_back=is_taken_back))
            for _ in range(2 * int(WITHIN.total_seconds())):
                if (await self._row()).phase.is_final:
                    break
                await asyncio.sleep(0.5)
            self.stop.set()
        return await self._row()

    async def _row(self) -> Rollout:
        return (await self.stage.store.load(self.rollout)).rollout

    async def _engines(self, dies_at: int, *, is_taken_back: bool) -> None:
        for process in (Process("first", dies_at), Process("second", None)):
            await run_process(
                process,
                world=self.stage.world,
                store=self.stage.store,
                clock=self.stage.clock,
                draw=Random(dies_at),
                stop=self.stop,
                called=lambda _: None,
                failed=self.failed.append,
            )
            if self.stop.is_set():
                return
            if is_taken_back:
                rollback = commands.command(CommandKind.ROLLBACK, by=OPERATOR, clock=self.stage.clock)
                with suppress(Refused):  # it may be over, or past the way back
                    await commands.accept(self.rollout, rollback, store=self.stage.store)
            await asyncio.sleep(AWAY.total_seconds())


@pytest.mark.long
@pytest.mark.parametrize("is_taken_back", [False, True], ids=["goes on", "is taken back"])
@pytest.mark.parametrize("is_own", [False, True], ids=["adopted", "own"])
@pytest.mark.parametrize("ending", [Ending.KEEP, Ending.DELETE])
def test_a_killed_engine_leaves_nothing_half_retired(
    ending: Ending, is_own: bool, is_taken_back: bool
) -> None:
    for dies_at in DEATHS[int(is_own) :: 2]:  # each variant dies at four of them
        with Rehearsal(seed=dies_at, scalable=False) as stage:
            if is_own:
                swapped(stage, Ending.KEEP, key="earlier")
            before, services, groups = rules_of(stage), live_services(stage), groups_of(stage)
            rollout = swap(stage, ending)
            stage.until(rollout, Phase.RETIRING)
            life = Life(stage, rollout)
            row = stage.run(life.play(dies_at, is_taken_back=is_taken_back))
            told = f"killed at {dies_at}:\n{stage.story(rollout)}"
            assert not life.failed, told
            assert stage.traffic.totals.rejected == 0, told
            assert row.green is not None
            assert row.blue is not None
            if row.phase is Phase.ROLLED_BACK:
                assert is_taken_back, told
                assert (rules_of(stage), groups_of(stage)) == (before, groups), told
                assert live_services(stage) == services, told
                blue = service_of(stage, row.blue.name)
                assert (blue["runningCount"], blue["taskDefinition"]) == (3, row.blue.former), told
                continue
            assert row.phase is Phase.SUCCEEDED, told
            pair = row.pairs[0]
            assert pair.green is not None
            wanted = in_place(before, pair.blue, pair.green)
            assert json.dumps(rules_of(stage), sort_keys=True) == wanted, told
            is_gone = is_own or ending is Ending.DELETE
            kept = [name for name in services if name != row.blue.name or not is_gone]
            assert live_services(stage) == [*kept, row.green.name], told
            assert set(groups_of(stage)) == {*groups, pair.green} - ({pair.blue} if is_own else set()), told
            tags = {tag["key"]: tag["value"] for tag in service_of(stage, row.green.name)["tags"]}
            assert tags["teal:serves"] == "true", told
