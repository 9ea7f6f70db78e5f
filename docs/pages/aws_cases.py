"""docs/aws-cases.md: what AWS, colleagues and bad luck can do to a rollout, what Teal does, and which tests show it."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from docs.pages.markdown import document, table
from docs.pages.source import ROOT

TABLE = Path(__file__).with_suffix(".toml")
_NAMED = re.compile(r"^(?:async )?def (test_case_(\d+)_\w+)\(", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case: what happens, and what Teal does then."""

    number: int
    situation: str
    teal: str = ""
    untested: bool = False  # no test of its name shows yet what Teal does
    named_by_preflight: bool = False  # not built: preflight says so where it applies


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedTest:
    """One test by its name, and the file it stands in."""

    name: str
    path: str


@cache
def cases() -> tuple[Case, ...]:
    """Every case, in the order of the table."""
    return tuple(Case(**entry) for entry in tomllib.loads(TABLE.read_text(encoding="utf-8"))["case"])


@cache
def named_tests() -> Mapping[int, tuple[NamedTest, ...]]:
    """The tests by the number of the case that they are named after, in the order of files and lines."""
    found: dict[int, list[NamedTest]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for name, number in _NAMED.findall(path.read_text(encoding="utf-8")):
            found.setdefault(int(number), []).append(
                NamedTest(name=name, path=path.relative_to(ROOT).as_posix())
            )
    return {number: tuple(named) for number, named in found.items()}


def page() -> str:
    """The page."""
    return document(
        "Edge cases",
        "`docs/pages/aws_cases.toml` and the names of the tests",
        "What a service on AWS, the people around it and bad luck can do to a rollout, and what Teal does then. Each "
        "test is named after the number of its case and says what happens; most play a whole rollout against the "
        "simulated AWS of the sandbox, in virtual time.",
        table(
            ["case", "situation", "what Teal does", "tests"],
            [[str(case.number), case.situation, _does(case), _links(case)] for case in cases()],
        ),
    )


def _does(case: Case) -> str:
    return f"{case.teal} Named by preflight until it is built." if case.named_by_preflight else case.teal


def _links(case: Case) -> str:
    return "\n".join(
        f"[`{test.name.removeprefix(f'test_case_{case.number:02}_')}`](../{test.path})"
        for test in named_tests().get(case.number, ())
    )
