"""Random rollouts, each held to the promises after every step.

A few of those that `make night` plays by the thousand. That the oracles would notice: `test_planted`.
"""

import ast
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.phases import Phase
from tests.sim.beside import NOTHING
from tests.sim.run import complaint, play_seed, play_swap
from tests.sim.scenario import scenario_of
from tests.sim.stage import play

HERE = Path(__file__).parent / "oracles"
SEEDS = 16
SWAPS = 8
ENDS = {Phase.SUCCEEDED, Phase.ROLLED_BACK}
LOOKS = ("evidence", "duties", "told", "truth", "promises", "case", "oracle")
ORACLES = (
    *LOOKS,
    *(f"{one}_oracle" for one in ("failure", "command", "rival", "rule", "thing", "log", "end")),
)
# What people type: their file, and their commands.
PEOPLES = {
    "orchestrator.core.rollout.spec",
    "orchestrator.core.domain.commands",
    "orchestrator.core.domain.ids",
}
# Who stages the play hands over the store whose log is read as text, and the row that the play itself goes by.
STAGED = {
    "orchestrator.core.domain.events",
    "orchestrator.core.rollout.rollout",
    "orchestrator.store.memory.store",
}


@pytest.mark.long
def test_no_random_rollout_breaks_a_promise_and_they_meet_both_ends() -> None:
    played = [play_seed(seed) for seed in range(SEEDS)]
    broken = [one for one in played if one.broken]
    assert not broken, "\n\n".join(complaint(one) for one in broken)
    assert {one.phase for one in played} >= ENDS


@pytest.mark.long
def test_no_random_rollout_in_which_green_stays_breaks_a_promise() -> None:
    broken = [played for seed in range(SWAPS) if (played := play_swap(seed)).broken]
    assert not broken, "\n\n".join(complaint(played) for played in broken)


def test_the_same_seed_plays_the_same() -> None:
    first, second = play(scenario_of(31)), play(scenario_of(31))
    assert (first.story, first.calls, first.seconds) == (second.story, second.calls, second.seconds)


def test_the_seeds_meet_every_kind_of_trouble() -> None:
    scenarios = [scenario_of(seed) for seed in range(400)]
    kinds = {command.kind for scenario in scenarios for command in scenario.commands}
    assert {CommandKind.ROLLBACK, CommandKind.BACK, CommandKind.PROMOTE, CommandKind.PAUSE} <= kinds
    assert CommandKind.ABANDON in kinds
    assert {fault.when for scenario in scenarios for fault in scenario.faults} == {"before", "after", "late"}
    assert any(scenario.deaths for scenario in scenarios)
    assert any(scenario.workers == 2 for scenario in scenarios)
    assert any(scenario.starts for scenario in scenarios)
    assert any("TEAL_DEMO_HANG" in scenario.green for scenario in scenarios)
    assert sum(not scenario.is_attended for scenario in scenarios) > 80


def test_green_that_answers_nothing_is_taken_back_though_it_looks_healthy() -> None:
    hangs = [s for seed in range(80) if "TEAL_DEMO_HANG" in (s := scenario_of(seed)).green]
    ends = {scenario.seed: play(replace(scenario, beside=NOTHING)).phase for scenario in hangs}
    assert set(ends.values()) == {Phase.ROLLED_BACK}, ends


def imports_of(path: Path) -> set[str]:
    """The modules of the product that a file imports."""
    tree = ast.parse(path.read_text())
    froms = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    names = {one.name for node in ast.walk(tree) if isinstance(node, ast.Import) for one in node.names}
    return {name for name in froms | names if name.split(".")[0] in ("orchestrator", "api")}


@pytest.mark.parametrize("name", ORACLES)
def test_an_oracle_shares_no_code_with_what_it_checks(name: str) -> None:
    found = imports_of(HERE / f"{name}.py")
    allowed = PEOPLES | (STAGED if name in ("case", "oracle") else set())
    assert found <= allowed, found - allowed


@pytest.mark.parametrize("name", ORACLES)
def test_an_oracle_reads_no_field_of_the_row(name: str) -> None:
    tree = ast.parse((HERE / f"{name}.py").read_text())
    reads = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == "row"]
    assert not reads, f"{name}.py reads the row in line {reads[0]}"
