"""``python -m tests.sim --seeds N --start S``: play many seeds, say which broke a promise, and shrink what did."""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.sim.names import drawn
from tests.sim.run import complaint, play_seed, play_seeds, play_swap, shrink_it
from tests.sim.scenario import Scenario, scenario_of, swapping
from tests.sim.shrinking import read, told, write
from tests.sim.stage import Played, play
from tests.support.garbage import look_seldom

SMALLEST = Path(".sim")  # where shrunk scenarios are kept
SHRUNK_MOST = 3  # of those that broke a promise, the first

parser = argparse.ArgumentParser(prog="python -m tests.sim", description=__doc__)
parser.add_argument("--seeds", type=int, default=200, help="how many seeds to play")
parser.add_argument("--start", type=int, default=0, help="the first of them")
parser.add_argument("--processes", type=int, default=1)
parser.add_argument("--swaps", action="store_true", help="rollouts in which green stays")
parser.add_argument("--story", action="store_true", help="show each rollout's audit log")
parser.add_argument("--scenario", type=Path, metavar="FILE", help="play the scenario of a file")
parser.add_argument("--no-shrinking", action="store_true", help="only say which seeds broke a promise")
parser.add_argument(
    "--counts", action="store_true", help="how often each kind of trouble was drawn and struck"
)


class Counts:
    """In how many seeds each kind of trouble was drawn, and in how many it struck."""

    def __init__(self) -> None:
        self._drawn, self._struck, self._seeds = Counter[str](), Counter[str](), 0

    def add(self, scenario: Scenario, played: Played) -> None:
        """One more seed."""
        names = drawn(scenario)
        self._seeds += 1
        self._drawn.update(names)
        self._struck.update(played.struck & names)

    def lines(self) -> Iterator[str]:
        """A table, the rarest first."""
        yield f"{'trouble':32} {'drawn':>7} {'struck':>7}  of {self._seeds} seeds"
        for name, count in sorted(self._drawn.items(), key=lambda one: (one[1], one[0])):
            yield f"{name:32} {count:7} {self._struck[name]:7}"


def main() -> int:
    """Play the seeds, or the scenario of a file; 1 if a promise was broken."""
    asked = parser.parse_args()
    look_seldom()
    if asked.scenario is not None:
        return _play_file(asked.scenario)
    began, phases, counts = time.perf_counter(), Counter[str](), Counts()
    calls, hours, broken = 0, 0.0, list[Played]()
    of, scenario_for = (play_swap, swapping) if asked.swaps else (play_seed, scenario_of)
    seeds = range(asked.start, asked.start + asked.seeds)
    for played in play_seeds(seeds, processes=asked.processes, of=of):
        scenario = scenario_for(played.seed)
        phases[played.phase] += 1
        calls += played.calls
        hours += played.seconds / 3600
        counts.add(scenario, played)
        if played.broken:
            broken.append(played)
            print(complaint(played), flush=True)
        if asked.story or (played.broken and asked.seeds == 1):
            print(f"{scenario}\n{played.story}", flush=True)
    seconds = time.perf_counter() - began
    for played in () if asked.no_shrinking else broken[:SHRUNK_MOST]:
        _shrink(scenario_for(played.seed), played, swaps=asked.swaps)
    if asked.counts or asked.seeds >= 100:
        print("\n".join(counts.lines()))
    ends = ", ".join(f"{count} {phase}" for phase, count in phases.most_common())
    print(
        f"{asked.seeds} seeds in {seconds:.1f} s ({ends}), {hours:.0f} simulated hours, {calls} calls, "
        f"{len(broken)} broke a promise"
    )
    return 1 if broken else 0


def _play_file(path: Path) -> int:
    played = play(read(path))
    print(played.story)
    print("\n".join(map(str, played.broken)) or "no promise was broken")
    return 1 if played.broken else 0


def _shrink(scenario: Scenario, played: Played, *, swaps: bool) -> None:
    """The shortest story that breaks the first of the promises, and the command that plays it."""
    promise = played.broken[0].promise
    smallest = shrink_it(scenario, promise)
    path = SMALLEST / f"{'swap-' if swaps else ''}{scenario.seed}-promise-{promise}.json"
    write(smallest.scenario, path)
    print(f"what is left of it after {smallest.plays} smaller ones were played:")
    print(told(smallest.scenario))
    print(f"see it again: python -m tests.sim --scenario {path}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
