"""What every test is held to: one that is not marked `machine` opens no socket and starts no process."""

import gc
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import botocore.loaders
import pytest

from tests.support.alone import ALONE
from tests.support.garbage import look_seldom

ALL_OF_IT = re.compile(r"^pytestmark = .*mark\.machine", re.MULTILINE)
SOME_OF_IT = "mark.machine"
WHOLE_ROLLOUTS = ("cases", "engine")  # rooms whose every test plays one, and is long by that

# What is imported and collected stays to the end: it is not searched for garbage, neither now nor in every test.
gc.disable()

# AWS's models are large, and every session reads its own: tests open hundreds.
botocore.loaders.create_loader = cache(botocore.loaders.create_loader)


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
    if "not long" in asked and _room(collection_path) in WHOLE_ROLLOUTS:
        return True
    text = collection_path.read_text()
    if ("machine" in asked and SOME_OF_IT not in text) or ("not machine" in asked and ALL_OF_IT.search(text)):
        return True
    return None


def _room(path: Path) -> str:
    return path.relative_to(Path(__file__).parent).parts[0]


@pytest.hookimpl(tryfirst=True)  # before anything is left out for its marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that say how long they take come first, the longest before all, then long stories: none is left over."""
    seconds = Counter[Path]()
    for item in items:
        if _room(item.path) in WHOLE_ROLLOUTS:
            item.add_marker("long")
        for mark in item.iter_markers("machine"):
            seconds[item.path] = max(seconds[item.path], mark.kwargs.get("seconds", 0))
    items.sort(key=lambda item: (-seconds[item.path], item.get_closest_marker("long") is None))


def pytest_collection_finish() -> None:
    """From here on there is garbage, and none of it is older."""
    look_seldom()
