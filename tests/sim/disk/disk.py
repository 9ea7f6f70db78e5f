"""The disk that the store is on: for a while full, locked by somebody or slow, and now and then a commit is lost."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sqlalchemy.exc import OperationalError

from tests.support.virtual import VirtualLoop

SpellKind = Literal["full", "busy", "slow"]
CommitKind = Literal["lost", "answer lost"]
BUSY_LONGEST = 10.0  # seconds that SQLite waits for another process's transaction
EPSILON = 1e-6
NOTICEABLE = 1.0  # seconds that a write takes


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """From `at` on, for so many seconds, the disk is full, or locked, or each write takes `slow` seconds."""

    at: float
    lasts: float
    kind: SpellKind
    slow: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitFault:
    """The n-th commit of all engines is lost before it is written, or written and its answer is lost."""

    nth: int
    kind: CommitKind


class Disk:
    """What becomes of writes. `struck` is told of each fault that somebody met."""

    def __init__(
        self,
        loop: VirtualLoop,
        spells: tuple[Spell, ...] = (),
        commits: tuple[CommitFault, ...] = (),
        struck: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._loop, self._spells, self._commits = loop, spells, commits
        self._struck = struck
        self._committed = 0
        self._busy_until = 0.0  # with the last write that was begun

    def is_in_the_way(self) -> bool:
        """Whether writes are refused, or take longer than anybody reckons with."""
        spell = self._spell()
        is_troubled = spell is not None and (spell.kind != "slow" or spell.slow > NOTICEABLE)
        return is_troubled or self._loop.seconds < self._busy_until

    def next_commit(self) -> CommitKind | None:
        """What becomes of the commit that is asked for now."""
        if not self._commits:
            return None
        self._committed += 1
        found = next((one.kind for one in self._commits if one.nth == self._committed), None)
        if found is not None:
            self._struck(f"commit: {found}")
        return found

    def refusal(self) -> sqlite3.Error | None:
        """Why a write is not taken now; None: it is."""
        match self._kind():
            case "full":
                self._struck("store: full")
                return sqlite_error(sqlite3.SQLITE_FULL, "database or disk is full")
            case "busy":
                self._struck("store: busy")
                return sqlite_error(sqlite3.SQLITE_BUSY, "database is locked")
            case _:
                return None

    def wait(self) -> float:
        """Seconds that a write waits before it runs."""
        spell = self._spell()
        if spell is None or spell.kind == "full":
            return 0.0
        if spell.kind == "busy":
            return min(BUSY_LONGEST, spell.at + spell.lasts - self._loop.seconds)
        self._struck("store: slow")
        self._busy_until = max(self._busy_until, self._loop.seconds) + spell.slow
        return spell.slow / 2

    def late(self) -> float:
        """Seconds that the answer takes once a write was written."""
        spell = self._spell()
        return spell.slow / 2 if spell is not None and spell.kind == "slow" else 0.0

    def _kind(self) -> SpellKind | None:
        spell = self._spell()
        return None if spell is None else spell.kind

    def _spell(self) -> Spell | None:
        now = self._loop.seconds
        return next((one for one in self._spells if one.at <= now < one.at + one.lasts - EPSILON), None)


def sqlite_error(code: int, words: str) -> sqlite3.Error:
    """An error of SQLite's own with its code."""
    error = sqlite3.OperationalError(words)
    error.sqlite_errorcode = code
    return error


def as_sqlalchemy(error: sqlite3.Error) -> OperationalError:
    """As SQLAlchemy raises it."""
    return OperationalError("COMMIT", None, error)


def lost() -> sqlite3.Error:
    """A commit of which SQLite says that it failed, whatever is on the disk by then."""
    return sqlite_error(sqlite3.SQLITE_IOERR, "disk I/O error")
