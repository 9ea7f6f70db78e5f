"""Fixtures of the contract suites."""

from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.ports import Store
from tests.contract.store_doors import STORES, Play, Script, played


@pytest.fixture(params=STORES)
def play(request: pytest.FixtureRequest, tmp_path: Path) -> Play[None]:
    make: Callable[[Path], Store] = request.param

    def run(script: Script[None]) -> None:
        played(make(tmp_path), script)

    return run
