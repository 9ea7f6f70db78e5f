"""`teal deploy` killed at any moment goes on where it was, and leaves nothing behind."""

from pathlib import Path

import pytest

from tests.endtoend.kills import kill_and_go_on
from tests.endtoend.stage import Stage, play_together

# Seconds after each start: about when it is recorded, while green is made or has traffic, and in settling.
MOMENTS = (1.5, 4.0, 9.0)


async def good_revision(made: Stage) -> None:
    shop = await made.shop("good")
    file = shop.file(shop.revision(TEAL_DEMO_VERSION="2"))
    outcome = await kill_and_go_on(shop, file, MOMENTS, ends_in="succeeded")
    assert (outcome.is_good, outcome.code) == (True, 0), outcome


async def bad_revision(made: Stage) -> None:
    shop = await made.shop("bad")
    file = shop.file(shop.revision(TEAL_DEMO_ERROR_RATE="0.3"))
    outcome = await kill_and_go_on(shop, file, MOMENTS, ends_in="rolled_back")
    assert (outcome.is_good, outcome.code) == (True, 3), outcome


def test_deploy_that_is_killed_and_started_again_ends_right_and_leaves_nothing(
    tmp_path: Path, subtests: pytest.Subtests
) -> None:
    play_together(tmp_path, subtests, good_revision, bad_revision)
