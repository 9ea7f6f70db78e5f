"""Play every scene of this folder and print what each showed: ``python -m tests.endtoend [NAME …]``."""

import argparse
import tempfile
import traceback
from pathlib import Path

from tests.endtoend import (
    bad_revisions,
    before_and_after,
    glass,
    interference,
    killed,
    outages,
    people,
    refusals,
    settling,
    showcase,
)
from tests.endtoend.stage import play_together

SCENES = (
    *before_and_after.SCENES,
    *showcase.SCENES,
    *killed.SCENES,
    *settling.SCENES,
    *people.SCENES,
    *glass.SCENES,
    *outages.SCENES,
    *bad_revisions.SCENES,
    *interference.SCENES,
    *refusals.SCENES,
)


FULL_RATE = 80.0

parser = argparse.ArgumentParser(prog="python -m tests.endtoend", description=__doc__)
parser.add_argument("names", nargs="*", metavar="NAME", choices=[[], *(scene.__name__ for scene in SCENES)])
parser.add_argument("--rate", type=float, default=FULL_RATE, help="requests a second of each service")


def main() -> None:
    """Exits 1 if any scene went wrong."""
    asked = parser.parse_args()
    chosen = [scene for scene in SCENES if not asked.names or scene.__name__ in asked.names]
    with tempfile.TemporaryDirectory() as folder:
        ends = play_together(Path(folder), chosen, rate=asked.rate)
    for name, error in ends.items():
        print("ok " if error is None else "BAD", name)
        if error is not None:
            traceback.print_exception(error)
    raise SystemExit(any(ends.values()))


if __name__ == "__main__":
    main()
