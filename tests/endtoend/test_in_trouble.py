"""Revisions that are bad, people who interfere, and commands that cannot be obeyed; played side by side."""

from pathlib import Path

import pytest

from tests.endtoend import bad_revisions, interference, outages, refusals
from tests.endtoend.stage import play_as_subtests

pytestmark = pytest.mark.machine(seconds=60)

SCENES = (
    refusals.what_is_not_there,
    refusals.who_cannot_be_asked,
    refusals.file_that_is_wrong,
    bad_revisions.fails_requests,
    bad_revisions.has_no_room,
    interference.somebody_raises_green,
    outages.api_is_away_when_somebody_rolls_back,
)


def test_trouble_is_noticed_said_in_plain_words_and_leaves_blue_serving(
    tmp_path: Path, subtests: pytest.Subtests
) -> None:
    play_as_subtests(tmp_path, subtests, SCENES)
