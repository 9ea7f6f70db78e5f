"""Fixtures of the contract suites."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from orchestrator.ports.store import Store
from tests.contract.lies import LIES
from tests.contract.store_doors import STORES, Play, Script, played

if TYPE_CHECKING:
    from tests.contract.acts import SetStage
    from tests.contract.cloud import Stage, Way

MODULES = {"test_cloud_survey", "test_cloud_looks", "test_cloud_acts", "test_revisions"}
WAYS = ("direct", "wired", "moto")


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


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every way to an AWS for whoever asks for one; tests that need the World itself have no other."""
    if "way" not in metafunc.fixturenames:
        return
    needs_world = metafunc.definition.get_closest_marker("world") is not None
    ways = [name for name in WAYS if not (needs_world and name == "moto")]
    known = LIES.get(metafunc.function.__name__)
    marks = {"moto": [pytest.mark.xfail(reason=known, strict=True)] if known else []}
    metafunc.parametrize(
        "way", [pytest.param(n, marks=marks.get(n, [])) for n in ways], indirect=True, scope="module"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A lie about a test that is not there any more protects nothing."""
    here = {
        item.originalname
        for item in items
        if isinstance(item, pytest.Function) and "way" in item.fixturenames
    }
    whole = {Path(item.path).stem for item in items} >= MODULES
    if whole and (stale := sorted(LIES.keys() - here)):
        raise pytest.UsageError(f"tests/contract/lies.py names tests that are not there: {', '.join(stale)}")


@pytest.fixture(scope="module")
def way(request: pytest.FixtureRequest, runner: asyncio.Runner) -> "Iterator[Way]":
    # Imported here: the stores' suites need no AWS, and moto takes longer to import than many of them to run.
    from tests.contract.cloud import ByMoto, Direct, Wired

    if request.param == "direct":
        yield Direct()
        return
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("AWS_PROFILE", raising=False)
        environment.setenv("AWS_ACCESS_KEY_ID", "sandbox")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "sandbox")
        wired = Wired(runner) if request.param == "wired" else ByMoto(runner)
        yield wired
        wired.close()


@pytest.fixture
def staged(way: "Way", runner: asyncio.Runner) -> "SetStage":
    return lambda **scenery: way.stage(runner, **scenery)


@pytest.fixture
def stage(staged: "SetStage") -> "Stage":
    return staged()
