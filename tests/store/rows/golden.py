"""A golden row as a file holds it: the store's rows as text, the way to the World it was in, and what then happened."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

FOLDER = Path(__file__).parent
IDS = re.compile(r"arn:|ecs-svc/")  # how those ids begin that AWS makes, and Teal keeps


@dataclass(frozen=True, slots=True, kw_only=True)
class Golden:
    """One rollout at one moment of its life. Nothing in here is a value of Teal's own types."""

    scenario: str
    tables: str  # the migration that the rows are of
    rollout: str
    at: str  # the World's time
    rows: Mapping[
        str, list[dict[str, Any]]
    ]  # by table, as SQL gives them; the log may be left out, for its size
    scenery: Mapping[str, Any]
    calls: list[dict[str, Any]]  # what changed the World since the scenery was there, by whomever
    shown: Mapping[str, Any]  # the rollout as doors show it
    then: list[str]  # what it told on its way to the end, in short
    phase: str  # in which it ended

    @classmethod
    def read(cls, path: Path) -> Self:
        return cls(**json.loads(path.read_text()))

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n")

    def renamed(self, names: Mapping[str, str]) -> Self:
        """The same with other ids: those of this day's World in place of those of the World it was written in."""
        if not names:
            return self
        text = json.dumps(asdict(self), ensure_ascii=False)
        for was in sorted(names, key=len, reverse=True):
            text = text.replace(was, names[was])
        return type(self)(**json.loads(text))

    @property
    def body(self) -> str:
        """The row's own text."""
        return str(self.row["body"])

    @property
    def row(self) -> Mapping[str, Any]:
        """The row among those of its store."""
        (row,) = [row for row in self.rows["rollouts"] if row["id"] == self.rollout]
        return row


def paths(version: str = "*") -> list[Path]:
    """The files of one version, or of every one."""
    return sorted(FOLDER.glob(f"{version}/*.json"))


def ids_in(value: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    """Every id of AWS's in an answer, in its order."""
    match value:
        case dict():
            for each in value.values():
                yield from ids_in(each)
        case list() | tuple():
            for each in value:
                yield from ids_in(each)
        case str() if IDS.match(value):
            yield value


def leaves(value: Any) -> Iterator[str | int | float | bool]:  # noqa: ANN401 - JSON
    """Every value within JSON, wherever it stands."""
    match value:
        case dict():
            for each in value.values():
                yield from leaves(each)
        case list():
            for each in value:
                yield from leaves(each)
        case None:
            pass
        case _:
            yield value
