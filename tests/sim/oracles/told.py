"""The audit log as people read it: lines of text, and what they say by their words alone.

Nothing here looks at what an event says to programs: a person who reads the log, and holds it against the account, has
no more than this.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

WANTED = re.compile(r"every rule is to have (?:green at ([\d.]+) %|its first list)")
COMMAND = re.compile(r"(\w+) by ([^:]+)")
NO_PROGRESS = frozenset(
    {"held", "hold_cleared", "gate_answered", "interval_taken", "paged", "effect_failed", "task_stopped"}
)


class Said(Protocol):
    """An event, as far as people read it."""

    @property
    def at(self) -> datetime: ...
    @property
    def message(self) -> str: ...
    @property
    def kind(self) -> object: ...


@dataclass(frozen=True, slots=True)
class Line:
    """One line: when, what kind of line, and its words."""

    at: datetime
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Want:
    """That the log said which share of each rule green is to have; `number` is the line's."""

    number: int
    at: datetime
    share: float


class Told:
    """What the log has said so far."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.wants: list[Want] = []
        self.turned_back: Line | None = None
        self.ended: Line | None = None
        self.is_paused = False
        self.is_home = False  # all traffic was said to be on blue
        self.standing: dict[
            str, datetime
        ] = {}  # reasons to hold that were not said to be over, and since when
        self.moved_at: datetime | None = None  # the last line that says that something went on
        self.called_at: datetime | None = None  # the last line that asks for people

    def hear(self, events: Iterable[Said]) -> list[Line]:
        """Take in what was written since; returns the new lines."""
        new = [Line(said.at, str(said.kind), said.message) for said in events]
        for line in new:
            self._take(line)
        return new

    def _take(self, line: Line) -> None:
        number = len(self.lines)
        self.lines.append(line)
        match line.kind:
            case "weight_wanted":
                found = WANTED.match(line.text)
                assert found, line.text
                self.wants.append(Want(number, line.at, float(found[1] or 0) / 100))
            case "rollback_decided":
                self.turned_back = self.turned_back or line
                self.is_paused = False
            case "command_applied" if line.text.startswith("pause by"):
                self.is_paused = True
            case "command_applied" if line.text.startswith("resume by"):
                self.is_paused = False
            case "held":
                self.standing.setdefault(line.text, line.at)
            case "hold_cleared":
                self.standing.pop(line.text.partition(": ")[2], None)
            case "traffic_on_blue":
                self.is_home = True
            case "ended":
                self.ended = line
            case _:
                pass
        if line.kind not in NO_PROGRESS:
            self.moved_at = line.at
        if line.kind == "paged" or (line.kind == "held" and _asks_people(line.text)):
            self.called_at = line.at

    def given_between(self, kind: str, first: int, last: int) -> bool:
        """Whether a command of this kind is said to have been applied between two lines."""
        return any(
            line.kind == "command_applied" and line.text.startswith(f"{kind} by")
            for line in self.lines[first:last]
        )

    def last_given(self, *kinds: str) -> datetime | None:
        """When a command of one of these kinds is said to have been applied last."""
        starts = tuple(f"{kind} by" for kind in kinds)
        found = (
            line.at
            for line in reversed(self.lines)
            if line.kind == "command_applied" and line.text.startswith(starts)
        )
        return next(found, None)

    def says(self, *kinds: str, since: datetime, words: str = "") -> bool:
        """Whether a line of one of these kinds with these words was written since then."""
        for line in reversed(self.lines):
            if line.at < since:
                return False
            if line.kind in kinds and words in line.text:
                return True
        return False

    def between(self, kinds: tuple[str, ...], first: int, last: int) -> bool:
        """Whether a line of one of these kinds stands between two others."""
        return any(line.kind in kinds for line in self.lines[first:last])


def _asks_people(text: str) -> bool:
    return "approv" in text or text.startswith("paused by")
