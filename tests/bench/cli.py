"""How long the terminal waits: start to exit, beside a Python that does nothing.

Each command is tried where it reads the store at a glance, where rows keep nothing to be shown, so that the store is
read in full, and through a server. ``cpu`` is the processor's own time, which others' work disturbs less.
"""

import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tests.bench.lines import line, ratio
from tests.http.process import address_of, fill, serving

RUNS = 5
TEAL = ("-m", "api.cli.main")
COMMANDS = {
    "list": (*TEAL, "list"),
    "get": (*TEAL, "get", "r1"),
    "events": (*TEAL, "events", "r1"),
    "services": (*TEAL, "services", "prod/checkout"),
}
ALONE = {"bare_python": ("-c", "pass"), "help": (*TEAL, "--help")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """What a process took, in milliseconds."""

    wall: float
    cpu: float


def measure() -> Iterator[str]:
    """The fastest of some runs each, taken in turns, so that what else the machine does counts as little as it can."""
    with tempfile.TemporaryDirectory() as folder:
        glance, full, served = (Path(folder) / f"{name}.db" for name in ("glance", "full", "served"))
        for path in (glance, full, served):
            fill(path)
        with closing(sqlite3.connect(full)) as connection, connection:
            connection.execute("UPDATE rollouts SET shown = NULL")
        with serving(served) as server:
            ways = {
                "glance": {"TEAL_STORE": str(glance)},
                "full": {"TEAL_STORE": str(full)},
                "server": {"TEAL_SERVER": address_of(server)},
            }
            tried = {(name, ""): (command, ways["glance"]) for name, command in ALONE.items()}
            for way, where in ways.items():
                tried |= {(name, way): (command, where) for name, command in COMMANDS.items()}
            rounds = [{key: _took(*one) for key, one in tried.items()} for _ in range(RUNS)]
    best = {
        key: Took(wall=min(one[key].wall for one in rounds), cpu=min(one[key].cpu for one in rounds))
        for key in tried
    }
    bare = best.pop(("bare_python", ""))
    yield line("baseline_bare_python_ms", bare.wall)
    yield line("baseline_bare_python_cpu_ms", bare.cpu)
    for (name, way), took in best.items():
        figure = "_".join(part for part in ("cli", name, way) if part)
        yield line(f"{figure}_ms", took.wall)
        yield line(f"{figure}_cpu_ms", took.cpu)
        yield ratio(f"{figure}_cpu_ms", took.cpu, bare.cpu, to="bare_python")


def _took(command: tuple[str, ...], where: Mapping[str, str]) -> Took:
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *command], env={**os.environ, **where}, stdout=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    wall = 1000 * (time.perf_counter() - began)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    return Took(wall=wall, cpu=1000 * (used.ru_utime + used.ru_stime))
