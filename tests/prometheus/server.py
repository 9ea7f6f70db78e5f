"""A real Prometheus on loopback, with a past that a test wrote."""

import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

NEEDED = ("prometheus", "promtool")
REASON = "needs Prometheus of the system's packages: apt-get install prometheus"

needs_prometheus = pytest.mark.skipif(not all(shutil.which(name) for name in NEEDED), reason=REASON)


@contextmanager
def running(folder: Path, samples: Sequence[str]) -> Iterator[str]:
    """Its address. `samples`: lines of OpenMetrics with times, which become its past."""
    past, blocks = folder / "past.om", folder / "blocks"
    past.write_text("\n".join([*samples, "# EOF", ""]))
    made = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "--quiet", str(past), str(blocks)]
    subprocess.run(made, check=True, capture_output=True, timeout=60)
    config = folder / "prometheus.yml"
    config.write_text("global: {}\n")
    port = _free_port()
    command = [
        "prometheus",
        f"--config.file={config}",
        f"--storage.tsdb.path={blocks}",
        "--storage.tsdb.retention.time=100y",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=error",
    ]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            address = f"http://127.0.0.1:{port}"
            _await(address, process, folder / "log")
            yield address
        finally:
            process.terminate()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _await(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        assert process.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(f"{address}/-/ready", timeout=1):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise AssertionError(f"Prometheus is not ready: {log.read_text()}")
