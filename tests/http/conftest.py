import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

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
