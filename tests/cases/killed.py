"""Teal killed right after AWS has done what it was asked, before Teal can know it."""

import asyncio
from random import Random

from sandbox.world.world import World
from tests.sim.hosts.process import Process, run_process
from tests.support.rehearsal import Rehearsal


def until_killed(stage: Rehearsal, operation: str, nth: int = 1) -> None:
    """Let an engine run until the `nth` call of an operation has taken effect, and kill it there."""
    stage.run(_killed(stage, operation, nth))


async def _killed(stage: Rehearsal, operation: str, nth: int) -> None:
    process, world, left = Process("killed", None), stage.world, nth
    before = len(world.log)

    def called(by: Process | None) -> None:
        """Hears of each call before it is made, and, by None, after."""
        nonlocal left, before
        if by is None and len(world.log) > before and world.log[-1].operation == operation:
            left -= 1
            if left == 0:
                process._left = 1  # the next point between two lines is its last
        before = len(world.log)

    async with asyncio.timeout(1800):
        await run_process(
            process,
            world=world,
            store=stage.store,
            clock=stage.clock,
            draw=Random(1),
            stop=asyncio.Event(),
            called=called,
            failed=_raise,
        )
    assert made(world, operation), f"{operation} did not take effect"


def made(world: World, operation: str) -> int:
    """How often an operation took effect."""
    return sum(call.error is None for call in world.log.of(operation))


def _raise(error: Exception) -> None:
    raise error
