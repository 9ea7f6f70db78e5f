import subprocess
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from tests.http.desk import Desk
from tests.http.process import fill, serving
from tests.support.rehearsal import Rehearsal


@pytest.fixture
def desk() -> Iterator[Desk]:
    with Rehearsal(requests_per_second=2) as stage:
        yield Desk(stage)


@pytest.fixture
def quiet_store(tmp_path: Path) -> Path:
    path = tmp_path / "teal.db"
    fill(path)
    return path


@pytest.fixture
def server(quiet_store: Path) -> Iterator[subprocess.Popen[str]]:
    with serving(quiet_store) as process:
        yield process


@pytest.fixture
def lines() -> Iterator[list[MutableMapping[str, Any]]]:
    """What is logged, at every level."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(0))
    with capture_logs() as captured:
        yield captured
    structlog.configure(**before)
