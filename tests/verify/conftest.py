"""A World to run verify-account on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.verify.stage import Stage


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """One of each test's own."""
    stage = Stage(tmp_path)
    yield stage
    stage.close()
