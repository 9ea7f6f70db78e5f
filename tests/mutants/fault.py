"""A fault as data: which text of which file becomes which other, and what then does not hold any more."""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


class Rotten(ValueError):
    """A fault that cannot be put in: the text that it replaces is not there once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault, the promise that it breaks, and the tests that are to catch it, the narrowest first."""

    name: str
    file: str
    text: str  # stands in the file exactly once
    instead: str
    breaks: str  # what holds without it, in one sentence
    caught_by: tuple[str, ...]  # files of tests, or node ids

    @property
    def module(self) -> str:
        """The name by which the file is imported."""
        return self.file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    def put_into(self, source: str) -> str:
        """The file's source with the fault. Raises Rotten, by name."""
        found = source.count(self.text)
        if found != 1:
            raise Rotten(
                f"{self.name}: its text stands {found} times in {self.file}, and must stand there once"
            )
        return source.replace(self.text, self.instead)

    def source(self, root: Path = ROOT) -> str:
        """The source with the fault, of a tree. Raises Rotten, by name."""
        path = root / self.file
        if not path.exists():
            raise Rotten(f"{self.name}: there is no {self.file}")
        return self.put_into(path.read_text())
