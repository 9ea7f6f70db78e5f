"""Puts a fault into a module as it is imported: no file is touched. A plugin of pytest (`-p`), in a child process.

The fault comes as JSON in the environment, and what the tests made of it goes back as JSON in a file.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import sys
from collections.abc import Generator, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

import pytest

from tests.mutants.fault import Fault

FAULT, TOLD = (
    "TEAL_FAULT",
    "TEAL_FAULT_TOLD",
)  # in the environment: the fault, and the file for what was found
UNFIT = (ImportError, SyntaxError, NameError)  # of a program that is none: no test has said what it does


@dataclass(slots=True, kw_only=True)
class Told:
    """What the tests made of it."""

    is_planted: bool = False  # the module was imported, with the fault in it
    failed: str = ""  # the first test that failed, by its node id
    why: str = ""
    is_unfit: bool = False  # it failed since the program is none


class _Loader(SourceFileLoader):
    """Loads one module with a fault; nothing of it is kept for the next process."""

    def __init__(self, fullname: str, path: str, fault: Fault) -> None:
        super().__init__(fullname, path)
        self._fault = fault

    def get_code(self, fullname: str) -> CodeType:
        source = self._fault.put_into(Path(self.path).read_text())
        return compile(source, self.path, "exec", dont_inherit=True)


class Planted(importlib.abc.MetaPathFinder):
    """Finds the module that the fault is in, before anybody else does."""

    def __init__(self, fault: Fault) -> None:
        self._fault = fault

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module with the fault; None: it is another one."""
        if fullname != self._fault.module:
            return None
        found = PathFinder.find_spec(fullname, path, target)
        if found is None or found.origin is None:
            return None
        loader = _Loader(fullname, found.origin, self._fault)
        places = found.submodule_search_locations
        return importlib.util.spec_from_file_location(
            fullname, found.origin, loader=loader, submodule_search_locations=places
        )


def plant(fault: Fault) -> None:
    """Have the fault from now on. Its module must not have been imported."""
    assert fault.module not in sys.modules, f"{fault.module} was imported before the fault was put in"
    sys.meta_path.insert(0, Planted(fault))


def given() -> Fault | None:
    """The fault that this process is to have."""
    text = os.environ.get(FAULT)
    return Fault(**json.loads(text)) if text else None


def with_fault(fault: Fault | None) -> str:
    """A fault for the environment; empty: none."""
    return json.dumps(asdict(fault)) if fault else ""


_fault, _told = given(), Told()
if _fault is not None:
    plant(_fault)


def _all_of(error: BaseException) -> Iterator[BaseException]:
    yield error
    for one in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
        yield from _all_of(one)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: "pytest.CallInfo[None]"
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """The first failure."""
    report = yield
    if report.failed and not _told.failed and call.excinfo is not None:
        error = call.excinfo.value
        _told.failed = item.nodeid
        _told.why = f"{type(error).__name__}: {error}"
        _told.is_unfit = any(isinstance(one, UNFIT) for one in _all_of(error))
    return report


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """What could not even be collected."""
    if report.failed and not _told.failed:
        _told.failed, _told.why, _told.is_unfit = report.nodeid, report.longreprtext, True


def pytest_sessionfinish() -> None:
    """Says what was found."""
    _told.is_planted = _fault is None or _fault.module in sys.modules
    path = os.environ.get(TOLD)
    if path:
        Path(path).write_text(json.dumps(asdict(_told)))
