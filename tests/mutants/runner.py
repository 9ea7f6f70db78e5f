"""Runs the tests that are to catch a fault, with the fault, and says what became of it."""

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tests.mutants.fault import ROOT, Fault, Rotten
from tests.mutants.planting import FAULT, TOLD, Told, with_fault

LONGEST = 180.0  # seconds that a child has


class End(StrEnum):
    """What became of a fault."""

    CAUGHT = "caught"
    SURVIVED = "survived"  # every test passed
    ROTTEN = "rotten"  # its text does not stand in the file once
    UNFIT = "unfit"  # with it the program cannot be imported: no test was asked
    ELSEWHERE = "elsewhere"  # no test imports its file
    TOO_LONG = "too long"  # the tests did not end


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One fault's end."""

    fault: str
    end: End
    by: str = ""  # the first test that failed
    why: str = ""
    seconds: float = 0.0  # until it was known, of the whole child
    cpu_seconds: float = 0.0


def judge(fault: Fault, *, root: Path = ROOT, longest: float = LONGEST) -> Outcome:
    """What becomes of one fault."""
    try:
        fault.source(root)
    except Rotten as why:
        return Outcome(fault=fault.name, end=End.ROTTEN, why=str(why))
    began, spent = time.monotonic(), _spent()
    code, told = _asked(fault, fault.caught_by, root=root, longest=longest)
    seconds, cpu = time.monotonic() - began, _spent() - spent
    end = _end(code, told)
    return Outcome(fault=fault.name, end=end, by=told.failed, why=told.why, seconds=seconds, cpu_seconds=cpu)


def fails_anyway(faults: Sequence[Fault], *, root: Path = ROOT, longest: float = 10 * LONGEST) -> str:
    """The first of these faults' tests that fails without any fault, and why; empty: all pass."""
    tests = tuple(dict.fromkeys(test for fault in faults for test in fault.caught_by))
    code, told = _asked(None, tests, root=root, longest=longest)
    return "" if code == 0 else f"{told.failed or 'the tests did not end'}: {told.why}"


def _end(code: int | None, told: Told) -> End:
    if code is None:
        return End.TOO_LONG
    if told.is_unfit or code not in (0, 1):
        return End.UNFIT
    if not told.is_planted:
        return End.ELSEWHERE
    return End.CAUGHT if code == 1 and told.failed else End.SURVIVED


def _asked(
    fault: Fault | None, tests: Sequence[str], *, root: Path, longest: float
) -> tuple[int | None, Told]:
    """The exit code of pytest in a child, None: it did not end; and what the child told."""
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "told.json"
        ran = subprocess.Popen(
            [
                *(sys.executable, "-m", "pytest", "-x", "-q", "-p", "tests.mutants.planting"),
                *("-p", "no:cacheprovider", "--no-header", "--tb=line", *tests),
            ],
            cwd=root,
            env={
                **os.environ,
                FAULT: with_fault(fault),
                TOLD: str(told),
                "PYTHONPATH": os.pathsep.join(dict.fromkeys((str(root), str(ROOT)))),
                "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # none is needed, and they take longer to load than many a test
                "CI": "1",  # Hypothesis then draws the same every time, and keeps nothing of what it finds
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # what the tests have started ends with them
        )
        try:
            out, _ = ran.communicate(timeout=longest)
        except BaseException as stopped:
            os.killpg(ran.pid, signal.SIGKILL)
            ran.communicate()
            if isinstance(stopped, subprocess.TimeoutExpired):
                return None, Told(why=f"it did not end within {longest:g} s")
            raise
        if not told.exists():
            return ran.returncode or 3, Told(why=out.strip()[-2000:], is_unfit=True)
        return ran.returncode, Told(**json.loads(told.read_text()))


def _spent() -> float:
    """Seconds of CPU that children have spent so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
