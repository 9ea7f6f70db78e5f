"""Rollouts that are steered, stopped, killed and turned round, and still end right; played side by side.

These and those of ``test_in_trouble`` are the scenes that fit into a quick test; ``python -m tests.endtoend`` plays
all there are.
"""

from pathlib import Path

import pytest

from tests.endtoend import before_and_after, glass, killed, people, settling
from tests.endtoend.stage import play_as_subtests

pytestmark = pytest.mark.machine(seconds=90)

SCENES = (
    before_and_after.good_rollout,
    killed.good_revision,
    settling.breaker_that_puts_the_former_back,
    settling.rollback_while_traffic_returns,
    people.ctrl_c_leaves_and_sigterm_takes_back,
    glass.engine_killed_while_traffic_shifts,
    people.watched_through_a_server_that_restarts,
)


def test_rollout_ends_right_and_loses_no_request_whatever_happens_to_its_engine(
    tmp_path: Path, subtests: pytest.Subtests
) -> None:
    play_as_subtests(tmp_path, subtests, SCENES)
