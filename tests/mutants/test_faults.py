"""Every fault can still be put in: what was moved or renamed shows here at once, and not in the night."""

import ast
import builtins
import re
from collections import Counter
from pathlib import Path

import pytest

from tests.mutants.fault import ROOT, Fault
from tests.mutants.faults import ROOMS

EVERY = [fault for faults in ROOMS.values() for fault in faults]


def words_of(source: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}


def is_there(test: str) -> bool:
    """True if there is such a file, and in it such a test."""
    file, _, name = test.partition("::")
    path = ROOT / file
    return path.exists() and (not name or bool(re.search(rf"\bdef {name}\(", path.read_text())))


@pytest.mark.parametrize("room", ROOMS)
def test_every_fault_can_be_put_into_its_file_and_leaves_a_program(room: str) -> None:
    """The text stands there once, what it becomes can be read, and brings no name that the file does not have."""
    for fault in ROOMS[room]:
        source = fault.source()
        strange = words_of(source) - words_of((ROOT / fault.file).read_text()) - set(dir(builtins))
        imported = re.findall(r"\w+", source.partition("\n\n\n")[0])
        assert strange <= set(imported), f"{fault.name} brings {strange}"


@pytest.mark.parametrize("room", ROOMS)
def test_every_fault_is_of_its_room_and_names_tests_that_there_are(room: str) -> None:
    for fault in ROOMS[room]:
        place = Path(fault.file).relative_to("orchestrator")
        assert str(place).startswith(room.removesuffix("/top")), f"{fault.name} is not of {room}"
        assert fault.breaks.endswith("."), f"{fault.name} says in no sentence what it breaks"
        assert fault.caught_by, f"{fault.name} names no test"
        missing = [test for test in fault.caught_by if not is_there(test)]
        assert not missing, f"{fault.name} is to be caught by tests that are not there: {missing}"


def test_faults_have_names_of_their_own_and_are_a_hundred_at_least() -> None:
    assert len(EVERY) >= 100
    assert not [name for name, count in Counter(fault.name for fault in EVERY).items() if count > 1]
    same: dict[tuple[str, str], list[str]] = {}
    for fault in EVERY:
        same.setdefault((fault.file, fault.source()), []).append(fault.name)
    assert not [names for names in same.values() if len(names) > 1]


def test_core_engine_and_store_have_their_faults() -> None:
    packages = Counter(fault.file.split("/")[1] for fault in EVERY)
    assert set(packages) == {"core", "engine", "store"}
    assert min(packages.values()) >= 20


def test_a_fault_knows_its_module() -> None:
    fault = Fault(name="a", file="orchestrator/core/decide.py", text="", instead="", breaks="", caught_by=())
    assert fault.module == "orchestrator.core.decide"
