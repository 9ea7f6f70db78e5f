"""`teal` as a process of its own, for what only a process can show: signals, pipes, exit codes."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).parents[2]
LONGEST_SECONDS = 300  # so long only what hangs takes, also on a machine that is busy with other things
TEAL = (sys.executable, "-m", "api.cli.main")


def environment(folder: Path, **more: str) -> dict[str, str]:
    """This process's environment without anything of AWS or Teal, and a store in the folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TEAL_"))}
    return {**kept, "TEAL_STORE": str(folder / "teal.db"), **more}


def run(*args: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """One command to its end."""
    return subprocess.run(
        [*TEAL, *args],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
        check=False,
    )


@contextmanager
def interruptible() -> Iterator[None]:
    """Processes started in this block hear SIGINT, though these tests may have been begun with it ignored.

    A shell has what it starts in the background ignore it (`nohup … &`), and whatever that starts ignores it too.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def running(*args: str, env: dict[str, str]) -> Iterator["Running"]:
    """A command while it runs; killed at the end of the block if it still does."""
    with interruptible():
        process = subprocess.Popen(
            [*TEAL, *args],
            cwd=ROOT,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
    try:
        yield Running(process)
    finally:
        process.kill()
        process.communicate()


class Running:
    """A `teal` that runs."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdout is not None
        assert process.stderr is not None
        self.out: IO[str] = process.stdout
        self.err: IO[str] = process.stderr

    def json(self) -> dict[str, Any]:
        """The next line on standard output, as JSON."""
        return dict(json.loads(self.out.readline()))

    def read_until(self, words: str, stream: IO[str]) -> str:
        """Everything up to the line that holds these words. Raises EOFError if the stream ends without."""
        text = ""
        for line in stream:
            text += line
            if words in line:
                return text
        raise EOFError(f"{words!r} did not come: {text}")

    def stop(self, number: signal.Signals) -> tuple[int, str, str]:
        """Send a signal and wait for the end: exit code, and the rest of both outputs."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=LONGEST_SECONDS)
        return self.process.returncode, out, err
