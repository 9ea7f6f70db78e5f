"""``python -m tests.fuzz``: fuzz the HTTP door at length, and print schemathesis' own summary."""

import argparse
import sys

from tests.fuzz.playing import fuzz

parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
parser.add_argument("--examples", type=int, default=50, help="how many a call gets at most in each phase")
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--phases", default="examples,coverage,fuzzing,stateful")


def main() -> int:
    """Play; 1 if an answer was wrong or the server had a fault."""
    asked = parser.parse_args()
    code, told, faults = fuzz(examples=asked.examples, seed=asked.seed, phases=asked.phases)
    print(told)
    if faults:
        print(faults)
    return 1 if code or faults else 0


sys.exit(main())
