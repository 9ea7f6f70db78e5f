"""The runner tells a fault that a test catches from one that none does, and counts no broken program as caught."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.mutants.__main__ import Progress, chosen, complaint, summary
from tests.mutants.fault import ROOT, Fault, Rotten
from tests.mutants.faults import ROOMS
from tests.mutants.runner import End, Outcome, fails_anyway, judge

pytestmark = pytest.mark.machine(seconds=10)

PRICE = '''"""A shop's prices."""


def price(apples: int) -> int:
    """Three a piece, and the tenth is free."""
    return 3 * (apples - apples // 10)
'''
TESTS = """from shop.price import price


def test_ten_apples_cost_as_much_as_nine() -> None:
    assert price(10) == price(9)


def test_an_apple_costs_something() -> None:
    assert price(1) > 0
"""
FREE = Fault(
    name="the tenth is not free",
    file="shop/price.py",
    text="(apples - apples // 10)",
    instead="apples",
    breaks="The tenth apple is free.",
    caught_by=("shop/test_price.py",),
)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A small program with its tests, in a tree of its own."""
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "price.py").write_text(PRICE)
    (folder / "test_price.py").write_text(TESTS)
    return tmp_path


def test_a_fault_that_a_test_catches_is_told_with_the_test_and_the_time(shop: Path) -> None:
    outcome = judge(FREE, root=shop)
    assert outcome.end is End.CAUGHT, outcome.why
    assert outcome.by == "shop/test_price.py::test_ten_apples_cost_as_much_as_nine"
    assert outcome.seconds > 0
    assert (shop / "shop" / "price.py").read_text() == PRICE, "no file is touched"


def test_a_fault_that_no_test_catches_survives(shop: Path) -> None:
    cheap = replace(FREE, name="too dear", text="3 *", instead="4 *", breaks="An apple costs three.")
    outcome = judge(cheap, root=shop)
    assert outcome.end is End.SURVIVED
    told = complaint(outcome, cheap)
    assert told.startswith("too dear (survived) in shop/price.py: An apple costs three.")
    assert "asked: shop/test_price.py" in told


@pytest.mark.parametrize(("text", "times"), [("(pears)", 0), ("apples", 3)])
def test_a_fault_whose_text_does_not_stand_there_once_is_refused_by_name(
    shop: Path, text: str, times: int
) -> None:
    rotten = replace(FREE, text=text)
    outcome = judge(rotten, root=shop)
    assert outcome.end is End.ROTTEN
    assert outcome.why.startswith(f"the tenth is not free: its text stands {times} times in shop/price.py")
    with pytest.raises(Rotten, match=r"there is no shop/pear\.py"):
        replace(FREE, file="shop/pear.py").source(shop)


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ("def price(", "def prize("),  # its tests cannot be imported
        ("return 3 *", "return three *"),  # nor run
        ("return 3 *", "return 3 * *"),
        ('"""A shop', 'import pears\n"""A shop'),
    ],
)
def test_a_program_that_is_none_is_not_counted_as_caught(shop: Path, text: str, instead: str) -> None:
    outcome = judge(replace(FREE, text=text, instead=instead), root=shop)
    assert outcome.end is End.UNFIT


def test_tests_that_are_not_there_do_not_count(shop: Path) -> None:
    assert judge(replace(FREE, caught_by=("shop/test_pears.py",)), root=shop).end is End.UNFIT


def test_tests_that_never_import_the_file_are_told(shop: Path) -> None:
    (shop / "shop" / "test_pears.py").write_text("def test_pears() -> None:\n    assert True\n")
    assert judge(replace(FREE, caught_by=("shop/test_pears.py",)), root=shop).end is End.ELSEWHERE


def test_tests_that_do_not_end_are_told(shop: Path) -> None:
    endless = replace(FREE, text="return 3", instead="while True:\n        pass\n    return 3")
    outcome = judge(endless, root=shop, longest=5)
    assert (outcome.end, outcome.why) == (End.TOO_LONG, "it did not end within 5 s")


def test_a_test_that_fails_without_any_fault_is_told_before_all_else(shop: Path) -> None:
    assert fails_anyway([FREE], root=shop) == ""
    (shop / "shop" / "test_price.py").write_text(TESTS.replace("price(9)", "price(8)"))
    assert fails_anyway([FREE], root=shop).startswith(
        "shop/test_price.py::test_ten_apples_cost_as_much_as_nine: AssertionError"
    )


def test_another_check_can_be_run_with_a_fault() -> None:
    fault = ROOMS["core/domain"][0]
    asked = "from orchestrator.core.domain import event_chain; print(type(event_chain.__loader__).__name__)"
    assert fault.module == "orchestrator.core.domain.event_chain"
    command = [sys.executable, "-m", "tests.mutants.under", fault.name, "timeit", "-n", "1", "-r", "1", asked]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[0] == "_Loader"


def test_what_was_caught_is_kept_for_the_same_tree_alone(tmp_path: Path) -> None:
    kept, caught = tmp_path / "kept" / "mutants.json", Outcome(fault=FREE.name, end=End.CAUGHT, by="a::b")
    Progress("a tree", kept).keep(caught)
    assert Progress("a tree", kept).of(FREE) == caught
    assert Progress("another tree", kept).of(FREE) is None
    assert json.loads(kept.read_text())["tree"] == "a tree"


def test_faults_are_chosen_by_name_and_by_room() -> None:
    room, faults = next(iter(ROOMS.items()))
    assert chosen([room]) == faults
    assert chosen([faults[0].name, room]) == faults
    assert len(chosen([])) == sum(map(len, ROOMS.values()))
    with pytest.raises(KeyError):
        chosen(["no such fault"])


def test_all_is_told_in_one_line() -> None:
    caught = Outcome(
        fault="a", end=End.CAUGHT, by="tests/core/gates/test_x.py::test_y", seconds=2, cpu_seconds=30
    )
    assert summary([caught, Outcome(fault="b", end=End.SURVIVED, seconds=9, cpu_seconds=60)]) == (
        "2 faults, 1 caught (1 by tests/core), 1 not; median 2.0 s, 1.5 CPU-minutes"
    )
