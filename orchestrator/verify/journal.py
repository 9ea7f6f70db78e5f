"""What was made, written to disk before it is made: so that a stopped run can be cleaned up by whoever finds it.

One line of JSON an entry, each synced before the call that it announces. A torn last line (the machine stopped while
writing) announces nothing that was made.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from orchestrator.core.domain.errors import NotFound, TealError
from orchestrator.verify.wanted import Wanted

FILE, ROWS = "journal.jsonl", "teal.db"


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """Something that may exist. `within`: what it can be found by besides its name, such as its cluster."""

    kind: str
    name: str
    within: str = ""
    arn: str = ""  # empty: the call that makes it was not answered yet


class Journal:
    """One run's journal. A folder of its own holds it, the run's store, and its report."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._made: dict[tuple[str, str, str], Made] = {}

    @classmethod
    def begin(cls, folder: Path, wanted: Wanted) -> "Journal":
        """A new one. Raises Unwritable if the folder cannot be made."""
        journal = cls(folder)
        try:
            folder.mkdir(parents=True, mode=0o700)
        except OSError as error:
            raise Unwritable(
                what=f"{folder} cannot be made",
                why=error.strerror or str(error),
                next_step="set XDG_STATE_HOME",
            ) from error
        journal._write({"entry": "began", **_plain(wanted)})
        return journal

    @classmethod
    def read(cls, folder: Path) -> tuple["Journal", Wanted]:
        """One that was begun. Raises NotFound if there is none."""
        journal, wanted = cls(folder), None
        for entry in _entries(folder / FILE):
            kind = entry.pop("entry", "")
            if kind == "began":
                wanted = _wanted(entry)
            elif kind in ("making", "made"):
                journal._keep(Made(**entry))
            elif kind == "removed":
                journal._made.pop((entry["kind"], entry["name"], entry["within"]), None)
        if wanted is None:
            raise NotFound(
                what=f"no run in {folder}",
                why="it holds no journal",
                next_step="`teal verify-account --clean` lists them",
            )
        return journal, wanted

    @property
    def left(self) -> tuple[Made, ...]:
        """What may exist still, the newest first."""
        return tuple(reversed(self._made.values()))

    def making(self, made: Made) -> None:
        """Announce something, before the call that makes it."""
        self._keep(made)
        self._write({"entry": "making", **asdict(made)})

    def made(self, made: Made) -> None:
        """It is there."""
        self._keep(made)
        self._write({"entry": "made", **asdict(made)})

    def removed(self, made: Made) -> None:
        """It is gone, as AWS said."""
        self._made.pop((made.kind, made.name, made.within), None)
        self._write({"entry": "removed", **asdict(made)})

    def _keep(self, made: Made) -> None:
        self._made[made.kind, made.name, made.within] = made

    def _write(self, entry: dict[str, object]) -> None:
        with (self.folder / FILE).open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())


class Unwritable(TealError):
    """The journal cannot be kept, so nothing is made."""

    code = "journal-unwritable"


def unfinished(root: Path) -> tuple[Path, ...]:
    """The folders of runs that left something behind, the oldest first."""
    found = []
    for folder in sorted(root.iterdir(), key=lambda each: each.stat().st_mtime) if root.is_dir() else ():
        if (folder / FILE).is_file():
            journal, _ = Journal.read(folder)
            if journal.left:
                found.append(folder)
    return tuple(found)


def _entries(path: Path) -> Iterator[dict[str, Any]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for number, line in enumerate(lines):
        try:
            yield json.loads(line)
        except ValueError:
            if number != len(lines) - 1:
                raise
            return


def _plain(wanted: Wanted) -> dict[str, object]:
    return {
        **asdict(wanted),
        "parts": sorted(wanted.parts),
        "minute": wanted.minute.total_seconds(),
    }


def _wanted(entry: dict[str, Any]) -> Wanted:
    entry["minute"] = timedelta(seconds=entry["minute"])
    entry["parts"], entry["subnets"] = frozenset(entry["parts"]), tuple(entry["subnets"])
    return Wanted(**entry)
