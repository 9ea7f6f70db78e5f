"""What is kept beside a row is what its doors show: the same value, from text alone, for rows from every corner."""

import hashlib
import json
from pathlib import Path

import pytest

from api.client.reading import read
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.engine.views.keeping import kept, text_of
from orchestrator.engine.views.kept import FORM, Kept
from orchestrator.engine.views.rollout import view
from orchestrator.ports.rollouts import Stored
from orchestrator.store.codec import decode
from tests.store.rows.golden import Golden, paths

FORMS = {1: "5151656ba4868f98"}
"""What all golden rows keep, by form: as soon as one is shown in another way, the form is another one."""


def stored(path: Path) -> Stored:
    row = Golden.read(path)
    return Stored(
        rollout=decode(Rollout, row.body, rollout=RolloutId(row.rollout)), version=7, wake_at=None, events=3
    )


@pytest.mark.parametrize("path", paths(), ids=lambda path: path.stem)
def test_what_is_kept_is_read_back_as_the_view_that_doors_show(path: Path) -> None:
    row = stored(path)
    found = read(Kept, json.loads(text_of(row)))
    assert found == kept(row)
    assert found.rollout == view(row)


def test_a_row_that_is_shown_in_another_way_is_kept_in_another_form() -> None:
    text = "\n".join(text_of(stored(path)) for path in sorted(paths()))
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    assert FORMS[FORM] == digest, (
        f"What doors show of these rows changed, to {digest}: raise FORM in orchestrator/engine/views/kept.py and "
        "add a line here, so that what earlier versions kept is not shown any more. Before a form is released, "
        "correct its line instead."
    )
