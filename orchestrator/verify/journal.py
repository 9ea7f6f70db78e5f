"""What was made, written to disk before it is made: so that a stopped run can be cleaned up by whoever finds it.

One line of JSON an entry, each synced before the call that it announces. A line that is torn (the machine stopped, or
the disk was full, while it was written) is left out and counted: what it may have announced is looked for by its name.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO

from orchestrator.core.domain.errors import NotFound, TealError
from orchestrator.verify.wanted import Wanted

FILE, ROWS, LOCK = "journal.jsonl", "teal.db", "lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """Something that may exist. `within`: what it can be found by besides its name, such as its cluster."""

    kind: str
    name: str
    within: str = ""
    arn: str = ""  # empty: the call that makes it was not answered yet

    @property
    def key(self) -> tuple[str, str, str]:
        """What it is known by."""
        return self.kind, self.name, self.within


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """The account and the region in which a run makes things."""

    account: str
    region: str

    def __str__(self) -> str:
        return f"account {self.account} in {self.region}"


class Unwritable(TealError):
    """The journal cannot be kept, so nothing is made."""

    code = "journal-unwritable"


class Busy(TealError):
    """Another process runs this run, or cleans it up; nothing was touched."""

    code = "run-under-way"
    http_status = 409
    exit_code = 5


class Journal:
    """One run's journal. A folder of its own holds it, the run's store, and its report."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.where: Where | None = None  # None: nothing was made yet
        self.torn: list[
            int
        ] = []  # numbers of lines that cannot be read, and whose things were not looked for yet
        self.rolls = False  # rollouts were begun, and it was not seen yet that all have ended
        self._made: dict[tuple[str, str, str], Made] = {}

    @classmethod
    def begin(cls, folder: Path, wanted: Wanted) -> "Journal":
        """A new one. Raises Unwritable if the folder cannot be made."""
        journal = cls(folder)
        try:
            folder.mkdir(parents=True, mode=0o700)
            journal._write({"entry": "began", **_plain(wanted)})
        except OSError as error:
            raise Unwritable(
                what=f"{folder} cannot be made",
                why=error.strerror or str(error),
                next_step="set XDG_STATE_HOME",
            ) from error
        return journal

    @classmethod
    def read(cls, folder: Path) -> tuple["Journal", Wanted]:
        """One that was begun. Raises NotFound if there is none."""
        journal, wanted = cls(folder), None
        for number, line in enumerate(_lines(folder / FILE), start=1):
            try:
                entry = json.loads(line)
                if entry["entry"] == "began":
                    wanted = _wanted({name: value for name, value in entry.items() if name != "entry"})
                else:
                    journal._take(entry)
            except (ValueError, KeyError, TypeError):
                journal.torn.append(number)
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

    @property
    def is_unfinished(self) -> bool:
        """True if something may be left of the run."""
        return bool(self._made or self.torn or self.rolls)

    def knows(self, made: Made) -> bool:
        """True if it may exist, as far as the journal knows."""
        return made.key in self._made

    def stands_in(self, where: Where) -> None:
        """Whatever is made after this is made there."""
        self.where = where
        self._write({"entry": "place", **asdict(where)})

    def making(self, made: Made) -> None:
        """Announce something, before the call that makes it. Raises OSError: it must not be made then."""
        self._write({"entry": "making", **asdict(made)})
        self._made[made.key] = made

    def made(self, made: Made) -> None:
        """It is there."""
        self._made[made.key] = made
        self._write({"entry": "made", **asdict(made)})

    def found(self, made: Made) -> None:
        """It may be there, and others made it. A full disk keeps this process from forgetting nothing."""
        self._made[made.key] = made
        self._note({"entry": "made", **asdict(made)})

    def removed(self, made: Made) -> None:
        """It is gone, as AWS said. Where that cannot be written, whoever cleans up later finds nothing of it."""
        self._made.pop(made.key, None)
        self._note({"entry": "removed", **asdict(made)})

    def rolling(self) -> None:
        """A rollout is about to begin. Raises OSError: it must not begin then."""
        if not self.rolls:
            self._write({"entry": "rolling"})
            self.rolls = True

    def rolled(self) -> None:
        """Every rollout has ended."""
        self.rolls = False
        self._note({"entry": "rolled"})

    def searched(self) -> None:
        """What torn lines may have announced was looked for, and nothing of it is left."""
        self.torn.clear()
        self._note({"entry": "searched"})

    def _take(self, entry: dict[str, Any]) -> None:
        """What one line says. Raises KeyError, TypeError, ValueError for what is no entry."""
        kind, given = entry["entry"], {name: value for name, value in entry.items() if name != "entry"}
        match kind:
            case "making" | "made":
                made = Made(**given)
                self._made[made.key] = made
            case "removed":
                self._made.pop(Made(**given).key, None)
            case "place":
                self.where = Where(**given)
            case "rolling" | "rolled":
                self.rolls = kind == "rolling"
            case "searched":
                self.torn.clear()
            case _:
                raise ValueError(kind)

    def _note(self, entry: dict[str, object]) -> None:
        with suppress(OSError):
            self._write(entry)

    def _write(self, entry: dict[str, object]) -> None:
        line = json.dumps(entry, ensure_ascii=False).encode() + b"\n"
        with (self.folder / FILE).open("a+b") as file:
            file.write(line if _ends_whole(file) else b"\n" + line)
            file.flush()
            os.fsync(file.fileno())


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """The sole right to a run for as long as the context lasts; it ends with the process at the latest.

    Raises Busy where another process has it, NotFound where there is no such run.
    """
    try:
        lock = (folder / LOCK).open("ab")
    except FileNotFoundError as error:
        raise NotFound(
            what=f"no run in {folder}",
            why="there is no such folder",
            next_step="`teal verify-account --clean` lists them",
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Busy(
                what=f"run {folder.name} is under way",
                why="another process runs it or cleans it up, and uses what it made",
                next_step="wait until that one has ended, or stop it by Ctrl-C, which cleans up too",
            ) from error
        yield


def unfinished(root: Path) -> tuple[Path, ...]:
    """The folders of runs that left something behind, the oldest first."""
    found = []
    for folder in sorted(root.iterdir(), key=lambda each: each.stat().st_mtime) if root.is_dir() else ():
        with suppress(NotFound):  # nothing is made before the first line is whole
            if Journal.read(folder)[0].is_unfinished:
                found.append(folder)
    return tuple(found)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def _ends_whole(file: BinaryIO) -> bool:
    """True if the last line was written to its end; the file is open to be read and appended to."""
    if not file.seek(0, os.SEEK_END):
        return True
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"


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
