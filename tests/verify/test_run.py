"""A whole run on the World in virtual time: what it makes, what it plays, and that nothing is left."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.verify.stage import WANTED, Stage


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.close()


def test_a_good_rollout_of_a_throw_away_service_succeeds_and_nothing_is_left(stage: Stage) -> None:
    outcome = stage.play(replace(WANTED, parts=frozenset({"preflight", "good"})))
    said = "\n".join(stage.said)
    assert not outcome.stopped, said
    assert [(one.name, one.phase, one.failed) for one in outcome.rollouts] == [("good", "succeeded", 0)], said
    assert outcome.left == ()
    assert stage.letter() == stage.before
