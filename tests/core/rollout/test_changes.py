"""Changing values of a row that stand in its parts."""

from dataclasses import fields, replace
from typing import get_type_hints

import pytest

from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.changes import PART_OF, PARTS, Changes, changed
from orchestrator.core.rollout.rollout import Rollout
from tests.core.stages import row

NEVER_CHANGED = {"id", "author", "created_at"}


def test_every_part_of_a_row_is_known_as_one() -> None:
    hints = get_type_hints(Rollout)
    for part, kind in PARTS.items():
        assert kind in (hints[part], *getattr(hints[part], "__args__", ()))


def test_names_of_values_are_unique_over_the_row_and_all_its_parts() -> None:
    names = [field.name for kind in (Rollout, *PARTS.values()) for field in fields(kind)]
    assert len(names) == len(set(names))


def test_changes_have_the_types_of_the_values_that_they_change() -> None:
    own = {name: kind for name, kind in get_type_hints(Rollout).items() if name not in PARTS}
    of_parts = {name: hint for kind in PARTS.values() for name, hint in get_type_hints(kind).items()}
    wanted = {name: kind for name, kind in {**own, **of_parts}.items() if name not in NEVER_CHANGED}
    given = get_type_hints(Changes)
    assert given.pop("colours") is PARTS["colours"]
    assert given == wanted


def test_row_is_changed_in_all_its_parts_at_once_and_the_former_one_stays() -> None:
    known = row(Phase.SHIFTING, weight=100)
    new = changed(known, step=2, waiting_for="its bake", failed="guard", answers=())
    assert (known.progress.step, known.waiting.waiting_for, known.waiting.failed) == (0, "", "")
    assert new == replace(
        known,
        progress=replace(known.progress, step=2),
        waiting=replace(known.waiting, waiting_for="its bake", failed="guard"),
    )


def test_what_a_row_does_not_have_is_refused() -> None:
    known = row(Phase.SHIFTING, weight=100)
    with pytest.raises(AssertionError, match="a row has no stepp"):
        changed(known, stepp=2)  # type: ignore[call-arg]
    with pytest.raises(AssertionError, match="green belongs to colours, which the row does not have yet"):
        changed(row(Phase.PENDING), green=known.green)  # type: ignore[arg-type]


def test_every_value_of_a_part_belongs_to_one_part() -> None:
    assert {part for part in PART_OF.values()} == set(PARTS)
