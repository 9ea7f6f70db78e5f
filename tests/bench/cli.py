"""How long the terminal waits: start to exit, beside a Python that does nothing."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.bench.lines import line, ratio
from tests.http.process import fill

RUNS = 5
TEAL = ("-m", "api.cli.main")
COMMANDS = {
    "bare_python": ("-c", "pass"),
    "help": (*TEAL, "--help"),
    "list": (*TEAL, "list"),
    "get": (*TEAL, "get", "r1"),
    "events": (*TEAL, "events", "r1"),
}


def measure() -> Iterator[str]:
    """The fastest of some runs each, taken in turns, so that what else the machine does counts as little as it can."""
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "teal.db"
        fill(store)
        environment = {**os.environ, "TEAL_STORE": str(store)}
        rounds = [
            {name: _ms(command, environment) for name, command in COMMANDS.items()} for _ in range(RUNS)
        ]
    best = {name: min(one[name] for one in rounds) for name in COMMANDS}
    bare = best.pop("bare_python")
    yield line("baseline_bare_python_ms", bare)
    for name, ms in best.items():
        yield line(f"cli_{name}_ms", ms)
        yield ratio(f"cli_{name}_ms", ms, bare, to="bare_python")


def _ms(command: tuple[str, ...], environment: Mapping[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, *command], env=environment, check=True, stdout=subprocess.DEVNULL)
    return 1000 * (time.perf_counter() - began)
