"""The same service rolled out again and again, every time in another way: what each costs, and what all leave."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.store.codec import encode
from tests.sim.hosts.process import Process, run_process
from tests.support.rehearsal import Rehearsal

FAILS_HALF = {"TEAL_DEMO_ERROR_RATE": "0.5"}
LAST_POINT = 1500  # a good rollout passes about 1,800 points at which it can be killed


class Way(StrEnum):
    """What happens to a rollout."""

    GOOD = "good"
    GOOD_WITH_IMAGES = "good, of images"
    TURNED_EARLY = "rolled back before its traffic"
    TURNED = "rolled back at half way"
    TURNED_LATE = "rolled back while blue settles"
    BAD = "a bad revision"
    KILLED = "its engine killed"
    KILLED_TWICE = "its engine killed twice"


ENDS_WELL = frozenset({Way.GOOD, Way.GOOD_WITH_IMAGES, Way.KILLED, Way.KILLED_TWICE})
TURNS_IN = {
    Way.TURNED_EARLY: Phase.PROVISIONING,
    Way.TURNED: Phase.SHIFTING,
    Way.TURNED_LATE: Phase.SETTLING,
}
KILLS = {Way.KILLED: 1, Way.KILLED_TWICE: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """One rollout of many: how it went, and how much of everything it took."""

    number: int
    way: Way
    id: RolloutId
    phase: Phase
    revision: str  # that blue runs for it; empty unless it succeeded
    calls: int
    events: int
    row_bytes: int  # the largest that its row was when it ended

    @property
    def is_right(self) -> bool:
        """True if it ended as it had to."""
        return self.phase is (Phase.SUCCEEDED if self.way in ENDS_WELL else Phase.ROLLED_BACK)


def deploy_again_and_again(
    stage: Rehearsal, times: int, *, seed: int = 0, each: Callable[[Deployed], None] = lambda _: None
) -> tuple[Deployed, ...]:
    """Roll the service out so many times, in turn in every way."""
    draw, ways = Random(seed), _in_turn()
    found = []
    for number in range(times):
        deployed = _deploy(stage, number, next(ways), draw)
        each(deployed)
        found.append(deployed)
    return tuple(found)


def _in_turn() -> Iterator[Way]:
    while True:
        yield from Way


def _deploy(stage: Rehearsal, number: int, way: Way, draw: Random) -> Deployed:
    if way is Way.GOOD_WITH_IMAGES:
        images = ((stage.scenery.container, f"example.com/{stage.scenery.service}:{number}"),)
        spec = stage.spec("", images=images, colour_variable="TEAL_COLOUR")
    else:
        spec = stage.spec(stage.revision(FAILS_HALF if way is Way.BAD else None))
    calls = len(stage.world.log)
    rollout = stage.start(spec, key=f"release {number}")
    for life in range(KILLS.get(way, 0)):
        _killed(stage, f"life {life} of {rollout}", draw)
    if way in TURNS_IN:
        stage.until(rollout, TURNS_IN[way])
        stage.command(rollout, CommandKind.ROLLBACK)
    row = stage.until(rollout)
    is_blues = row.phase is Phase.SUCCEEDED and row.green is not None
    return Deployed(
        number=number,
        way=way,
        id=rollout,
        phase=row.phase,
        revision=row.green.for_blue if is_blues and row.green else "",
        calls=len(stage.world.log) - calls,
        events=len(stage.events(rollout)),
        row_bytes=len(encode(row)),
    )


def _killed(stage: Rehearsal, owner: str, draw: Random) -> None:
    """Run an engine of its own until it is killed, at any point between two lines."""
    failures: list[Exception] = []
    stage.run(
        run_process(
            Process(owner, draw.randrange(1, LAST_POINT)),
            world=stage.world,
            store=stage.store,
            clock=stage.clock,
            draw=draw,
            stop=asyncio.Event(),
            called=lambda _: None,
            failed=failures.append,
        )
    )
    assert not failures, failures
