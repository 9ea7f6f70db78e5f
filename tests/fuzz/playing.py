"""Schemathesis against a server of one's own, all checks on."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

SCHEMATHESIS = str(Path(sys.executable).with_name("schemathesis"))
CONFIG = Path(__file__).with_name("schemathesis.toml")
LIVE = Path(__file__).with_name("live.toml")
HEAVY = 3600  # seconds after which even a long run hangs


@contextmanager
def fuzzed_server(folder: Path) -> Iterator[tuple[str, str]]:
    """A server in a process of its own: its address and an admin's token."""
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.fuzz.server", str(folder)],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**os.environ, "TEAL_LOG": "info"},
        )
    with process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert line, (folder / "server.log").read_text()
            said = json.loads(line)
            yield said["address"], said["token"]
        finally:
            process.terminate()


def fuzz(
    *,
    examples: int,
    seed: int,
    phases: str,
    without: Sequence[str] = (),
    only: Sequence[str] = (),
    seconds: int | None = None,
    config: Path = CONFIG,
) -> tuple[int, str, str]:
    """Fuzz every call but those `without`: schemathesis' exit code, what it printed, and the server's faults."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with fuzzed_server(folder) as (address, token):
            asked = [
                SCHEMATHESIS,
                f"--config-file={config}",
                "run",
                f"{address}/openapi.json",
                f"--header=Authorization: Bearer {token}",
                f"--max-examples={examples}",
                f"--seed={seed}",
                f"--phases={phases}",
                "--checks=all",
                "--continue-on-failure",
                "--generation-database=none",
                "--no-color",
                *(f"--exclude-operation-id={name}" for name in without),
                *(f"--include-operation-id={name}" for name in only),
                *([f"--max-time={seconds}"] if seconds else []),
            ]
            ran = subprocess.run(
                asked, capture_output=True, text=True, timeout=HEAVY, cwd=folder, check=False
            )
        lines = (folder / "server.log").read_text().splitlines()
    return (
        ran.returncode,
        ran.stdout + ran.stderr,
        "\n".join(line for line in lines if "request_failed" in line),
    )
