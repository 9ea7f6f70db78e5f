"""`teal deploy` killed with SIGKILL at random moments and started again: ``python -m tests.endtoend.kills --seed 1``.

Prints one line a rollout: where it was when it was killed, how it ended, and what was left or lost.
"""

import argparse
import asyncio
import random
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.endtoend.stage import LONGEST_SECONDS, SIDE_BY_SIDE, Ended, Running, Shop, Stage, play

LEAST_SECONDS, MOST_SECONDS = 1.0, 40.0  # a good rollout left alone takes some 45 s
FULL_RATE = 80.0
ENDS = {"succeeded": 0, "rolled_back": 3}  # a phase and the exit code that goes with it
DEMO = """\
service: prod/{service}
revision: {{task_definition: {revision}}}
plan: [{{weight: 10, bake: 10s}}, {{weight: 50, bake: 6s}}, {{weight: 100, bake: 10s}}]
metrics: {{period: 1s, lag: 2 periods}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one rollout whose engine was killed."""

    name: str
    kills: tuple[str, ...]  # when, after the start of that process, and where the rollout then stood
    code: int
    phase: str
    is_right: bool  # the phase and exit code it had to end with, and the revision that belongs to it on blue
    changed: tuple[str, ...]  # what is not as it was before
    lost: Mapping[str, int]  # requests that failed by no revision's fault, by how they failed
    requests: int
    seconds: float
    err: str  # what the last engine wrote to its error stream

    @property
    def is_good(self) -> bool:
        """True if nothing at all is wrong."""
        return self.is_right and not (self.changed or self.lost or self.err)

    def line(self) -> str:
        """One row of the table."""
        changed = ", ".join(self.changed) or "nothing"
        kills = "; ".join(self.kills)
        ended = f"{self.phase:<12} exit {self.code}"
        how = "".join(f" ({number} {what})" for what, number in self.lost.items())
        lost = f"{sum(self.lost.values())} of {self.requests} requests lost by the shift{how}"
        verdict = "ok " if self.is_good else f"BAD ({self.err.strip() or 'silent'})"
        return f"{verdict} {self.name:<6} | {kills:<36} | {ended} | left or changed: {changed} | {lost}"


async def ended_by(moment: float | str, deploy: Running, shop: Shop) -> Ended | None:
    """Wait for a moment; how the engine ended, if it did before."""
    if isinstance(moment, str):
        await shop.in_phase(moment)
        return None
    try:
        return await deploy.ended(moment)
    except TimeoutError:
        return None


async def kill_and_go_on(shop: Shop, file: str, moments: Sequence[float | str], *, ends_in: str) -> Outcome:
    """Run the file's rollout, killing its engine at each moment, and let it go on to the end.

    A moment is so many seconds after the start of the engine that is killed, or the phase the rollout is then in.
    """
    before, former, began = await shop.state(), await shop.on(), time.monotonic()
    kills: list[str] = []
    ended: Ended | None = None
    for moment in moments:
        deploy = await shop.deploy(file)
        ended = await ended_by(moment, deploy, shop)
        if ended is not None:
            kills.append("had ended")
            break
        await deploy.kill()
        known = await shop.rollouts()
        stood = f"{known[0].phase}, green {known[0].green_percent:g} %" if known else "not recorded yet"
        kills.append(f"{moment:.1f} s: {stood}" if isinstance(moment, float) else stood)
    if ended is None:
        ended = await (await shop.deploy(file)).ended()
    assert await shop.rollouts(), f"nothing was started: {ended}"
    view = await shop.newest()
    wanted = view.revision.rpartition("/")[2] if ends_in == "succeeded" else former
    changed, seen = await shop.changes(before), await shop.load.finish()
    return Outcome(
        name=shop.name,
        kills=tuple(kills),
        code=ended.code,
        phase=view.phase,
        is_right=(view.phase, await shop.on(), ended.code) == (ends_in, wanted, ENDS[ends_in])
        and len(await shop.rollouts()) == 1,
        changed=tuple(changed),
        lost=seen.shift,
        requests=seen.requests,
        seconds=time.monotonic() - began,
        err=ended.err,
    )


async def several(made: Stage, seed: int, count: int, outcomes: list[Outcome], kills: int) -> None:
    """Rollouts side by side, every other of a bad revision, each killed at random moments."""
    draw = random.Random(seed)
    names = [f"{'bad' if number % 2 else 'good'}{number}" for number in range(count)]
    turn = asyncio.Semaphore(SIDE_BY_SIDE)

    async def one(name: str, moments: tuple[float, ...], *, scalable: bool) -> None:
        async with turn, AsyncExitStack() as stack:
            shop = await made.beside(stack).shop(name, scalable=scalable)
            is_bad = name.startswith("bad")
            new = shop.revision(TEAL_DEMO_VERSION="2", TEAL_DEMO_ERROR_RATE="0.3" if is_bad else "0")
            ends_in = "rolled_back" if is_bad else "succeeded"
            outcome = await kill_and_go_on(shop, shop.file(new, text=DEMO), moments, ends_in=ends_in)
            outcomes.append(outcome)
            print(outcome.line(), flush=True)

    async with asyncio.TaskGroup() as group:
        for number, name in enumerate(names):
            moments = tuple(draw.uniform(LEAST_SECONDS, MOST_SECONDS / kills) for _ in range(kills))
            group.create_task(one(name, moments, scalable=number % 3 != 2))


def main() -> None:
    """Print the table; exits 1 if anything went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rollouts", type=int, default=10)
    parser.add_argument("--kills", type=int, default=1, help="a rollout")
    asked = parser.parse_args()
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory() as folder:
        play(
            lambda made: several(made, asked.seed, asked.rollouts, outcomes, asked.kills),
            Path(folder),
            limit=LONGEST_SECONDS * (2 + asked.rollouts),
            rate=FULL_RATE,
        )
    good, lost = sum(one.is_good for one in outcomes), sum(sum(one.lost.values()) for one in outcomes)
    asked_for = sum(one.requests for one in outcomes)
    print(f"{len(outcomes)} rollouts, {good} ended right, {lost} of {asked_for} requests lost by a shift")
    raise SystemExit(not all(outcome.is_good for outcome in outcomes) or len(outcomes) < asked.rollouts)


if __name__ == "__main__":
    main()
