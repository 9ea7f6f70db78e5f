"""The proofs that are too long for `make test`, each cut into pieces that can be proved one by one."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.cases.exits import EXITS
from tests.endtoend.__main__ import SCENES
from tests.mutants.faults import ROOMS

SEEDS, SEEDS_AT_ONCE = 2000, 50
SWAPS, SWAPS_AT_ONCE = 500, 50
KILLED = 6  # rounds of ten rollouts
FUZZED = 4  # seeds
RESTARTS, RESTARTS_AT_ONCE = 50, 10

Figures = Sequence[str]  # what each piece printed last


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One claim, the commands that prove it, and how what they print is told in one line."""

    name: str
    claim: str
    pieces: tuple[tuple[str, ...], ...]  # arguments of Python
    told: Callable[[Figures], str]


def sum_of(pattern: str, lines: Figures) -> int:
    """The numbers that a pattern finds, added up."""
    return sum(int(number) for line in lines for number in re.findall(pattern, line))


def seeds_told(lines: Figures) -> str:
    """Of `python -m tests.sim`."""
    ends = {phase: sum_of(rf"(\d+) {phase}", lines) for phase in ("succeeded", "rolled_back", "abandoned")}
    told = ", ".join(f"{count:,} {phase}" for phase, count in ends.items() if count)
    calls, broke = sum_of(r"(\d+) calls", lines), sum_of(r"(\d+) broke", lines)
    return f"{sum(ends.values()):,} rollouts ({told}), {calls:,} calls to AWS, {broke} broke a promise"


def scenes_told(lines: Figures) -> str:
    """Of `python -m tests.endtoend`."""
    return f"{len(lines)} scenes at 80 requests a second, {sum(not line.startswith('ok') for line in lines)} went wrong"


def kills_told(lines: Figures) -> str:
    """Of `python -m tests.endtoend.kills`."""
    rollouts, good = sum_of(r"(\d+) rollouts", lines), sum_of(r"(\d+) ended right", lines)
    lost = sum_of(r"(\d+) of ", lines)
    return f"{rollouts} rollouts, {good} ended right, {lost} requests lost by a shift"


def restarts_told(lines: Figures) -> str:
    """Of `python -m tests.endtoend.restarts`."""
    kills, good = sum_of(r"(\d+) kills", lines), sum_of(r"(\d+) with a write", lines)
    slowest = max(float(found) for line in lines for found in re.findall(r"after ([\d.]+) s", line))
    return f"{kills} kills, {good} with a write to AWS within 5 s of the next exec, the slowest after {slowest:.2f} s"


def fuzz_told(lines: Figures) -> str:
    """Of `python -m tests.fuzz`."""
    return f"{len(lines)} seeds; the last: {lines[-1]}"


def exits_told(lines: Figures) -> str:
    """Of `python -m tests.cases.exits`."""
    exits, good = sum_of(r"(\d+) exits", lines), sum_of(r"(\d+) agree", lines)
    return f"{exits} exits beside rivals, {good} agree with their last sentence"


def mutants_told(lines: Figures) -> str:
    """Of `python -m tests.mutants`."""
    faults, caught = sum_of(r"(\d+) faults", lines), sum_of(r"(\d+) caught", lines)
    return f"{faults} faults, one at a time, {caught} caught"


def tests_told(lines: Figures) -> str:
    """Of pytest."""
    return lines[-1]


PROOFS = (
    Proof(
        name="simulation",
        claim="No random rollout breaks a promise.",
        pieces=tuple(
            ("-m", "tests.sim", "--start", str(first), "--seeds", str(SEEDS_AT_ONCE))
            for first in range(0, SEEDS, SEEDS_AT_ONCE)
        ),
        told=seeds_told,
    ),
    Proof(
        name="simulation of swaps",
        claim="No random rollout in which green stays breaks a promise.",
        pieces=tuple(
            ("-m", "tests.sim", "--swaps", "--start", str(first), "--seeds", str(SWAPS_AT_ONCE))
            for first in range(0, SWAPS, SWAPS_AT_ONCE)
        ),
        told=seeds_told,
    ),
    Proof(
        name="end to end",
        claim="Every scene ends right and loses no request, with real processes and requests.",
        pieces=tuple(("-m", "tests.endtoend", scene.__name__) for scene in SCENES),
        told=scenes_told,
    ),
    Proof(
        name="kills",
        claim="An engine killed at any moment loses nothing and leaves nothing behind.",
        pieces=tuple(("-m", "tests.endtoend.kills", "--seed", str(seed)) for seed in range(1, KILLED + 1)),
        told=kills_told,
    ),
    Proof(
        name="restarts",
        claim="A killed server's host has its rollouts moved again within five seconds of the next server's exec.",
        pieces=tuple(
            ("-m", "tests.endtoend.restarts", "--kills", str(RESTARTS_AT_ONCE), "--seed", str(seed))
            for seed in range(1, RESTARTS // RESTARTS_AT_ONCE + 1)
        ),
        told=restarts_told,
    ),
    Proof(
        name="fuzz",
        claim="No request gets an answer that is not documented.",
        pieces=tuple(("-m", "tests.fuzz", "--seed", str(seed)) for seed in range(1, FUZZED + 1)),
        told=fuzz_told,
    ),
    Proof(
        name="exits",
        claim="From every phase, beside every rival, the last sentence agrees with the whole account as described.",
        pieces=tuple(("-m", "tests.cases.exits", f"{name} /") for name in EXITS),
        told=exits_told,
    ),
    Proof(
        name="mutants",
        claim="Every fault that is put into core, engine or store is caught by a test.",
        pieces=tuple(("-m", "tests.mutants", room) for room in ROOMS),
        told=mutants_told,
    ),
    Proof(
        name="long tests",
        claim="What is too long for `make test` holds as well.",
        pieces=(("-m", "pytest", "-m", "night"),),
        told=tests_told,
    ),
)
