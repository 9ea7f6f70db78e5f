"""`teal serve` killed with SIGKILL and started again at once: ``python -m tests.endtoend.restarts --kills 10``.

Prints one line a kill: what was under way, and how long it took from the exec of the next server to its first write to
AWS. What it has to write is decided while no server lives: a person promotes to the next step, or rolls back.
"""

import argparse
import asyncio
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.endtoend.stage import LONGEST_SECONDS, Running, Shop, Stage, play

WITHIN_SECONDS = 5.0
STEPS = 4  # of one rollout that are promoted, before it is rolled back
LOOK_SECONDS = 0.002
READS = ("Describe", "Get", "List")
FILE = """\
service: prod/{service}
revision: {{task_definition: {revision}}}
plan: [{{weight: 1, bake: 1h}}, {{weight: 2, bake: 1h}}, {{weight: 3, bake: 1h}}, {{weight: 4, bake: 1h}}, \
{{weight: 5, bake: 1h}}, {{weight: 100, bake: 1h}}]
metrics: {{period: 1s, lag: 2 periods}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    """One kill, and the server after it."""

    what: str  # was under way
    seconds: float  # from exec to the first write
    call: str  # that the write was

    @property
    def is_in_time(self) -> bool:
        """True if it was fast enough."""
        return self.seconds <= WITHIN_SECONDS

    def line(self) -> str:
        """One row of the table."""
        return f"{'ok ' if self.is_in_time else 'BAD'} {self.what:<24} | {self.seconds:5.2f} s | {self.call}"


class Scene:
    """A service whose rollouts are moved by servers that are killed, one after the other."""

    def __init__(self, shop: Shop, draw: random.Random) -> None:
        self._shop, self._draw = shop, draw
        self._server: Running | None = None

    async def serve(self) -> None:
        """Start a server that answers."""
        self._server = await self._shop.start("serve", "--port", "0")
        await self._server.says("http://")

    async def begin(self) -> str:
        """A rollout at its first weight; its id."""
        new = self._shop.revision(TEAL_DEMO_VERSION="2")
        started = await self._shop.teal("start", "-f", self._shop.file(new, text=FILE))
        assert started.code == 0, started
        view = await self._shop.until(lambda one: one.green_percent == 1.0, words="the first weight")
        return view.id

    async def killed(self, what: str, *command: str) -> Restart:
        """Kill the server, give a command that no server hears, and start the next one."""
        assert self._server is not None
        await asyncio.sleep(self._draw.uniform(0, 1))
        await self._server.kill()
        given = await self._shop.teal(*command)
        assert given.code == 0, given
        log = self._shop.sandbox.world.log
        known, began = len(log), time.monotonic()
        self._server = await self._shop.start("serve", "--port", "0")
        async with asyncio.timeout(LONGEST_SECONDS):
            while not (
                written := [one.operation for one in log[known:] if not one.operation.startswith(READS)]
            ):
                known = len(log)
                await asyncio.sleep(LOOK_SECONDS)
        return Restart(what=what, seconds=time.monotonic() - began, call=written[0])

    async def promoted(self, rollout: str) -> Restart:
        """A shift to the next weight is what is under way."""
        before = (await self._shop.newest()).green_percent
        restart = await self.killed(f"shifting at {before:g} %", "promote", rollout)
        await self._shop.until(lambda one: one.green_percent > before, words="the next weight")
        return restart

    async def rolled_back(self, rollout: str) -> Restart:
        """A rollback is."""
        restart = await self.killed("rolling back", "rollback", rollout, "--reason", "a test")
        await self._shop.in_phase("rolled_back")
        return restart


async def several(made: Stage, seed: int, kills: int, told: Callable[[Restart], None]) -> None:
    """So many kills, of servers that shift a rollout and of servers that roll one back."""
    async with AsyncExitStack() as stack:
        scene, done = Scene(await made.beside(stack).shop("checkout"), random.Random(seed)), 0
        await scene.serve()
        while done < kills:
            rollout = await scene.begin()
            for _ in range(min(STEPS, max(kills - done - 1, 0))):
                told(await scene.promoted(rollout))
                done += 1
            told(await scene.rolled_back(rollout))
            done += 1


def restarts(kills: int, *, seed: int = 1) -> list[Restart]:
    """The kills, each as soon as it is measured."""
    found: list[Restart] = []
    with tempfile.TemporaryDirectory() as folder:
        limit = LONGEST_SECONDS + 60 * kills
        play(lambda made: several(made, seed, kills, found.append), Path(folder), limit=limit, rate=10)
    return found


def lines(found: list[Restart]) -> Iterator[str]:
    """The table, and what it says in one line."""
    yield from (one.line() for one in found)
    good, slowest = sum(one.is_in_time for one in found), max(one.seconds for one in found)
    yield f"{len(found)} kills, {good} with a write within {WITHIN_SECONDS:g} s, the slowest after {slowest:.2f} s"


def main() -> None:
    """Print the table; exits 1 if one was too slow."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=10)
    asked = parser.parse_args()
    found = restarts(asked.kills, seed=asked.seed)
    for words in lines(found):
        print(words, flush=True)
    raise SystemExit(not all(one.is_in_time for one in found))


if __name__ == "__main__":
    main()
