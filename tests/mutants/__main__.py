"""``python -m tests.mutants [NAME …]``: put each fault in, alone, and say which test catches it and how soon.

NAME is a fault or a room, such as `core/gates`. 1 if a fault survives, cannot be put in, or makes a program that cannot
be imported. With `--resume` it goes on where a stopped run of the same tree was.
"""

import argparse
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median

from tests.mutants.fault import ROOT, Fault
from tests.mutants.faults import ROOMS
from tests.mutants.runner import End, Outcome, fails_anyway, judge

KEPT = ROOT / ".night" / "mutants.json"
CODE = ("orchestrator", "sandbox", "tests")

parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
parser.add_argument("names", nargs="*", metavar="NAME", help="of " + ", ".join(ROOMS))
parser.add_argument("--resume", action="store_true", help="pass over what was caught in this very tree")
parser.add_argument("--list", action="store_true", help="say what each fault breaks, and run nothing")


def chosen(names: Sequence[str]) -> tuple[Fault, ...]:
    """The faults by these names and of these rooms; all, where none is named. Raises KeyError for another name."""
    every = {fault.name: fault for faults in ROOMS.values() for fault in faults}
    found = (ROOMS[name] if name in ROOMS else (every[name],) for name in names or ROOMS)
    return tuple(dict.fromkeys(fault for faults in found for fault in faults))


def tree() -> str:
    """A digest of everything that a run depends on."""
    digest = hashlib.sha256()
    for path in sorted(path for folder in CODE for path in (ROOT / folder).rglob("*.py")):
        digest.update(f"{path.relative_to(ROOT)}\n".encode() + path.read_bytes())
    return digest.hexdigest()


class Progress:
    """What was caught in this tree so far, kept after every fault."""

    def __init__(self, tree: str, path: Path = KEPT) -> None:
        self._tree, self._path = tree, path
        kept = json.loads(path.read_text()) if path.exists() else {}
        mine = kept.get("caught", []) if kept.get("tree") == tree else []
        self._caught = {one["fault"]: Outcome(**{**one, "end": End(one["end"])}) for one in mine}

    def of(self, fault: Fault) -> Outcome | None:
        """How a fault was caught, if it was."""
        return self._caught.get(fault.name)

    def keep(self, outcome: Outcome) -> None:
        """Remember it, also if this process is killed right afterwards."""
        self._caught[outcome.fault] = outcome
        self._path.parent.mkdir(exist_ok=True)
        fresh = self._path.with_suffix(".new")
        whole = {"tree": self._tree, "caught": [asdict(one) for one in self._caught.values()]}
        fresh.write_text(json.dumps(whole, indent=1))
        fresh.replace(self._path)


def kind_of(test: str) -> str:
    """Which kind of check a test is, by where it stands: `tests/core`."""
    return "/".join(test.split("::")[0].split("/")[:2])


def line_of(outcome: Outcome, width: int) -> str:
    """The table's line."""
    found = outcome.by if outcome.end is End.CAUGHT else outcome.end.value.upper()
    return f"{outcome.fault:{width}}  {outcome.seconds:6.1f} s  {found}"


def summary(outcomes: Sequence[Outcome]) -> str:
    """All in one line."""
    caught = [one for one in outcomes if one.end is End.CAUGHT]
    kinds = Counter(kind_of(one.by) for one in caught)
    by = ", ".join(f"{count} by {kind}" for kind, count in kinds.most_common())
    seconds = median([one.seconds for one in caught]) if caught else 0.0
    minutes = sum(one.cpu_seconds for one in outcomes) / 60
    return (
        f"{len(outcomes)} faults, {len(caught)} caught ({by}), {len(outcomes) - len(caught)} not; "
        f"median {seconds:.1f} s, {minutes:.1f} CPU-minutes"
    )


def complaint(outcome: Outcome, fault: Fault) -> str:
    """What is wrong with a fault that was not caught, and what it would do."""
    told = f"\n  {outcome.why}" if outcome.why else ""
    tests = " ".join(fault.caught_by)
    return f"{fault.name} ({outcome.end}) in {fault.file}: {fault.breaks}{told}\n  asked: {tests}"


def main() -> int:
    """1 if a fault was not caught."""
    asked = parser.parse_args()
    try:
        faults = chosen(asked.names)
    except KeyError as error:
        print(f"there is neither a fault nor a room {error}")
        return 2
    if asked.list:
        for fault in faults:
            print(f"{fault.name} ({fault.file}): {fault.breaks}")
        return 0
    progress, outcomes = Progress(tree()), []
    known = [fault for fault in faults if asked.resume and progress.of(fault)]
    left = [fault for fault in faults if fault not in known]
    if left and (anyway := fails_anyway(left)):
        print(f"the tests fail without any fault, so they tell nothing: {anyway}")
        return 1
    width = max(len(fault.name) for fault in faults)
    for fault in faults:
        outcome = progress.of(fault) if fault in known else None
        if outcome is None:
            outcome = judge(fault)
            print(line_of(outcome, width), flush=True)
            if outcome.end is End.CAUGHT:
                progress.keep(outcome)
        outcomes.append(outcome)
    by_name = {fault.name: fault for fault in faults}
    uncaught = [one for one in outcomes if one.end is not End.CAUGHT]
    for one in uncaught:
        print(f"\n{complaint(one, by_name[one.fault])}")
    print(f"\n{summary(outcomes)}")
    return 1 if uncaught else 0


if __name__ == "__main__":
    sys.exit(main())
