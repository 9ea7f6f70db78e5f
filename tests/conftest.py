"""What every test is held to: one that is not marked `machine` opens no socket and starts no process."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.alone import ALONE

ALL_OF_IT = "pytestmark = pytest.mark.machine\n"
SOME_OF_IT = "mark.machine"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """A test and its fixtures, alone unless it says what it needs."""
    if item.get_closest_marker("machine"):
        return (yield)
    with ALONE:
        return (yield)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """Tells of what was refused also where the test took it for an error of the network's and went on."""
    yield
    if told := ALONE.told():
        pytest.fail(f"{item.nodeid} needs the machine and is not marked so: {', '.join(told)}", pytrace=False)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """A file of which nothing is asked for need not be imported, which takes longer than many a test."""
    asked = config.option.markexpr.split(" and ")
    if not collection_path.match("test_*.py"):
        return None
    if "machine" in asked and SOME_OF_IT not in collection_path.read_text():
        return True
    if "not machine" in asked and ALL_OF_IT in collection_path.read_text():
        return True
    return None
