"""``python -m tests.sim --seeds N --start S``: play many seeds, say which broke a promise."""

import argparse
import sys
import time
from collections import Counter

from tests.sim.run import complaint, play_seed, play_seeds, play_swap
from tests.sim.scenario import scenario_of, swapping
from tests.support.garbage import look_seldom

parser = argparse.ArgumentParser(prog="python -m tests.sim", description=__doc__)
parser.add_argument("--seeds", type=int, default=200, help="how many seeds to play")
parser.add_argument("--start", type=int, default=0, help="the first of them")
parser.add_argument("--processes", type=int, default=1)
parser.add_argument("--swaps", action="store_true", help="rollouts in which green stays")
parser.add_argument("--story", action="store_true", help="show each rollout's audit log")


def main() -> int:
    """Play the seeds; 1 if a promise was broken."""
    asked = parser.parse_args()
    look_seldom()
    began, phases, calls, broken = time.perf_counter(), Counter[str](), 0, 0
    of, drawn = (play_swap, swapping) if asked.swaps else (play_seed, scenario_of)
    seeds = range(asked.start, asked.start + asked.seeds)
    for played in play_seeds(seeds, processes=asked.processes, of=of):
        phases[played.phase] += 1
        calls += played.calls
        if played.broken:
            broken += 1
            print(complaint(played), flush=True)
        if asked.story or (played.broken and asked.seeds == 1):
            print(f"{drawn(played.seed)}\n{played.story}")
    seconds = time.perf_counter() - began
    ends = ", ".join(f"{count} {phase}" for phase, count in phases.most_common())
    print(f"{asked.seeds} seeds in {seconds:.1f} s ({ends}), {calls} calls, {broken} broke a promise")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
