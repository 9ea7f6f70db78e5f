"""Every gate of the folder is registered, and complete: settings, model, dump, page and place in the row."""

import dataclasses
import importlib
import json
import pkgutil
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from types import ModuleType
from typing import Any

import pytest

from docs.pages import gates as page
from docs.pages.rollout_file import rows_under
from orchestrator.config import dump, load_text, minimal, schema
from orchestrator.config.gates.forms import FORMS
from orchestrator.core import gates as folder
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.gates import approval
from orchestrator.core.gates.gate import Gate, Setting
from orchestrator.core.gates.registry import ASKED, GATES, GatesSpec, those_on
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.store.codec import decode, encode
from tests.contract.store_values import a_rollout

MODULES = [
    importlib.import_module(f"{folder.__name__}.{found.name}")
    for found in pkgutil.iter_modules(folder.__path__)
]
LEAST = minimal("prod/checkout", "checkout:43")
every_gate = pytest.mark.parametrize(
    ("field", "gate"), [pytest.param(field, gate, id=gate.name) for field, gate in GATES.items()]
)


def gates_in(module: ModuleType) -> list[Gate[Any]]:
    own = (value for value in vars(module).values() if isinstance(value, Gate))
    return [gate for gate in own if f"{folder.__name__}.{gate.name}" == module.__name__]


def other(value: object, told: Setting) -> object:
    """Another value that the setting may have."""
    match value:
        case bool():
            return not value
        case StrEnum():
            return next(member for member in type(value) if member is not value)
        case timedelta():
            return value + timedelta(seconds=1)
        case str():
            return f"{value}x"
        case float() if told.is_share:
            return value / 2
        case int() | float():
            return type(value)(told.least) if value != told.least else type(value)(told.most)
    raise AssertionError(f"{value!r} is no kind of setting that the file knows how to write")


def varied(gate: Gate[Any]) -> Any:  # noqa: ANN401 - each gate's own settings
    """The gate on, with every setting that is written under its own name as it is not by default."""
    told = {one.name: one for one in dataclasses.fields(gate.usual) if Setting in one.metadata}
    changes = {name: other(one.default, one.metadata[Setting]) for name, one in told.items()}
    return replace(gate.usual, on=True, **changes)


def test_every_file_with_a_judge_registers_its_gate_under_the_files_name() -> None:
    judging = [module for module in MODULES if hasattr(module, "judge") and module is not approval]
    found = [gate for module in judging for gate in gates_in(module)]
    assert len(found) == len(judging), [module.__name__ for module in judging]
    assert {gate.name for gate in found} == {gate.name for gate in GATES.values()}


@every_gate
def test_what_the_file_says_nothing_of_is_as_the_gate_says(field: str, gate: Gate[Any]) -> None:
    assert getattr(GatesSpec(), field) == getattr(LEAST.gates, field) == gate.usual


@every_gate
def test_it_has_a_key_in_the_files_schema_which_says_what_it_means(field: str, gate: Gate[Any]) -> None:
    key = schema()["$defs"]["GatesModel"]["properties"][gate.name]
    assert key["description"]
    assert FORMS[field].gate is gate


@every_gate
def test_it_has_a_page_that_says_its_question_and_its_answers(field: str, gate: Gate[Any]) -> None:
    words = page.words_of(gate.name)
    assert words[page.ASKS].endswith("?")
    assert {"FAIL", "HOLD", "PASS"} <= words.keys()
    assert rows_under(f"gates.{gate.name}")


def test_no_page_is_left_of_a_gate_that_is_gone() -> None:
    assert {path.stem for path in page.WORDS.iterdir()} == set(page.NAMES)


@every_gate
def test_its_settings_are_stored_with_the_row_and_read_back(field: str, gate: Gate[Any]) -> None:
    assert field in json.loads(encode(a_rollout()))["spec"]["gates"]


@pytest.mark.parametrize(
    ("field", "gate"),
    [
        pytest.param(field, gate, id=gate.name)
        for field, gate in GATES.items()
        if dataclasses.is_dataclass(gate.usual)
        and any(one.name == "on" for one in dataclasses.fields(gate.usual))
    ],
)
def test_its_settings_are_written_into_the_file_and_the_row_and_read_back(
    field: str, gate: Gate[Any]
) -> None:
    for settings in (replace(gate.usual, on=False), replace(gate.usual, on=True), varied(gate)):
        spec = replace(LEAST, gates=replace(LEAST.gates, **{field: settings}))
        assert load_text(dump(spec)) == spec
        row = replace(a_rollout(), spec=spec)
        assert decode(Rollout, encode(row), rollout=RolloutId("r1")) == row


@every_gate
def test_a_gate_that_may_not_fail_in_settling_says_what_clears_its_hold(field: str, gate: Gate[Any]) -> None:
    assert gate.may_fail_in_settling != bool(gate.settles_when)


def test_gates_are_asked_in_an_order_in_which_the_plainest_reason_is_named_first() -> None:
    assert [GATES[field].name for field in ASKED] == [
        *(gate.name for gate in GATES.values() if not gate.is_named_last),
        *(gate.name for gate in GATES.values() if gate.is_named_last),
    ]


def test_a_gate_that_is_off_is_not_asked() -> None:
    off = GatesSpec(
        **{field: replace(getattr(GatesSpec(), field), on=False) for field in ("health", "guard")}
    )
    assert [gate.name for gate, _ in those_on(off)] == ["window", "compare"]


def test_settings_bear_the_names_by_which_rows_were_stored_so_far() -> None:
    stored = {"health", "guard", "compare", "alarms", "metrics", "probe", "webhooks", "window"}
    assert stored <= GATES.keys()
