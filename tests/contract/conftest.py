"""Fixtures of the contract suites."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from orchestrator.ports import Store
from tests.contract.cloud import Direct, Way, Wired, ways
from tests.contract.store_doors import STORES, Play, Script, played


@pytest.fixture(params=STORES)
def play(request: pytest.FixtureRequest, tmp_path: Path) -> Play[None]:
    make: Callable[[Path], Store] = request.param

    def run(script: Script[None]) -> None:
        played(make(tmp_path), script)

    return run


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as opened:
        yield opened


@pytest.fixture(scope="module", params=list(ways()))
def way(request: pytest.FixtureRequest, runner: asyncio.Runner) -> Iterator[Way]:
    if request.param == "direct":
        yield Direct()
        return
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("AWS_PROFILE", raising=False)
        environment.setenv("AWS_ACCESS_KEY_ID", "sandbox")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "sandbox")
        wired = Wired(runner)
        yield wired
        wired.close()
