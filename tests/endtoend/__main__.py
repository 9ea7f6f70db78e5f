"""Play every scene of this folder and print what each showed: ``python -m tests.endtoend [NAME …]``."""

import sys
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


def main() -> None:
    """Exits 1 if any scene went wrong."""
    chosen = [scene for scene in SCENES if not sys.argv[1:] or scene.__name__ in sys.argv[1:]]
    with tempfile.TemporaryDirectory() as folder:
        ends = play_together(Path(folder), chosen)
    for name, error in ends.items():
        print("ok " if error is None else "BAD", name)
        if error is not None:
            traceback.print_exception(error)
    raise SystemExit(any(ends.values()))


if __name__ == "__main__":
    main()
