"""``python -m tests.night [PROOF …]``: prove at length, going on where a stopped run was; figures go to docs/proofs.md.

What was proved is kept in `.night/` for the commit it was proved of; another commit begins anew. A piece that fails is
told, kept for the next run, and keeps the page as it is.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.night.proofs import PROOFS, Proof

ROOT = Path(__file__).parents[2]
KEPT = ROOT / ".night" / "proved.json"
PAGE = ROOT / "docs" / "proofs.md"
HEAD = """\
# Proofs that take longer than `make test`

`make night` runs them, and goes on where it was when it was stopped; `make night PROOF="NAME"` runs one. These are the
last figures of each.

| proof | what is claimed | proved | of commit | minutes | figures |
|---|---|---|---|---|---|
"""

parser = argparse.ArgumentParser(prog="python -m tests.night", description=__doc__)
parser.add_argument("names", nargs="*", metavar="PROOF", help="of " + ", ".join(p.name for p in PROOFS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Proved:
    """A piece that was proved."""

    last: str  # what it printed last
    seconds: float


class Progress:
    """What was proved of this commit so far, kept after every piece."""

    def __init__(self, commit: str, path: Path = KEPT) -> None:
        self._commit, self._path = commit, path
        kept = json.loads(path.read_text()) if path.exists() else {}
        mine = kept.get("proved", {}) if kept.get("commit") == commit else {}
        self._proved = {key: Proved(**one) for key, one in mine.items()}

    def of(self, piece: tuple[str, ...]) -> Proved | None:
        """What is known of a piece."""
        return self._proved.get(" ".join(piece))

    def keep(self, piece: tuple[str, ...], proved: Proved) -> None:
        """Remember a piece, also if this process is killed right afterwards."""
        self._proved[" ".join(piece)] = proved
        self._path.parent.mkdir(exist_ok=True)
        fresh = self._path.with_suffix(".new")
        whole = {key: asdict(one) for key, one in self._proved.items()}
        fresh.write_text(json.dumps({"commit": self._commit, "proved": whole}, indent=1))
        fresh.replace(self._path)


Ran = tuple[int, str, str]  # exit code, what it printed, and its errors


def run(piece: tuple[str, ...]) -> Ran:
    """One piece, to its end."""
    ran = subprocess.run([sys.executable, *piece], cwd=ROOT, capture_output=True, text=True, check=False)
    return ran.returncode, ran.stdout, ran.stderr


def prove(
    proof: Proof, progress: Progress, run: Callable[[tuple[str, ...]], Ran] = run
) -> list[Proved] | None:
    """Every piece that is not proved yet; None if one failed."""
    failed = False
    for number, piece in enumerate(proof.pieces, start=1):
        if progress.of(piece) is not None:
            continue
        began = time.monotonic()
        code, out, err = run(piece)
        seconds = time.monotonic() - began
        last = next((line for line in reversed(out.splitlines()) if line.strip()), "")
        print(f"{proof.name} {number}/{len(proof.pieces)}: {last} [{seconds:.0f} s]", flush=True)
        if code:
            failed = True
            print(f"`python {' '.join(piece)}` exits {code}:\n{out}{err}", flush=True)
        else:
            progress.keep(piece, Proved(last=last, seconds=seconds))
    found = [one for piece in proof.pieces if (one := progress.of(piece)) is not None]
    return None if failed else found


def row_of(proof: Proof, proved: list[Proved], commit: str) -> str:
    """The page's row."""
    minutes = sum(one.seconds for one in proved) / 60
    figures = proof.told([one.last for one in proved]).replace("|", "/")
    cells = (
        proof.name,
        proof.claim,
        f"{datetime.now(UTC):%Y-%m-%d}",
        f"`{commit}`",
        f"{minutes:.0f}",
        figures,
    )
    return f"| {' | '.join(cells)} |"


def rows_of(page: str) -> dict[str, str]:
    """The page's rows by the proof's name."""
    names = {proof.name for proof in PROOFS}
    cells = ((line.split("|")[1].strip(), line) for line in page.splitlines() if line.startswith("| "))
    return {name: line for name, line in cells if name in names}


def main() -> int:
    """1 if anything could not be proved."""
    asked = parser.parse_args()
    said = subprocess.run(
        ["git", "rev-parse", "--short=12", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    commit = said.stdout.strip()
    progress, failed = Progress(commit), False
    for proof in PROOFS:
        if asked.names and proof.name not in asked.names:
            continue
        proved = prove(proof, progress)
        if proved is None:
            failed = True
            continue
        rows = rows_of(PAGE.read_text() if PAGE.exists() else "")
        rows[proof.name] = row_of(proof, proved, commit)
        PAGE.write_text(HEAD + "".join(f"{rows[one.name]}\n" for one in PROOFS if one.name in rows))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
